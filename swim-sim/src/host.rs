//! A host: one machine with one process on it, which runs one node the way a driver does.
//!
//! The contract is the drivers': a datagram is handed over as soon as it arrives; when the deadline has
//! come, what had arrived by then is read first (at most [`DRAIN_MAX`] datagrams) and the clock ticks only
//! then; after every input the node is polled until it has nothing more to say. A stopped process keeps
//! its inbox, as the kernel does, and finds it full when it is continued.

use std::collections::VecDeque;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use swim_core::{Config, Epoch, Event, Identity, Instant, Node, NodeId, Seed};
use swim_trace::{Plain, Recorder};

use crate::action::Inbox;
use crate::clock::Clock;
use crate::ground_truth::usual_name;
pub use crate::host_id::HostId;
use crate::queue::PacketId;
use crate::random::Random;
use crate::slowness::Slowness;
use crate::traffic::Traffic;

/// Datagrams that a driver reads before it looks at its clock.
pub(crate) const DRAIN_MAX: usize = 1024;

/// What a host is started with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Spec {
    /// The node's configuration.
    pub config: Arc<Config>,
    /// The node's name. Default: the host's number + 1.
    pub id: Option<NodeId>,
    /// Where it listens, and what it tells the others. Default: `10.a.b.c:7946` by the host's number, the
    /// first being 10.0.0.1.
    pub addr: Option<SocketAddr>,
    /// How far the host's calendar is ahead of the world's, in ms. Only epochs depend on it. Default 0.
    pub calendar_ms: i64,
    /// Whether the host remembers the largest epoch its node ever had, and starts the next life above it.
    /// Default no: nothing survives a restart.
    pub persistent: bool,
}

impl Spec {
    /// The defaults, with this configuration.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        Self { config, id: None, addr: None, calendar_ms: 0, persistent: false }
    }

    /// The same with this name.
    #[must_use]
    pub fn id(self, id: NodeId) -> Self {
        Self { id: Some(id), ..self }
    }

    /// The same at this address.
    #[must_use]
    pub fn addr(self, addr: SocketAddr) -> Self {
        Self { addr: Some(addr), ..self }
    }

    /// The same with a calendar that is wrong by so many ms.
    #[must_use]
    pub fn calendar_ms(self, ahead: i64) -> Self {
        Self { calendar_ms: ahead, ..self }
    }

    /// The same, remembering its epoch.
    #[must_use]
    pub fn persistent(self) -> Self {
        Self { persistent: true, ..self }
    }
}

/// An event that a node reported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logged {
    /// When, by the world's clock.
    pub at: Instant,
    /// What.
    pub event: Event,
}

/// Writes a life to anything.
pub(crate) type LifeRecorder = Recorder<Plain<Box<dyn Write + Send>>>;

/// One host. What every step of it looks at comes first and together: in a large world a step costs as many
/// cache lines as it touches.
#[repr(C)]
pub(crate) struct Host {
    /// `None`: no process.
    pub(crate) node: Option<Box<Node>>,
    /// Writes down the present life.
    pub(crate) recorder: Option<Box<LifeRecorder>>,
    /// The node's revision when it was last looked at.
    pub(crate) revision: u64,
    pub(crate) paused: bool,
    /// Its stack refuses to send, and nothing reaches it.
    pub(crate) unplugged: bool,
    /// While it is paused: what becomes of what arrives.
    pub(crate) inbox_while_paused: Inbox,
    pub(crate) persistent: bool,
    /// How many lives there were.
    pub(crate) lives: u32,
    /// The process's clock: a process that starts anew begins at zero.
    pub(crate) clock: Clock,
    /// When its clock last ticked, and how often in a row at that instant.
    pub(crate) ticked: Option<(Instant, u32)>,
    pub(crate) slowness: Slowness,
    pub(crate) inbox: VecDeque<PacketId>,
    pub(crate) addr: SocketAddr,
    /// Where its datagrams seem to come from, if that is not `addr`.
    pub(crate) mask: Option<SocketAddr>,
    pub(crate) traffic: Traffic,
    pub(crate) id: NodeId,
    pub(crate) config: Arc<Config>,
    pub(crate) calendar_ms: i64,
    /// The largest epoch that any life of the node had.
    pub(crate) epoch_max: Epoch,
    pub(crate) log: Vec<Logged>,
}

impl Host {
    /// A host without a process; `late` is the stream of how late its timers fire.
    pub(crate) fn new(number: HostId, spec: &Spec, late: Random) -> Self {
        Self {
            id: spec.id.unwrap_or(usual_name(number)),
            addr: spec.addr.unwrap_or_else(|| number.birthplace()),
            config: Arc::clone(&spec.config),
            calendar_ms: spec.calendar_ms,
            persistent: spec.persistent,
            epoch_max: Epoch(0),
            node: None,
            paused: false,
            inbox_while_paused: Inbox::Kept,
            unplugged: false,
            mask: None,
            lives: 0,
            clock: Clock::started(Instant::ORIGIN, 0),
            slowness: Slowness::none(late),
            inbox: VecDeque::new(),
            ticked: None,
            log: Vec::new(),
            traffic: Traffic::default(),
            revision: 0,
            recorder: None,
        }
    }

    /// Begins a life at `now`, when the world's calendar says `unix_ms`.
    pub(crate) fn boot(&mut self, now: Instant, unix_ms: u64, seed: Seed) -> Identity {
        let calendar = Epoch(unix_ms.saturating_add_signed(self.calendar_ms).min(Epoch::MAX.0));
        let floor = if self.persistent && self.lives > 0 { self.epoch_max.next() } else { Epoch(0) };
        let me = Identity { id: self.id, addr: self.addr, epoch: calendar.max(floor) };
        self.epoch_max = self.epoch_max.max(me.epoch);
        self.lives += 1;
        self.clock = Clock::started(now, self.clock.drift_ppm());
        self.slowness.idle();
        self.paused = false;
        self.revision = 0;
        self.ticked = None;
        self.node = Some(Box::new(Node::new(Arc::clone(&self.config), me, seed, Instant::ORIGIN)));
        me
    }

    /// Looks at what every step looks at.
    pub(crate) fn warm(&self) -> u64 {
        let traffic =
            self.traffic.received.bytes ^ self.traffic.sent.bytes ^ self.traffic.sent_by_kind[1].bytes;
        let (late, len) = (self.slowness.late().subsec_nanos(), self.inbox.len());
        let (port, mask) = (self.addr.port(), self.mask.is_some());
        traffic ^ u64::from(late) ^ len as u64 ^ u64::from(port) ^ u64::from(mask) ^ self.revision
    }

    /// The process's own reading of the world's time.
    pub(crate) fn local(&self, now: Instant) -> Instant {
        self.clock.read(now)
    }

    /// When, by the world's clock, the node's timer fires.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let deadline = self.clock.when(self.node.as_ref()?.deadline()?);
        Some(deadline.after(self.slowness.late()))
    }

    /// How many datagrams the socket holds that waits to be read, where `inbox_max` is usual.
    pub(crate) fn inbox_max(&self, inbox_max: usize) -> usize {
        let deaf = self.paused && self.inbox_while_paused == Inbox::Dropped;
        if deaf { 0 } else { self.slowness.queue().unwrap_or(inbox_max) }
    }

    /// Whether a datagram that arrives now has to wait.
    pub(crate) fn makes_wait(&self) -> bool {
        self.paused || !self.inbox.is_empty() || self.slowness.queue().is_some()
    }

    /// Whether datagrams and ticks reach the node now.
    pub(crate) fn is_running(&self) -> bool {
        self.node.is_some() && !self.paused
    }
}
