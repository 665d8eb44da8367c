//! `sweep`: many seeds, and the same result however they are shared out.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// Small clusters, few faults.
const SMALL: &str = "--set hosts=4 --set faults=6 --set corruption=0";
/// Tables that are too small: whatever the seed, some newcomer is not admitted.
const FAILING: &str = "--set hosts=8 --set quiet=1 --set members_max=4 --set tombstones_max=4 --set corruption=0 \
                       --twice-every 0";

#[test]
fn the_number_of_jobs_changes_nothing() {
    let sandbox = Sandbox::new("jobs");
    let [one, two] = ["1", "2"].map(|jobs| {
        sandbox.run(&format!("sweep --seeds 0..8 {SMALL} --jobs {jobs} --jsonl {jobs}.jsonl")).ended(0)
    });
    assert_eq!(one.digest(), two.digest());
    assert_eq!(sandbox.read("1.jsonl"), sandbox.read("2.jsonl"));
    assert_eq!(sandbox.read("1.jsonl").lines().count(), 8);
}

#[test]
fn the_last_lines_repeat_it_and_are_its_digest() {
    let sandbox = Sandbox::new("sweep_again");
    let ran = sandbox.run(&format!("sweep --seeds 3..7 {SMALL}")).ended(0);
    let lines: Vec<&str> = ran.out.lines().rev().take(2).collect();
    assert!(lines[0].starts_with("digest: ") && lines[1].starts_with("replay: "), "{lines:?}");
    assert!(ran.out.starts_with(lines[1]));
    assert_eq!(sandbox.again(&ran).ended(0).digest(), ran.digest());
}

#[test]
fn shards_that_are_put_together_are_the_whole() {
    let sandbox = Sandbox::new("shards");
    let whole = sandbox.run(&format!("sweep --seeds 0..9 {SMALL} --jsonl whole.jsonl")).ended(0);
    for shard in 0..3 {
        let ran = sandbox.run(&format!("sweep --seeds 0..9 {SMALL} --shard {shard}/3 --jsonl {shard}.jsonl"));
        assert_eq!(sandbox.again(&ran.ended(0)).line("digest: ").len(), 16);
    }
    let merged = sandbox.run("merge 2.jsonl 0.jsonl 1.jsonl --jsonl merged.jsonl").ended(0);
    assert_eq!(merged.digest(), whole.digest());
    assert_eq!(sandbox.read("merged.jsonl"), sandbox.read("whole.jsonl"));
}

#[test]
fn lines_on_standard_output_are_alone_there() {
    let sandbox = Sandbox::new("jsonl_out");
    let ran = sandbox.run(&format!("sweep --seeds 0..3 {SMALL} --jsonl -")).ended(0);
    let seeds: Vec<u64> = ran.out.lines().map(|line| seed(line).expect("one object a line")).collect();
    assert_eq!(seeds, [0, 1, 2]);
}

fn seed(line: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(line).ok()?["seed"].as_u64()
}

#[test]
fn it_stops_at_the_first_failure_and_says_how_to_see_it() {
    let sandbox = Sandbox::new("first_failure");
    let ran = sandbox.run(&format!("sweep --seeds 3..30 {FAILING} --jobs 2 --jsonl it.jsonl")).ended(11);
    assert_eq!(sandbox.read("it.jsonl").lines().count(), 1);
    assert!(ran.out.contains("stopped after 1 of 27 seeds"), "{}", ran.out);
    assert!(ran.out.contains("failed: 1 of 1 runs"), "{}", ran.out);
    assert!(ran.out.contains("  seed 3: liveness L2 newcomers: "), "{}", ran.out);
    let replay =
        ran.err.lines().find(|line| line.contains("-- replay ")).expect("the command after the failure");
    let words = replay.split_once("-- ").expect("the program, then its arguments").1;
    let again = sandbox.run(words).ended(11);
    assert!(again.out.contains("\nliveness: L2 newcomers ("), "{}", again.out);
    assert_eq!(sandbox.again(&ran).ended(11).digest(), ran.digest());
}

#[test]
fn it_goes_on_after_a_failure_if_it_is_asked_to() {
    let sandbox = Sandbox::new("keep_going");
    let ran = sandbox.run(&format!("sweep --seeds 0..3 {FAILING} --keep-going")).ended(11);
    assert!(ran.out.contains("failed: 3 of 3 runs"), "{}", ran.out);
    assert_eq!(ran.err.lines().filter(|line| line.contains("-- replay --seed ")).count(), 3);
    assert_eq!(sandbox.again(&ran).ended(11).digest(), ran.digest());
}

