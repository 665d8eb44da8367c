//! What the command line refuses, and the help that says what it takes.

use crate::sandbox::{Ran, Sandbox};

/// What it says of a call that makes no sense.
fn refused(sandbox: &Sandbox, words: &str) -> Ran {
    sandbox.run(words).ended(2)
}

#[track_caller]
fn says(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.err.contains(word), "{word:?} is not in\n{}", ran.err);
    }
}

#[test]
fn a_dial_that_does_not_exist_is_named_with_those_that_do() {
    let sandbox = Sandbox::new("no_dial");
    says(&refused(&sandbox, "run --seed 1 --set lozz=3"), &["`lozz`", "loss", "heal_interval"]);
    says(&refused(&sandbox, "run --seed 1 --set loss"), &["`loss`", "name=value"]);
}

#[test]
fn a_value_out_of_range_is_named_with_the_range() {
    let sandbox = Sandbox::new("no_value");
    says(&refused(&sandbox, "run --seed 1 --set loss=101"), &["`loss`", "`101`", "0 to 100"]);
    says(&refused(&sandbox, "run --seed 1 --set loss=much"), &["`loss`", "`much`", "0 to 100"]);
    says(&refused(&sandbox, "run gc-pause --set period=5"), &["`period`", "`5`", "1.5s"]);
    says(&refused(&sandbox, "run gc-pause --set perod=5s"), &["`perod`", "period"]);
    says(&refused(&sandbox, "run --seed 1 --set hosts=0"), &["hosts is 0", "1 to"]);
}

#[test]
fn a_scenario_that_is_not_there_is_named_with_the_way_to_the_names() {
    let sandbox = Sandbox::new("no_scenario");
    says(&refused(&sandbox, "run gc-paus"), &["gc-paus", "swim-sim scenario"]);
    says(&refused(&sandbox, "run missing.toml"), &["missing.toml", "neither a file"]);
    says(&refused(&sandbox, "run"), &["--seed N", "swim-sim scenario"]);
}

#[test]
fn a_file_that_is_no_scenario_is_shown_where_it_is_wrong() {
    let sandbox = Sandbox::new("no_toml");
    sandbox.write("broken.toml", "hosts = ");
    says(&refused(&sandbox, "run broken.toml"), &["broken.toml", "line 1"]);
    sandbox.write("unknown.toml", "hosts = 3\nhots = 4");
    says(&refused(&sandbox, "run unknown.toml"), &["unknown.toml", "line 2", "`hots`", "`hosts`"]);
    sandbox.write("stranger.toml", "hosts = 3\nsteps = [{ at = \"1s\", do = { crash = \"#9\" } }]");
    says(&refused(&sandbox, "run stranger.toml"), &["step 1", "#9", "3"]);
    sandbox.write("never.toml", "hosts = 3\nsteps = [{ at = \"1 day\", do = { crash = \"#1\" } }]");
    says(&refused(&sandbox, "run never.toml"), &["1 day", "1.5s"]);
}

