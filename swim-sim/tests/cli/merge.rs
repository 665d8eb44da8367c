//! `merge`: shards become one, and the exit code is that of the first failure.

use serde_json::{Value, json};

use crate::place::Place;

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
