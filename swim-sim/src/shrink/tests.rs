//! The reduction, with runs that are only pretended: it is known exactly what a failure needs.

use std::time::Duration;

use swim_core::Instant;

use super::*;
use crate::action::Action;
use crate::net::Link;
use crate::properties::{Broken, Property, Violation};
use crate::{Fingerprint, HostId, Inbox};

const OTHER: Property = Property { id: "S1", name: "other", claim: "something else" };
const WANTED: Property = Property { id: "S2", name: "wanted", claim: "what is looked for" };

fn ended(outcome: Outcome) -> Finished {
    Finished {
        outcome,
        digest: Fingerprint::new(),
        ended: Instant::ORIGIN.after(Duration::from_secs(500)),
        agreed: None,
        properties: Vec::new(),
        sometimes: std::collections::BTreeMap::new(),
    }
}

fn broken(property: Property) -> Outcome {
    let broken = Broken { why: "as it was found".to_owned(), hosts: Vec::new() };
    let (at, phase) = (Instant::ORIGIN.after(Duration::from_secs(400)), Phase::Peace);
    Outcome::Broken(Violation { property, at, phase, broken })
}

/// Many hosts and steps; among them a crash, and later a pause.
fn long() -> Scenario {
    let mut scenario = swarm(7);
    for (at, action) in [
        (33_333, Action::Crash(HostId(5))),
        (77_777, Action::Pause { host: HostId(9), inbox: Inbox::Dropped }),
    ] {
        let at = Duration::from_millis(at);
        scenario.steps.push(crate::scenario::Step { at, action });
    }
    scenario
}

fn swarm(seed: u64) -> Scenario {
    let mut plan = crate::swarm::Plan::draw(seed);
    for dial in ["hosts=20", "faults=50", "loss=20", "strangers=1"] {
        plan.set(dial).expect("there is such a dial");
    }
    plan.scenario()
}

/// Whether one host crashes and another stops at least so much later.
fn has_both(scenario: &Scenario, later: Duration) -> bool {
    let at = |is: fn(&Action) -> bool| {
        scenario.steps_in_order().into_iter().filter(move |step| is(&step.action)).map(|step| step.at)
    };
    let crash = at(|action| matches!(action, Action::Crash(_))).min();
    let pause = at(|action| matches!(action, Action::Pause { inbox: Inbox::Dropped, .. })).max();
    crash.zip(pause).is_some_and(|(crash, pause)| pause >= crash + later)
}

fn reduced(scenario: &Scenario, fails: impl Fn(&Scenario) -> Outcome) -> Shrunk {
    let run = |scenario: &Scenario| Ok(ended(fails(scenario)));
    shrink_by(run, scenario, 10_000, |_, _| {}).expect("it can be carried out").expect("it fails")
}

#[test]
fn what_is_left_is_what_the_failure_needs() {
    let long = long();
    assert!(long.steps.len() > 40);
    let second = Duration::from_secs(1);
    let shrunk = reduced(&long, |scenario| match has_both(scenario, second) {
        true => broken(WANTED),
        false => Outcome::Passed,
    });
    let Scenario { hosts, steps, link, options, expect, .. } = &shrunk.scenario;
    assert!(shrunk.minimal);
    assert_eq!((*hosts, steps.len()), (2, 2), "{steps:?}");
    assert!(link.is_lan() && options.is_empty() && expect.is_default());
    let times: Vec<_> = shrunk.scenario.steps_in_order().iter().map(|step| step.at).collect();
    assert_eq!(times[0], Duration::ZERO);
    assert!(times[1] < 2 * second, "{times:?}");
    assert_eq!(shrunk.scenario.about, "breaks S2 wanted: as it was found");
}

#[test]
fn a_candidate_that_breaks_another_property_is_not_the_same_failure() {
    let long = long();
    let shrunk = reduced(&long, |scenario| match has_both(scenario, Duration::ZERO) {
        true if scenario.hosts > 4 => broken(WANTED),
        _ => broken(OTHER),
    });
    assert_eq!(shrunk.scenario.hosts, 5);
    assert_eq!(shrunk.finished.outcome.property(), Some("S2"));
}

#[test]
fn a_panic_shrinks_too() {
    let long = long();
    let shrunk = reduced(&long, |scenario| match has_both(scenario, Duration::ZERO) {
        true => Outcome::Panicked("in the middle\nof it".to_owned()),
        false => broken(OTHER),
    });
    assert_eq!((shrunk.scenario.hosts, shrunk.scenario.steps.len()), (2, 2));
    assert_eq!(shrunk.scenario.about, "panics: in the middle");
}

#[test]
fn many_datagrams_become_few_and_bad_links_better() {
    let mut scenario = Scenario::calm(1, 4);
    let (host, over) = (HostId(1), Duration::from_millis(1_234));
    let noisy = Link { loss_ppm: 5, mtu: Some(700), ..Link::lan() };
    for action in [Action::Strangers { host, count: 300, over }, Action::SetDefaultLink(noisy)] {
        scenario.steps.push(crate::scenario::Step { at: over, action });
    }
    let shrunk = reduced(&scenario, |scenario| {
        let enough =
            scenario.steps.iter().any(|step| matches!(step.action, Action::Strangers { count: 9.., .. }));
        let lossy = |link: &Link| link.loss_ppm > 0;
        let bad = scenario
            .steps
            .iter()
            .any(|step| matches!(&step.action, Action::SetDefaultLink(link) if lossy(link)));
        if enough && bad { broken(WANTED) } else { Outcome::Passed }
    });
    let actions: Vec<&Action> = shrunk.scenario.steps.iter().map(|step| &step.action).collect();
    let Action::Strangers { count: 9..18, over: Duration::ZERO, .. } = actions[0] else {
        panic!("{actions:?}")
    };
    assert_eq!(*actions[1], Action::SetDefaultLink(Link { loss_ppm: 5, ..Link::lan() }));
}

#[test]
fn only_the_expectation_that_fails_is_left() {
    let text = r##"
        hosts = 9
        steps = [{ at = "30s", do = { crash = "#9" } }]
        [expect]
        nobody_dead = true
        alive = ["#1", "#2"]
        views = [{ at = "31s", by = ["#4"], of = ["#9"], status = "dead" }]
    "##;
    let scenario: Scenario = toml::from_str(text).expect("well-formed");
    let shrunk =
        reduced(&scenario, |scenario| match (scenario.expect.views.first(), scenario.steps.first()) {
            (Some(views), Some(step)) if matches!(step.action, Action::Crash(host) if views.of == [host]) => {
                broken(Property { id: "E1", ..WANTED })
            }
            _ => Outcome::Passed,
        });
    let Scenario { hosts, expect, .. } = &shrunk.scenario;
    assert_eq!(*hosts, 2);
    assert!(!expect.nobody_dead && expect.alive.is_empty() && expect.views.len() == 1);
    assert_eq!(expect.views[0].at - shrunk.scenario.steps[0].at, Duration::from_secs(1));
}

#[test]
fn the_attempts_may_run_out() {
    let long = long();
    let run = |_: &Scenario| Ok(ended(broken(WANTED)));
    let shrunk = shrink_by(run, &long, 3, |_, _| {}).expect("it can be carried out").expect("it fails");
    assert_eq!((shrunk.attempts, shrunk.minimal), (3, false));
}
