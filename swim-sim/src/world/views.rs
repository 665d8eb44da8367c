//! What can be seen of a world.

use std::net::SocketAddr;

use swim_core::{Event, Instant, Node, NodeId, Status};

use super::World;
use crate::fingerprint::Fingerprint;
use crate::ground_truth::{Death, Presence};
use crate::host::{HostId, Logged};
use crate::traffic::Traffic;

impl World {
    /// The world's clock.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.fabric.now
    }

    /// The seed.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.setup.seed
    }

    /// One number for everything that nodes did so far, and, if [`Setup::fingerprint_states`](crate::Setup::fingerprint_states) says so, for the
    /// states that they came to. Equal in two runs if and only if (but for a coincidence in 2⁶⁴) the same
    /// happened in both.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut fingerprint = self.fabric.fingerprint;
        if self.setup.fingerprint_states {
            let nodes = self.hosts().filter_map(|host| self.node(host));
            nodes.for_each(|node| fingerprint.members(node));
        }
        fingerprint
    }

    /// All hosts there ever were, in the order of starting.
    pub fn hosts(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..).map(HostId).take(self.hosts.len())
    }

    /// The node of `host`; `None` if no process is there.
    #[must_use]
    pub fn node(&self, host: HostId) -> Option<&Node> {
        self.hosts[host.index()].engine.as_ref().map(|engine| engine.node())
    }

    /// When, by the world's clock, the node of `host` wants to be run; `None`: never, or there is none.
    #[must_use]
    pub fn deadline(&self, host: HostId) -> Option<Instant> {
        self.hosts[host.index()].deadline()
    }

    /// What the clock of the process on `host` shows; it began at zero.
    #[must_use]
    pub fn local(&self, host: HostId) -> Instant {
        self.hosts[host.index()].local(self.fabric.now)
    }

    /// The name of the node of `host`.
    #[must_use]
    pub fn id(&self, host: HostId) -> NodeId {
        self.hosts[host.index()].id
    }

    /// The address of `host`.
    #[must_use]
    pub fn addr(&self, host: HostId) -> SocketAddr {
        self.hosts[host.index()].addr
    }

    /// What `host` really does.
    #[must_use]
    pub fn presence(&self, host: HostId) -> Presence {
        self.ground_truth.fact(host).presence
    }

    /// What the node of `observer` believes of the node of `subject`; `None` if it holds nothing of it, or
    /// does not run.
    #[must_use]
    pub fn believes(&self, observer: HostId, subject: HostId) -> Option<Status> {
        self.believes_id(observer, self.id(subject))
    }

    /// What the node of `observer` believes of a name.
    #[must_use]
    pub fn believes_id(&self, observer: HostId, subject: NodeId) -> Option<Status> {
        Some(self.node(observer)?.member(subject)?.status)
    }

    /// Whether each of `observers` believes `status` of each of `subjects`; its own row does not count.
    #[must_use]
    pub fn all_believe(&self, observers: &[HostId], subjects: &[HostId], status: Status) -> bool {
        observers.iter().all(|observer| {
            let mut others = subjects.iter().filter(|subject| *subject != observer);
            others.all(|subject| self.believes(*observer, *subject) == Some(status))
        })
    }

    /// Everything that the nodes of `host` reported, in order, over all its epochs, as long as
    /// [`World::set_log`] did not switch it off.
    #[must_use]
    pub fn log(&self, host: HostId) -> &[Logged] {
        &self.hosts[host.index()].log
    }

    /// How many events of `host` match.
    #[must_use]
    pub fn count_events(&self, host: HostId, matches: impl Fn(&Event) -> bool) -> usize {
        self.log(host).iter().filter(|logged| matches(&logged.event)).count()
    }

    /// Every Dead that was reported, with what was really so.
    #[must_use]
    pub fn deaths(&self) -> &[Death] {
        &self.deaths
    }

    /// Those about members that were up; see [`Death::is_false`].
    pub fn false_deaths(&self) -> impl Iterator<Item = &Death> {
        self.deaths.iter().filter(|death| death.is_false())
    }

    /// What was sent, lost and received by all.
    #[must_use]
    pub const fn traffic(&self) -> &Traffic {
        &self.fabric.traffic
    }

    /// What was sent and received by one host.
    #[must_use]
    pub fn traffic_of(&self, host: HostId) -> &Traffic {
        &self.hosts[host.index()].traffic
    }

    /// Switches the log of events on or off; what is in it stays. On at first. Among ten thousand members that
    /// join there are a hundred million events.
    pub fn set_log(&mut self, on: bool) {
        self.logs = on;
    }

    /// Switches the transcript on or off. Off at first.
    pub fn set_transcript(&mut self, on: bool) {
        self.fabric.transcript.on = on;
    }

    /// The transcript so far.
    #[must_use]
    pub fn transcript(&self) -> &str {
        &self.fabric.transcript.text
    }

    /// Takes the transcript so far; it goes on empty.
    pub fn take_transcript(&mut self) -> String {
        std::mem::take(&mut self.fabric.transcript.text)
    }
}
