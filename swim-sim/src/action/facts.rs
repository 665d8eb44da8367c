//! What can be said of an action without doing it: which fault it is, whom it concerns, what ends it.

use std::time::Duration;

use super::{Action, FaultClass};
use crate::host::HostId;
use crate::net::Link;

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
            Self::Mask { .. } | Self::Unmask(_) => FaultClass::WrongSource,
            Self::Partition(_) => FaultClass::Partition,
            Self::Cut { .. } | Self::Mend { .. } => FaultClass::OneWayCut,
            Self::Slow { .. } | Self::Quicken(_) => FaultClass::Slow,
            Self::Drift { .. } => FaultClass::Drift,
            Self::Jump { .. } => FaultClass::Jump,
            Self::LateTicks { .. } => FaultClass::LateTicks,
            Self::Calendar { .. } => FaultClass::Calendar,
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
        let mut hosts = match self {
            Self::Crash(host)
            | Self::Restart(host)
            | Self::Resume(host)
            | Self::Leave(host)
            | Self::Unplug(host)
            | Self::Plug(host)
            | Self::Unmask(host)
            | Self::ResetLinksOf(host)
            | Self::Quicken(host)
            | Self::RestartAs { host, .. }
            | Self::Start { like: host, .. }
            | Self::Foreigner { like: host, .. }
            | Self::Twin { of: host, .. }
            | Self::SetLinksOf { host, .. }
            | Self::Slow { host, .. }
            | Self::Drift { host, .. }
            | Self::Jump { host, .. }
            | Self::LateTicks { host, .. }
            | Self::Calendar { host, .. }
            | Self::Garbage { host, .. }
            | Self::Mutants { host, .. }
            | Self::Replay { host, .. }
            | Self::Reflect { host, .. }
            | Self::Strangers { host, .. }
            | Self::Pause { host, .. }
            | Self::Join { host, .. }
            | Self::Mask { host, .. }
            | Self::Move { host, .. } => vec![*host],
            Self::SetMetadata { host, .. } | Self::Broadcast { host, .. } => vec![*host],
            Self::Send { host, target, .. } | Self::Remove { host, target } => vec![*host, *target],
            Self::SpoofAcks { host, subject, .. } => vec![*host, *subject],
            Self::Forge { host, speaker, victim, .. } => {
                [*host, *victim].into_iter().chain(*speaker).collect()
            }
            Self::Partition(groups) => groups.concat(),
            Self::Cut { source, target }
            | Self::Mend { source, target }
            | Self::SetLink { source, target, .. }
            | Self::ResetLink { source, target } => vec![*source, *target],
            Self::Heal | Self::Peace | Self::SetDefaultLink(_) => Vec::new(),
        };
        hosts.sort_unstable();
        hosts.dedup();
        hosts
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
            | Self::Unmask(_)
            | Self::Mend { .. }
            | Self::Heal
            | Self::ResetLink { .. }
            | Self::ResetLinksOf(_)
            | Self::Quicken(_)
            | Self::Peace => Phase::Ends,
            Self::Drift { ppm: 0, .. } | Self::Calendar { ahead_ms: 0, .. } => Phase::Ends,
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
            Self::Mask { host, .. } => Self::Unmask(*host),
            Self::Partition(_) => Self::Heal,
            Self::Cut { source, target } => Self::Mend { source: *source, target: *target },
            Self::SetDefaultLink(link) if !link.faults().is_empty() => Self::SetDefaultLink(Link::lan()),
            Self::SetLink { source, target, .. } => Self::ResetLink { source: *source, target: *target },
            Self::SetLinksOf { host, .. } => Self::ResetLinksOf(*host),
            Self::Slow { host, .. } => Self::Quicken(*host),
            Self::Drift { host, ppm } if *ppm != 0 => Self::Drift { host: *host, ppm: 0 },
            Self::LateTicks { host, up_to } if !up_to.is_zero() => {
                Self::LateTicks { host: *host, up_to: Duration::ZERO }
            }
            Self::Calendar { host, ahead_ms } if *ahead_ms != 0 => {
                Self::Calendar { host: *host, ahead_ms: 0 }
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
                | Self::Mend { .. }
                | Self::SetLink { .. }
                | Self::ResetLink { .. }
                | Self::SetLinksOf { .. }
                | Self::ResetLinksOf(_)
        )
    }
}
