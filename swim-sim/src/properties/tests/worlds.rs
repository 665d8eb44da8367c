//! For the monitors' own tests: worlds to watch, calm and troubled, and evidence that was tampered with.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use swim_core::{Config, MessageKind};
use swim_trace::inspect;

use super::super::{Case, Check, Checker, Monitor, Row};
use crate::ground_truth::{Fate, Happening, Phase, Scene};
use crate::host::HostId;
use crate::scenario::Scenario;
use crate::world::Watcher;
use crate::{Action, Handling, Inbox, Link, PER_CENT, Setup, World};

/// A checker that is shown only what `shows` lets through.
struct Doctored<F> {
    checker: Arc<Mutex<Checker>>,
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
pub(crate) fn calm(n: usize) -> (World, Vec<HostId>) {
    World::joined(7, n, &Arc::new(Config::lan())).expect("a calm world converges")
}

/// What the node of `observer` holds of `subject`.
pub(crate) fn row(world: &World, observer: HostId, subject: HostId) -> Row {
    let node = world.node(observer).expect("it runs");
    Row::of(&node.member(world.id(subject)).expect("it is known"))
}

/// The first ping from one to the other of three hosts that know each other.
pub(crate) fn first_ping(source: HostId, target: HostId) -> Vec<u8> {
    let (mut world, _) = calm(3);
    let found = Arc::new(Mutex::new(None));
    let put = Arc::clone(&found);
    let to = world.addr(target);
    world.set_hook(move |datagram| {
        let ping = || inspect(datagram.bytes).is_ok_and(|said| said.kind == MessageKind::Ping);
        if datagram.sender == source && datagram.target == to && ping() {
            put.lock().expect("no test panics").get_or_insert_with(|| datagram.bytes.to_vec());
        }
        Handling::Pass
    });
    world.run_for(Duration::from_secs(10));
    let found = found.lock().expect("no test panics").take();
    found.expect("each pings each other within three periods")
}

/// A case of so many hosts with everything at its default.
pub(crate) fn case(hosts: u32) -> Case {
    Case::of(&Scenario::calm(1, hosts)).expect("the defaults are in range")
}

/// A datagram that is sent to its own sender.
pub(crate) fn sent<'a>(world: &World, host: HostId, bytes: &'a [u8]) -> Happening<'a> {
    let (source, target) = (world.addr(host), world.addr(host));
    Happening::Sent { host, source, target, bytes, fate: Fate::Sent }
}

/// What a monitor says to things that did not happen.
pub(crate) fn feed(monitor: &mut dyn Monitor, world: &World, happenings: &[Happening<'_>]) -> Check {
    happenings.iter().try_for_each(|what| monitor.on_happening(&world.scene(), what))
}

/// Lets one monitor watch `world` from now on, but for what it is not shown.
pub(crate) fn attach(
    world: &mut World,
    monitor: impl Monitor + 'static,
    shows: impl FnMut(&Happening<'_>) -> bool + Send + 'static,
) -> Arc<Mutex<Checker>> {
    let checker = Arc::new(Mutex::new(Checker::of(vec![Box::new(monitor)])));
    world.attach(Doctored { checker: Arc::clone(&checker), shows });
    checker
}

/// Which property was broken, and how often the first monitor looked.
pub(crate) fn outcome(checker: &Arc<Mutex<Checker>>) -> (Option<&'static str>, u64) {
    let checker = checker.lock().expect("no test panics in a monitor");
    (checker.violation().map(|violation| violation.property.id), checker.looked()[0].1)
}

/// A run with everything that may go wrong in it, watched by one monitor that does not see all of it.
pub(crate) fn doctored(
    monitor: Box<dyn Monitor>,
    shows: impl FnMut(&Happening<'_>) -> bool + Send + 'static,
) -> (Option<&'static str>, u64) {
    outcome(&troubled(vec![monitor], shows))
}

/// A run with everything that may go wrong in it.
pub(crate) fn troubled(
    monitors: Vec<Box<dyn Monitor>>,
    shows: impl FnMut(&Happening<'_>) -> bool + Send + 'static,
) -> Arc<Mutex<Checker>> {
    let config = case(8).config;
    let mut world = World::with(Setup::new(11));
    let checker = Arc::new(Mutex::new(Checker::of(monitors)));
    world.attach(Doctored { checker: Arc::clone(&checker), shows });
    let hosts = world.start_many(8, &config);
    for host in &hosts[1..] {
        world.join(*host, &hosts[..1]);
    }
    world.run_for(Duration::from_secs(10));
    trouble(&mut world, &hosts);
    checker.lock().expect("no test panics").after_phase(&world, Phase::Trouble);
    checker
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
