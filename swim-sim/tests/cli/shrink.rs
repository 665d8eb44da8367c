//! `shrink`: the smallest scenario that fails in the same way.

use swim_sim::scenario::Scenario;

use crate::sandbox::{Ran, Sandbox};

/// The id of the property that a run broke.
fn property(ran: &Ran) -> String {
    let outcome = ran
        .out
        .lines()
        .find(|line| ["safety: ", "liveness: ", "quality: "].iter().any(|word| line.starts_with(word)));
    let word = outcome.and_then(|line| line.split_whitespace().nth(1));
    word.unwrap_or_else(|| panic!("no property in\n{}{}", ran.out, ran.err)).to_owned()
}

fn shrunk(sandbox: &Sandbox, what: &str) -> (Ran, Scenario) {
    let ran = sandbox.run(&format!("shrink {what} -o small.toml"));
    (ran, toml::from_str(&sandbox.read("small.toml")).expect("a scenario"))
}

#[test]
fn a_failing_seed_becomes_a_handful_of_hosts_and_steps_that_fail_by_the_same_property() {
    let sandbox = Sandbox::new("shrink_seed");
    let what =
        "--seed 1 --set hosts=8 --set quiet=1 --set members_max=4 --set tombstones_max=4 --set corruption=0";
    let failing = sandbox.run(&format!("run {what}"));
    let (ran, small) = shrunk(&sandbox, what);
    assert_eq!(ran.code, failing.code);
    assert_eq!(property(&ran), property(&failing));
    assert!(small.hosts <= 6 && small.steps.len() <= 2, "{small:#?}");
    assert!(small.about.starts_with("breaks L2 newcomers: "), "{}", small.about);
    let again = sandbox.again(&ran).ended(failing.code);
    assert_eq!((property(&again), again.digest()), (property(&ran), ran.digest()));
}

#[test]
fn a_scenario_s_own_expectations_go_but_for_the_one_that_fails() {
    let sandbox = Sandbox::new("shrink_scenario");
    let (ran, small) = shrunk(&sandbox, "h16-pause --set self_doubt=false");
    assert_eq!((ran.code, property(&ran).as_str()), (10, "E1"));
    assert!(small.hosts < 10 && !small.steps.is_empty(), "{small:#?}");
    assert!(
        small.expect.nobody_dead && small.expect.events.is_empty() && small.expect.sent.is_empty(),
        "{small:#?}"
    );
}

#[test]
fn what_does_not_fail_is_not_shrunk() {
    let sandbox = Sandbox::new("shrink_good");
    let ran = sandbox.run("shrink gc-pause").ended(2);
    assert!(ran.err.contains("nothing to shrink"), "{}", ran.err);
    assert_eq!(std::fs::read_dir(sandbox.path(".")).expect("a folder").count(), 0);
}

#[test]
fn without_a_file_it_is_named_after_the_run() {
    let sandbox = Sandbox::new("shrink_name");
    let words = "shrink h16-pause --set self_doubt=false --attempts 3";
    let ran = sandbox.run(words).ended(10);
    assert!(ran.out.contains("raise --attempts"), "{}", ran.out);
    assert!(sandbox.path("h16-pause-shrunk.toml").exists());
}

/// Only a build with mutants can show it: the workspace that `proof/mutants/run` makes.
#[test]
fn a_mutant_s_failing_run_becomes_a_handful_of_hosts_and_steps_that_still_name_it() {
    if swim_sim::mutants::all().is_empty() {
        return;
    }
    let sandbox = Sandbox::new("shrink_mutant");
    for name in ["relay-for-strangers", "refutation-dropped"] {
        let hunted = sandbox.run(&format!("mutants --only {name} --json --seeds 0..100")).ended(0);
        let found: serde_json::Value =
            serde_json::from_str(hunted.out.lines().next().expect("a line")).expect("one object a line");
        let replay = found["replay"].as_str().expect("it is noticed");
        let what = replay.split_once(" replay ").expect("the command, then what").1;
        let (ran, small) = shrunk(&sandbox, what);
        assert_eq!(property(&ran), found["law"], "{name}");
        assert_eq!(small.mutant.as_deref(), Some(name));
        assert!(small.hosts <= 8 && small.steps.len() <= 8, "{small:#?}");
        assert_eq!(property(&sandbox.again(&ran)), property(&ran), "{name}");
    }
}
