//! `shrink`: the smallest scenario that fails in the same way.

use swim_sim::scenario::Scenario;

use crate::place::{Place, Ran};

/// The number of the law that a run broke.
fn law(ran: &Ran) -> String {
    let verdict = ran
        .out
        .lines()
        .find(|line| ["safety: ", "liveness: ", "quality: "].iter().any(|word| line.starts_with(word)));
    let word = verdict.and_then(|line| line.split_whitespace().nth(1));
    word.unwrap_or_else(|| panic!("no law in\n{}{}", ran.out, ran.err)).to_owned()
}

fn shrunk(place: &Place, what: &str) -> (Ran, Scenario) {
    let ran = place.run(&format!("shrink {what} -o small.toml"));
    (ran, toml::from_str(&place.read("small.toml")).expect("a scenario"))
}

#[test]
fn a_failing_seed_becomes_a_handful_of_hosts_and_steps_that_fail_by_the_same_law() {
    let place = Place::new("shrink_seed");
    let what = "--seed 1 --set hosts=8 --set quiet=1 --set broadcast=1 --set lambda=1 \
                --set gossip_interval=never --set corruption=0";
    let failing = place.run(&format!("run {what}"));
    let (ran, small) = shrunk(&place, what);
    assert_eq!(ran.code, failing.code);
    assert_eq!(law(&ran), law(&failing));
    assert!(small.hosts <= 6 && small.steps.len() <= 2, "{small:#?}");
    assert!(small.about.starts_with("breaks Q6 broadcasts: "), "{}", small.about);
    let again = place.again(&ran).ended(failing.code);
    assert_eq!((law(&again), again.digest()), (law(&ran), ran.digest()));
}

#[test]
fn a_scenario_s_own_expectations_go_but_for_the_one_that_fails() {
    let place = Place::new("shrink_scenario");
    let (ran, small) = shrunk(&place, "h16-pause --set self_doubt=false");
    assert_eq!((ran.code, law(&ran).as_str()), (10, "E1"));
    assert!(small.hosts < 10 && !small.steps.is_empty(), "{small:#?}");
    assert!(
        small.expect.nobody_dead && small.expect.events.is_empty() && small.expect.sent.is_empty(),
        "{small:#?}"
    );
}

#[test]
fn what_does_not_fail_is_not_shrunk() {
    let place = Place::new("shrink_good");
    let ran = place.run("shrink gc-pause").ended(2);
    assert!(ran.err.contains("nothing to shrink"), "{}", ran.err);
    assert_eq!(std::fs::read_dir(place.path(".")).expect("a folder").count(), 0);
}

#[test]
fn without_a_file_it_is_named_after_the_run() {
    let place = Place::new("shrink_name");
    let words = "shrink h16-pause --set self_doubt=false --attempts 3";
    let ran = place.run(words).ended(10);
    assert!(ran.out.contains("raise --attempts"), "{}", ran.out);
    assert!(place.path("h16-pause-shrunk.toml").exists());
}

/// Only a build with mutants can show it: the workspace that `proof/mutants/run` makes.
#[test]
fn a_mutant_s_failing_run_becomes_a_handful_of_hosts_and_steps_that_still_name_it() {
    if swim_sim::mutants::all().is_empty() {
        return;
    }
    let place = Place::new("shrink_mutant");
    for name in ["relay-for-strangers", "refutation-dropped"] {
        let hunted = place.run(&format!("mutants --only {name} --json --seeds 0..100")).ended(0);
        let found: serde_json::Value =
            serde_json::from_str(hunted.out.lines().next().expect("a line")).expect("one object a line");
        let replay = found["replay"].as_str().expect("it is noticed");
        let what = replay.split_once(" replay ").expect("the command, then what").1;
        let (ran, small) = shrunk(&place, what);
        assert_eq!(law(&ran), found["law"], "{name}");
        assert_eq!(small.mutant.as_deref(), Some(name));
        assert!(small.hosts <= 8 && small.steps.len() <= 8, "{small:#?}");
        assert_eq!(law(&place.again(&ran)), law(&ran), "{name}");
    }
}
