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
#[repr(C)]
pub struct Node {
    config: Arc<Config>,
    deadline: Option<Instant>,
    period_at: Option<Instant>,
    me: Identity,
    life: Life,
    health: Health,
    broadcasts_first: bool,
    /// How patient to be, for the present number of members.
    patience: (u32, Patience),
    doubt: Doubt,
    epoch_clock: EpochClock,
    gossip_last: Instant,
    outbox: Outbox,
    members: Members,
    probe: Option<Probe>,
    relays: Relays,
    suspicions: Suspicions,
    join: Join,
    admissions: Admissions,
    rival: Option<Rival>,
    stats: Stats,
    sync: Sync,
    updates: Updates,
    broadcasts: Broadcasts,
    streams: Streams,

    tokens: Prf,
    /// The last rival that lives and has the lesser claim.
    lesser: Option<Lesser>,
    page_budget: PageBudget,
    heal: Heal,
    /// When this node last spoke up because of somebody that it does not hold as a member.
    spoke_up: Option<Instant>,
    /// Scratch of the page that is being served.
    page_rows: Vec<Slot>,
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
        Self {
            me,
            life: Life::Running,
            doubt,
            health: Health::new(config.health_max),
            streams,
            tokens,
            epoch_clock: EpochClock::new(me.epoch, now, config.max_epoch_lead),
            members,
            suspicions: Suspicions::default(),
            patience: (1, patience),
            period_at: None,
            probe: None,
            relays: Relays::new(usize::from(config.relayed_max), config.nacks),
            updates: Updates::new(),
            broadcasts,
            broadcasts_first: false,
            gossip_last: now,
            join: Join::new(config.join_retry),
            admissions: Admissions::new(config.direct_timeout),
            rival: None,
            lesser: None,
            sync: Self::new_sync(&config),
            page_budget: PageBudget::new(config.pages_per_second, now),
            heal: Heal::new(config.heal_interval),
            spoke_up: None,
            page_rows: Vec::new(),
            outbox: Outbox::new(usize::from(config.datagram_max)),
            stats: Stats::default(),
            deadline: None,
            config,
        }
    }

    /// Takes these for Alive members from now on, as if all had joined long ago. For simulators, whose clusters
    /// need not begin with everybody joining; a recording knows nothing of it.
    #[doc(hidden)]
    pub fn assume(&mut self, members: impl Iterator<Item = Identity>) {
        let now = self.now();
        for member in members.filter(|member| member.id != self.me.id) {
            let claim =
                Claim { epoch: member.epoch, incarnation: Incarnation(0), status: crate::Status::Alive };
            if self.members.find(member.id).is_none() {
                self.members.insert(member.id, member.addr, claim, now);
            }
        }
        self.join.search = crate::join::Search::Joined;
        self.join.announced = true;
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
        self.outbox.begin();
        let (health, config) = (self.health, &self.config);
        let noticed = self.doubt.advance(now, || health.scale(config.direct_timeout));
        self.stats.clock_backwards += u64::from(noticed.backwards);
        if let Some(lost) = noticed.stall {
            self.on_stall(lost);
        }
        match input {
            Input::Datagram { source, bytes } => self.receive(crate::canonical(source), bytes),
            Input::Tick if self.is_settled() => return,
            Input::Tick => self.run_timers(),
            Input::Undelivered { target } => self.on_undelivered(crate::canonical(target)),
            Input::Command(command) => self.on_command(command),
        }
        self.settle();
    }

    /// The one door out. Only pops: call it until `None` before the next [`handle`](Self::handle).
    pub fn poll(&mut self) -> Option<Output<'_>> {
        if self.outbox.has_datagram() {
            let (target, bytes) = self.outbox.next_datagram()?;
            return Some(Output::Transmit(Transmit { target, bytes }));
        }
        self.outbox.next_event().map(Output::Event)
    }

    /// Call `handle(now, Input::Tick)` no later than this; `None`: nothing will happen by itself.
    #[must_use]
    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Everybody known, this node and the tombstones of Dead and Left members included, in an order that
    /// is stable while nobody comes or is forgotten.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.members.slots().map(|slot| self.members.view(slot))
    }

    /// What is believed of one member.
    #[must_use]
    pub fn member(&self, id: NodeId) -> Option<Member<'_>> {
        self.members.find(id).map(|slot| self.members.view(slot))
    }

    /// Who this node is, in its present epoch and at its present address.
    #[must_use]
    pub const fn me(&self) -> Identity {
        self.me
    }

    /// This node's incarnation within its epoch.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        self.members.claim(Slot::ME).incarnation
    }

    /// Whether this node takes part: it has not left, and has not lost its id.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        !matches!(self.life, Life::Quiet)
    }

    /// Whether a `Join` is under way: neither `Joined` nor `JoinFailed` has been told yet.
    #[must_use]
    pub fn is_seeking(&self) -> bool {
        self.join.search == crate::join::Search::Seeking
    }

    /// Grows with every change of what [`members`](Self::members) shows, round-trip times excepted: a
    /// driver copies the table only if this has changed.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.members.revision()
    }

    /// The local health multiplier: 0 is healthy, [`crate::Options::health_max`] is the worst.
    #[must_use]
    pub const fn health(&self) -> u8 {
        self.health.multiplier()
    }

    /// Counters and gauges.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats;
        [stats.alive, stats.suspect, stats.dead, stats.left] =
            [crate::Status::Alive, crate::Status::Suspect, crate::Status::Dead, crate::Status::Left]
                .map(|status| self.members.count(status));
        stats.updates_queued = self.updates.len();
        stats.broadcasts_queued = self.broadcasts.len();
        stats.health = self.health.multiplier();
        stats
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Arc<Config> {
        &self.config
    }
}

/// What every act needs.
impl Node {
    /// Awake time: see `doubt`.
    const fn now(&self) -> Instant {
        self.doubt.awake()
    }

    /// Alive and Suspect members, this node included.
    const fn n(&self) -> u32 {
        self.members.len_active()
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

    /// This node was not run for `lost`. What it missed is not held against others.
    fn on_stall(&mut self, lost: Duration) {
        self.stats.stalls += 1;
        self.stats.stalled_ns += crate::time::nanos(lost);
        self.health.worsen(1);
        self.event(Event::Stalled { lost });
        if lost >= self.config.tombstone_life / 2 && self.is_running() {
            self.start_over();
        }
    }
}
