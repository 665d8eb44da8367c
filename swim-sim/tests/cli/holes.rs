//! Safeguards that can be taken away with `--set`: what `docs/known-holes.md` says must fail, fails.

use std::path::Path;

use crate::place::Place;

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
    let (place, rows) = (Place::new("holes"), rows());
    assert!(rows.len() >= 8, "{rows:?}");
    for (name, set) in rows {
        let ran = place.run(&format!("run {name} --set {set}"));
        assert!([10, 11, 12].contains(&ran.code), "{name} {set}: {}\n{}{}", ran.code, ran.out, ran.err);
    }
}

#[test]
fn a_broken_law_is_named_with_what_was_seen_and_when() {
    let ran = Place::new("named_law").run("run h16-pause --set self_doubt=false").ended(10);
    assert!(ran.out.contains("\nsafety: E1 expected ("), "{}", ran.out);
    assert!(ran.out.contains(" s, Trouble, hosts [#a"), "{}", ran.out);
}
