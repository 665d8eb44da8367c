//! `run`: one run, and how to see it again.

use std::path::Path;

use crate::sandbox::Sandbox;

const SMALL: &str = r##"
about = "one of three dies"
hosts = 3
steps = [{ at = "2s", do = { crash = "#3" } }]
trouble = "20s"
"##;

#[test]
fn the_first_line_repeats_it_and_the_last_is_the_digest() {
    let sandbox = Sandbox::new("first_and_last");
    let ran = sandbox.run("run --seed 3 --set hosts=4").ended(0);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].starts_with("replay: "), "{}", ran.out);
    let digest = lines.last().and_then(|line| line.strip_prefix("digest: ")).expect("a digest");
    assert!(digest.len() == 16 && digest.chars().all(|c| c.is_ascii_hexdigit()), "{digest}");
    assert_eq!(lines[0], lines[lines.len() - 2]);
    assert_eq!(sandbox.again(&ran).digest(), digest);
}

#[test]
fn another_call_gives_the_same_output_byte_for_byte() {
    let sandbox = Sandbox::new("same_twice");
    let [first, second] = [0, 1].map(|_| sandbox.run("run gc-pause").ended(0).out);
    assert_eq!(first, second);
}

#[test]
fn another_seed_gives_another_digest() {
    let sandbox = Sandbox::new("another_seed");
    let digest = |words| sandbox.run(words).ended(0).digest().to_owned();
    assert_ne!(digest("run gc-pause --seed 1"), digest("run gc-pause --seed 2"));
}

#[test]
fn run_twice_it_compares_and_passes() {
    let sandbox = Sandbox::new("twice");
    let once = sandbox.run("run gc-pause").ended(0);
    let twice = sandbox.run("run gc-pause --twice").ended(0);
    assert_eq!(once.digest(), twice.digest());
}

#[test]
fn a_saved_run_is_the_same_run() {
    let sandbox = Sandbox::new("saved");
    let ran = sandbox.run("run --seed 3 --set hosts=4 --save it.toml").ended(0);
    assert_eq!(sandbox.run("replay it.toml").ended(0).digest(), ran.digest());
}

#[test]
fn what_is_set_by_hand_is_shown_and_stands_in_the_line_that_repeats_it() {
    let sandbox = Sandbox::new("set");
    let plain = sandbox.run("run --seed 3 --set hosts=4").ended(0);
    let set = sandbox.run("run --seed 3 --set hosts=4 --set loss=35 --set heal_interval=7s").ended(0);
    assert!(set.out.contains(" loss=35 ") && set.out.contains(" heal_interval=7s "), "{}", set.out);
    assert_ne!(set.digest(), plain.digest());
    assert_eq!(sandbox.again(&set).digest(), set.digest());
}

#[test]
fn an_option_of_a_scenario_can_be_set() {
    let sandbox = Sandbox::new("option");
    sandbox.write("small.toml", SMALL);
    let set = sandbox.run("run small.toml --set period=2s").ended(0);
    assert!(set.out.contains(" period=2s "), "{}", set.out);
    assert_eq!(sandbox.again(&set).digest(), set.digest());
}

