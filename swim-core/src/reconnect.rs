//! Reconnecting: partitions that outlast every suspicion end by themselves.
//!
//! SWIM forgets the dead, so two halves that hold each other Dead never speak again. Here a few datagrams keep the door
//! open: now and then a node pings a member that it holds Dead, or asks a seed that is not among its members, or an
//! address whose tombstone is gone. Cluster-wide that is one attempt for each missing member every 10 s, however many
//! members there are: each node's own share is one in 10 s · alive / missing, within [1 period, 10 min]. It is drawn by
//! lot in each period, so that the survivors of one death do not all ask at once. Half of the attempts go to the latest
//! 64 that died and to seeds, half to all that are missing: a partition heals as fast after a day of short-lived members.
//!
//! The ping says what the asker holds ("you are Dead, in this incarnation"), the answer says what the asked holds: one
//! exchange makes both sides refute. Neither is ever sent in reply to news, so two such nodes cannot keep each other
//! busy. The claim that the target is Dead goes to a member as well: if the target has left, and no goodbye arrived
//! here, a member that knows puts that right.

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::{NodeId, Status};
use crate::context::{RequestKind, Stream};
use crate::group::{Group, Piggyback, Slot};
use crate::wire::{Datagram, Message};

/// The dead that half of the attempts are at, beside the seeds.
const RECENT_MAX: u32 = 64;
/// Pings that may still be answered.
const OPEN_MAX: usize = 4;
/// The longest pause of one node.
const LONGEST: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Open {
    id: NodeId,
    #[serde(with = "crate::collections::serial::addr")]
    addr: SocketAddr,
    number: u64,
}

/// The pings to members held Dead that may still be answered, the oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Reconnect(Vec<Open>);

impl Reconnect {
    /// At each period: perhaps one attempt at a member that is missing. Seeds are `unmet` if they are no active
    /// members; `unmet_seed(n)` is the nth of them. Returns an address to begin a handshake with.
    pub(crate) fn on_period(
        &mut self,
        group: &mut Group,
        unmet: u32,
        unmet_seed: impl FnOnce(&Group, usize) -> Option<SocketAddr>,
    ) -> Option<SocketAddr> {
        let dead = group.members().count(Status::Dead);
        let forgotten = group.forgotten().len() as u32;
        let missing = dead + forgotten + u32::from(unmet > 0);
        let every = group.cx.config.heal_interval.filter(|_| missing > 0)?;
        let (share, period) = share(every, group.n(), missing, group.cx.period());
        if group.cx.below(Stream::Reconnect, share) >= period {
            return None;
        }
        group.cx.stats.reconnects += 1;
        // Half of the attempts are at the latest dead and the seeds: older ones, however many, do not crowd them out.
        let any = group.cx.below(Stream::Reconnect, 2) == 0 || dead + unmet == 0;
        let (dead, forgotten) = if any { (dead, forgotten) } else { (dead.min(RECENT_MAX), 0) };
        let choice = group.cx.below(Stream::Reconnect, dead + forgotten + unmet);
        if choice < dead {
            self.ping_dead(group, dead);
            return None;
        }
        let nth = choice - dead;
        if nth < forgotten {
            return group.forgotten().get(nth as usize).copied();
        }
        debug_assert!(nth - forgotten < unmet, "the choice is among those that are missing");
        unmet_seed(group, (nth - forgotten) as usize)
    }

    /// Pings one of the `latest` that died.
    fn ping_dead(&mut self, group: &mut Group, latest: u32) {
        let Some(dead) = group.sample_tombstone(Stream::Reconnect, latest) else { return };
        // It may have left, and another member may know.
        if let Some(member) = group.sample(Stream::Reconnect, 1, |_, _| true).next() {
            group.send(group.addr(member), &Message::Gossip, Piggyback::claims(&[dead]));
        }
        debug_assert!(dead != Slot::ME, "a node does not reconnect to itself");
        let number = group.cx.number(RequestKind::Reconnect);
        let (id, addr) = (group.id(dead), group.addr(dead));
        self.asked(Open { id, addr, number });
        group.ping(dead, addr, number, Piggyback::EMPTY);
    }

    /// The oldest request makes room for the next one.
    fn asked(&mut self, open: Open) {
        if self.0.len() == OPEN_MAX {
            self.0.remove(0);
        }
        self.0.push(open);
    }

    /// An answer came. `true` if it was asked for.
    pub(crate) fn on_ack(&mut self, datagram: &Datagram<'_>, number: u64) -> bool {
        let answered = (datagram.header.sender, datagram.source, number);
        let open = self.0.iter().position(|open| (open.id, open.addr, open.number) == answered);
        open.map(|at| self.0.remove(at)).is_some()
    }

    /// Whether no more are open than may be.
    pub(crate) const fn is_sound(&self) -> bool {
        self.0.len() <= OPEN_MAX
    }
}

/// `alive` members share the attempts at `missing` ones: the pause of one node, and the period, in milliseconds.
fn share(every: Duration, alive: u32, missing: u32, period: Duration) -> (u32, u32) {
    debug_assert!(missing > 0, "attempts are shared while a member is missing");
    let share = every.saturating_mul(alive) / missing;
    (millis(share.clamp(period, LONGEST.max(period))), millis(period))
}

/// In ms, at least one.
fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Epoch, Incarnation};
    use crate::wire::{Body, Header, Kind};

    const PERIOD: Duration = Duration::from_secs(1);

    #[test]
    fn the_share_of_each_node_follows_the_numbers() {
        let odds = |alive, missing| share(Duration::from_secs(10), alive, missing, PERIOD);
        assert_eq!(odds(10, 10), (10_000, 1000));
        assert_eq!(odds(100, 1), (600_000, 1000), "at least every ten minutes");
        assert_eq!(odds(7, 2), (35_000, 1000));
        assert_eq!(odds(1, 100), (1000, 1000), "at most once a period, then always");
    }

    fn answer(id: u64, from: u8) -> Datagram<'static> {
        let (epoch, incarnation) = (Epoch(1), Incarnation(0));
        let header = Header { kind: Kind::Ack, label: 0, sender: NodeId(id), epoch, incarnation };
        Datagram { source: addr(from), header, body: Body::EMPTY, len: 0 }
    }

    fn addr(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 7946))
    }

    #[test]
    fn an_answer_must_fit_the_member_that_was_asked() {
        let mut reconnect = Reconnect::default();
        reconnect.asked(Open { id: NodeId(1), addr: addr(1), number: 5 });
        let mut on_ack = |answer, number| reconnect.on_ack(&answer, number);
        assert!(!on_ack(answer(2, 1), 5) && !on_ack(answer(1, 2), 5), "another member or address");
        assert!(!on_ack(answer(1, 1), 6), "another number");
        assert!(on_ack(answer(1, 1), 5));
        assert!(!on_ack(answer(1, 1), 5), "once");
    }

    #[test]
    fn four_pings_may_be_answered_and_the_oldest_makes_room() {
        let mut reconnect = Reconnect::default();
        for number in 0..=OPEN_MAX as u64 {
            reconnect.asked(Open { id: NodeId(number), addr: addr(1), number });
        }
        let answered = [0, 1, 2, 3, 4].map(|n| reconnect.on_ack(&answer(n, 1), n));
        assert_eq!(answered, [false, true, true, true, true]);
    }
}
