//! The node: two doors in, one door out, and between them the sequence of the mechanisms.
//!
//! ```text
//!  datagram ─▶ receive  ─▶┐                                                        ┌─▶ poll()
//!  Tick ─────▶ run_timers ┼─▶ detector · handshake · anti_entropy · reconnect ─▶ group ─▶ outbox
//!  Command ──▶ command ──▶┘                                                        └─▶ deadline()
//! ```
//!
//! A mechanism owns its state, sets its timers, and is handed the [`Group`]; none knows another. What one of them finds
//! out and another has to do comes back here as a value: this folder only says what follows what.
//!
//! | file | sequence |
//! | --- | --- |
//! | here | of a tick, of a period, and of what follows every input |
//! | `receive.rs` | of a datagram |
//! | `commands.rs` | of a command; saving, prefetching |

mod commands;
mod receive;

use alloc::sync::Arc;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::anti_entropy::AntiEntropy;
use crate::api::{
    Config, Epoch, Event, Identity, Incarnation, Input, Instant, JoinFailure, Joined, Member, NodeId, Output,
    Stats, Status, Transmit, nanos,
};
use crate::context::{Context, Phase, Seed, Streams};
use crate::detector::Detector;
use crate::group::{Group, SAMPLE_MAX};
use crate::handshake::{Handshake, Purpose};
use crate::leave;
use crate::reconnect::Reconnect;
use crate::timers::Timer;

/// One member of a cluster: the whole protocol, and nothing else.
///
/// It is driven by three calls: [`handle`](Self::handle) whatever happens, [`poll`](Self::poll) until
/// `None`, and [`deadline`](Self::deadline) to know when to come back. Users ask for things with
/// [`command`](Self::command), which returns what became of it.
///
/// ```
/// use std::sync::Arc;
/// use swim_core::{Command, Config, Epoch, Identity, Input, Instant, Node, NodeId, Output, Seed};
///
/// let start = Instant::ORIGIN;
/// let identity = |id, port| Identity {
///     id: NodeId(id),
///     addr: ([127, 0, 0, 1], port).into(),
///     epoch: Epoch(1_700_000_000_000),
/// };
/// let config = Arc::new(Config::local());
/// let mut a = Node::new(config.clone(), identity(1, 7001), Seed([1; 32]), start);
/// let mut b = Node::new(config, identity(2, 7002), Seed([2; 32]), start);
///
/// b.command(start, Command::Join { seeds: &[a.me().addr] }).expect("an address that can be asked");
/// // A driver that passes datagrams through memory, and a clock that jumps to the next deadline.
/// let mut now = start;
/// for _ in 0..100 {
///     for turn in 0..2 {
///         let (from, to) = if turn == 0 { (&mut a, &mut b) } else { (&mut b, &mut a) };
///         if from.deadline().is_some_and(|deadline| deadline <= now) {
///             from.handle(now, Input::Tick);
///         }
///         let source = from.me().addr;
///         while let Some(output) = from.poll() {
///             if let Output::Transmit(transmit) = output {
///                 to.handle(now, Input::Datagram { source, bytes: transmit.bytes });
///             }
///         }
///     }
///     now = now.after(std::time::Duration::from_millis(10));
/// }
/// assert_eq!((a.members().count(), b.members().count()), (2, 2));
/// ```
// What every input looks at comes first and together: where many nodes share a process, an input costs as
// many cache lines as it touches.
#[derive(Serialize, Deserialize)]
pub struct Node {
    group: Group,
    detector: Detector,
    handshake: Handshake,
    anti_entropy: AntiEntropy,
    reconnect: Reconnect,
    /// Inputs that were counted for [`Node::check`]. `None`: the node was loaded, perhaps from damaged bytes.
    #[serde(skip)]
    inputs: Option<u32>,
}

