//! What every mechanism is handed: the services of a node, and who it is. Nothing here knows of other members.
//!
//! | part | what for |
//! | --- | --- |
//! | `clock.rs` | real time, node time, the suspicion clock; stalls |
//! | `epoch_clock.rs` | which epochs can be believed |
//! | `health.rs` | local health: how far timeouts are stretched |
//! | `random/` | random streams by name |
//! | `requests.rs` | the numbers that tie an answer to its request |
//! | `outbox.rs` | datagrams and events that wait to be polled; the send budget |
//! | `page_budget.rs` | pages served in a second |
//! | `../timers.rs` | when to wake up, and what for |

mod clock;
mod epoch_clock;
mod health;
mod outbox;
mod page_budget;
mod random;
pub(crate) mod requests;

use alloc::sync::Arc;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::{Config, DropReason, Epoch, Event, Handled, Identity, Instant, Stats};
use crate::timers::Timers;
pub(crate) use clock::Clock;
use epoch_clock::EpochClock;
use health::Health;
use outbox::Outbox;
use page_budget::PageBudget;
pub use random::Seed;
pub(crate) use random::{Prf, Stream, Streams};
pub(crate) use requests::RequestKind;

/// Whether this node takes part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Phase {
    Running,
    /// It has said goodbye and gossips that.
    Leaving {
        datagrams: u32,
    },
    /// It has left: it reads and sends nothing.
    Left {
        /// Datagrams that carried the goodbye.
        datagrams: u32,
    },
    /// It has lost its id: it reads and sends nothing.
    IdLost,
}

/// The services of a node.
#[derive(Serialize, Deserialize)]
pub(crate) struct Context {
    #[serde(with = "crate::api::as_options")]
    pub(crate) config: Arc<Config>,
    pub(crate) timers: Timers,
    pub(crate) me: Identity,
    pub(crate) phase: Phase,
    pub(crate) health: Health,
    pub(crate) clock: Clock,
    pub(crate) epoch_clock: EpochClock,
    pub(crate) outbox: Outbox,
    pub(crate) stats: Stats,
    pub(crate) streams: Streams,
    pub(crate) page_budget: PageBudget,
}

impl Context {
    pub(crate) fn new(config: Arc<Config>, me: Identity, streams: Streams, now: Instant) -> Self {
        Self {
            timers: Timers::default(),
            me,
            phase: Phase::Running,
            health: Health::new(config.health_max),
            clock: Clock::new(config.self_doubt, now),
            epoch_clock: EpochClock::new(me.epoch, now, config.max_epoch_lead),
            outbox: Outbox::new(usize::from(config.datagram_max)),
            stats: Stats::default(),
            streams,
            page_budget: PageBudget::new(config.pages_per_second, now),
            config,
        }
    }

    /// Moves the clocks to the driver's `now`, and begins a new send budget. Returns how long this node was stalled.
    #[inline]
    pub(crate) fn begin(&mut self, now: Instant) -> Option<Duration> {
        self.outbox.begin();
        let (health, config) = (self.health, &self.config);
        let noticed = self.clock.advance(now, || health.scale(config.direct_timeout));
        self.stats.clock_backwards += u64::from(noticed.backwards);
        debug_assert!(self.now() <= now.max(self.clock.real()), "node time never runs ahead of real time");
        noticed.stall
    }

    /// Node time.
    #[inline]
    pub(crate) const fn now(&self) -> Instant {
        self.clock.node_time()
    }

    /// It takes part, and has not said goodbye.
    #[inline]
    pub(crate) fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    /// It has left, or lost its id.
    pub(crate) const fn is_stopped(&self) -> bool {
        matches!(self.phase, Phase::Left { .. } | Phase::IdLost)
    }

    /// The direct timeout, stretched by local health.
    #[inline]
    pub(crate) fn direct_timeout(&self) -> Duration {
        self.health.scale(self.config.direct_timeout)
    }

    /// The period, stretched by local health.
    pub(crate) fn period(&self) -> Duration {
        self.health.scale(self.config.period)
    }

    /// The number of a new request.
    pub(crate) fn number(&mut self, kind: RequestKind) -> u64 {
        requests::compose(self.streams.next_u64(Stream::RequestNumbers), kind)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, stream: Stream, n: u32) -> u32 {
        self.streams.below(stream, n)
    }

    /// A time between half of `duration` and all of it.
    pub(crate) fn jittered(&mut self, duration: Duration) -> Duration {
        self.streams.jittered(Stream::Jitter, duration)
    }

    pub(crate) fn event(&mut self, event: Event) {
        if !self.outbox.event(event) {
            self.stats.events_lost += 1;
        }
    }

    /// Whether an epoch may be believed: at most 24 h (`max_epoch_lead`) ahead of the cluster's clock.
    #[inline]
    pub(crate) fn is_plausible(&self, epoch: Epoch) -> bool {
        self.epoch_clock.is_plausible(epoch, self.clock.real())
    }

    /// Whether no service contradicts itself.
    pub(crate) fn is_sound(&self) -> bool {
        self.outbox.is_sound(usize::from(self.config.datagram_max)) && self.clock.is_sound()
    }

    /// Takes one page out of the budget. An error if none is left.
    pub(crate) fn take_page(&mut self) -> Handled {
        let taken = self.page_budget.take(self.clock.node_time());
        if taken { Ok(()) } else { Err(DropReason::PageLimit) }
    }
}