#[test]
fn names_that_a_shell_would_take_apart_are_quoted() {
    let sandbox = Sandbox::new("quoted");
    sandbox.write("it's a $HOME.toml", SMALL);
    let ran = sandbox.shell(r#"swim-sim run "it's a \$HOME.toml" --set label='a b'"#).ended(0);
    assert_eq!(sandbox.again(&ran).ended(0).digest(), ran.digest());
}

#[test]
fn as_json_it_is_one_object_with_the_whole_scenario() {
    let sandbox = Sandbox::new("json");
    let ran = sandbox.run("run --seed 3 --set hosts=4 --json").ended(0);
    let object: serde_json::Value = serde_json::from_str(&ran.out).expect("one object");
    assert_eq!(object["verdict"], "passed");
    assert_eq!(object["scenario"]["hosts"], 4);
    assert_eq!(object["digest"], sandbox.run("run --seed 3 --set hosts=4").digest());
}

#[test]
fn no_line_is_too_long_for_a_terminal() {
    let sandbox = Sandbox::new("width");
    let ran = sandbox.run("run --seed 3 --set hosts=4").ended(0);
    let long: Vec<_> = ran.out.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn colours_are_for_those_who_look() {
    let sandbox = Sandbox::new("colours");
    let plain = sandbox.run("run gc-pause").ended(0);
    assert!(!plain.out.contains('\x1b'));
    let painted = sandbox.shell("CLICOLOR_FORCE=1 swim-sim run gc-pause").ended(0);
    assert!(painted.out.contains('\x1b'));
    assert!(painted.out.lines().last().is_some_and(|line| line.starts_with("digest: ")));
}

#[test]
fn until_a_moment_it_shows_who_is_wrong_about_whom() {
    let sandbox = Sandbox::new("until");
    sandbox.write(
        "crash.toml",
        "hosts = 4\nsteps = [{ at = \"2s\", do = { crash = \"#4\" } }]\ntrouble = \"60s\"",
    );
    let early = sandbox.run("replay crash.toml --until 12.1s").ended(0);
    assert!(early.out.contains("#1 holds #4 Alive"), "{}", early.out);
    assert!(early.out.contains("stopped: every property held until 12."), "{}", early.out);
    let late = sandbox.run("replay crash.toml --until 60s").ended(0);
    assert!(late.out.contains("every member's view is right"), "{}", late.out);
    assert_ne!(early.digest(), late.digest());
    assert_eq!(sandbox.again(&early).digest(), early.digest());
}

#[test]
fn step_by_step_it_prints_what_happens_and_then_the_outcome() {
    let sandbox = Sandbox::new("step");
    let plain = sandbox.run("replay gc-pause").ended(0);
    let steps = sandbox.run("replay gc-pause --step").ended(0);
    assert!(steps.out.contains("   0.000000 == start #1\n"), "{}", &steps.out[..2000]);
    assert!(steps.out.lines().count() > 2 * plain.out.lines().count());
    let begin = steps.out.rfind("passed: every property held").expect("an outcome after the last step");
    assert!(steps.out[begin..].lines().count() < 20);
    assert_eq!(steps.digest(), plain.digest());
}

#[test]
fn who_reads_only_the_first_line_gets_it_and_no_panic() {
    let sandbox = Sandbox::new("first_line");
    for words in
        ["replay gc-pause --step", "run --seed 3", "scenario", "sweep --seeds 0..4 --set hosts=4 --jsonl -"]
    {
        let ran = sandbox.shell(&format!("swim-sim {words} | head -n 1")).ended(0);
        assert_eq!(ran.out.lines().count(), 1, "{words}");
        assert_eq!(ran.err, "", "{words}");
    }
}

#[test]
fn a_run_is_the_same_as_itself() {
    let ran = Sandbox::new("diff_same").run("diff gc-pause gc-pause").ended(0);
    assert!(ran.out.starts_with("same: "), "{}", ran.out);
}

#[test]
fn runs_that_part_are_shown_from_there_on() {
    let sandbox = Sandbox::new("diff_part");
    sandbox
        .write("a.toml", "hosts = 3\nsteps = [{ at = \"2s\", do = { crash = \"#3\" } }]\ntrouble = \"5s\"");
    sandbox
        .write("b.toml", "hosts = 3\nsteps = [{ at = \"2s\", do = { crash = \"#2\" } }]\ntrouble = \"5s\"");
    let ran = sandbox.run("diff a.toml b.toml").ended(1);
    let (before, after) = ran.out.split_once("\na.toml\n").expect("the one side");
    assert!(before.starts_with("they part after "), "{before}");
    let (one, other) = after.split_once("\nb.toml\n").expect("the other side");
    assert!(one.starts_with("    12.000000 == crash #3"), "{one}");
    assert!(other.starts_with("    12.000000 == crash #2"), "{other}");
}

#[test]
fn two_seeds_part() {
    Sandbox::new("diff_seeds").run("diff 1 2 --set hosts=3").ended(1);
}

#[test]
fn a_failing_run_becomes_a_page_and_a_trace_and_keeps_its_exit_code() {
    let sandbox = Sandbox::new("report");
    let ran =
        sandbox.run("report h16-pause --set self_doubt=false -o page.html --perfetto trace.json").ended(10);
    let page = sandbox.read("page.html");
    assert!(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"), "{}", &page[..80]);
    assert!(page.contains(ran.digest()) && page.contains("self_doubt=false"));
    let trace: serde_json::Value = serde_json::from_str(&sandbox.read("trace.json")).expect("JSON");
    assert!(trace["traceEvents"].as_array().is_some_and(|events| !events.is_empty()));
}

/// Each scenario of the table, and an option that makes it fail.
fn rows() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/known-holes.md");
    let text = std::fs::read_to_string(path).expect("a document of this repository");
    let mut rows = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| `h")) {
        let mut ticked = line.split('`').skip(1).step_by(2);
        let name = ticked.next().expect("the scenario comes first").to_owned();
        let sets = ticked.filter_map(|word| word.strip_prefix("--set "));
        rows.extend(sets.map(|set| (name.clone(), set.to_owned())));
    }
    rows
}

#[test]
fn every_hole_that_a_switch_reopens_is_found() {
    let (sandbox, rows) = (Sandbox::new("holes"), rows());
    assert!(rows.len() >= 8, "{rows:?}");
    for (name, set) in rows {
        let ran = sandbox.run(&format!("run {name} --set {set}"));
        assert!([10, 11, 12].contains(&ran.code), "{name} {set}: {}\n{}{}", ran.code, ran.out, ran.err);
    }
}

#[test]
fn a_broken_property_is_named_with_what_was_seen_and_when() {
    let ran = Sandbox::new("named_property").run("run h16-pause --set self_doubt=false").ended(10);
    assert!(ran.out.contains("\nsafety: E1 expected ("), "{}", ran.out);
    assert!(ran.out.contains(" s, Trouble, hosts [#a"), "{}", ran.out);
}