impl Node {
    /// A node that knows only itself, at `now` of its driver's clock. `me.addr` is the address that
    /// others reach it at, `me.epoch` Unix milliseconds now, but above every earlier one.
    #[must_use]
    pub fn new(config: Arc<Config>, me: Identity, seed: Seed, now: Instant) -> Self {
        // A welcome that names epoch 0 says that nothing is held: no node is in it.
        let epoch = me.epoch.clamp(Epoch(1), Epoch::MAX);
        let me = Identity { id: me.id, addr: crate::canonical(me.addr), epoch };
        let mut group = Group::new(Context::new(config, me, Streams::new(&seed), now));
        Self {
            detector: Detector::new(&group.cx),
            handshake: Handshake::new(&mut group.cx),
            anti_entropy: AntiEntropy::new(&group.cx.config),
            reconnect: Reconnect::default(),
            inputs: Some(0),
            group,
        }
    }

    /// Takes these for Alive members from now on, as if all had joined long ago. For simulators, whose clusters
    /// need not begin with every node joining; a recording knows nothing of it.
    #[doc(hidden)]
    pub fn assume(&mut self, members: impl Iterator<Item = Identity>) {
        self.group.assume(members);
        self.handshake.assume();
        self.settle();
    }

    /// The door for what happens to the node. Never fails and never blocks: what a stranger sends is data, and does
    /// at worst nothing. One call does a bounded amount of work; if more is due, [`deadline`](Self::deadline) is
    /// in the past afterwards.
    ///
    /// Timers only run on [`Input::Tick`], so that a driver can first hand in all that had arrived.
    /// `now` must not go backwards; if it does it is taken as the last one, and counted.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.begin(now);
        match input {
            Input::Datagram { source, bytes } => self.receive(crate::canonical(source), bytes),
            Input::Tick if self.is_settled() => return,
            Input::Tick => self.run_timers(),
            Input::Undelivered { target } => self.detector.on_undelivered(crate::canonical(target)),
        }
        self.settle();
        self.check();
    }

    /// The one door out. Only pops: call it until `None` before the next [`handle`](Self::handle).
    pub fn poll(&mut self) -> Option<Output<'_>> {
        if self.group.cx.outbox.has_datagram() {
            let (destination, bytes) = self.group.cx.outbox.next_datagram()?;
            return Some(Output::Transmit(Transmit { destination, bytes }));
        }
        if self.group.cx.outbox.has_event() {
            return self.group.cx.outbox.next_event().map(Output::Event);
        }
        if self.group.has_broadcast() { self.group.next_broadcast().map(Output::Event) } else { None }
    }

    /// Call `handle(now, Input::Tick)` no later than this; `None`: nothing will happen by itself.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.group.cx.clock.deadline()
    }

    /// All members known, this node and the tombstones of Dead and Left members included, in an order that
    /// is stable while none comes or is forgotten.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        let members = self.group.members();
        members.slots().map(|slot| members.view(slot))
    }

    /// What is held of one member.
    #[must_use]
    pub fn member(&self, id: NodeId) -> Option<Member<'_>> {
        self.group.find(id).map(|slot| self.group.members().view(slot))
    }

    /// Who this node is, in its present epoch and at its present address.
    #[must_use]
    pub const fn me(&self) -> Identity {
        self.group.cx.me
    }

    /// This node's incarnation within its epoch.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        self.group.incarnation()
    }

    /// Whether this node takes part: it has not left, and has not lost its id.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        !self.group.cx.is_stopped()
    }

    /// Whether a broadcast would be refused with [`Refusal::QueueFull`](crate::Refusal::QueueFull) now.
    #[must_use]
    pub fn is_broadcast_queue_full(&self) -> bool {
        self.group.cx.is_running() && self.group.is_broadcast_queue_full()
    }

    /// Whether this node looks for its cluster: a `Join` is under way, or it is alone and had joined.
    #[must_use]
    pub fn is_seeking(&self) -> bool {
        self.handshake.is_seeking()
    }

    /// Whether further addresses to ask would be of use: this node looks for its cluster, or is alone.
    #[must_use]
    pub fn wants_seeds(&self) -> bool {
        self.is_running() && (self.is_seeking() || self.group.n() == 1)
    }

    /// The addresses that are its seeds now.
    pub fn seeds(&self) -> impl Iterator<Item = core::net::SocketAddr> {
        self.handshake.seeds()
    }

    /// How the last search for the cluster ended; `None`: none has ended yet.
    #[must_use]
    pub const fn join_outcome(&self) -> Option<Result<Joined, JoinFailure>> {
        self.handshake.outcome()
    }

    /// How many datagrams carried the goodbye; `None`: it has not left.
    #[must_use]
    pub const fn left(&self) -> Option<u32> {
        match self.group.cx.phase {
            Phase::Left { datagrams } => Some(datagrams),
            _ => None,
        }
    }

    /// Grows with every change of what [`members`](Self::members) shows, round-trip times excepted: a
    /// driver copies the table only if this has changed.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.group.members().revision()
    }

    /// The local health multiplier: 0 is healthy, [`crate::Options::health_max`] is the worst.
    #[must_use]
    pub const fn health(&self) -> u8 {
        self.group.cx.health.multiplier()
    }

    /// Counters and gauges.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.group.stats()
    }

    /// How many round-trip times of direct pings were measured, and the last of them in microseconds: [`Stats::rtts`] and
    /// [`Stats::rtt_last_us`] without the cost of a copy. One input measures at most one.
    #[must_use]
    pub const fn last_rtt(&self) -> (u64, u32) {
        (self.group.cx.stats.rtts, self.group.cx.stats.rtt_last_us)
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Arc<Config> {
        &self.group.cx.config
    }
}

