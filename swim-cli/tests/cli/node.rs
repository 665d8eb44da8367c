//! `swim node`, as a user or a script meets it.

use std::io::Write as _;
use std::net::UdpSocket;
use std::process::Stdio;

use rustix::process::Signal;

use crate::lab::{Folder, Process, SWIM, TIMEOUT, free_address};
use crate::{addr, converged, member, run, start, swim};

#[test]
fn the_first_line_names_the_member_and_the_port_that_was_bound() {
    let (_member, started) = member(&[]);
    let port = addr(&started).rsplit(':').next().expect("a port");
    assert_ne!(port, "0");
    assert_eq!(started["name"], format!("node-{port}"));
    assert_eq!((&started["driver"], &started["profile"]), (&"mio".into(), &"local".into()));
}

#[test]
fn members_on_both_drivers_find_each_other() {
    let (mut anna, _bruno) = pair();
    let rows = anna.ask("members");
    assert_eq!((&rows[0]["name"], &rows[0]["me"]), (&"anna".into(), &true.into()), "by name: {rows}");
    assert!(rows[1]["rtt_us"].is_u64() || rows[1]["rtt_us"].is_null());
}

#[test]
fn a_broadcast_reaches_the_other_member_under_the_name_of_its_origin() {
    let (mut anna, mut bruno) = pair();
    anna.say("broadcast grüße an  alle");
    assert_eq!(bruno.event("broadcast")["text"], "grüße an  alle");
}

#[test]
fn no_broadcast_of_many_lines_is_refused_and_they_arrive_in_order() {
    let (mut anna, mut bruno) = pair();
    for number in 0..1_000 {
        anna.say(&format!("broadcast {number}"));
    }
    for number in 0..1_000 {
        assert_eq!(bruno.event("broadcast")["text"], number.to_string());
    }
    assert!(!anna.text().contains("refused"));
}

#[test]
fn a_message_reaches_the_member_that_it_is_for() {
    let (mut anna, mut bruno) = pair();
    bruno.say("send anna how are you");
    let message = anna.event("message");
    assert_eq!((&message["name"], &message["text"]), (&"bruno".into(), &"how are you".into()));
}

#[test]
fn a_changed_text_is_seen_by_the_others() {
    let (mut anna, mut bruno) = pair();
    bruno.say("meta role=db");
    let updated = anna.event_about("updated", "bruno");
    assert_eq!(updated["meta"], "role=db");
}

#[test]
fn the_end_of_input_does_not_stop_a_member() {
    let (mut anna, started) = member(&["--name", "anna"]);
    drop(anna.stdin.take());
    let (mut bruno, _) = member(&["--name", "bruno", "--join", addr(&started)]);
    converged(&mut bruno, &["anna", "bruno"]);
    assert!(anna.child.try_wait().expect("it can be asked").is_none());
}

#[test]
fn a_signal_makes_a_member_say_goodbye_and_end_well() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let (mut anna, mut bruno) = pair();
        bruno.signal(signal);
        anna.event_about("left", "bruno");
        assert_eq!(bruno.end().code(), Some(0), "{signal:?}");
    }
}

#[test]
fn a_member_that_ignores_hangups_from_the_start_keeps_to_that() {
    let nohup = r#"trap "" HUP; exec "$0" node --json --bind 127.0.0.1:0"#;
    let mut member = Process::start(std::process::Command::new("sh").args(["-c", nohup, SWIM]));
    member.event("started");
    member.signal(Signal::HUP);
    assert!(member.ask("stats").is_object());
}

#[test]
fn leave_ends_the_member_once_the_others_have_heard_it() {
    let (mut anna, mut bruno) = pair();
    bruno.say("leave");
    bruno.event("leave_sent");
    anna.event_about("left", "bruno");
    assert_eq!(bruno.end().code(), Some(0));
    anna.say("send bruno hi");
    anna.next("why not", |line| {
        line["error"].as_str().is_some_and(|error| error.contains("`bruno` has left"))
    });
}

#[test]
fn quit_ends_the_member_at_once() {
    let (mut member, _) = member(&[]);
    member.say("quit");
    assert_eq!(member.end().code(), Some(0));
}

#[test]
fn a_member_joins_through_a_seed_that_comes_up_later_and_past_one_that_never_does() {
    let later = free_address().to_string();
    let seeds = format!("no-such-host.invalid:7946,{},{later}", free_address());
    let (mut bruno, _) = member(&["--name", "bruno", "--join", &seeds]);
    bruno.next("the name that is not known", |line| {
        line["error"].as_str().is_some_and(|error| error.contains("no-such-host.invalid:7946"))
    });
    let mut anna = start(&["node", "--json", "--profile", "local", "--name", "anna", "--bind", &later]);
    bruno.event("joined");
    converged(&mut anna, &["anna", "bruno"]);
}

