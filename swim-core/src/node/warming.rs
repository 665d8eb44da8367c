//! Looking ahead at what an input will need, for a simulator of large clusters.
//!
//! In a process with thousands of nodes nothing that an input needs is in any cache. It is needed one line after
//! the other, and each is waited for. Whoever knows what comes next lets several nodes look at their lines first:
//! then the memory is asked for all of them at the same time. Nothing follows from what is seen.

use core::hint::black_box;
use core::net::SocketAddr;

use super::Node;
use crate::identity::NodeId;
use crate::members::Slot;
use crate::probe::{Probe, Verdict};
use crate::random::Purpose;

impl Node {
    /// Looks at what every input looks at in the node itself. Changes nothing.
    #[doc(hidden)]
    pub fn warm(&mut self) {
        self.outbox.warm();
        let ends = [
            self.deadline,
            self.period_at,
            Some(self.doubt.patience()),
            Some(self.gossip_last),
            self.probe.as_ref().map(Probe::ends),
            self.relays.deadline(),
            self.suspicions.deadline(),
            self.join.contacts.deadline(),
            self.sync.deadline(),
        ];
        let ends = ends.iter().flatten().fold(0, |sum: u64, at| sum.wrapping_add(at.as_nanos()));
        let stats = self.stats.datagrams_received ^ self.stats.probes ^ self.stats.clock_backwards;
        let queued = self.updates.len() ^ self.broadcasts.len() ^ self.patience.0;
        let members = self.members.warm() ^ u64::from(self.rival.is_some());
        let mine = self.incarnation().0 ^ self.join.seeds.len() as u32;
        let target = self.probe.as_ref().map_or(self.me.id, |probe| probe.target_id);
        black_box(ends ^ stats ^ u64::from(queued ^ mine) ^ members ^ target.0);
    }

    /// Looks at what the next period will look at beyond that, and returns what it will draw.
    #[doc(hidden)]
    #[must_use]
    pub fn warm_period(&self) -> u32 {
        let [order, number] =
            [Purpose::ProbeOrder, Purpose::Numbers].map(|purpose| self.streams.ahead(purpose));
        let silent = self.probe.as_ref().is_some_and(|probe| probe.verdict() == Verdict::NeverSent);
        black_box((number, silent, self.heal.forgotten(), self.stats.rtt.warm()));
        order
    }

    /// Looks up whom the next period will probe if it draws this, and who changes places with it.
    #[doc(hidden)]
    #[must_use]
    pub fn warm_target(&self, drawn: u32) -> [u32; 2] {
        self.members.target_ahead(drawn)
    }

    /// Looks at whom the next period will probe, and returns where it is.
    #[doc(hidden)]
    #[must_use]
    pub fn warm_member(&self, slots: [u32; 2]) -> Option<SocketAddr> {
        let [target, other] = slots.map(|slot| self.members.addr_ahead(Slot(slot)));
        black_box(other);
        target
    }

    /// Looks up a datagram's sender.
    #[doc(hidden)]
    pub fn warm_sender(&self, sender: NodeId) {
        black_box(self.members.find(sender));
    }
}
