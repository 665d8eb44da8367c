//! `sweep`: many seeds, and the same result however they are shared out.

use serde_json::{Value, json};

use crate::place::Place;

/// Small clusters, few faults.
const SMALL: &str = "--set hosts=4 --set faults=6 --set corruption=0";
/// Gossip that is told once, and seldom: whatever the seed, a broadcast gets lost.
const FAILING: &str = "--set hosts=8 --set quiet=1 --set broadcast=1 --set lambda=1 --set gossip_interval=never \
                       --set corruption=0 --twice-every 0";

#[test]
fn the_number_of_jobs_changes_nothing() {
    let place = Place::new("jobs");
    let [one, two] = ["1", "2"].map(|jobs| {
        place.run(&format!("sweep --seeds 0..8 {SMALL} --jobs {jobs} --jsonl {jobs}.jsonl")).ended(0)
    });
    assert_eq!(one.digest(), two.digest());
    assert_eq!(place.read("1.jsonl"), place.read("2.jsonl"));
    assert_eq!(place.read("1.jsonl").lines().count(), 8);
}

#[test]
fn the_last_lines_repeat_it_and_are_its_digest() {
    let place = Place::new("sweep_again");
    let ran = place.run(&format!("sweep --seeds 3..7 {SMALL}")).ended(0);
    let lines: Vec<&str> = ran.out.lines().rev().take(2).collect();
    assert!(lines[0].starts_with("digest: ") && lines[1].starts_with("replay: "), "{lines:?}");
    assert!(ran.out.starts_with(lines[1]));
    assert_eq!(place.again(&ran).ended(0).digest(), ran.digest());
}

#[test]
fn shards_that_are_put_together_are_the_whole() {
    let place = Place::new("shards");
    let whole = place.run(&format!("sweep --seeds 0..9 {SMALL} --jsonl whole.jsonl")).ended(0);
    for shard in 0..3 {
        let ran = place.run(&format!("sweep --seeds 0..9 {SMALL} --shard {shard}/3 --jsonl {shard}.jsonl"));
        assert_eq!(place.again(&ran.ended(0)).line("digest: ").len(), 16);
    }
    let merged = place.run("merge 2.jsonl 0.jsonl 1.jsonl --jsonl merged.jsonl").ended(0);
    assert_eq!(merged.digest(), whole.digest());
    assert_eq!(place.read("merged.jsonl"), place.read("whole.jsonl"));
}

#[test]
fn lines_on_standard_output_are_alone_there() {
    let place = Place::new("jsonl_out");
    let ran = place.run(&format!("sweep --seeds 0..3 {SMALL} --jsonl -")).ended(0);
    let seeds: Vec<u64> = ran.out.lines().map(|line| seed(line).expect("one object a line")).collect();
    assert_eq!(seeds, [0, 1, 2]);
}

fn seed(line: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(line).ok()?["seed"].as_u64()
}

#[test]
fn it_stops_at_the_first_failure_and_says_how_to_see_it() {
    let place = Place::new("first_failure");
    let ran = place.run(&format!("sweep --seeds 4..30 {FAILING} --jobs 2 --jsonl it.jsonl")).ended(12);
    assert_eq!(place.read("it.jsonl").lines().count(), 1);
    assert!(ran.out.contains("stopped after 1 of 26 seeds"), "{}", ran.out);
    assert!(ran.out.contains("failed: 1 of 1 runs"), "{}", ran.out);
    assert!(ran.out.contains("  seed 4: quality Q6 broadcasts: "), "{}", ran.out);
    let replay = ran.err.lines().nth(1).expect("the command after the failure").trim();
    let words = replay.split_once("-- ").expect("the program, then its arguments").1;
    let again = place.run(words).ended(12);
    assert!(again.out.contains("\nquality: Q6 broadcasts ("), "{}", again.out);
    assert_eq!(place.again(&ran).ended(12).digest(), ran.digest());
}

#[test]
fn it_goes_on_after_a_failure_if_it_is_told_to() {
    let place = Place::new("keep_going");
    let ran = place.run(&format!("sweep --seeds 0..3 {FAILING} --keep-going")).ended(12);
    assert!(ran.out.contains("failed: 3 of 3 runs"), "{}", ran.out);
    assert_eq!(ran.err.lines().filter(|line| line.contains("-- replay --seed ")).count(), 3);
    assert_eq!(place.again(&ran).ended(12).digest(), ran.digest());
}

#[test]
fn a_spent_budget_ends_it_and_what_was_done_can_be_repeated() {
    let place = Place::new("budget");
    let ran = place.run(&format!("sweep --seeds 0..2000 {SMALL} --jobs 1 --budget 1ms")).ended(0);
    assert!(ran.out.contains("of 2,000 seeds: the budget is spent"), "{}", ran.out);
    let again = place.again(&ran).ended(0);
    assert_eq!(again.digest(), ran.digest());
    assert!(!again.out.contains("budget"), "{}", again.out);
}

#[test]
fn without_a_terminal_there_is_no_bar_and_no_paint() {
    let ran = Place::new("no_bar").run(&format!("sweep --seeds 0..2 {SMALL}")).ended(0);
    assert_eq!(ran.err, "");
    assert!(!ran.out.contains(['\x1b', '\r']));
    let long: Vec<_> = ran.out.lines().filter(|line| line.chars().count() > 110).collect();
    assert!(long.iter().all(|line| line.starts_with("replay: ")), "{long:#?}");
}

/// Lines of a sweep, the verdict of the second one changed.
fn with_verdict(place: &Place, verdict: &str) {
    place.run("sweep --seeds 0..3 --set hosts=3 --set faults=2 --jsonl it.jsonl").ended(0);
    let mut lines: Vec<Value> =
        place.read("it.jsonl").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    lines[1]["verdict"] = json!(verdict);
    lines[1]["why"] = json!("what happened there");
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    place.write("changed.jsonl", text.join("\n"));
}

#[test]
fn each_kind_of_failure_has_an_exit_code_of_its_own() {
    let place = Place::new("kinds");
    for (verdict, code) in [
        ("passed", 0),
        ("safety", 10),
        ("liveness", 11),
        ("quality", 12),
        ("panic", 13),
        ("nondeterminism", 14),
    ] {
        with_verdict(&place, verdict);
        let ran = place.run("merge changed.jsonl").ended(code);
        assert_eq!(ran.out.contains("seed 1: "), code != 0, "{}", ran.out);
    }
}

#[test]
fn shards_that_contradict_each_other_are_refused() {
    let place = Place::new("contradiction");
    with_verdict(&place, "safety");
    let ran = place.run("merge it.jsonl changed.jsonl --jsonl out.jsonl").ended(2);
    assert!(ran.err.contains("changed.jsonl:2: seed 1"), "{}", ran.err);
    assert!(!place.path("out.jsonl").exists());
}

#[test]
fn a_shard_that_was_not_written_to_its_end_is_refused_at_its_line() {
    let place = Place::new("torn_shard");
    with_verdict(&place, "passed");
    let text = place.read("it.jsonl");
    place.write("torn.jsonl", &text[..text.len() - 20]);
    let ran = place.run("merge torn.jsonl").ended(2);
    assert!(ran.err.contains("torn.jsonl:3: "), "{}", ran.err);
}

#[test]
fn the_same_shard_twice_counts_once() {
    let place = Place::new("same_shard");
    with_verdict(&place, "passed");
    let [once, twice] =
        ["it.jsonl", "it.jsonl it.jsonl"].map(|files| place.run(&format!("merge {files}")).ended(0));
    assert_eq!(once.digest(), twice.digest());
}
