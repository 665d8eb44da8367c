//! The timeline of a run: what a report is written from.
//!
//! A run leaves behind an outcome and a number. Understanding it takes more: which node held what of which at
//! that moment, what was under way on the network, what had been done to the hosts, how long it took until
//! all knew. A [`Timeline`] is a [`Watcher`] that writes this down while the run goes on, in bounded memory,
//! and checks nothing.
//!
//! ```text
//!   Reported ─▶ views (matrix + changes), spread, detection     Acted ─▶ bands, truth
//!   Sent, Arrived ─▶ datagrams (newest + around the failure), load
//! ```

mod bands;
mod datagrams;
mod events;
mod load;
mod names;
mod spread;
mod views;

use std::net::SocketAddr;
use std::time::Duration;

use swim_core::{Identity, Instant, NodeId, Status};

use crate::World;
use crate::ground_truth::{Death, Fate, Happening, Phase, Presence, Scene};
use crate::host::HostId;
use crate::world::Watcher;

pub(crate) use bands::{Band, Bands};
pub(crate) use datagrams::{Datagrams, OUTSIDE, Sending};
pub(crate) use load::Load;
pub(crate) use names::Names;
pub(crate) use spread::{Detected, Detection, News, Spread};
pub(crate) use views::{Change, NO_MEMBER, Turn, Views, code};

use datagrams::Letter;

/// What a host really did from some moment on. Times in ns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Truth {
    pub(crate) at: u64,
    pub(crate) host: u32,
    pub(crate) presence: Presence,
}

/// An event that changes no claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    pub(crate) at: u64,
    pub(crate) host: u32,
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

/// How much of a run a [`Timeline`] keeps: a run may be long and its cluster large. What has a limit is
/// counted beyond it, and the page says what is missing. The defaults keep a run of 20 members over minutes whole, and let
/// the page of 1,000 members stay below 15 MB.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Changes of what is held; older ones are folded into the matrix that the page begins with. Default 250,000.
    pub changes_max: usize,
    /// Datagrams, the newest. Default 30,000.
    pub datagrams_max: usize,
    /// Datagrams around the failure that are kept besides. Default 10,000.
    pub spotlight_max: usize,
    /// How far the window around the failure reaches, to each side. Default 10 s.
    pub spotlight: Duration,
    /// Events that change no claim. Default 20,000.
    pub marks_max: usize,
    /// Faults. Default 5,000.
    pub bands_max: usize,
    /// Durations of one distribution. Default 500,000.
    pub samples_max: usize,
    /// Ids that no host has: inventions of a hostile sender. Default 64.
    pub phantoms_max: usize,
    /// Slices of time that traffic is counted in; when they are used up, each becomes twice as long.
    /// Default 600, of one second at first.
    pub slices_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            changes_max: 250_000,
            datagrams_max: 30_000,
            spotlight_max: 10_000,
            spotlight: Duration::from_secs(10),
            marks_max: 20_000,
            bands_max: 5_000,
            samples_max: 500_000,
            phantoms_max: 64,
            slices_max: 600,
        }
    }
}

/// Everything that a report shows of a run. Attach it before anything happens; attached later, it begins
/// with the tables as they are then.
#[derive(Default)]
pub struct Timeline {
    pub(crate) limits: Limits,
    pub(crate) names: Names,
    pub(crate) views: Views,
    pub(crate) truth: Vec<Truth>,
    pub(crate) phases: Vec<(u64, Phase)>,
    pub(crate) bands: Bands,
    pub(crate) marks: Vec<Mark>,
    pub(crate) marks_skipped: u64,
    pub(crate) datagrams: Datagrams,
    pub(crate) load: Load,
    pub(crate) spread: Spread,
    pub(crate) detection: Detection,
    /// Living members that were called Dead.
    pub(crate) false_deaths: Vec<Death>,
    /// Time of the last thing that was seen, in ns.
    pub(crate) end: u64,
    /// `Config::detection_bound` for all hosts, in ns.
    pub(crate) bound: Option<u64>,
    spotlight: Option<(u64, u64)>,
    deaths_seen: usize,
    /// What was so before this was attached has been read.
    adopted: bool,
}

