//! Each monitor is silent where all is well, and has looked; what it finds is tested beside it.

pub(crate) mod worlds;

use super::{Case, bounds, liveness, quality, safety};
use crate::scenario::Scenario;

/// How often each had something to check, at least. (S4, S12, S13 and Q10 need more trouble than there is: sweeps
/// have it.)
const LOOKED_MIN: [(&str, u64); 17] = [
    ("S1", 50),
    ("S2", 1_000),
    ("S3", 10),
    ("S6", 3),
    ("S7", 20),
    ("S8", 100),
    ("S9", 50),
    ("S10", 500),
    ("S11", 500),
    ("S20", 5),
    ("S21", 5),
    ("S22", 5),
    ("S23", 5),
    ("S24", 5),
    ("S25", 3),
    ("B14", 5),
    ("Q2", 100),
];

#[test]
fn monitors_are_silent_while_members_crash_restart_move_and_are_cut_off() {
    let case = worlds::case(8);
    let mut monitors = safety::monitors(&case);
    let probing = |id: &str| matches!(id, "Q2" | "Q10");
    monitors.extend(quality::monitors(&case).into_iter().filter(|monitor| probing(monitor.property().id)));
    let checker = worlds::troubled(monitors, |_| true);
    let checker = checker.lock().expect("no test panics");
    assert_eq!(checker.violation(), None);
    for (id, min) in LOOKED_MIN {
        let looked =
            checker.looked().iter().find(|(property, _)| property.id == id).map(|(_, looked)| *looked);
        assert!(looked > Some(min), "{id} looked {looked:?} times");
    }
}

#[test]
fn a_run_with_something_for_each_breaks_no_property_and_each_has_looked() {
    let text = r##"
        hosts = 6
        seed = 5
        trouble = "400s"
        options = { tombstone_life = "100s" }
        absent = ["#6"]
        steps = [
            { at = "20s", do = { set_metadata = { host = "#2", text = "here" } } },
            { at = "30s", do = { broadcast = { host = "#2", text = "hello" } } },
            { at = "60s", do = { crash = "#4" } },
            { at = "180s", do = { restart = "#4" } },
            { at = "240s", do = { pause = { host = "#5" } } },
            { at = "260s", do = { resume = "#5" } },
            { at = "330s", do = { leave = "#6" } },
        ]
    "##;
    let scenario: Scenario = toml::from_str(text).expect("well-formed");
    let finished = crate::run::Run::new(&scenario).expect("it can be carried out").finish();
    assert_eq!(finished.outcome, crate::run::Outcome::Passed);
    let case = Case::of(&scenario).expect("it can be carried out");
    let mine = [liveness::monitors(&case), quality::monitors(&case), bounds::monitors(&case)];
    // A probe that fails without any answer of a relay takes a cluster that hears nothing: sweeps have those.
    for property in mine.iter().flatten().map(|monitor| monitor.property()).filter(|one| one.id != "Q10") {
        let looked =
            finished.properties.iter().find(|(other, _)| *other == property).map(|(_, looked)| *looked);
        assert!(looked > Some(0), "{property} never looked");
    }
}
