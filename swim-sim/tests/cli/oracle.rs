//! `oracle`: what is recorded is compared, and what is changed is named.

use std::path::Path;

use swim_sim::scenario::NAMES;

use crate::sandbox::Sandbox;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/oracle");

#[test]
fn what_was_recorded_is_unchanged_whatever_the_number_of_jobs() {
    let sandbox = Sandbox::new("oracle");
    sandbox.run("oracle --seeds 3..6 --jobs 2 --record --folder .").ended(0);
    assert_eq!(sandbox.read("seeds.txt").lines().count(), 3);
    let ran = sandbox.run("oracle --seeds 3..6 --jobs 1 --folder .").ended(0);
    assert_eq!(ran.out, "unchanged: the digests of 3 seeds are those of ./seeds.txt\n");
}

#[test]
fn the_first_that_is_changed_is_named_with_the_command_that_shows_it() {
    let sandbox = Sandbox::new("oracle_changed");
    sandbox.run("oracle --seeds 3..6 --record --folder .").ended(0);
    let recorded = sandbox.read("seeds.txt");
    let line = recorded.lines().nth(1).expect("a line of seed 4");
    sandbox.write("seeds.txt", recorded.replace(line, "4 0123456789abcdef"));
    let ran = sandbox.run("oracle --seeds 3..7 --folder .").ended(1);
    assert!(ran.out.starts_with("changed: 2 of 4 seeds, the first is 4\n"), "{}", ran.out);
    assert!(ran.out.contains(&format!(": 0123456789abcdef\n  now: {}\n", &line[2..])), "{}", ran.out);
    assert!(ran.out.ends_with(" -- replay --seed 4 --step\n"), "{}", ran.out);
}

#[test]
fn this_build_does_what_is_committed() {
    let ran = Sandbox::new("oracle_committed").run(&format!("oracle --seeds 0..4 --folder {COMMITTED}"));
    assert!(ran.ended(0).out.starts_with("unchanged: the digests of 4 seeds"));
}

#[test]
fn a_thousand_seeds_and_every_scenario_are_committed() {
    let names = |file: &str| -> Vec<String> {
        let text = std::fs::read_to_string(Path::new(COMMITTED).join(file)).expect("it is committed");
        text.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect()
    };
    assert_eq!(names("seeds.txt"), (0..1000).map(|seed| seed.to_string()).collect::<Vec<_>>());
    assert_eq!(names("scenarios.txt"), NAMES);
}