/// What is due, in which order, and how much of it at once: one tick sends at most a budget of datagrams, and what is
/// left stays due, so the driver comes again after it has sent what there was.
impl Node {
    fn run_timers(&mut self) {
        if self.group.cx.is_stopped() {
            return;
        }
        if self.is_due(Timer::Suspicion) {
            self.group.on_suspicion_timer();
        }
        if self.is_due(Timer::Period) && self.has_budget(3) {
            self.turn_period();
        }
        if self.is_due(Timer::ProbeStep) && self.has_budget(SAMPLE_MAX) {
            self.detector.on_step_timer(&mut self.group);
        }
        if self.is_due(Timer::Relay) {
            self.detector.on_relay_timer(&mut self.group);
        }
        if self.is_due(Timer::Inquiry) {
            self.handshake.on_inquiry_timer(&mut self.group);
        }
        // A node that looks for the cluster asks other known peers at every tick.
        if self.is_due(Timer::Handshake) || self.handshake.is_seeking() {
            self.handshake.on_attempt_timer(&mut self.group);
        }
        self.group.arm_gossip();
        if self.is_due(Timer::Gossip) && self.has_budget(SAMPLE_MAX) {
            self.group.on_gossip_timer();
        }
        if self.is_due(Timer::Ask) {
            self.group.on_ask_timer();
        }
        if self.is_due(Timer::Pull) {
            self.anti_entropy.on_pull_timer(&mut self.group);
        }
    }

    /// Ends the last period and begins the next; what can wait happens in between.
    fn turn_period(&mut self) {
        let Self { group, detector, handshake, reconnect, .. } = self;
        detector.end_period(group);
        group.forget_tombstones();
        group.expire_broadcasts();
        let unmet = handshake.unmet_seeds(group).count() as u32;
        let missing = reconnect.on_period(group, unmet, |group, nth| handshake.unmet_seeds(group).nth(nth));
        if let Some(addr) = missing {
            handshake.open(group, addr, Purpose::Introduction);
        }
        detector.begin_period(group);
    }

    #[inline]
    fn is_due(&self, timer: Timer) -> bool {
        self.group.cx.timers.is_due(timer, self.group.cx.now())
    }

