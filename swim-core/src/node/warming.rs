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
        self.core.cx.outbox.warm();
        let ends = [
            self.deadline,
            self.detector.period_at,
            Some(self.core.cx.doubt.patience()),
            Some(self.core.gossip_last),
            self.detector.probe.as_ref().map(Probe::ends),
            self.detector.relays.deadline(),
            self.core.suspicions.deadline(),
            self.handshake.join.contacts.deadline(),
            self.sync.deadline(),
        ];
        let ends = ends.iter().flatten().fold(0, |sum: u64, at| sum.wrapping_add(at.as_nanos()));
        let stats = self.core.cx.stats.datagrams_received ^ self.core.cx.stats.probes ^ self.core.cx.stats.clock_backwards;
        let queued = self.core.updates.len() ^ self.core.broadcasts.len() ^ self.core.patience.0;
        let members = self.core.members.warm() ^ u64::from(self.handshake.rival.is_some());
        let mine = self.core.incarnation().0 ^ self.handshake.join.seeds.len() as u32;
        let target = self.detector.probe.as_ref().map_or(self.core.cx.me.id, |probe| probe.target_id);
        black_box(ends ^ stats ^ u64::from(queued ^ mine) ^ members ^ target.0);
    }

    /// Looks at what the next period will look at beyond that, and returns what it will draw.
    #[doc(hidden)]
    #[must_use]
    pub fn warm_period(&self) -> u32 {
        let [order, number] =
            [Purpose::ProbeOrder, Purpose::Numbers].map(|purpose| self.core.cx.streams.ahead(purpose));
        let silent = self.detector.probe.as_ref().is_some_and(|probe| probe.verdict() == Verdict::NeverSent);
        black_box((number, silent, self.heal.forgotten(), self.core.cx.stats.rtt.warm()));
        order
    }

    /// Looks up whom the next period will probe if it draws this, and who changes places with it.
    #[doc(hidden)]
    #[must_use]
    pub fn warm_target(&self, drawn: u32) -> [u32; 2] {
        self.core.members.target_ahead(drawn)
    }

    /// Looks at whom the next period will probe, and returns where it is.
    #[doc(hidden)]
    #[must_use]
    pub fn warm_member(&self, slots: [u32; 2]) -> Option<SocketAddr> {
        let [target, other] = slots.map(|slot| self.core.members.addr_ahead(Slot(slot)));
        black_box(other);
        target
    }

    /// Looks up a datagram's sender.
    #[doc(hidden)]
    pub fn warm_sender(&self, sender: NodeId) {
        black_box(self.core.members.find(sender));
    }
}