#[test]
fn a_member_that_does_not_get_in_says_whom_it_asked_and_what_came_back() {
    let silent = free_address().to_string();
    let (mut member, _) = member(&["--join", &format!("{silent},no-such-host.invalid:7946")]);
    let report = member.next("a report", |line| {
        line["error"].as_str().is_some_and(|error| error.starts_with("not in a cluster yet"))
    });
    for part in [&*silent, "silence", "no address of no-such-host.invalid:7946"] {
        assert!(report["error"].as_str().is_some_and(|error| error.contains(part)), "{part}: {report}");
    }
}

#[test]
fn a_seed_may_be_given_while_running_and_by_name() {
    let (mut anna, started) = member(&["--name", "anna"]);
    let port = addr(&started).rsplit(':').next().expect("a port");
    let (mut bruno, _) = member(&["--name", "bruno"]);
    bruno.say(&format!("join localhost:{port}"));
    bruno.event("joined");
    converged(&mut anna, &["anna", "bruno"]);
}

#[test]
fn counters_are_given_by_name() {
    let (mut member, _) = member(&[]);
    let stats = member.ask("stats");
    assert!(stats["probes"].is_u64(), "{stats}");
}

#[test]
fn what_is_no_command_is_answered_by_an_error_that_names_it() {
    let (mut member, _) = member(&["--name", "anna"]);
    for (line, part) in [
        ("dance", "`dance`"),
        ("send nadja hi", "`nadja`"),
        ("send anna hi", "this member itself"),
        ("join 10.0.0.1", "10.0.0.1:7946"),
    ] {
        member.say(line);
        let answer = member.next("an error", |line| line.get("error").is_some());
        assert!(answer["error"].as_str().expect("text").contains(part), "{line}: {answer}");
    }
}

#[test]
fn a_name_that_another_member_has_is_given_up_with_an_explanation() {
    let (mut anna, started) = member(&["--name", "anna"]);
    let (mut other, _) = member(&["--name", "anna", "--join", addr(&started)]);
    other.next("an explanation", |line| line["error"].as_str().is_some_and(|error| error.contains("--name")));
    assert_eq!(other.end().code(), Some(1));
    converged(&mut anna, &["anna"]);
}

#[test]
fn a_bad_address_is_named_with_the_way_out() {
    for (args, part) in [
        (["--bind", "10.0.0.1"], "write 10.0.0.1:7946"),
        (["--bind", "::1"], "[::1]:7946"),
        (["--bind", "0.0.0.0:0"], "--advertise"),
        (["--bind", "no-such-host.invalid:1"], "no-such-host.invalid:1"),
        (["--join", "10.0.0.1:0"], "port 0"),
        (["--join", "seed:http"], "`http`"),
        (["--name", "two words"], "two-words"),
    ] {
        let (code, _, err) = run(&[&["node"], &args[..]].concat());
        assert_eq!(code, Some(2), "{args:?}: {err}");
        assert!(err.contains(part), "{args:?}: {err}");
    }
}