#[test]
fn a_spent_budget_ends_it_and_what_was_done_can_be_repeated() {
    let sandbox = Sandbox::new("budget");
    let ran = sandbox.run(&format!("sweep --seeds 0..2000 {SMALL} --jobs 1 --budget 1ms")).ended(0);
    assert!(ran.out.contains("of 2,000 seeds: the budget is spent"), "{}", ran.out);
    let again = sandbox.again(&ran).ended(0);
    assert_eq!(again.digest(), ran.digest());
    assert!(!again.out.contains("budget"), "{}", again.out);
}

#[test]
fn without_a_terminal_there_is_no_bar_and_no_paint() {
    let ran = Sandbox::new("no_bar").run(&format!("sweep --seeds 0..2 {SMALL}")).ended(0);
    assert_eq!(ran.err, "");
    assert!(!ran.out.contains(['\x1b', '\r']));
    let long: Vec<_> = ran.out.lines().filter(|line| line.chars().count() > 110).collect();
    assert!(long.iter().all(|line| line.starts_with("replay: ")), "{long:#?}");
}

#[test]
fn without_a_terminal_a_line_says_every_few_seconds_how_far_it_has_come() {
    let ran = Sandbox::new("progress").run(&format!("sweep --seeds 0..100000 {SMALL} --budget 4s")).ended(0);
    let line = ran.err.lines().next().expect("a line after three seconds");
    assert!(line.contains(" of 100,000 seeds, 0 failed, ") && line.ends_with(" s left"), "{line}");
    assert!(ran.err.lines().count() < 4, "{}", ran.err);
}

#[test]
fn ctrl_c_shows_what_was_found_so_far_and_how_to_repeat_it() {
    let sandbox = Sandbox::new("interrupted");
    let sweep = format!("sweep --seeds 0..100000 {SMALL} --jobs 1 --jsonl it.jsonl");
    let ran = sandbox.interrupt(&sweep).ended(130);
    assert!(ran.out.contains("of 100,000 seeds: it was interrupted"), "{}", ran.out);
    assert!(ran.out.contains("every property held in "), "{}", ran.out);
    let lines = sandbox.read("it.jsonl");
    assert!(lines.ends_with("}\n") && lines.lines().all(|line| seed(line).is_some()));
    assert_eq!(sandbox.again(&ran).ended(0).digest(), ran.digest());
}

/// Lines of a sweep, the outcome of the second one changed.
fn with_outcome(sandbox: &Sandbox, outcome: &str) {
    sandbox.run("sweep --seeds 0..3 --set hosts=3 --set faults=2 --jsonl it.jsonl").ended(0);
    let mut lines: Vec<Value> =
        sandbox.read("it.jsonl").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    lines[1]["verdict"] = json!(outcome);
    lines[1]["why"] = json!("what happened there");
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    sandbox.write("changed.jsonl", text.join("\n"));
}

#[test]
fn each_kind_of_failure_has_an_exit_code_of_its_own() {
    let sandbox = Sandbox::new("kinds");
    for (outcome, code) in [
        ("passed", 0),
        ("safety", 10),
        ("liveness", 11),
        ("quality", 12),
        ("panic", 13),
        ("nondeterminism", 14),
    ] {
        with_outcome(&sandbox, outcome);
        let ran = sandbox.run("merge changed.jsonl").ended(code);
        assert_eq!(ran.out.contains("seed 1: "), code != 0, "{}", ran.out);
    }
}

#[test]
fn shards_that_contradict_each_other_are_refused() {
    let sandbox = Sandbox::new("contradiction");
    with_outcome(&sandbox, "safety");
    let ran = sandbox.run("merge it.jsonl changed.jsonl --jsonl out.jsonl").ended(2);
    assert!(ran.err.contains("changed.jsonl:2: seed 1"), "{}", ran.err);
    assert!(!sandbox.path("out.jsonl").exists());
}

#[test]
fn a_shard_that_was_not_written_to_its_end_is_refused_at_its_line() {
    let sandbox = Sandbox::new("torn_shard");
    with_outcome(&sandbox, "passed");
    let text = sandbox.read("it.jsonl");
    sandbox.write("torn.jsonl", &text[..text.len() - 20]);
    let ran = sandbox.run("merge torn.jsonl").ended(2);
    assert!(ran.err.contains("torn.jsonl:3: "), "{}", ran.err);
}

#[test]
fn the_same_shard_twice_counts_once() {
    let sandbox = Sandbox::new("same_shard");
    with_outcome(&sandbox, "passed");
    let [once, twice] =
        ["it.jsonl", "it.jsonl it.jsonl"].map(|files| sandbox.run(&format!("merge {files}")).ended(0));
    assert_eq!(once.digest(), twice.digest());
}
