//! How long a host was really run: its own clock without the stalls that its node must have noticed.
//!
//! A node that is stopped past its deadline is run late, and must not count that time against any member. How
//! late shows in the deadline that it had asked for before it was stopped: what of a pause lies before that
//! deadline is ordinary waiting. A clock that leaps is a stall like another. Short stalls are ordinary. Where
//! this clock is unsure it runs further than the node's, so that no node is blamed that waited long enough.

use std::time::Duration;

use swim_core::{Config, Instant};

use crate::World;
use crate::action::Action;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;

/// The clocks of all hosts.
pub(crate) struct NodeTime {
    hosts: PerHost<Clock>,
    /// A shorter stall may pass unnoticed.
    noticed: Duration,
    /// Whether nodes notice at all.
    enabled: bool,
}

#[derive(Default)]
struct Clock {
    /// When the node wanted to be run next.
    deadline: Option<Instant>,
    paused: Option<Instant>,
    /// Its clock runs at another speed, or did.
    drifts: bool,
    cut: Duration,
}

impl NodeTime {
    pub(crate) fn new(config: &Config) -> Self {
        // The threshold grows with the direct timeout, and that with the local health.
        let noticed = config.direct_timeout * (u32::from(config.health_max) + 1) / 4;
        Self {
            hosts: PerHost::default(),
            noticed: noticed.max(Duration::from_millis(50)),
            enabled: config.self_doubt,
        }
    }

    pub(crate) fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        match what {
            Happening::Began { host, .. } => {
                let drifts = self.hosts.of(*host).drifts;
                *self.hosts.of(*host) = Clock { drifts, ..Clock::default() };
            }
            Happening::Acted { action: Action::Pause { host, .. }, done: true } => {
                self.hosts.of(*host).paused = Some(scene.now());
            }
            Happening::Acted { action: Action::Drift { host, .. }, done: true } => {
                self.hosts.of(*host).drifts = true;
            }
            Happening::Acted { action: Action::Jump { host, by }, done: true } => {
                let waits = self.hosts.of(*host).deadline.map_or(Duration::MAX, |at| at.since(scene.now()));
                self.cut(*host, by.saturating_sub(waits));
            }
            Happening::Acted { action: Action::Resume(host), done: true } => self.resume(scene.now(), *host),
            Happening::Acted { action: Action::Peace, .. } => {
                scene.hosts().for_each(|host| self.resume(scene.now(), host));
            }
            _ => {}
        }
    }

    pub(crate) fn after_input(&mut self, world: &World, host: HostId) {
        self.hosts.of(host).deadline = world.deadline(host);
    }

    fn resume(&mut self, now: Instant, host: HostId) {
        let clock = self.hosts.of(host);
        let Some(paused) = clock.paused.take() else { return };
        let late = clock.deadline.map_or(Duration::ZERO, |at| now.since(at.max(paused)));
        self.cut(host, late);
    }

    /// The node of `host` is run so much too late.
    fn cut(&mut self, host: HostId, late: Duration) {
        let clock = self.hosts.of(host);
        // The slowest clock goes at half the speed.
        let late = if clock.drifts { late / 2 } else { late };
        if self.enabled && late > self.noticed {
            clock.cut += late;
        }
    }

    /// Time that the node of `host` was run in this epoch.
    pub(crate) fn now(&mut self, world: &World, host: HostId) -> Duration {
        world.local(host).since(Instant::ORIGIN).saturating_sub(self.hosts.of(host).cut)
    }
}