impl Timeline {
    /// An empty one with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty one.
    #[must_use]
    pub fn with(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Something went wrong at `at`: the datagrams around it are kept even if the run goes on for long. The
    /// last call counts; without one, the first death of a member that was up is what went wrong.
    pub fn keep_around(&mut self, at: Instant) {
        let reach = self.limits.spotlight;
        self.spotlight = Some((at.before(reach).as_nanos(), at.after(reach).as_nanos()));
    }

    /// What the node of `observer` holds of an id now, as this has seen; `None`: it holds nothing
    /// of it, or does not run.
    #[must_use]
    pub fn believes(&self, observer: HostId, subject: NodeId) -> Option<Status> {
        self.views.now(observer.0, self.names.known(subject)?)
    }

    /// What is true of every host, as far as it has changed.
    fn look(&mut self, scene: &Scene<'_>) {
        let now = scene.now.as_nanos();
        for host in scene.hosts() {
            let (me, presence) = (scene.identity(host), scene.presence(host));
            match self.names.host_mut(host).map(|known| (known.addr, known.presence)) {
                None => self.enter(host, me, presence, now),
                Some((addr, held)) => {
                    if addr != me.addr {
                        self.names.moved(host, me.addr);
                    }
                    if held != presence {
                        self.stand(host, presence, now);
                    }
                }
            }
        }
    }

    fn enter(&mut self, host: HostId, me: Identity, presence: Presence, now: u64) {
        let held = self.names.host_mut(host).map(|known| known.presence);
        self.names.enter(host, me, presence, now);
        if held == Some(presence) {
            return;
        }
        self.truth.push(Truth { at: now, host: host.0, presence });
    }

    fn stand(&mut self, host: HostId, presence: Presence, at: u64) {
        let Some(known) = self.names.host_mut(host) else { return };
        if std::mem::replace(&mut known.presence, presence) == presence {
            return;
        }
        self.truth.push(Truth { at, host: host.0, presence });
        if presence != Presence::Up {
            self.detection.absent(host.0);
        }
    }

    fn began(&mut self, host: HostId, me: Identity, now: u64) {
        self.enter(host, me, Presence::Up, now);
        let subject = self.names.host(host).subject;
        self.change(now, host.0, subject, Turn::Emptied, NO_MEMBER);
        self.change(now, host.0, subject, Turn::Becomes(Some(Status::Alive)), NO_MEMBER);
        self.bands.began(host.0, now);
        self.detection.restarted(subject);
        self.spread.restarted(subject);
    }

    fn ended(&mut self, host: HostId, presence: Presence, now: u64) {
        let subject = self.names.host(host).subject;
        self.stand(host, presence, now);
        self.change(now, host.0, subject, Turn::Emptied, NO_MEMBER);
        self.bands.ended(host.0, now);
        if presence == Presence::Crashed {
            let others = (0..).zip(self.names.hosts()).filter(|(observer, known)| {
                let held = self.views.now(*observer, subject);
                known.presence == Presence::Up && held.is_some_and(Status::is_active)
            });
            let waiting = others.map(|(observer, _)| observer).collect();
            self.detection.crashed(subject, host.0, now, waiting);
        }
    }

    fn sent(&mut self, now: u64, source: SocketAddr, target: SocketAddr, bytes: &[u8], fate: Fate) {
        let letter = Letter {
            from: (source, if fate == Fate::Forged { OUTSIDE } else { self.index(source) }),
            to: (target, self.index(target)),
            bytes,
        };
        self.datagrams.sent(now, &letter, fate, (&self.limits, self.spotlight));
    }

    fn arrived(&mut self, now: u64, source: SocketAddr, host: HostId, bytes: &[u8]) {
        let target = self.names.host(host).addr;
        let letter = Letter { from: (source, self.index(source)), to: (target, host.0), bytes };
        self.datagrams.arrived(now, &letter, (&self.limits, self.spotlight));
    }

    fn index(&self, addr: SocketAddr) -> u32 {
        self.names.host_at(addr).unwrap_or(OUTSIDE)
    }

    fn change(&mut self, at: u64, observer: u32, subject: u32, turn: Turn, by: u32) {
        self.views.change(Change { at, observer, subject, turn, by }, self.limits.changes_max);
    }

    /// Where a table has changed and no event said so (a leave that a later death replaces), or
    /// more than fitted, the row is read from the table.
    fn reconcile(&mut self, world: &World, host: HostId) {
        let Some(node) = world.node(host) else { return };
        let at = world.now().as_nanos();
        let mut seen = vec![false; self.names.subjects().len()];
        for row in node.members() {
            let Some(subject) = self.names.subject(row.id, self.limits.phantoms_max) else { continue };
            if let Some(index) = seen.get_mut(subject as usize) {
                *index = true;
            }
            let held = Some(row.status);
            if self.views.now(host.0, subject) != held {
                self.change(at, host.0, subject, Turn::Becomes(held), NO_MEMBER);
            }
        }
        for (subject, _) in (0..).zip(seen).filter(|(_, seen)| !seen) {
            if self.views.now(host.0, subject).is_some() {
                self.change(at, host.0, subject, Turn::Becomes(None), NO_MEMBER);
            }
        }
    }

    /// Reads everything from a world in which something has happened already.
    fn adopt(&mut self, world: &World) {
        self.look(&world.scene());
        for host in world.hosts() {
            self.reconcile(world, host);
        }
        self.deaths_seen = world.deaths().len();
    }
}

impl Watcher for Timeline {
    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        let now = scene.now.as_nanos();
        self.end = now;
        if self.phases.is_empty() {
            self.phases.push((now, scene.phase));
        }
        match *what {
            Happening::Began { host, me } => {
                if self.names.hosts().len() < host.index() {
                    self.look(scene);
                }
                self.began(host, me, now);
            }
            Happening::Ended { host, presence } => {
                self.look(scene);
                self.ended(host, presence, now);
            }
            Happening::Acted { action, done: true } => {
                self.look(scene);
                self.bands.act(action, now, self.limits.bands_max);
            }
            Happening::Sent { host, source, target, bytes, fate } => {
                self.load.sent(host.0, now, bytes.len(), self.limits.slices_max);
                self.sent(now, source, target, bytes, fate);
            }
            Happening::Forged { source, target, bytes } => {
                self.sent(now, source, target, bytes, Fate::Forged);
            }
            Happening::Arrived { host, source, bytes } if self.names.hosts().len() > host.index() => {
                self.arrived(now, source, host, bytes);
            }
            Happening::Reported { host, event } => self.heard(scene, host, event),
            Happening::Entered { phase } => self.phases.push((now, phase)),
            _ => {}
        }
    }

    fn after_input(&mut self, world: &World, host: HostId) {
        if !self.adopted {
            self.adopted = true;
            self.adopt(world);
        }
        if let Some(node) = world.node(host) {
            let revision = node.revision();
            if self.bound.is_none() {
                let n = u32::try_from(world.hosts().count()).unwrap_or(u32::MAX);
                let bound = node.config().detection_bound(n);
                self.bound = Some(u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX));
            }
            let known = self.names.host_mut(host).expect("a node that gets an input has begun");
            if known.revision != revision {
                known.revision = revision;
                let stats = node.stats();
                if !self.views.counts_agree(host.0, [stats.alive, stats.suspect, stats.dead, stats.left]) {
                    self.reconcile(world, host);
                }
            }
        }
        for death in &world.deaths()[self.deaths_seen..] {
            if death.is_false() {
                if death.truth == Some(Presence::Up) && self.spotlight.is_none() {
                    self.keep_around(death.at);
                }
                if self.false_deaths.len() < self.limits.marks_max {
                    self.false_deaths.push(*death);
                }
            }
        }
        self.deaths_seen = world.deaths().len();
    }
}
