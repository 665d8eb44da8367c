//! The node: one door in, one door out, and between them the whole protocol.
//!
//! ```text
//!  datagram ─▶ receive ─▶┐                                      ┌─▶ outbox ─▶ poll()
//!  Tick ─────▶ timers  ─▶┼─▶ claims · probing · joining · … ───▶┤
//!  Command ──▶ commands ▶┘   (members, suspicions, gossip, …)   └─▶ deadline()
//! ```
//!
//! The concepts keep their own books and live beside this folder: `probe`, `suspicion`, `gossip`, `sync`, `join`, … This
//! folder is where they meet; each file is one act of the node:
//!
//! | file | act |
//! | --- | --- |
//! | `receive.rs` | who sent this, what may he ask, which act is it |
//! | `claims.rs` | what is said about members, and whether it is believed |
//! | `myself.rs` | what is said about this node, and how it answers |
//! | `probing.rs` | the period: ping, retry, ask relays, be a relay, accuse |
//! | `telling.rs` | making datagrams, and what rides on them |
//! | `joining.rs` | the handshake: wanting in |
//! | `admitting.rs` | the handshake: letting in |
//! | `rivalry.rs` | two nodes with one id |
//! | `syncing.rs` | digests that differ |
//! | `commands.rs` | what the user wants |
//! | `saving.rs` | the whole node in bytes, and back |
//! | `timers.rs` | what is due, in which order, how much of it at once |
//! | `warming.rs` | looking ahead, for simulators |

mod admitting;
mod claims;
mod commands;
mod joining;
mod myself;
mod probing;
mod receive;
mod rivalry;
mod saving;
mod syncing;
mod telling;
mod timers;
mod warming;
mod table;
mod coreacts;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::claim::Claim;
use crate::config::Config;
use crate::conflict::{Admissions, Lesser, Rival};
use crate::doubt::Doubt;
use crate::epoch_clock::EpochClock;
use crate::gossip::{Broadcasts, Updates};
use crate::heal::Heal;
use crate::health::Health;
use crate::identity::{Epoch, Identity, Incarnation, NodeId};
use crate::input::Input;
use crate::join::Join;
use crate::member::Member;
use crate::members::{Members, Slot};
use crate::outbox::Outbox;
use crate::output::{Event, Output, Transmit};
use crate::probe::Probe;
use crate::random::{Prf, Purpose, Seed, Streams};
use crate::relay::Relays;
use crate::stats::{DropReason, Stats};
use crate::suspicion::{Patience, Suspicions};
use crate::sync::{PageBudget, Sync};
use crate::time::Instant;
use table::Timers;

/// Whether this node takes part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Life {
    Running,
    /// It has said goodbye and is telling others.
    Leaving {
        datagrams: u32,
    },
    /// It has left, or lost its id: it hears and says nothing.
    Quiet,
}

/// One member of a cluster: the whole protocol, and nothing else.
///
/// It is driven by three calls: [`handle`](Self::handle) whatever happens, [`poll`](Self::poll) until
/// `None`, and [`deadline`](Self::deadline) to know when to come back.
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
/// b.handle(start, Input::Command(Command::Join { seeds: &[a.me().addr] }));
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
pub struct Node {
    core: Core,
    detector: Detector,
    heal: Heal,
    handshake: Handshake,
    sync: Sync,
    spoke_up: Option<Instant>,
    page_rows: Vec<Slot>,
    deadline: Option<Instant>,
    touched: bool,
}

/// What every mechanism is handed.
pub(crate) struct Context {
    config: Arc<Config>,
    timers: Timers,
    me: Identity,
    life: Life,
    health: Health,
    doubt: Doubt,
    epoch_clock: EpochClock,
    outbox: Outbox,
    stats: Stats,
    streams: Streams,
    page_budget: PageBudget,
}

/// What is held of the group.
pub(crate) struct Core {
    cx: Context,
    members: Members,
    suspicions: Suspicions,
    patience: (u32, Patience),
    updates: Updates,
    broadcasts: Broadcasts,
    broadcasts_first: bool,
    gossip_last: Instant,
}

/// The probe of a period, and relays.
pub(crate) struct Detector {
    period_at: Option<Instant>,
    probe: Option<Probe>,
    relays: Relays,
}

/// Wanting in, letting in, and two nodes with one id.
pub(crate) struct Handshake {
    join: Join,
    admissions: Admissions,
    rival: Option<Rival>,
    lesser: Option<Lesser>,
    tokens: Prf,
}

/// Somebody else claims this node's id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Namesake {
    addr: core::net::SocketAddr,
    epoch: Epoch,
    incarnation: Incarnation,
}

