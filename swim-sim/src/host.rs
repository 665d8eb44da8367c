//! A host: one machine with one process on it, which runs one node on the engine of the real drivers.
//!
//! A stopped process keeps its inbox, as the kernel does, and finds it full when it is continued.

use std::collections::VecDeque;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use swim_core::{Config, Epoch, Event, Identity, Instant, Node, NodeId, Seed};
use swim_driver::{Engine, Ready, Step, Turn};
use swim_trace::Plain;

use crate::action::Inbox;
use crate::clock::Clock;
use crate::ground_truth::usual_name;
pub use crate::host_id::HostId;
use crate::queue::PacketId;
use crate::random::Random;
use crate::slowness::Slowness;
use crate::traffic::Traffic;

/// What a host is started with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Spec {
    /// The node's configuration.
    pub config: Arc<Config>,
    /// The node's name. Default: the host's number + 1.
    pub id: Option<NodeId>,
    /// Where it listens, and what the others know. Default: `10.a.b.c:7946` by the host's number, the
    /// first being 10.0.0.1.
    pub addr: Option<SocketAddr>,
    /// How far the host's wall clock is ahead of the world's, in ms. Only epochs depend on it. Default 0.
    pub wall_clock_ms: i64,
    /// Whether the host remembers the largest epoch its node ever had, and starts above it next time.
    /// Default no: nothing survives a restart.
    pub persistent: bool,
}

impl Spec {
    /// The defaults, with this configuration.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        Self { config, id: None, addr: None, wall_clock_ms: 0, persistent: false }
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

    /// The same with a wall clock that is wrong by so many ms.
    #[must_use]
    pub fn wall_clock_ms(self, ahead: i64) -> Self {
        Self { wall_clock_ms: ahead, ..self }
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

/// The engine of a process. A recording goes to any writer.
pub(crate) type Process = Engine<Plain<Box<dyn Write + Send>>>;

/// Events that wait for the user: more than one input can cause, and they are taken after each.
const EVENTS_MAX: usize = 1 << 20;

/// Turns in a row at one instant after which a process is said to hang: each does a bounded part of what is
/// due, so a million members' worth of expiries needs some 20,000.
const TURNS_AT_ONE_INSTANT_MAX: u32 = 100_000;

/// One host. What every step of it looks at comes first and together: in a large world a step costs as many
/// cache lines as it touches.
#[repr(C)]
pub(crate) struct Host {
    /// `None`: no process.
    pub(crate) engine: Option<Box<Process>>,
    /// The turn of a slow process that is busy with a datagram.
    pub(crate) turn: Option<Turn>,
    /// The last turn reached a bound, and the next one follows at once.
    pub(crate) turns_again: bool,
    /// The node's revision when it was last looked at.
    pub(crate) revision: u64,
    pub(crate) paused: bool,
    /// Its stack refuses to send, and nothing reaches it.
    pub(crate) unplugged: bool,
    /// Its socket's send buffer takes nothing more.
    pub(crate) send_buffer_full: bool,
    /// While it is paused: what becomes of what arrives.
    pub(crate) inbox_while_paused: Inbox,
    pub(crate) persistent: bool,
    /// How many processes there were.
    pub(crate) starts: u32,
    /// The process's clock: a process that starts anew begins at zero.
    pub(crate) clock: Clock,
    /// When its process last turned, and how often in a row at that instant.
    pub(crate) turned: (Instant, u32),
    pub(crate) slowness: Slowness,
    pub(crate) inbox: VecDeque<PacketId>,
    pub(crate) addr: SocketAddr,
    /// Where its datagrams seem to come from, if that is not `addr`.
    pub(crate) mask: Option<SocketAddr>,
    pub(crate) traffic: Traffic,
    pub(crate) id: NodeId,
    pub(crate) config: Arc<Config>,
    pub(crate) wall_clock_ms: i64,
    /// The largest epoch that the node ever had.
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
            wall_clock_ms: spec.wall_clock_ms,
            persistent: spec.persistent,
            epoch_max: Epoch(0),
            engine: None,
            turn: None,
            turns_again: false,
            paused: false,
            inbox_while_paused: Inbox::Kept,
            unplugged: false,
            send_buffer_full: false,
            mask: None,
            starts: 0,
            clock: Clock::started(Instant::ORIGIN, 0),
            slowness: Slowness::none(late),
            inbox: VecDeque::new(),
            turned: (Instant::ORIGIN, 0),
            log: Vec::new(),
            traffic: Traffic::default(),
            revision: 0,
        }
    }

