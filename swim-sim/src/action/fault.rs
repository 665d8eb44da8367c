//! The kinds of trouble that a world knows.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::Action;
use crate::host_id::HostId;
use crate::net::Link;

macro_rules! classes {
    ($($about:literal $variant:ident $name:literal,)*) => {
        /// A kind of fault: which were drawn, which were used, which band of a report a fault is in.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum FaultClass {
            $(#[doc = $about] $variant,)*
        }

        impl FaultClass {
            /// All of them, in the order of a report.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// Its name, in lower case with hyphens.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Its name in the coverage of a sweep.
            pub(crate) const fn coverage_name(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!("fault-", $name),)*
                }
            }
        }
    };
}

classes! {
    "A process dies without leaving." Crash "crash",
    "A dead process is started again." Restart "restart",
    "A process stands still." Pause "pause",
    "Groups of hosts cannot reach each other." Partition "partition",
    "One direction lets nothing pass." OneWayCut "one-way-cut",
    "Datagrams are lost, each on its own." Loss "loss",
    "Datagrams are lost in bursts." Burst "burst",
    "Datagrams arrive twice." Duplication "duplication",
    "Datagrams overtake each other." Reordering "reordering",
    "Datagrams arrive with flipped bits." Corruption "corruption",
    "Links are narrow, and their queues full." Rate "rate",
    "Long datagrams vanish." Mtu "mtu",
    "Links are slow, or of very varying speed." Latency "latency",
    "Rare datagrams take very long." Spike "spike",
    "A host takes long for each datagram." Slow "slow",
    "A clock runs fast or slow." Drift "drift",
    "A clock leaps forward, as after a suspend." Jump "jump",
    "Timers fire late." LateTicks "late-ticks",
    "A wall clock is wrong." WallClock "calendar",
    "A host gets another address." Move "move",
    "A node leaves." Leave "leave",
    "A host's own stack refuses to send." Unplug "unplug",
    "A host's send buffer is full." SendBuffer "send-buffer",
    "A second host uses an id that is in use." DuplicateId "duplicate-id",
    "Random bytes arrive." Garbage "garbage",
    "Changed copies of real datagrams arrive." Mutation "mutation",
    "Old datagrams arrive again." Replay "replay",
    "A sender claims what is not true." Forgery "forgery",
    "Answers with guessed numbers arrive." SpoofedAck "spoofed-ack",
    "A sender tries to make members send to a third party." Reflection "reflection",
    "Many nodes that do not exist ask to join." Strangers "strangers",
    "Datagrams come from another address than their sender's." WrongSource "wrong-source",
}

impl FaultClass {
    /// The class of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Whether it is a fault that links have.
    pub(crate) const fn is_of_links(self) -> bool {
        use FaultClass::{Burst, Corruption, Duplication, Latency, Loss, Mtu, Rate, Reordering, Spike};
        matches!(self, Loss | Burst | Duplication | Reordering | Corruption | Rate | Mtu | Latency | Spike)
    }
}

impl fmt::Display for FaultClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether an action begins something that lasts, ends it, or is over as soon as it is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// It lasts until [`Action::ended_by`] is done.
    Begins,
    /// It ends what another began.
    Ends,
    /// It is over at once.
    Once,
}

/// What an action names.
#[derive(Default)]
pub(crate) struct Names<'a> {
    /// Hosts that it cannot do without.
    pub(crate) hosts: Vec<&'a mut HostId>,
    /// Addresses that it cannot do without, which may be birthplaces of hosts.
    pub(crate) addrs: Vec<&'a mut SocketAddr>,
    /// Addresses of which it can do without some.
    pub(crate) seeds: Option<&'a mut Vec<SocketAddr>>,
    /// Groups of hosts, of which it can do without some.
    pub(crate) groups: &'a mut [Vec<HostId>],
}

impl Action {
    /// The kind of fault that this begins, does or ends; the first one of several. `None`: nothing that
    /// should go wrong by it (a join), or an end of everything.
    #[must_use]
    pub fn fault_class(&self) -> Option<FaultClass> {
        self.fault_classes().first().copied()
    }

