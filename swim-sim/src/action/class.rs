//! The kinds of trouble that a world knows.

use std::fmt;

/// A kind of fault, for the books: which were drawn, which were used, which band of a report a fault is in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum FaultClass {
    /// A process dies without a goodbye.
    Crash,
    /// A dead process is started again.
    Restart,
    /// A process stands still.
    Pause,
    /// Groups do not hear each other.
    Partition,
    /// One direction lets nothing pass.
    OneWayCut,
    /// Datagrams are lost, each on its own.
    Loss,
    /// Datagrams are lost in bursts.
    Burst,
    /// Datagrams arrive twice.
    Duplication,
    /// Datagrams overtake each other.
    Reordering,
    /// Datagrams arrive with wrong bits.
    Corruption,
    /// Links are narrow, and their queues full.
    Rate,
    /// Long datagrams vanish.
    Mtu,
    /// Links are slow, or of very varying speed.
    Latency,
    /// Rare datagrams take very long.
    Spike,
    /// A host takes long for each datagram.
    Slow,
    /// A clock runs fast or slow.
    Drift,
    /// A clock leaps forward, as after a suspend.
    Jump,
    /// Timers fire late.
    LateTicks,
    /// A calendar is wrong.
    Calendar,
    /// A host gets another address.
    Move,
    /// A node says goodbye.
    Leave,
    /// A host's own stack refuses to send.
    Unplug,
    /// A second host bears a name that is in use.
    DuplicateId,
    /// Bytes without a meaning arrive.
    Garbage,
    /// Changed copies of real datagrams arrive.
    Mutation,
    /// Old datagrams arrive again.
    Replay,
    /// Somebody says what is not so.
    Forgery,
    /// Answers with guessed numbers arrive.
    SpoofedAck,
    /// Somebody wants members to send to a third party.
    Reflection,
    /// Many who do not exist ask to join.
    Strangers,
    /// Datagrams come from another address than their sender's.
    WrongSource,
}

impl FaultClass {
    /// All of them, in the order of a report.
    pub const ALL: [Self; 31] = [
        Self::Crash,
        Self::Restart,
        Self::Pause,
        Self::Partition,
        Self::OneWayCut,
        Self::Loss,
        Self::Burst,
        Self::Duplication,
        Self::Reordering,
        Self::Corruption,
        Self::Rate,
        Self::Mtu,
        Self::Latency,
        Self::Spike,
        Self::Slow,
        Self::Drift,
        Self::Jump,
        Self::LateTicks,
        Self::Calendar,
        Self::Move,
        Self::Leave,
        Self::Unplug,
        Self::DuplicateId,
        Self::Garbage,
        Self::Mutation,
        Self::Replay,
        Self::Forgery,
        Self::SpoofedAck,
        Self::Reflection,
        Self::Strangers,
        Self::WrongSource,
    ];

    /// Its name, in lower case with hyphens.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Restart => "restart",
            Self::Pause => "pause",
            Self::Partition => "partition",
            Self::OneWayCut => "one-way-cut",
            Self::Loss => "loss",
            Self::Burst => "burst",
            Self::Duplication => "duplication",
            Self::Reordering => "reordering",
            Self::Corruption => "corruption",
            Self::Rate => "rate",
            Self::Mtu => "mtu",
            Self::Latency => "latency",
            Self::Spike => "spike",
            Self::Slow => "slow",
            Self::Drift => "drift",
            Self::Jump => "jump",
            Self::LateTicks => "late-ticks",
            Self::Calendar => "calendar",
            Self::Move => "move",
            Self::Leave => "leave",
            Self::Unplug => "unplug",
            Self::DuplicateId => "duplicate-id",
            Self::Garbage => "garbage",
            Self::Mutation => "mutation",
            Self::Replay => "replay",
            Self::Forgery => "forgery",
            Self::SpoofedAck => "spoofed-ack",
            Self::Reflection => "reflection",
            Self::Strangers => "strangers",
            Self::WrongSource => "wrong-source",
        }
    }

    /// The class of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

impl fmt::Display for FaultClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