    /// Starts a node at `now`, when the world's wall clock says `unix_ms`.
    pub(crate) fn boot(&mut self, now: Instant, unix_ms: u64, seed: Seed) -> Identity {
        let by_clock = Epoch(unix_ms.saturating_add_signed(self.wall_clock_ms).min(Epoch::MAX.0));
        let floor = if self.persistent && self.starts > 0 { self.epoch_max.next() } else { Epoch(0) };
        let me = Identity { id: self.id, addr: self.addr, epoch: by_clock.max(floor) };
        self.epoch_max = self.epoch_max.max(me.epoch);
        self.starts += 1;
        self.clock = Clock::started(now, self.clock.drift_ppm());
        self.slowness.idle();
        self.paused = false;
        self.revision = 0;
        (self.turned, self.turn, self.turns_again) = ((now, 0), None, false);
        let node = Node::new(Arc::clone(&self.config), me, seed, Instant::ORIGIN);
        self.engine = Some(Box::new(Engine::new(node, Instant::ORIGIN, EVENTS_MAX)));
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
        let deadline = self.clock.when(self.engine.as_ref()?.deadline()?);
        Some(deadline.after(self.slowness.late()))
    }

    /// Begins a turn, or goes on with the one that a slow process left. `None`: the process is stopped or busy.
    pub(crate) fn begin_turn(&mut self, now: Instant) -> Option<Turn> {
        if self.paused || self.slowness.busy_until() > now {
            return None;
        }
        let engine = self.engine.as_mut()?;
        let (at, times) = &mut self.turned;
        *times = if *at == now { *times + 1 } else { 1 };
        *at = now;
        assert!(*times <= TURNS_AT_ONE_INSTANT_MAX, "{:?} hangs: it never waits at {now:?}", self.id);
        let ready = Ready { readable: !self.inbox.is_empty(), writable: !self.send_buffer_full };
        let turn = self.turn.unwrap_or_else(|| engine.begin(self.clock.read(now), ready));
        self.turn = None;
        Some(turn)
    }

    /// The next step of a turn. `None`: it is over, or a slow process leaves it after a datagram.
    pub(crate) fn next_step(&mut self, now: Instant, turn: &mut Turn) -> Option<Step> {
        if self.slowness.busy_until() > now {
            turn.pause();
            self.turn = Some(*turn);
            return None;
        }
        if self.inbox.is_empty() {
            turn.drained();
        }
        let engine = self.engine.as_mut()?;
        let step = engine.next(turn);
        if step.is_none() {
            self.turns_again = engine.end(turn);
        }
        step
    }

    /// How many datagrams the socket holds that waits to be read, where `inbox_max` is usual.
    pub(crate) fn inbox_max(&self, inbox_max: usize) -> usize {
        let drops = self.paused && self.inbox_while_paused == Inbox::Dropped;
        if drops { 0 } else { self.slowness.queue().unwrap_or(inbox_max) }
    }

    /// Whether what the node sends waits, or would wait, for its send buffer.
    pub(crate) fn holds_sends(&self) -> bool {
        self.send_buffer_full || self.engine.as_ref().is_some_and(|engine| engine.is_blocked())
    }

    /// Whether the process has something to do at once, and no timer to wait for.
    pub(crate) fn has_work(&self) -> bool {
        let may_send = self.holds_sends() && !self.send_buffer_full;
        self.turn.is_some() || self.turns_again || may_send || !self.inbox.is_empty()
    }

    /// Whether datagrams and ticks reach the node now.
    pub(crate) fn is_running(&self) -> bool {
        self.engine.is_some() && !self.paused
    }
}