impl Node {
    /// A node that knows only itself, at `now` of its driver's clock. `me.addr` is the address that
    /// others reach it at, `me.epoch` Unix milliseconds now, but above every earlier life's.
    #[must_use]
    pub fn new(config: Arc<Config>, me: Identity, seed: Seed, now: Instant) -> Self {
        // A welcome that names epoch 0 says that nothing is held: nobody lives in it.
        let epoch = me.epoch.clamp(Epoch(1), Epoch::MAX);
        let me = Identity { id: me.id, addr: crate::canonical(me.addr), epoch };
        let mut streams = Streams::new(&seed);
        let members = Self::empty_table(&mut streams, &config, me, now);
        let broadcasts =
            Broadcasts::new(streams.next_u64(Purpose::Secrets), usize::from(config.broadcasts_max));
        let tokens = Prf::new(streams.key(Purpose::Secrets));
        let patience = Patience::new(&config, 1);
        let mut doubt = Doubt::new(config.self_doubt, now);
        doubt.set_longest_suspicion(patience.longest());
        let heal = Heal::new(config.heal_interval);
        let sync = Self::new_sync(&config);
        let page_budget = PageBudget::new(config.pages_per_second, now);
        let join = Join::new(config.join_retry);
        let admissions = Admissions::new(config.direct_timeout);
        let relays = Relays::new(usize::from(config.relayed_max), config.nacks);
        let cx = Context {
            timers: Timers::default(),
            me,
            life: Life::Running,
            doubt,
            health: Health::new(config.health_max),
            streams,
            epoch_clock: EpochClock::new(me.epoch, now, config.max_epoch_lead),
            outbox: Outbox::new(usize::from(config.datagram_max)),
            stats: Stats::default(),
            page_budget,
            config,
        };
        let core = Core {
            cx,
            members,
            suspicions: Suspicions::default(),
            patience: (1, patience),
            updates: Updates::new(),
            broadcasts,
            broadcasts_first: false,
            gossip_last: now,
        };
        Self {
            core,
            detector: Detector { period_at: None, probe: None, relays },
            heal,
            handshake: Handshake { join, admissions, rival: None, lesser: None, tokens },
            sync,
            spoke_up: None,
            page_rows: Vec::new(),
            deadline: None,
            touched: true,
        }
    }

    /// Takes these for Alive members from now on, as if all had joined long ago. For simulators, whose clusters
    /// need not begin with everybody joining; a recording knows nothing of it.
    #[doc(hidden)]
    pub fn assume(&mut self, members: impl Iterator<Item = Identity>) {
        let now = self.core.cx.now();
        for member in members.filter(|member| member.id != self.core.cx.me.id) {
            let claim =
                Claim { epoch: member.epoch, incarnation: Incarnation(0), status: crate::Status::Alive };
            if self.core.members.find(member.id).is_none() {
                self.core.members.insert(member.id, member.addr, claim, now);
            }
        }
        self.handshake.join.search = crate::join::Search::Joined;
        self.handshake.join.announced = true;
        self.settle();
    }

    fn empty_table(streams: &mut Streams, config: &Config, me: Identity, now: Instant) -> Members {
        let key = streams.next_u64(Purpose::Secrets);
        let tombstones = (config.tombstones_max, config.tombstone_life);
        Members::new(key, me, config.members_max, tombstones.0, tombstones.1, now)
    }

    fn new_sync(config: &Config) -> Sync {
        Sync::new(config.period, config.sync_interval_max, config.direct_timeout)
    }

