//! The example of `docs/testing-your-application.md`: a leader by lease, on top of the membership, and what is
//! found wrong with it.

mod documented;
mod lease;

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};
use swim_sim::application::{Cluster, Drawn, Failure, Shape, scenarios};
use swim_sim::run::{Outcome, attempt};
use swim_sim::scenario::Scenario;
use swim_sim::{FaultClass, HostId};

use lease::{Flaw, Lease};

/// Who would act as the leader now.
fn leaders(cluster: &Cluster<Lease>) -> Vec<HostId> {
    let now = |host| cluster.world().local(host);
    cluster.running().filter(|(host, app)| app.leads(now(*host))).map(|(host, _)| host).collect()
}

/// Carries `scenario` out: never two leaders, and in the end there is one.
fn check(scenario: &Scenario, flaw: Flaw) -> Result<(), Failure> {
    let voters = scenario.hosts;
    let mut cluster = Cluster::new(scenario, move |_host| Lease::new(voters, flaw)).expect("well formed");
    cluster.always(|cluster| match &leaders(cluster)[..] {
        [] | [_] => Ok(()),
        several => Err(format!("{several:?} all lead")),
    });
    cluster.play()?;
    cluster.eventually(Duration::from_secs(10), |cluster| leaders(cluster).len() == 1)?;
    Ok(())
}

/// How many scenarios are tried: `SWIM_CASES`, or 200.
fn cases() -> u32 {
    std::env::var("SWIM_CASES").ok().and_then(|value| value.parse().ok()).unwrap_or(200)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..Default::default() })]

    #[test]
    fn two_members_never_lead_at_the_same_time(scenario in scenarios(&Shape::default())) {
        check(&scenario, Flaw::None)?;
    }
}

/// The same search each time: what it finds within so many scenarios, and what was wrong with it.
fn search(flaw: Flaw, shape: &Shape, cases: u32) -> (Drawn, String) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let found =
        TestRunner::new_with_rng(config, rng).run(&scenarios(shape), |scenario| Ok(check(&scenario, flaw)?));
    match found {
        Err(TestError::Fail(why, scenario)) => (scenario, why.to_string()),
        other => panic!("nothing found in {cases} scenarios: {other:?}"),
    }
}

/// What is found is small, can be repeated from its text, and is no fault of the membership nor of the fixed lease.
fn confirm(flaw: Flaw, (scenario, why): &(Drawn, String), steps_max: usize) {
    assert!(why.contains("all lead"), "{why}");
    assert!(scenario.steps.len() <= steps_max, "{scenario:?}");
    let text = scenario.toml();
    let read: Scenario = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(check(&read, flaw).map_err(|failure| failure.to_string()), Err(why.clone()));
    check(&read, Flaw::None).unwrap_or_else(|failure| panic!("{failure}\n{text}"));
    let finished = attempt(&read, |_| {}).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(finished.outcome, Outcome::Passed, "as swim-sim replay finds it");
}

#[test]
fn what_was_found_once_stays_fixed() {
    let text = include_str!("two_leaders.toml");
    let scenario: Scenario = toml::from_str(text).expect("it was printed by a failing test");
    let failure = check(&scenario, Flaw::TrustsItsTimer).expect_err("it was found by this mistake");
    assert!(failure.why.contains("[#1, #2] all lead"), "{failure}");
    check(&scenario, Flaw::None).expect("it is fixed");
}

#[test]
fn a_leader_that_trusts_its_timer_is_found_and_shrinks_to_one_pause() {
    let found = search(Flaw::TrustsItsTimer, &Shape::default(), 200);
    confirm(Flaw::TrustsItsTimer, &found, 2);
    let classes: Vec<_> = found.0.steps.iter().map(|step| step.action.fault_class()).collect();
    assert_eq!(classes, [Some(FaultClass::Pause); 2]);
}

#[test]
fn a_candidate_that_counts_old_answers_is_found() {
    let found = search(Flaw::CountsOldAnswers, &Shape::default(), 200);
    confirm(Flaw::CountsOldAnswers, &found, 4);
}

#[test]
fn a_voter_that_forgets_its_promise_is_found_where_processes_restart_and_networks_split() {
    let classes = vec![FaultClass::Crash, FaultClass::Partition];
    let shape = Shape { hosts: 3..=5, classes, horizon: Duration::from_secs(30), ..Shape::default() };
    let found = search(Flaw::ForgetsItsPromise, &shape, 2_000);
    confirm(Flaw::ForgetsItsPromise, &found, 8);
}
