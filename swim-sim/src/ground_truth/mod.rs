//! The truth about every host, kept apart from what the nodes hold.
//!
//! A test that asks one member's table whether another was rightly called Dead checks a claim against a
//! claim. The ground truth is written by what the world itself did (start, crash, pause, leave) and by
//! nothing else, and every Dead is compared with it at the moment it is reported.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use swim_core::{Epoch, Instant, NodeId};

use crate::host_id::HostId;

mod watching;

pub use crate::traffic::Fate;
pub use watching::{Happening, Phase, Scene};

/// What a host really does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Presence {
    /// Its node runs.
    Up,
    /// Its process is stopped, with its memory and its inbox kept.
    Paused,
    /// Its process is gone without a leave.
    Crashed,
    /// Its node left, or lost its id to a rival.
    Gone,
}

/// A Dead that a node concluded, or took over from another, and what was really so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Death {
    /// When.
    pub at: Instant,
    /// The host that holds it from now on.
    pub observer: HostId,
    /// The member that is called Dead.
    pub subject: NodeId,
    /// The node that concluded it.
    pub by: NodeId,
    /// The first accuser of the subject.
    pub accuser: NodeId,
    /// What the subject's host really did then; `None`: no host ever had that id.
    pub truth: Option<Presence>,
    /// It is about an epoch of the subject that is over. (Its next one may be lower at first, where its wall
    /// clock was set back.)
    pub earlier_epoch: bool,
    /// The network kept the observer and the subject apart, in at least one direction.
    pub cut_off: bool,
}

impl Death {
    /// Whether a living member that the observer could have reached was called Dead. A stopped process is a
    /// living one: its neighbours may call it Dead all the same, and tests of short pauses want to know.
    #[must_use]
    pub fn is_false(&self) -> bool {
        !self.earlier_epoch && !self.cut_off && matches!(self.truth, Some(Presence::Up | Presence::Paused))
    }
}

/// What is true of one host now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct HostTruth {
    pub(crate) id: NodeId,
    pub(crate) addr: SocketAddr,
    pub(crate) epoch: Epoch,
    pub(crate) presence: Presence,
    /// Its send buffer is full, or what was held back meanwhile has not left yet.
    pub(crate) holds_sends: bool,
}

/// The id of the node of `host` if no other was chosen.
pub(crate) const fn usual_name(host: HostId) -> NodeId {
    NodeId(host.0 as u64 + 1)
}

/// The truth about all hosts, by host and by id.
#[derive(Default)]
pub(crate) struct GroundTruth {
    facts: Vec<HostTruth>,
    by_id: BTreeMap<NodeId, Vec<HostId>>,
    /// Two hosts have had one id, or a host has another id than its number's.
    renamed: bool,
}

impl GroundTruth {
    pub(crate) fn enter(&mut self, fact: HostTruth) -> HostId {
        let host = HostId(u32::try_from(self.facts.len()).expect("fewer hosts than 2^32"));
        self.facts.push(fact);
        self.renamed |= fact.id != usual_name(host);
        self.by_id.entry(fact.id).or_default().push(host);
        host
    }

    pub(crate) fn len(&self) -> usize {
        self.facts.len()
    }

    pub(crate) fn fact(&self, host: HostId) -> &HostTruth {
        &self.facts[host.index()]
    }

    pub(crate) fn fact_mut(&mut self, host: HostId) -> &mut HostTruth {
        &mut self.facts[host.index()]
    }

    /// Hosts that ever had this id, usually one.
    pub(crate) fn hosts_named(&self, id: NodeId) -> &[HostId] {
        self.by_id.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The host that has this id, the living before the dead.
    pub(crate) fn host_named(&self, id: NodeId) -> Option<HostId> {
        if !self.renamed {
            let host = HostId(u32::try_from(id.0.checked_sub(1)?).ok()?);
            return (host.index() < self.facts.len()).then_some(host);
        }
        self.hosts_named(id).iter().copied().min_by_key(|host| self.fact(*host).presence)
    }

    pub(crate) fn hosts(&self) -> impl Iterator<Item = (HostId, &HostTruth)> {
        (0..).map(HostId).zip(&self.facts)
    }

    pub(crate) fn present(&self, presence: Presence) -> impl Iterator<Item = (HostId, &HostTruth)> {
        self.hosts().filter(move |(_, fact)| fact.presence == presence)
    }
}