    const fn has_budget(&self, datagrams: usize) -> bool {
        self.group.cx.outbox.budget_left() >= datagrams
    }

    /// Whether a tick at this time would find nothing to do, and leave the deadline where it is.
    #[inline]
    fn is_settled(&self) -> bool {
        self.deadline().is_none_or(|deadline| deadline > self.group.cx.clock.real())
            && !self.handshake.is_seeking()
            && !self.group.has_surplus()
    }

    /// Before every input: the time is taken over, and a time in which the node was not run is found.
    #[inline]
    fn begin(&mut self, now: Instant) {
        if let Some(lost) = self.group.cx.begin(now) {
            self.on_stall(lost);
        }
    }

    /// After every input: keeps the bounds, and works out when to come back.
    #[inline]
    fn settle(&mut self) {
        if self.group.has_surplus() && !self.group.cx.is_stopped() {
            self.group.forget_tombstones();
        }
        leave::settle(&mut self.group);
        if self.group.cx.is_stopped() {
            self.group.cx.clock.set_deadline(None);
            return;
        }
        self.group.adjust_suspicion_timeout();
        if self.group.cx.is_running() {
            self.settle_alone();
        }
        self.group.arm_gossip();
        let cx = &mut self.group.cx;
        // An overdue suspicion that has to wait is due with the next tick, not before now.
        cx.timers.creep(Timer::Suspicion, cx.now());
        cx.clock.set_deadline(cx.timers.next().map(|at| cx.clock.real_time_of(at)));
    }

    /// After every input of a debug build: whether the node is sound. A large table is looked through only now and then,
    /// so that an input costs about as much as with 256 members.
    #[inline]
    fn check(&mut self) {
        if cfg!(debug_assertions)
            && let Some(inputs) = &mut self.inputs
        {
            *inputs = inputs.wrapping_add(1);
            let every = self.group.n().div_ceil(256).max(1);
            if inputs.is_multiple_of(every) {
                let timers = &self.group.cx.timers;
                debug_assert_eq!(self.unsound_part(), None, "no part contradicts itself or another");
                debug_assert!(
                    self.detector.is_armed(timers)
                        && self.handshake.is_armed(timers)
                        && self.group.is_armed(),
                    "each timer is armed as its queue says"
                );
            }
        }
    }

    /// A node has periods while there is any member to probe, or to look for.
    #[inline]
    fn settle_alone(&mut self) {
        let Self { group, detector, handshake, .. } = self;
        let alone = group.n() == 1;
        if alone {
            handshake.on_alone(group);
        }
        let wanted = !alone
            || group.members().count(Status::Dead) > 0
            || !group.forgotten().is_empty()
            || handshake.is_joined_through_seeds();
        detector.schedule(group, wanted);
    }

    /// This node was not run for `lost`. What it missed is not held against others.
    #[cold]
    fn on_stall(&mut self, lost: Duration) {
        self.group.arm_suspicions();
        self.group.recheck_broadcasts(None);
        let cx = &mut self.group.cx;
        cx.stats.stalls += 1;
        cx.stats.stalled_ns += nanos(lost);
        cx.health.worsen(1);
        cx.event(Event::Stalled { lost });
        if lost >= cx.config.tombstone_life / 2 && !cx.is_stopped() {
            self.start_over();
        }
    }

    /// After half the time that a tombstone is kept without being run, the table may hold members that all others have
    /// forgotten, and by a clock far behind that of its seeds it holds members that those cannot believe. It is a list
    /// of peers to ask, no more: the cluster is joined anew, and the table read from it.
    fn start_over(&mut self) {
        let Self { group, detector, handshake, anti_entropy, .. } = self;
        handshake.before_starting_over(group);
        let forgotten = group.start_over();
        detector.stop_probe(group);
        anti_entropy.start_over(group);
        group.cx.event(Event::StartedOver { forgotten });
        handshake.after_starting_over(group);
    }
}
