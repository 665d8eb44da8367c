//! For the laws' own tests: worlds to watch, calm and troubled, and evidence that was tampered with.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use swim_core::{Config, MessageKind, inspect};

use super::{Case, Checker, Monitor, Row};
use crate::ground_truth::{Happening, Phase, Scene, Watcher};
use crate::host::HostId;
use crate::scenario::Scenario;
use crate::{Action, Handling, Inbox, Link, PER_CENT, Setup, World};

/// A checker of one that is shown only what `shows` lets through.
struct Doctored<F> {
    checker: Checker,
    shows: F,
}

impl<F: FnMut(&Happening<'_>) -> bool + Send> Watcher for Doctored<F> {
    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        if (self.shows)(what) {
            self.checker.on_happening(scene, what);
        }
    }

    fn after_input(&mut self, world: &World, host: HostId) {
        self.checker.after_input(world, host);
    }
}

/// So many hosts that know each other.
pub(super) fn calm(n: usize) -> (World, Vec<HostId>) {
    World::joined(7, n, &Arc::new(Config::lan())).expect("a calm world converges")
}

/// What the node of `observer` holds of `subject`.
pub(super) fn row(world: &World, observer: HostId, subject: HostId) -> Row {
    let node = world.node(observer).expect("it runs");
    Row::of(&node.member(world.id(subject)).expect("it is known"))
}

/// The first ping from one to the other of three hosts that know each other.
pub(super) fn first_ping(source: HostId, target: HostId) -> Vec<u8> {
    let (mut world, _) = calm(3);
    let found = Arc::new(Mutex::new(None));
    let put = Arc::clone(&found);
    let to = world.addr(target);
    world.set_hook(move |datagram| {
        let ping = || inspect(datagram.bytes).is_ok_and(|said| said.kind == MessageKind::Ping);
        if datagram.sender == source && datagram.target == to && ping() {
            put.lock().expect("nobody panicked").get_or_insert_with(|| datagram.bytes.to_vec());
        }
        Handling::Pass
    });
    world.run_for(Duration::from_secs(10));
    let found = found.lock().expect("nobody panicked").take();
    found.expect("each pings each other within three periods")
}

/// A case of so many hosts with everything at its default.
pub(super) fn case(hosts: u32) -> Case {
    let scenario = Scenario::calm(1, hosts);
    Case { config: scenario.config().expect("the defaults are in range"), scenario: Arc::new(scenario) }
}

/// A life with everything that may go wrong in it, judged by one law: the number of the law if it was broken,
/// and how often it looked.
pub(super) fn troubled(law: impl Fn(&Case) -> Box<dyn Monitor>) -> (Option<String>, u64) {
    let (broken, looked) = watch(law(&case(8)), |_| true);
    (broken.map(|(_, why)| why), looked)
}

/// The same with evidence that is kept from the law.
pub(super) fn doctored(
    law: Box<dyn Monitor>,
    shows: impl FnMut(&Happening<'_>) -> bool + Send + 'static,
) -> (Option<&'static str>, u64) {
    let (broken, looked) = watch(law, shows);
    (broken.map(|(number, _)| number), looked)
}

fn watch(
    law: Box<dyn Monitor>,
    shows: impl FnMut(&Happening<'_>) -> bool + Send + 'static,
) -> (Option<(&'static str, String)>, u64) {
    let config = case(8).config;
    let mut world = World::with(Setup::new(11));
    let watcher = Arc::new(Mutex::new(Doctored { checker: Checker::of(vec![law]), shows }));
    world.attach(Arc::clone(&watcher));
    let hosts = world.start_many(8, &config);
    for host in &hosts[1..] {
        world.join(*host, &hosts[..1]);
    }
    world.run_for(Duration::from_secs(10));
    trouble(&mut world, &hosts);
    let mut doctored = watcher.lock().expect("nobody panicked");
    doctored.checker.after_phase(&world, Phase::Trouble);
    let broken = doctored.checker.violation().map(|violation| {
        let why = format!("{} at {:?}: {}", violation.property, violation.at, violation.broken.why);
        (violation.property.id, why)
    });
    (broken, doctored.checker.looked()[0].1)
}

fn trouble(world: &mut World, hosts: &[HostId]) {
    let pause = |host, inbox| Action::Pause { host, inbox };
    let lossy = Link::lan().loss(5 * PER_CENT).duplication(PER_CENT);
    let remove = Action::Remove { host: hosts[0], target: hosts[7] };
    let steps = [
        (5, Action::SetDefaultLink(lossy)),
        (1, Action::Crash(hosts[7])),
        (9, pause(hosts[6], Inbox::Kept)),
        (15, Action::Resume(hosts[6])),
        (5, pause(hosts[5], Inbox::Dropped)),
        (8, Action::Resume(hosts[5])),
        (2, remove),
        (3, Action::Restart(hosts[7])),
        (1, Action::Join { host: hosts[7], seeds: vec![world.addr(hosts[0])] }),
        (5, Action::SetMetadata { host: hosts[3], text: "blue".into() }),
        (2, Action::Move { host: hosts[3], addr: "10.0.9.9:7946".parse().expect("an address") }),
        (5, Action::Unplug(hosts[4])),
        (9, Action::Plug(hosts[4])),
        (5, Action::Partition(vec![hosts[..3].to_vec()])),
        (60, Action::Heal),
        (30, Action::Crash(hosts[2])),
        (1, Action::Restart(hosts[2])),
        (1, Action::Join { host: hosts[2], seeds: vec![world.addr(hosts[0])] }),
        (9, Action::Leave(hosts[1])),
        (30, Action::Heal),
    ];
    for (after, action) in steps {
        world.run_for(Duration::from_secs(after));
        assert!(world.perform(&action), "{action:?} applies");
    }
}