#[test]
fn a_file_that_is_something_else_is_named_with_what_was_expected() {
    let sandbox = Sandbox::new("something_else");
    sandbox.write("passwd", "root:x:0:0:root:/root:/bin/bash\n");
    sandbox.write("noise", [0xff; 100]);
    for words in ["replay passwd", "run passwd", "replay noise"] {
        let ran = refused(&sandbox, words);
        says(&ran, &[&words[words.len() - 5..], "a scenario", "TOML", "a recording", "SWIMTRC1"]);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
    sandbox.write("passwd.swim", "root:x:0:0:root:/root:/bin/bash\n");
    let ran = sandbox.run("replay passwd.swim").ended(1);
    says(&ran, &["SWIMTRC1"]);
    assert_eq!(ran.err.matches("passwd.swim").count(), 1, "{}", ran.err);
}

#[test]
fn numbers_and_ranges_that_are_none_are_refused() {
    let sandbox = Sandbox::new("no_number");
    says(&refused(&sandbox, "run --seed x"), &["--seed", "'x'"]);
    says(&refused(&sandbox, "sweep --seeds 5..1"), &["5..1", "0..2000"]);
    says(&refused(&sandbox, "sweep --shard 3/3"), &["3/3", "0/4"]);
    says(&refused(&sandbox, "sweep --budget soon"), &["soon", "1.5s"]);
}

#[test]
fn a_mutant_that_this_build_has_not_is_refused_with_the_way_to_get_it() {
    let sandbox = Sandbox::new("no_mutant");
    for words in ["run gc-pause", "replay --seed 1", "sweep --seeds 0..2", "shrink --seed 1"] {
        says(&refused(&sandbox, &format!("{words} --mutant no-such-mutant")), &["no-such-mutant"]);
    }
    if swim_sim::mutants::all().is_empty() {
        says(&refused(&sandbox, "mutants"), &["proof/mutants/check"]);
    }
}

#[test]
fn nothing_is_overwritten_when_the_command_line_makes_no_sense() {
    let sandbox = Sandbox::new("untouched");
    sandbox.write("kept", "what was there");
    for words in [
        "run gc-pause --mutant no-such-mutant --save kept",
        "run --seed 1 --set loss=101 --save kept",
        "sweep --seeds 0..2 --set loss=101 --jsonl kept",
        "sweep --seeds 0..2 --mutant no-such-mutant --jsonl kept",
        "merge missing.jsonl --jsonl kept",
        "shrink gc-pause --set perod=1s -o kept",
        "shrink gc-pause -o kept",
        "report gc-pause --set perod=1s -o kept",
    ] {
        assert_ne!(sandbox.run(words).code, 0, "{words}");
        assert_eq!(sandbox.read("kept"), "what was there", "{words}");
    }
    assert_ne!(sandbox.run("run gc-pause --mutant no-such-mutant --record traces").code, 0);
    assert!(!sandbox.path("traces").exists());
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let sandbox = Sandbox::new("unwritable");
    let ran = sandbox.run("run gc-pause --save no/such/folder.toml").ended(1);
    says(&ran, &["no/such/folder.toml"]);
}

const COMMANDS: [&str; 11] = [
    "run",
    "replay",
    "sweep",
    "shrink",
    "report",
    "diff",
    "mutants",
    "ablations",
    "oracle",
    "merge",
    "scenario",
];

#[test]
fn every_command_explains_itself() {
    let sandbox = Sandbox::new("help");
    let all = sandbox.run("--help").ended(0);
    for command in COMMANDS {
        assert!(all.out.contains(&format!("\n  {command} ")), "{command}");
        let help = sandbox.run(&format!("{command} --help")).ended(0);
        assert!(help.out.contains(&format!("Usage: swim-sim {command}")), "{}", help.out);
    }
}

#[test]
fn every_exit_code_is_in_the_help() {
    let help = Sandbox::new("codes").run("--help").ended(0).out;
    let codes = help.split("Exit codes:").nth(1).expect("a list of them");
    for code in
        ["0 every property held", "1 a file", "2 the command line", "10 ", "11 ", "12 ", "13 ", "14 ", "130 "]
    {
        assert!(codes.contains(code), "{code}");
    }
}

#[test]
fn without_a_command_it_shows_the_help_and_has_failed() {
    let ran = Sandbox::new("nothing").run("").ended(2);
    assert!(ran.err.contains("Usage: "), "{}", ran.err);
}

#[test]
fn the_scenarios_are_listed_with_what_they_are_about() {
    let sandbox = Sandbox::new("scenarios");
    let listed = sandbox.run("scenario").ended(0).out;
    for name in swim_sim::scenario::NAMES {
        let line = listed.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}"));
        assert!(line.len() > name.len() + 40, "{line}");
    }
    let text = sandbox.run("scenario gc-pause --print").ended(0).out;
    assert_eq!(Some(text.as_str()), swim_sim::scenario::named("gc-pause"));
}
