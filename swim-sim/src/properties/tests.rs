//! What must come true, how well, and how much at most: each law is silent where all is well, has looked, and
//! finds what is made up to break it.

use std::sync::{Arc, Mutex};

use super::evidence::measures::Ledger;
use super::{Case, Check, Checker, Monitor, bounds, liveness, quality};
use crate::World;
use crate::ground_truth::{Happening, Scene, Watcher};
use crate::host::HostId;
use crate::scenario::Scenario;

/// Evidence, but for what is kept from the checker.
pub(super) type Shows = fn(&Happening<'_>) -> bool;

struct Doctored {
    checker: Arc<Mutex<Checker>>,
    shows: Shows,
}

impl Watcher for Doctored {
    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        if (self.shows)(what) {
            self.checker.on_happening(scene, what);
        }
    }

    fn after_input(&mut self, world: &World, host: HostId) {
        self.checker.after_input(world, host);
    }
}

/// Lets one law watch `world` from now on, but for what it is not shown.
pub(super) fn attach(world: &mut World, law: impl Monitor + 'static, shows: Shows) -> Arc<Mutex<Checker>> {
    let checker = Arc::new(Mutex::new(Checker::of(vec![Box::new(law)])));
    world.attach(Doctored { checker: Arc::clone(&checker), shows });
    checker
}

/// Which law was broken, and how often the first one looked.
pub(super) fn verdict(checker: &Arc<Mutex<Checker>>) -> (Option<&'static str>, u64) {
    let checker = checker.lock().expect("no test panics in a law");
    (checker.violation().map(|violation| violation.property.id), checker.looked()[0].1)
}

/// What a law says to things that did not happen.
pub(super) fn told(law: &mut dyn Monitor, world: &World, happenings: &[Happening<'_>]) -> Check {
    happenings.iter().try_for_each(|what| law.on_happening(&world.scene(), what))
}

pub(super) fn of(text: &str) -> Scenario {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// All laws of these three kinds, over a run in which there is something for each of them.
#[test]
fn a_run_with_something_for_everybody_breaks_no_law_and_each_has_looked() {
    let scenario = of(r##"
        hosts = 6
        seed = 5
        trouble = "400s"
        options = { tombstone_life = "100s" }
        absent = ["#6"]
        [[steps]]
        at = "20s"
        do = { set_metadata = { host = "#2", text = "here" } }
        [[steps]]
        at = "30s"
        do = { broadcast = { host = "#2", text = "hello" } }
        [[steps]]
        at = "60s"
        do = { crash = "#4" }
        [[steps]]
        at = "180s"
        do = { restart = "#4" }
        [[steps]]
        at = "240s"
        do = { pause = { host = "#5" } }
        [[steps]]
        at = "260s"
        do = { resume = "#5" }
        [[steps]]
        at = "330s"
        do = { leave = "#6" }
    "##);
    let finished = crate::run::Run::new(&scenario).expect("it can be carried out").finish();
    assert_eq!(finished.outcome, crate::run::Outcome::Passed);
    let case = Case::of(&scenario).expect("it can be carried out");
    let mine =
        [liveness::monitors(&case), quality::monitors(&case, &Ledger::shared()), bounds::monitors(&case)];
    // A probe that fails without any word of a relay takes a cluster that hears nothing: sweeps have those.
    for law in mine.iter().flatten().map(|law| law.property()).filter(|law| law.id != "Q10") {
        let looked = finished.properties.iter().find(|(other, _)| *other == law).map(|(_, looked)| *looked);
        assert!(looked > Some(0), "{law} never looked");
    }
}