#[test]
fn an_address_in_use_is_named_and_is_no_usage_error() {
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let bind = taken.local_addr().expect("an address").to_string();
    let (code, out, err) = run(&["node", "--json", "--bind", &bind]);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains(&bind), "{err}");
    assert!(out.contains(r#"{"error":"#) && out.contains(&bind), "for programs, too: {out}");
}

#[test]
fn a_member_goes_on_without_room_for_its_output_and_leaves_when_its_reader_has_gone() {
    for full in [false, true] {
        let (mut anna, started) = member(&["--name", "anna"]);
        let mut bruno = swim(&["node", "--name", "bruno", "--bind", "127.0.0.1:0", "--profile", "local"]);
        if full {
            bruno.stdout(std::fs::File::create("/dev/full").expect("Linux"));
        }
        let mut bruno = bruno.args(["--join", addr(&started)]).spawn().expect("swim starts");
        drop(bruno.stdout.take());
        if full {
            anna.event_about("alive", "bruno");
            let stdin = bruno.stdin.as_mut().expect("a pipe");
            stdin.write_all(b"members\nmembers\nbroadcast still here\n").expect("it listens");
            assert_eq!(anna.event("broadcast")["text"], "still here");
            stdin.write_all(b"leave\n").expect("it listens");
            anna.event_about("left", "bruno");
        }
        let output = bruno.wait_with_output().expect("it ends");
        let warnings = String::from_utf8_lossy(&output.stderr);
        let code = if full { 0 } else { 1 };
        assert_eq!((output.status.code(), warnings.lines().count()), (Some(code), 1), "{warnings}");
    }
}

/// As `timeout` does, which signals the process and then its group.
#[test]
fn one_request_to_end_may_be_two_signals() {
    for round in 0..20 {
        let (mut anna, started) = member(&["--name", "anna"]);
        let bruno = ["node", "--name", "bruno", "--bind", "127.0.0.1:0", "--profile", "local", "--join"];
        let mut bruno = swim(&bruno).arg(addr(&started)).stdout(Stdio::null()).spawn().expect("starts");
        anna.event_about("alive", "bruno");
        let pid = rustix::process::Pid::from_child(&bruno);
        for _ in 0..3 {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
            std::thread::sleep(std::time::Duration::from_micros(200 * round));
        }
        assert_eq!(bruno.wait().expect("it ends").code(), Some(0), "{round}");
        anna.event_about("left", "bruno");
    }
}

#[test]
fn text_for_people_has_no_colours_when_it_goes_to_a_file() {
    let mut child = swim(&["node", "--bind", "127.0.0.1:0"]).stderr(Stdio::null()).spawn().expect("starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"members\nquit\n").expect("it listens");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("started") && text.contains("(this one)") && !text.contains('\x1b'), "{text:?}");
}

#[test]
fn what_another_member_says_reaches_no_terminal_as_a_command() {
    let mut anna = swim(&["node", "--name", "anna", "--bind", "127.0.0.1:0", "--profile", "local"]);
    let (mut bruno, started) = member(&["--name", "bruno"]);
    let mut anna = anna.args(["--join", addr(&started)]).env("CLICOLOR_FORCE", "1").spawn().expect("starts");
    bruno.event_about("alive", "anna");
    for command in ["meta", "broadcast", "send anna"] {
        bruno.say(&format!("{command} x\x1b[2Jx\u{9b}2Jx\rfake\u{202e}"));
    }
    bruno.event("sent");
    bruno.say("broadcast end");
    let mut heard = String::new();
    let mut lines = std::io::BufReader::new(anna.stdout.take().expect("a pipe"));
    while !heard.contains("\"end\"") {
        assert_ne!(std::io::BufRead::read_line(&mut lines, &mut heard).expect("text"), 0, "{heard}");
    }
    anna.stdin.take().expect("a pipe").write_all(b"members\nquit\n").expect("it listens");
    std::io::Read::read_to_string(&mut lines, &mut heard).expect("text");
    anna.wait().expect("it ends");
    assert!(heard.matches("x\\u001b[2Jx\\u009b2Jx\\u000dfake\\u202e").count() >= 4, "{heard:?}");
    assert!(!heard.contains(['\r', '\u{9b}', '\u{202e}']) && !heard.contains("\x1b[2J"), "{heard:?}");
}

/// `anna` on mio, and `bruno` on tokio, which has joined through it.
fn pair() -> (Process, Process) {
    let (mut anna, started) = member(&["--name", "anna", "--driver", "mio"]);
    let (mut bruno, _) = member(&["--name", "bruno", "--driver", "tokio", "--join", addr(&started)]);
    converged(&mut anna, &["anna", "bruno"]);
    converged(&mut bruno, &["anna", "bruno"]);
    (anna, bruno)
}

/// `swim` started by an interactive shell in the background of a new terminal; `script` gives terminals to processes.
#[test]
fn a_member_in_the_background_of_a_terminal_runs_and_in_the_foreground_it_reads() {
    let (mut anna, started) = member(&["--name", "anna"]);
    let folder = Folder::new();
    let heard = folder.0.join("heard");
    let join = format!("--profile local --join {}", addr(&started));
    let shell = format!("{SWIM} node --name bruno --bind 127.0.0.1:0 {join} >{} &\n", heard.display());
    let mut terminal = std::process::Command::new("script");
    terminal.args(["-qec", "bash --norc -i", "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut terminal = terminal.spawn().expect("util-linux");
    let mut keys = terminal.stdin.take().expect("a pipe");
    keys.write_all(shell.as_bytes()).expect("it listens");
    anna.event_about("alive", "bruno");
    std::thread::sleep(std::time::Duration::from_secs(1));
    anna.say("send bruno still there?");
    let end = std::time::Instant::now() + TIMEOUT;
    while !std::fs::read_to_string(&heard).expect("text").contains("still there?") {
        assert!(std::time::Instant::now() < end, "stopped in the background");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    keys.write_all(b"fg\n").expect("it listens");
    // The shell must not read what the member is to read.
    std::thread::sleep(std::time::Duration::from_secs(1));
    keys.write_all(b"send anna from the foreground\n").expect("it listens");
    assert_eq!(anna.event("message")["text"], "from the foreground");
    keys.write_all(b"leave\n").expect("it listens");
    anna.event_about("left", "bruno");
    terminal.kill().expect("it is there");
    terminal.wait().expect("it ends");
}

#[test]
fn a_line_without_end_is_refused_and_reading_goes_on_behind_it() {
    let (mut member, _) = member(&[]);
    member.say(&"x".repeat(1 << 20));
    let is_error =
        |line: &serde_json::Value| line["error"].as_str().is_some_and(|text| text.contains("65536"));
    member.next("an error that names the bound", is_error);
    assert!(member.ask("stats").is_object());
}