    /// The one door in. Never fails and never blocks: what a stranger sends is data, and does at worst
    /// nothing. One call does a bounded amount of work; if more is due, [`deadline`](Self::deadline) is
    /// in the past afterwards.
    ///
    /// Timers only run on [`Input::Tick`], so that a driver can first hand in all that had arrived.
    /// `now` must not go backwards; if it does it is taken as the last one, and counted.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.core.cx.outbox.begin();
        let (health, config) = (self.core.cx.health, &self.core.cx.config);
        let noticed = self.core.cx.doubt.advance(now, || health.scale(config.direct_timeout));
        self.core.cx.stats.clock_backwards += u64::from(noticed.backwards);
        if let Some(lost) = noticed.stall {
            self.core.arm_suspicions();
            self.touched = true;
            self.on_stall(lost);
        }
        match input {
            Input::Datagram { source, bytes } => self.receive(crate::canonical(source), bytes),
            Input::Tick if self.is_settled() => return,
            Input::Tick => self.run_timers(),
            Input::Undelivered { target } => self.detector.on_undelivered(&mut self.core, crate::canonical(target)),
            Input::Command(command) => {
                self.touched = true;
                self.on_command(command);
            }
        }
        self.settle();
    }

    /// The one door out. Only pops: call it until `None` before the next [`handle`](Self::handle).
    pub fn poll(&mut self) -> Option<Output<'_>> {
        if self.core.cx.outbox.has_datagram() {
            let (target, bytes) = self.core.cx.outbox.next_datagram()?;
            return Some(Output::Transmit(Transmit { target, bytes }));
        }
        self.core.cx.outbox.next_event().map(Output::Event)
    }

    /// Call `handle(now, Input::Tick)` no later than this; `None`: nothing will happen by itself.
    #[must_use]
    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Everybody known, this node and the tombstones of Dead and Left members included, in an order that
    /// is stable while nobody comes or is forgotten.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.core.members.slots().map(|slot| self.core.members.view(slot))
    }

    /// What is believed of one member.
    #[must_use]
    pub fn member(&self, id: NodeId) -> Option<Member<'_>> {
        self.core.members.find(id).map(|slot| self.core.members.view(slot))
    }

    /// Who this node is, in its present epoch and at its present address.
    #[must_use]
    pub const fn me(&self) -> Identity {
        self.core.cx.me
    }

    /// This node's incarnation within its epoch.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        self.core.members.claim(Slot::ME).incarnation
    }

    /// Whether this node takes part: it has not left, and has not lost its id.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        !matches!(self.core.cx.life, Life::Quiet)
    }

    /// Whether a `Join` is under way: neither `Joined` nor `JoinFailed` has been told yet.
    #[must_use]
    pub fn is_seeking(&self) -> bool {
        self.handshake.join.search == crate::join::Search::Seeking
    }

    /// Grows with every change of what [`members`](Self::members) shows, round-trip times excepted: a
    /// driver copies the table only if this has changed.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.core.members.revision()
    }

    /// The local health multiplier: 0 is healthy, [`crate::Options::health_max`] is the worst.
    #[must_use]
    pub const fn health(&self) -> u8 {
        self.core.cx.health.multiplier()
    }

    /// Counters and gauges.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.core.cx.stats;
        [stats.alive, stats.suspect, stats.dead, stats.left] =
            [crate::Status::Alive, crate::Status::Suspect, crate::Status::Dead, crate::Status::Left]
                .map(|status| self.core.members.count(status));
        stats.updates_queued = self.core.updates.len();
        stats.broadcasts_queued = self.core.broadcasts.len();
        stats.health = self.core.cx.health.multiplier();
        stats
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Arc<Config> {
        &self.core.cx.config
    }
}

/// What every act needs.
impl Context {
    /// Awake time: see `doubt`.
    const fn now(&self) -> Instant {
        self.doubt.awake()
    }

    const fn is_running(&self) -> bool {
        !matches!(self.life, Life::Quiet)
    }

    fn direct_timeout(&self) -> Duration {
        self.health.scale(self.config.direct_timeout)
    }

    fn period(&self) -> Duration {
        self.health.scale(self.config.period)
    }

    fn number(&mut self) -> u64 {
        self.streams.next_u64(Purpose::Numbers)
    }

    fn drop_for(&mut self, reason: DropReason) {
        self.stats.drop(reason);
    }

    fn event(&mut self, event: Event) {
        if !self.outbox.event(event) {
            self.stats.events_lost += 1;
        }
    }

    /// Whether an epoch may be believed: at most 24 h (`max_epoch_lead`) ahead of the cluster's clock.
    fn is_plausible(&self, epoch: Epoch) -> bool {
        self.epoch_clock.is_plausible(epoch, self.doubt.real()) || mutant!(EpochLeadUnchecked)
    }

    /// Whether an epoch that may be believed is believed by others here, too, as far as this node knows.
    fn is_common(&self, epoch: Epoch) -> bool {
        self.epoch_clock.is_shared()
            || self.epoch_clock.is_credible(epoch, self.told_clock())
            || mutant!(EpochLeadUnchecked)
    }

    /// What newcomers are told. This node's own epoch is believed already.
    pub(super) fn told_clock(&self) -> Epoch {
        self.epoch_clock.told(self.doubt.real()).max(self.me.epoch)
    }
}

impl Core {
    /// Alive and Suspect members, this node included.
    const fn n(&self) -> u32 {
        self.members.len_active()
    }

    fn incarnation(&self) -> Incarnation {
        self.members.claim(Slot::ME).incarnation
    }
}

impl Node {
    /// This node was not run for `lost`. What it missed is not held against others.
    fn on_stall(&mut self, lost: Duration) {
        let cx = &mut self.core.cx;
        cx.stats.stalls += 1;
        cx.stats.stalled_ns += crate::time::nanos(lost);
        cx.health.worsen(1);
        cx.event(Event::Stalled { lost });
        if lost >= self.core.cx.config.tombstone_life / 2 && self.is_running() {
            self.start_over();
        }
    }
}
