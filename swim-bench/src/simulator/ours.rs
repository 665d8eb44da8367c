//! Our loop: `swim-sim`'s world with real nodes.

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use swim_core::{Config, Instant};
use swim_sim::properties::{Case, Checker};
use swim_sim::scenario::Scenario;
use swim_sim::{HostId, Link, PER_CENT, Phase, Setup, Spec, Traffic, World};

use super::figures::{Loop, Work};

/// Virtual time after which a member that has not joined never will.
const JOINED_WITHIN: Duration = Duration::from_secs(600);
/// Virtual time in which caches and estimates get warm.
const SETTLED_AFTER: Duration = Duration::from_secs(10);

/// What is between the nodes: 200 to 800 µs, and one datagram of a hundred is lost.
fn setup() -> Setup {
    Setup::new(1).link(Link::lan().loss(PER_CENT))
}

/// A world whose steps are counted.
pub(crate) struct Ours {
    world: World,
    events: u64,
    checker: Option<Arc<Mutex<Checker>>>,
}

impl Ours {
    /// `nodes` nodes of which the second and all further are about to join through the first.
    pub(crate) fn gathering(nodes: u32, checked: bool) -> Result<Self, Box<dyn Error>> {
        let mut world = World::with(setup());
        world.set_log(false);
        let mut checker = None;
        if checked {
            let case = Case::of(&Scenario::calm(1, nodes))?;
            let shared = Arc::new(Mutex::new(Checker::new(&case)));
            world.attach(Arc::clone(&shared));
            checker = Some(shared);
        }
        let config = Arc::new(Config::lan());
        let hosts: Vec<_> = (0..nodes).map(|_| world.start(Spec::new(Arc::clone(&config)))).collect();
        for host in &hosts[1..] {
            world.join(*host, &hosts[..1]);
        }
        Ok(Self { world, events: 0, checker })
    }

    /// The same after all members have joined. `progress` is called on the way.
    pub(crate) fn joined(
        nodes: u32,
        checked: bool,
        mut progress: impl FnMut(&Self),
    ) -> Result<Self, Box<dyn Error>> {
        let mut ours = Self::gathering(nodes, checked)?;
        while !ours.is_complete() {
            if ours.world.now().as_nanos() > JOINED_WITHIN.as_nanos() as u64 {
                return Err(format!("{nodes} nodes have not joined within {JOINED_WITHIN:?}").into());
            }
            ours.run_for(Duration::from_secs(1));
            progress(&ours);
        }
        Ok(ours)
    }

    /// `nodes` nodes that know each other from the beginning, with measured round trips.
    pub(crate) fn acquainted(nodes: u32) -> Self {
        let mut world = World::with(setup());
        world.set_log(false);
        world.start_acquainted(nodes as usize, &Arc::new(Config::lan()));
        let mut ours = Self { world, events: 0, checker: None };
        ours.run_for(SETTLED_AFTER);
        ours
    }

    /// Goes on until all has been said about the joining. What is lost from then on counts as trouble.
    pub(crate) fn settle(&mut self) {
        if self.checker.is_some() {
            self.world.enter(Phase::Trouble);
        }
        while self.world.hosts().any(|host| self.has_gossip(host)) {
            self.run_for(SETTLED_AFTER);
        }
    }

    fn has_gossip(&self, host: HostId) -> bool {
        self.world.node(host).is_some_and(|node| node.stats().updates_queued > 0)
    }

    /// Rows in the tables of all nodes, and how many there are when all know all.
    pub(crate) fn rows(&self) -> (u64, u64) {
        let nodes = self.world.hosts().count() as u64;
        let rows = self.world.hosts().filter_map(|host| self.world.node(host));
        let rows = rows.map(|node| {
            let stats = node.stats();
            u64::from(stats.alive) + u64::from(stats.suspect)
        });
        (rows.sum(), nodes * nodes)
    }

    /// Whether every node knows every node.
    pub(crate) fn is_complete(&self) -> bool {
        let (rows, all) = self.rows();
        rows == all
    }

    /// The world's clock.
    pub(crate) fn now(&self) -> Instant {
        self.world.now()
    }

    /// The property that was broken, if one was.
    pub(crate) fn violation(&self) -> Option<String> {
        let checker = self.checker.as_ref()?.lock().ok()?;
        checker.violation().map(|violation| format!("{violation:?}"))
    }
}

impl Loop for Ours {
    fn run_for(&mut self, time: Duration) {
        let end = self.world.now().after(time);
        while self.world.next_at().is_some_and(|at| at <= end) {
            self.world.step();
            self.events += 1;
        }
        self.world.run_for(Duration::from_nanos(end.as_nanos() - self.world.now().as_nanos()));
    }

    fn work(&self) -> Work {
        let Traffic { sent, received, .. } = self.world.traffic();
        Work { events: self.events, arrivals: received.datagrams, sent: sent.datagrams, bytes: sent.bytes }
    }
}
