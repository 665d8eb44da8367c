//! Faults of the network.

use std::net::SocketAddr;

use super::Drawing;
use crate::Directions;
use crate::action::Action;
use crate::host::HostId;

impl Drawing<'_> {
    pub(super) fn partition(&mut self, _host: HostId) {
        let side = (0..self.plan.hosts).map(HostId).filter(|_| self.random.below(3) == 0).collect();
        self.push(self.at, Action::Partition(vec![side]));
        let end = self.at + self.up_to_periods(60);
        self.push(end, Action::Heal);
    }

    pub(super) fn one_way(&mut self, _host: HostId) {
        let end = self.at + self.up_to_periods(60);
        for _ in 0..=self.below(u64::from(self.plan.hosts).min(12)) {
            let [source, target] = [self.host(), self.host()];
            if source != target {
                self.push(self.at, Action::Cut { source, target });
                self.push(end, Action::Mend { source, target });
            }
        }
    }

    pub(super) fn unplug(&mut self, host: HostId) {
        self.push(self.at, Action::Unplug(host));
        let end = self.at + self.up_to_periods(20);
        self.push(end, Action::Plug(host));
    }

    /// A host's datagrams come from elsewhere for a while.
    pub(super) fn mask(&mut self, host: HostId) {
        let [high, low] =
            [self.below(256), self.below(256)].map(|byte| u8::try_from(byte).expect("below 256"));
        let addr = SocketAddr::from(([10, 98, high, low], 7000));
        self.push(self.at, Action::Mask { host, addr });
        let end = self.at + self.up_to_periods(30);
        self.push(end, Action::Unmask(host));
    }

    /// One host's network card is bad for a while, in one direction or in both.
    pub(super) fn bad_card(&mut self, host: HostId) {
        let directions = [Directions::In, Directions::Out, Directions::Both][self.below(3)];
        let link = self.plan.bad_link(&mut self.random);
        self.push(self.at, Action::SetLinksOf { host, directions, link });
        let end = self.at + self.up_to_periods(40);
        self.push(end, Action::ResetLinksOf(host));
    }

    /// The whole network is worse for a while.
    pub(super) fn turbulence(&mut self, _host: HostId) {
        let link = self.plan.bad_link(&mut self.random);
        self.push(self.at, Action::SetDefaultLink(link));
        let end = self.at + self.up_to_periods(20);
        self.push(end, Action::SetDefaultLink(self.plan.link()));
    }
}
