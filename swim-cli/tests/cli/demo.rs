//! `swim demo`: what it promises, and that it leaves nothing behind.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::lab::{Process, TIMEOUT};
use crate::{run, start, swim};

/// The last line: the outcome.
fn outcome(out: &str) -> Value {
    let last = out.lines().last().expect("a last line");
    serde_json::from_str(last).unwrap_or_else(|_| panic!("no JSON: {last}"))
}

/// Processes that were started by the process `pid` as its members, zombies excluded: they have no command
/// line any more.
fn members_of(pid: u32) -> Vec<u32> {
    let mark = format!("--parent\0{pid}\0");
    let processes = fs::read_dir("/proc").expect("Linux").filter_map(Result::ok);
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id: &u32| {
        fs::read(format!("/proc/{id}/cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&mark))
    })
    .collect()
}

fn assert_no_member_is_left(pid: u32) {
    let end = Instant::now() + TIMEOUT;
    while !members_of(pid).is_empty() {
        assert!(Instant::now() < end, "left behind: {:?}", members_of(pid));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A demo that has converged, and takes commands.
fn interactive(nodes: u16) -> Process {
    let mut demo = start(&["demo", "--json", "--interactive", "--nodes", &nodes.to_string()]);
    demo.next("convergence", |line| line["step"] == "converged" && line["ok"] == true);
    demo
}

#[test]
fn the_script_shows_everything_and_the_last_line_says_so() {
    let (code, out, err) = run(&["demo", "--json", "--nodes", "4"]);
    let outcome = outcome(&out);
    assert_eq!((code, &outcome["ok"]), (Some(0), &true.into()), "{outcome}\n{err}");
    assert_eq!((&outcome["nodes"], &outcome["false_deaths"]), (&4.into(), &0.into()));
    for time in ["converged_ms", "rejoined_ms", "resumed_ms", "left_ms"] {
        assert!(outcome[time].is_u64(), "{time}: {outcome}");
    }
    let detected = ["min", "median", "max"].map(|which| outcome["detected_ms"][which].as_u64());
    assert!(detected[0] > Some(0) && detected.is_sorted(), "{outcome}");
    for line in out.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
}

#[test]
fn the_smallest_demo_of_each_driver_works() {
    for driver in ["mio", "tokio"] {
        let (code, out, err) = run(&["demo", "--json", "--nodes", "2", "--driver", driver]);
        assert_eq!(code, Some(0), "{driver}: {}\n{err}", outcome(&out));
    }
}

#[test]
fn text_shows_the_story_and_ends_with_the_outcome() {
    let (code, out, err) = run(&["demo", "--nodes", "3"]);
    assert_eq!(code, Some(0), "{out}\n{err}");
    assert!(!out.contains('\x1b'), "no colours in a file: {out:?}");
    for part in ["SIGKILL to node-3", "suspects node-3", "calls node-3 Dead", "SIGSTOP to node-2"] {
        assert!(out.contains(part), "{part}:\n{out}");
    }
    assert!(
        out.lines().last().is_some_and(|line| line.contains("everything shown really happened")),
        "{out}"
    );
}

#[test]
fn a_demo_that_is_killed_leaves_no_process_behind_not_even_the_stopped() {
    let mut demo = interactive(3);
    demo.say("pause 2");
    demo.next("the pause", |line| line["step"] == "pause");
    let pid = demo.pid();
    assert_eq!(members_of(pid).len(), 3);
    demo.kill();
    assert_no_member_is_left(pid);
}

#[test]
fn an_interrupted_demo_says_so_and_leaves_no_process_behind() {
    let mut demo = start(&["demo", "--json", "--nodes", "3"]);
    demo.next("a member", |line| line["event"] == "started");
    demo.signal(Signal::INT);
    assert_eq!(demo.end().code(), Some(130));
    assert_eq!(outcome(&demo.text())["ok"], false);
    assert_no_member_is_left(demo.pid());
}

#[test]
fn members_can_be_killed_and_started_by_hand() {
    let mut demo = interactive(3);
    demo.say("kill 2");
    demo.next("the outcome of all", |line| line["step"] == "detected");
    demo.say("restart 2");
    demo.next("the return", |line| line["step"] == "alive");
    demo.say("status");
    let status = demo.next("status", |line| line.get("status").is_some());
    assert_eq!(
        (&status["status"][1]["name"], &status["status"][1]["alive_at"]),
        (&"node-2".into(), &2.into())
    );
    demo.say("hug 2");
    demo.next("an error", |line| line["error"].as_str().is_some_and(|error| error.contains("`hug`")));
    demo.say("quit");
    let outcome = demo.next("the outcome", |line| line.get("ok").is_some() && line.get("nodes").is_some());
    assert_eq!((&outcome["ok"], &outcome["false_deaths"]), (&true.into(), &0.into()), "{outcome}");
    assert_eq!(demo.end().code(), Some(0));
    assert_no_member_is_left(demo.pid());
}

#[test]
fn a_demo_that_is_not_read_ends_and_leaves_no_process_behind() {
    let mut child = swim(&["demo", "--nodes", "3"]).spawn().expect("swim starts");
    drop(child.stdout.take());
    let pid = child.id();
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    assert_no_member_is_left(pid);
}

#[test]
fn commands_typed_before_the_members_have_met_are_obeyed_when_they_have() {
    let mut demo = start(&["demo", "--json", "--interactive", "--nodes", "2"]);
    demo.say("quit");
    let outcome = demo.next("the outcome", |line| line.get("ok").is_some() && line.get("nodes").is_some());
    assert!(outcome["converged_ms"].is_u64(), "{outcome}");
    assert_eq!(demo.end().code(), Some(0));
}

#[test]
fn a_contestant_of_the_benchmark_ends_with_the_process_that_measures_it() {
    let args = ["bench", "subject", "swim-mio", "--peer", "127.0.0.1:9", "--answer", "46"];
    let (code, out, err) = run(&args);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.starts_with("ready 127.0.0.1:"), "{out}");
}

#[test]
fn the_end_of_an_interactive_demo_claims_no_more_than_was_checked() {
    let mut demo = swim(&["demo", "--interactive", "--nodes", "2"]).spawn().expect("swim starts");
    let commands = b"kill 1\nkill 2\nrestart 1\nquit\n";
    std::io::Write::write_all(&mut demo.stdin.take().expect("a pipe"), commands).expect("it listens");
    let output = demo.wait_with_output().expect("it ends");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains("no other member runs that could notice"), "{out}");
    assert!(out.contains("no member that was there was called Dead") && !out.contains("everything"), "{out}");
}
