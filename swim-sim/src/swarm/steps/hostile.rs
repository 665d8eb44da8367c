//! What strangers, and members that are not what they seem, send.
//!
//! All of it is what the protocol withstands: whoever speaks for a member by its right address, and says where
//! others live, could bury anybody until there are keys, so nobody does that here.

use std::net::SocketAddr;
use std::time::Duration;

use super::Drawing;
use crate::action::{Action, Origin, Says};
use crate::host::HostId;

impl Drawing<'_> {
    /// Noise.
    pub(super) fn garbage(&mut self, host: HostId) {
        let (count, over) = self.some();
        self.push(self.at, Action::Garbage { host, count, len_max: 1500, from: Origin::Any, over });
    }

    /// Real datagrams with some bits wrong, from nowhere.
    pub(super) fn mutants(&mut self, host: HostId) {
        let (count, over) = self.some();
        self.push(self.at, Action::Mutants { host, count, from: Origin::Stranger, over });
    }

    /// Real datagrams once more.
    pub(super) fn replay(&mut self, host: HostId) {
        let (count, over) = self.some();
        self.push(self.at, Action::Replay { host, count, from: Origin::Any, over });
    }

    /// Lies: of a stranger about anything, of a member about who is suspected or dead.
    pub(super) fn forge(&mut self, host: HostId) {
        let victim = self.host();
        let stranger = self.below(2) == 0;
        let speaker = if stranger { None } else { Some(self.host()) };
        let says = match self.below(if stranger { 4 } else { 2 }) {
            0 => Says::Suspect,
            1 => Says::Dead,
            2 => Says::Left,
            _ => Says::Alive,
        };
        let incarnation_ahead = [0, 0, 1, 1000][self.below(4)];
        self.push(
            self.at,
            Action::Forge { host, speaker, victim, says, epoch_ahead: 0, incarnation_ahead, addr: None },
        );
    }

    /// Answers to questions that were not asked.
    pub(super) fn spoof_acks(&mut self, host: HostId) {
        let subject = self.host();
        let (count, over) = self.some();
        self.push(self.at, Action::SpoofAcks { host, subject, count, over });
    }

    /// Questions whose answers would hit somebody else.
    pub(super) fn reflect(&mut self, host: HostId) {
        let victim = SocketAddr::from(([192, 0, 2, 66], 53));
        let (count, over) = self.some();
        self.push(self.at, Action::Reflect { host, victim, count, over });
    }

    /// Joins of many who do not exist.
    pub(super) fn strangers(&mut self, host: HostId) {
        let (count, over) = self.some();
        self.push(self.at, Action::Strangers { host, count, over });
    }

    /// How many, in how much time.
    fn some(&mut self) -> (u32, Duration) {
        let count = [1, 10, 100][self.below(3)];
        (count, if self.below(2) == 0 { Duration::ZERO } else { self.period() * 3 })
    }
}
