//! The world: hosts, the network between them, one clock, one seed.

mod acquainted;
mod commands;
mod convergence;
mod faults;
mod guests;
mod hostile;
mod perform;
mod processes;
mod recording;
mod timeout;
mod turns;
mod views;
mod warming;
mod watching;

use std::sync::Arc;
use std::time::Duration;

use swim_core::{Config, Instant};
use swim_driver::DRAIN_MAX;

use crate::action::Action;
use crate::ground_truth::{Death, GroundTruth, Phase, Presence};
use crate::host::{Host, HostId, Spec};
use crate::net::{Fabric, Link};
use crate::queue::Pending;

pub use timeout::Timeout;

use recording::Recorders;
use warming::Ahead;
pub use watching::Watcher;
use watching::Watchers;

/// What a world is made with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setup {
    /// Everything random follows from it.
    pub seed: u64,
    /// The link of every pair that gets none of its own. Default [`Link::lan`].
    pub link: Link,
    /// What the wall clocks say when the world begins, in Unix milliseconds. Default: 2023-11-14 22:13:20.
    pub unix_ms: u64,
    /// Datagrams that a stopped process's socket holds; further ones are lost. Default 1,024.
    pub inbox_max: usize,
    /// Whether the fingerprint covers what nodes count and what they hold of each other, and not only what
    /// they do. A look at every table that changes is dear among thousands. Default no.
    pub fingerprint_states: bool,
}

impl Setup {
    /// The defaults, with this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        let (unix_ms, inbox_max) = (1_700_000_000_000, DRAIN_MAX);
        Self { seed, link: Link::lan(), unix_ms, inbox_max, fingerprint_states: false }
    }

    /// The same with this link between all.
    #[must_use]
    pub const fn link(self, link: Link) -> Self {
        Self { link, ..self }
    }
}

/// Hosts, each with one node, and the network between them, under a virtual clock.
pub struct World {
    setup: Setup,
    hosts: Vec<Host>,
    fabric: Fabric,
    ground_truth: GroundTruth,
    deaths: Vec<Death>,
    /// By the number in the queue; done ones are `None`.
    scheduled: Vec<Option<Action>>,
    /// Grows whenever a view or a log may have changed, so that nothing is looked at in vain.
    stir: u64,
    pub(crate) phase: Phase,
    /// Whose tick the present step is.
    ticking: Option<HostId>,
    pub(crate) watchers: Watchers,
    recorders: Option<Recorders>,
    /// Whether events are kept.
    logs: bool,
    ahead: Ahead,
}

/// How finely [`World::run_until`] looks.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// How long a predicate may go unasked although no view and no log changed: it may look at traffic.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_millis(100);
/// How long [`World::joined`] waits.
const JOINED_WITHIN: Duration = Duration::from_secs(120);

impl World {
    /// An empty world with the defaults.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with(Setup::new(seed))
    }

    /// An empty world.
    #[must_use]
    pub fn with(setup: Setup) -> Self {
        let fabric = Fabric::new(setup.seed, setup.link);
        Self {
            setup,
            hosts: Vec::new(),
            fabric,
            ground_truth: GroundTruth::default(),
            deaths: Vec::new(),
            scheduled: Vec::new(),
            stir: 0,
            phase: Phase::default(),
            ticking: None,
            watchers: Watchers::default(),
            recorders: None,
            logs: true,
            ahead: Ahead::default(),
        }
    }

    /// A world of `n` hosts that all joined through the first and know each other.
    ///
    /// # Errors
    /// If they do not converge within two minutes.
    pub fn joined(seed: u64, n: usize, config: &Arc<Config>) -> Result<(Self, Vec<HostId>), Timeout> {
        Self::joined_with(Setup::new(seed), n, config)
    }

    /// [`World::joined`] with more to choose.
    ///
    /// # Errors
    /// If they do not converge within two minutes.
    pub fn joined_with(setup: Setup, n: usize, config: &Arc<Config>) -> Result<(Self, Vec<HostId>), Timeout> {
        let mut world = Self::with(setup);
        let hosts: Vec<HostId> = (0..n).map(|_| world.start(Spec::new(Arc::clone(config)))).collect();
        for host in hosts.iter().skip(1) {
            world.join(*host, &hosts[..1]);
        }
        world.run_until(JOINED_WITHIN, Self::converged)?;
        Ok((world, hosts))
    }

    /// When the next thing in the queue happens; `None`: nothing ever will.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.fabric.queue.next_at()
    }

    /// Does the next thing in the queue. Returns its time, or `None` if nothing will ever happen again.
    pub fn step(&mut self) -> Option<Instant> {
        self.warm();
        let (at, what) = self.fabric.queue.pop()?;
        debug_assert!(at >= self.fabric.now, "the queue is ordered and nothing is scheduled in the past");
        self.fabric.now = at;
        match what {
            Pending::Arrive(packet) => self.arrive(packet),
            Pending::Wake { host, generation } => self.wake(host, generation),
            Pending::Act(number) => {
                let action = self.scheduled[number as usize].take();
                self.perform(&action.expect("every action is queued once, so it comes up once"));
            }
        }
        Some(at)
    }

    /// Does everything that happens within `duration`, and leaves the clock at its end.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.fabric.now.after(duration);
        self.run_to(end);
        self.fabric.now = end;
    }

    /// Runs until `done`, and returns how long that took, to within a millisecond. `done` is asked when a
    /// view or a log may have changed, but at most once a millisecond and at least ten times a second.
    ///
    /// # Errors
    /// [`Timeout`] if `limit` passes first; it says who believes what.
    pub fn run_until(
        &mut self,
        limit: Duration,
        mut done: impl FnMut(&Self) -> bool,
    ) -> Result<Duration, Timeout> {
        let begin = self.fabric.now;
        let end = begin.after(limit);
        let mut looked = None;
        loop {
            let due = looked.is_none_or(|(stir, at)| {
                stir != self.stir || self.fabric.now.since(at) >= LOOK_AT_LEAST_EVERY
            });
            if due && done(self) {
                return Ok(self.fabric.now.since(begin));
            }
            if due {
                looked = Some((self.stir, self.fabric.now));
            }
            match self.fabric.queue.next_at() {
                Some(at) if at <= end => self.run_to(at.after(LOOK_EVERY).min(end)),
                _ => break,
            }
        }
        self.fabric.now = end;
        if done(self) { Ok(limit) } else { Err(Timeout::new(self, limit)) }
    }

    /// Does `action` when `after` has passed.
    pub fn schedule(&mut self, after: Duration, action: Action) {
        let number = u32::try_from(self.scheduled.len()).expect("fewer actions than 2^32");
        self.scheduled.push(Some(action));
        self.fabric.queue.push(self.fabric.now.after(after), Pending::Act(number));
    }

    fn run_to(&mut self, end: Instant) {
        while self.fabric.queue.next_at().is_some_and(|at| at <= end) {
            self.step();
        }
    }

    fn is_up(&self, host: HostId) -> bool {
        self.ground_truth.fact(host).presence == Presence::Up
    }
}