    /// All the kinds of faults that this begins, does or ends: only links have several.
    #[must_use]
    pub fn fault_classes(&self) -> Vec<FaultClass> {
        let one = match self {
            Self::Crash(_) => FaultClass::Crash,
            Self::Restart(_) | Self::RestartAs { .. } => FaultClass::Restart,
            Self::Twin { .. } => FaultClass::DuplicateId,
            Self::Pause { .. } | Self::Resume(_) => FaultClass::Pause,
            Self::Leave(_) => FaultClass::Leave,
            Self::Move { .. } => FaultClass::Move,
            Self::Unplug(_) | Self::Plug(_) => FaultClass::Unplug,
            Self::FillSendBuffer(_) | Self::DrainSendBuffer(_) => FaultClass::SendBuffer,
            Self::Mask { .. } | Self::Unmask(_) => FaultClass::WrongSource,
            Self::Partition(_) => FaultClass::Partition,
            Self::Cut { .. } | Self::Uncut { .. } => FaultClass::OneWayCut,
            Self::Slow { .. } | Self::Quicken(_) => FaultClass::Slow,
            Self::Drift { .. } => FaultClass::Drift,
            Self::Jump { .. } => FaultClass::Jump,
            Self::LateTicks { .. } => FaultClass::LateTicks,
            Self::WallClock { .. } => FaultClass::WallClock,
            Self::Garbage { .. } => FaultClass::Garbage,
            Self::Mutants { .. } => FaultClass::Mutation,
            Self::Replay { .. } => FaultClass::Replay,
            Self::Forge { .. } => FaultClass::Forgery,
            Self::SpoofAcks { .. } => FaultClass::SpoofedAck,
            Self::Reflect { .. } => FaultClass::Reflection,
            Self::Strangers { .. } => FaultClass::Strangers,
            Self::SetDefaultLink(link) | Self::SetLink { link, .. } | Self::SetLinksOf { link, .. } => {
                return link.faults();
            }
            Self::SetMetadata { .. } | Self::Broadcast { .. } | Self::Send { .. } | Self::Remove { .. } => {
                return Vec::new();
            }
            Self::Join { .. }
            | Self::Start { .. }
            | Self::Foreigner { .. }
            | Self::Heal
            | Self::ResetLink { .. }
            | Self::ResetLinksOf(_)
            | Self::Peace => return Vec::new(),
        };
        vec![one]
    }

    /// The hosts that this is done to, or that it names, in order and once each; none: all.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostId> {
        let mut copy = self.clone();
        let names = copy.names();
        let single = names.hosts.into_iter().map(|host| *host);
        let mut hosts: Vec<HostId> = single.chain(names.groups.iter().flatten().copied()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }

    /// Every host and address that it names.
    pub(crate) fn names(&mut self) -> Names<'_> {
        let (hosts, addrs, seeds) = match self {
            Self::Crash(host)
            | Self::Restart(host)
            | Self::Resume(host)
            | Self::Leave(host)
            | Self::Unplug(host)
            | Self::Plug(host)
            | Self::FillSendBuffer(host)
            | Self::DrainSendBuffer(host)
            | Self::Unmask(host)
            | Self::ResetLinksOf(host)
            | Self::Quicken(host)
            | Self::Pause { host, .. }
            | Self::SetLinksOf { host, .. }
            | Self::Slow { host, .. }
            | Self::Drift { host, .. }
            | Self::Jump { host, .. }
            | Self::LateTicks { host, .. }
            | Self::WallClock { host, .. }
            | Self::Garbage { host, .. }
            | Self::Mutants { host, .. }
            | Self::Replay { host, .. }
            | Self::Strangers { host, .. }
            | Self::SetMetadata { host, .. }
            | Self::Broadcast { host, .. } => (vec![host], vec![], None),
            Self::Cut { source: host, target }
            | Self::Uncut { source: host, target }
            | Self::SetLink { source: host, target, .. }
            | Self::ResetLink { source: host, target }
            | Self::Send { host, target, .. }
            | Self::SpoofAcks { host, subject: target, .. }
            | Self::Remove { host, target } => (vec![host, target], vec![], None),
            Self::Move { host, addr }
            | Self::Mask { host, addr }
            | Self::Reflect { host, victim: addr, .. } => (vec![host], vec![addr], None),
            Self::Start { like: host, seeds }
            | Self::Twin { of: host, seeds }
            | Self::Join { host, seeds } => (vec![host], vec![], Some(seeds)),
            Self::RestartAs { host, addr, .. } => (vec![host], addr.iter_mut().collect(), None),
            Self::Foreigner { like, addr, seeds, .. } => (vec![like], addr.iter_mut().collect(), Some(seeds)),
            Self::Forge { host, speaker, victim, addr, .. } => {
                ([host, victim].into_iter().chain(speaker).collect(), addr.iter_mut().collect(), None)
            }
            Self::Partition(groups) => return Names { groups, ..Names::default() },
            Self::Heal | Self::SetDefaultLink(_) | Self::Peace => return Names::default(),
        };
        Names { hosts, addrs, seeds, groups: &mut [] }
    }

    /// The link that it puts between hosts.
    #[must_use]
    pub const fn link(&self) -> Option<&Link> {
        match self {
            Self::SetDefaultLink(link) | Self::SetLink { link, .. } | Self::SetLinksOf { link, .. } => {
                Some(link)
            }
            _ => None,
        }
    }

    /// Whether this begins something, ends it, or neither.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self {
            Self::Resume(_)
            | Self::Plug(_)
            | Self::DrainSendBuffer(_)
            | Self::Unmask(_)
            | Self::Uncut { .. }
            | Self::Heal
            | Self::ResetLink { .. }
            | Self::ResetLinksOf(_)
            | Self::Quicken(_)
            | Self::Peace => Phase::Ends,
            Self::Drift { ppm: 0, .. } | Self::WallClock { ahead_ms: 0, .. } => Phase::Ends,
            Self::LateTicks { up_to: Duration::ZERO, .. } => Phase::Ends,
            Self::SetDefaultLink(link) if link.faults().is_empty() => Phase::Ends,
            _ if self.ended_by().is_some() => Phase::Begins,
            _ => Phase::Once,
        }
    }

    /// The action that ends what this one begins; `None` if it begins nothing that lasts.
    #[must_use]
    pub fn ended_by(&self) -> Option<Self> {
        Some(match self {
            Self::Crash(host) => Self::Restart(*host),
            Self::Pause { host, .. } => Self::Resume(*host),
            Self::Unplug(host) => Self::Plug(*host),
            Self::FillSendBuffer(host) => Self::DrainSendBuffer(*host),
            Self::Mask { host, .. } => Self::Unmask(*host),
            Self::Partition(_) => Self::Heal,
            Self::Cut { source, target } => Self::Uncut { source: *source, target: *target },
            Self::SetDefaultLink(link) if !link.faults().is_empty() => Self::SetDefaultLink(Link::lan()),
            Self::SetLink { source, target, .. } => Self::ResetLink { source: *source, target: *target },
            Self::SetLinksOf { host, .. } => Self::ResetLinksOf(*host),
            Self::Slow { host, .. } => Self::Quicken(*host),
            Self::Drift { host, ppm } if *ppm != 0 => Self::Drift { host: *host, ppm: 0 },
            Self::LateTicks { host, up_to } if !up_to.is_zero() => {
                Self::LateTicks { host: *host, up_to: Duration::ZERO }
            }
            Self::WallClock { host, ahead_ms } if *ahead_ms != 0 => {
                Self::WallClock { host: *host, ahead_ms: 0 }
            }
            _ => return None,
        })
    }

    /// Whether this is about links alone, and so may name hosts that are not there yet.
    pub(crate) const fn is_about_links(&self) -> bool {
        matches!(
            self,
            Self::Partition(_)
                | Self::Cut { .. }
                | Self::Uncut { .. }
                | Self::SetLink { .. }
                | Self::ResetLink { .. }
                | Self::SetLinksOf { .. }
                | Self::ResetLinksOf(_)
        )
    }
}

impl Link {
    /// The kinds of faults that this link has, compared with [`Link::lan`].
    #[must_use]
    pub fn faults(&self) -> Vec<FaultClass> {
        let all = [
            (FaultClass::Loss, self.loss_ppm > 0),
            (FaultClass::Burst, self.burst.is_some()),
            (FaultClass::Duplication, self.duplicate_ppm > 0),
            (FaultClass::Reordering, self.reorder_ppm > 0),
            (FaultClass::Corruption, self.corrupt_ppm > 0),
            (FaultClass::Rate, self.rate.is_some()),
            (FaultClass::Mtu, self.mtu.is_some()),
            (FaultClass::Latency, self.latency != Self::lan().latency),
            (FaultClass::Spike, self.spike_ppm > 0),
        ];
        all.into_iter().filter(|(_, has)| *has).map(|(class, _)| class).collect()
    }
}
