use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::*;
use crate::FaultClass;

/// So many scenarios of this shape; the same ones each time.
fn drawn(shape: &Shape, n: usize) -> Vec<Drawn> {
    let mut runner = TestRunner::deterministic();
    let strategy = scenarios(shape);
    (0..n).map(|_| strategy.new_tree(&mut runner).expect("nothing is refused").current()).collect()
}

#[test]
fn each_class_of_faults_can_be_drawn_alone_and_every_draw_can_be_carried_out_and_written_down() {
    for class in FaultClass::ALL {
        let shape = Shape { classes: vec![class], faults: 1..=5, ..Shape::default() };
        for scenario in drawn(&shape, 10) {
            scenario.check().unwrap_or_else(|error| panic!("{class}: {error}"));
            let used: Vec<FaultClass> =
                scenario.steps.iter().flat_map(|step| step.action.fault_classes()).collect();
            assert!(used.contains(&class), "{class}: {scenario:?}");
            let read: Scenario = toml::from_str(&scenario.toml()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(read, *scenario);
        }
    }
}

#[test]
fn whatever_begins_ends_by_the_horizon() {
    let lasting = FaultClass::ALL.into_iter().filter(|class| *class != FaultClass::Restart).collect();
    let shape = Shape { classes: lasting, faults: 20..=20, hosts: 5..=5, ..Shape::default() };
    for scenario in drawn(&shape, 20) {
        assert!(scenario.steps.iter().all(|step| step.at <= shape.horizon));
        for step in &scenario.steps {
            let Some(end) = step.action.ended_by() else { continue };
            let ends = |later: &Step| {
                let usual =
                    matches!(later.action, crate::Action::SetDefaultLink(link) if link == scenario.link);
                let usual = usual && matches!(step.action, crate::Action::SetDefaultLink(_));
                later.at > step.at && (later.action == end || usual)
            };
            let is_usual = step.action == crate::Action::SetDefaultLink(scenario.link);
            assert!(is_usual || scenario.steps.iter().any(ends), "{step:?} of {scenario:?}");
        }
    }
}

#[test]
fn a_shape_is_kept_to() {
    let shape = Shape { hosts: 4..=6, faults: 2..=3, classes: vec![FaultClass::Pause], ..Shape::default() };
    let all = drawn(&shape, 100);
    let hosts: std::collections::BTreeSet<u32> = all.iter().map(|scenario| scenario.hosts).collect();
    assert_eq!(hosts.into_iter().collect::<Vec<_>>(), [4, 5, 6]);
    let steps: std::collections::BTreeSet<usize> = all.iter().map(|scenario| scenario.steps.len()).collect();
    assert_eq!(steps.into_iter().collect::<Vec<_>>(), [4, 6], "a pause is two steps");
    let quiet = Shape { classes: Vec::new(), ..shape };
    assert!(
        drawn(&quiet, 100)
            .iter()
            .all(|scenario| scenario.steps.is_empty() && scenario.link == crate::Link::lan())
    );
}

#[test]
fn what_fails_shrinks_to_the_one_fault_that_it_takes() {
    let shape = Shape { hosts: 3..=9, faults: 0..=20, ..Shape::default() };
    let mut runner = TestRunner::deterministic();
    let mut tree = std::iter::from_fn(|| scenarios(&shape).new_tree(&mut runner).ok())
        .find(|tree| fails(&tree.current()))
        .expect("one of them stops a process for long");
    while tree.simplify() {
        while !fails(&tree.current()) && tree.complicate() {}
    }
    let smallest = tree.current();
    assert_eq!(
        (smallest.steps.len(), smallest.hosts, smallest.link),
        (2, 3, crate::Link::lan()),
        "{smallest:?}"
    );
    assert_eq!(smallest.steps[1].at - smallest.steps[0].at, Duration::from_secs(5));
}

/// As if an application could not bear a process that stands still for five seconds.
fn fails(scenario: &Scenario) -> bool {
    scenario.steps.iter().any(|step| {
        let end = step.action.ended_by().filter(|_| matches!(step.action, crate::Action::Pause { .. }));
        let ends = |later: &&Step| Some(&later.action) == end.as_ref() && later.at > step.at;
        scenario.steps.iter().find(ends).is_some_and(|end| end.at - step.at >= Duration::from_secs(5))
    })
}
