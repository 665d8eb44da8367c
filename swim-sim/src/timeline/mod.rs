//! The timeline of a run: what a report is written from.
//!
//! A run leaves behind a verdict and a number. Whoever wants to understand it asks for more: who believed
//! what of whom at that moment, what was under way on the network, what had been done to the hosts, how
//! long it took until everybody knew. A [`Timeline`] is a [`Watcher`] that writes this down while the run
//! goes on, in bounded memory, and judges nothing.
//!
//! ```text
//!   Reported ─▶ beliefs (matrix + changes), spread, detection     Acted ─▶ bands, truth
//!   Sent, Arrived ─▶ datagrams (newest + around the failure), load
//! ```

mod bands;
mod beliefs;
mod datagrams;
mod hearing;
mod limits;
mod load;
mod names;
mod spread;
mod watching;

use std::net::SocketAddr;

use swim_core::{Identity, Instant, NodeId, Status};

use crate::World;
use crate::action::Action;
use crate::ground_truth::{Death, Presence};
use crate::ground_truth::{Fate, Phase, Scene};
use crate::host::HostId;

pub(crate) use bands::{Band, Bands};
pub(crate) use beliefs::{Belief, Beliefs, Change, NOBODY, Turn};
pub(crate) use datagrams::{Datagrams, OUTSIDE, Sending};
pub use limits::Limits;
pub(crate) use load::{Load, Sent};
pub(crate) use names::Names;
pub(crate) use spread::{Case, Detection, News, Spread};

use datagrams::{Letter, Room};

/// What a host really did from some moment on. Times in ns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Truth {
    pub(crate) at: u64,
    pub(crate) host: u32,
    pub(crate) presence: Presence,
}

/// An event that is no change of belief.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    pub(crate) at: u64,
    pub(crate) host: u32,
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

/// Everything that a report shows of a run. Attach it before anything happens; attached later, it begins
/// with the tables as they are then.
pub struct Timeline {
    pub(crate) limits: Limits,
    pub(crate) names: Names,
    pub(crate) beliefs: Beliefs,
    pub(crate) truth: Vec<Truth>,
    pub(crate) phases: Vec<(u64, Phase)>,
    pub(crate) bands: Bands,
    pub(crate) marks: Vec<Mark>,
    pub(crate) marks_skipped: u64,
    pub(crate) datagrams: Datagrams,
    pub(crate) load: Load,
    pub(crate) spread: Spread,
    pub(crate) detection: Detection,
    /// Verdicts on the living.
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
        Self::with(Limits::default())
    }

    /// An empty one.
    #[must_use]
    pub fn with(limits: Limits) -> Self {
        Self {
            limits,
            names: Names::default(),
            beliefs: Beliefs::default(),
            truth: Vec::new(),
            phases: Vec::new(),
            bands: Bands::default(),
            marks: Vec::new(),
            marks_skipped: 0,
            datagrams: Datagrams::default(),
            load: Load::default(),
            spread: Spread::default(),
            detection: Detection::default(),
            false_deaths: Vec::new(),
            end: 0,
            bound: None,
            spotlight: None,
            deaths_seen: 0,
            adopted: false,
        }
    }

    /// Something went wrong at `at`: the datagrams around it are kept even if the run goes on for long. The
    /// last call counts; without one, the first death of somebody who was up is what went wrong.
    pub fn keep_around(&mut self, at: Instant) {
        let reach = self.limits.spotlight;
        self.spotlight = Some((at.before(reach).as_nanos(), at.after(reach).as_nanos()));
    }

    /// What the node of `observer` believes of a name now, as this has been told; `None`: it holds nothing
    /// of it, or does not run.
    #[must_use]
    pub fn believes(&self, observer: HostId, subject: NodeId) -> Option<Status> {
        match self.beliefs.now(observer.0, self.names.known(subject)?) {
            Belief::Unknown => None,
            Belief::Alive => Some(Status::Alive),
            Belief::Suspect => Some(Status::Suspect),
            Belief::Dead => Some(Status::Dead),
            Belief::Left => Some(Status::Left),
        }
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
        self.change(now, host.0, subject, Turn::Emptied, NOBODY);
        self.change(now, host.0, subject, Turn::Becomes(Belief::Alive), NOBODY);
        self.bands.began(host.0, now);
        self.detection.reborn(subject);
        self.spread.reborn(subject);
    }

    fn ended(&mut self, host: HostId, presence: Presence, now: u64) {
        let subject = self.names.host(host).subject;
        self.stand(host, presence, now);
        self.change(now, host.0, subject, Turn::Emptied, NOBODY);
        self.bands.ended(host.0, now);
        if presence == Presence::Crashed {
            let others = (0..).zip(self.names.hosts()).filter(|(observer, known)| {
                let held = self.beliefs.now(*observer, subject);
                known.presence == Presence::Up && matches!(held, Belief::Alive | Belief::Suspect)
            });
            let waiting = others.map(|(observer, _)| observer).collect();
            self.detection.crashed(subject, host.0, now, waiting);
        }
    }

    fn acted(&mut self, scene: &Scene<'_>, action: &Action) {
        self.look(scene);
        self.bands.act(action, scene.now.as_nanos(), self.limits.bands_max);
    }

    fn sent(&mut self, now: u64, source: SocketAddr, target: SocketAddr, bytes: &[u8], fate: Fate) {
        let letter = Letter {
            from: (source, if fate == Fate::Forged { OUTSIDE } else { self.place(source) }),
            to: (target, self.place(target)),
            bytes,
        };
        self.datagrams.sent(now, &letter, fate, self.room());
    }

    fn arrived(&mut self, now: u64, source: SocketAddr, host: HostId, bytes: &[u8]) {
        let target = self.names.host(host).addr;
        let letter = Letter { from: (source, self.place(source)), to: (target, host.0), bytes };
        self.datagrams.arrived(now, &letter, self.room());
    }

    fn place(&self, addr: SocketAddr) -> u32 {
        self.names.host_at(addr).unwrap_or(OUTSIDE)
    }

    const fn room(&self) -> Room {
        let Limits { datagrams_max, spotlight_max, .. } = self.limits;
        Room { newest_max: datagrams_max, spotlight_max, spotlight: self.spotlight }
    }

    fn change(&mut self, at: u64, observer: u32, subject: u32, turn: Turn, by: u32) {
        self.beliefs.change(Change { at, observer, subject, turn, by }, self.limits.changes_max);
    }

    /// Where a table has changed and nothing was told of it (a goodbye that a later death replaces), or
    /// more than could be told, the row is read from the table.
    fn reconcile(&mut self, world: &World, host: HostId) {
        let Some(node) = world.node(host) else { return };
        let at = world.now().as_nanos();
        let mut seen = vec![false; self.names.subjects().len()];
        for row in node.members() {
            let Some(subject) = self.names.subject(row.id, self.limits.phantoms_max) else { continue };
            if let Some(place) = seen.get_mut(subject as usize) {
                *place = true;
            }
            let belief = Belief::from(Some(row.status));
            if self.beliefs.now(host.0, subject) != belief {
                self.change(at, host.0, subject, Turn::Becomes(belief), NOBODY);
            }
        }
        for (subject, _) in (0..).zip(seen).filter(|(_, seen)| !seen) {
            if self.beliefs.now(host.0, subject) != Belief::Unknown {
                self.change(at, host.0, subject, Turn::Becomes(Belief::Unknown), NOBODY);
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

impl Default for Timeline {
    fn default() -> Self {
        Self::new()
    }
}
