//! An address is asked whether the node with some id is alive there ([`Inquiry`]), and what two nodes with one id do
//! that are members already and hear of each other.
//!
//! Each rival asks the other ([`Rival`]). No answer: the claim was left over from an earlier address; it is outbid, once. An
//! answer: the higher (epoch, address) stays, the other goes quiet and never outbids. Unless the other never hears of
//! it: a node that no member holds, because it was turned away everywhere, gives way though it is the higher one
//! ([`Lesser`]).

use core::net::SocketAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::Handshake;
use crate::api::{DropReason, Epoch, Event, Handled, Identity, Incarnation, Instant, JoinFailure};
use crate::context::{Phase, RequestKind};
use crate::group::{Group, Namesake, Piggyback};
use crate::wire::{Ack, Datagram, Message, Ping};

/// Pings to a silent address in one direct timeout.
pub(super) const TRIES: u8 = 5;

/// An address that is asked whether a node is alive there, several times, until it answers or counts as silent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Inquiry {
    #[serde(with = "crate::collections::serial::addr")]
    pub(super) addr: SocketAddr,
    pub(super) number: u64,
    pub(super) tries_left: u8,
    pub(super) next_at: Instant,
}

impl Inquiry {
    /// It is due: whether to ask once more. If not, the address has stayed silent.
    pub(super) fn ask_again(&mut self, now: Instant, direct_timeout: Duration) -> bool {
        let again = self.tries_left > 0;
        if again {
            self.tries_left -= 1;
            self.next_at = now.after(direct_timeout / u32::from(TRIES));
        }
        again
    }
}

/// A rival that is being asked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Rival {
    epoch: Epoch,
    incarnation: Incarnation,
    pub(super) inquiry: Inquiry,
}

impl Rival {
    /// Whether the rival, which answered in `epoch` from `addr`, has the better claim.
    fn beats(epoch: Epoch, addr: SocketAddr, me: &Identity) -> bool {
        (epoch, addr) > (me.epoch, me.addr)
    }
}

/// A rival that is alive and, as far as is known, has the lesser claim. A member that holds this node informs the
/// rival, which asks in turn and gives way when it is answered. A rival that never asks while members turn this node
/// away on its account has been informed by none: then this node gives way. One of the two stays, for a node that is
/// quiet answers nothing, and without an answer the other does not give way.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Lesser {
    #[serde(with = "crate::collections::serial::addr")]
    addr: SocketAddr,
    epoch: Epoch,
    /// It has asked in turn, and this node had the better claim by then.
    asked: bool,
}

impl Handshake {
    /// A ping under this node's own id asks whether this node is alive. What else it says is applied when a member
    /// repeats it.
    pub(super) fn on_rival_ping(&mut self, group: &mut Group, datagram: &Datagram<'_>, number: u64) {
        let Datagram { source, ref header, len, .. } = *datagram;
        let ack = Ack { number, root: None, held_claim: None, stranger: false };
        let short = Piggyback { len_max: Some(len), ..Piggyback::EMPTY };
        group.send(source, &Message::Ack(ack), short);
        if !Rival::beats(header.epoch, source, &group.cx.me) {
            self.lesser = Some(Lesser { addr: source, epoch: header.epoch, asked: true });
        }
    }

    /// Whether this node's own request came back: from an address that echoes, or because a seed is another address of
    /// its own. Answering, it would take itself for another that has its id.
    pub(super) fn is_echo(&self, message: &Message) -> bool {
        match message {
            Message::Join(join) => self.attempts.is_mine(join.nonce),
            Message::Ping(ping) => self.rival.is_some_and(|rival| rival.inquiry.number == ping.number),
            _ => false,
        }
    }

    /// Asks the node that was found to claim this node's id, if one was.
    #[inline]
    pub(crate) fn ask_namesake(&mut self, group: &mut Group) {
        if let Some(namesake) = group.take_namesake() {
            self.ask_rival(group, namesake);
        }
    }

    /// A member says that this node's id is elsewhere: ask there.
    pub(super) fn ask_rival(&mut self, group: &mut Group, namesake: Namesake) {
        let Namesake { addr, epoch, incarnation } = namesake;
        if self.rival.is_some() || !group.cx.is_plausible(epoch) {
            return;
        }
        let number = group.cx.number(RequestKind::Rival);
        let inquiry = Inquiry { addr, number, tries_left: TRIES, next_at: group.cx.now() };
        self.rival = Some(Rival { epoch, incarnation, inquiry });
        self.arm(group);
    }

    pub(super) fn on_rival_ack(
        &mut self,
        group: &mut Group,
        datagram: &Datagram<'_>,
        number: u64,
    ) -> Handled {
        let Datagram { source, ref header, .. } = *datagram;
        let answered =
            self.rival.take_if(|rival| (rival.inquiry.number, rival.inquiry.addr) == (number, source));
        let rival = answered.ok_or(DropReason::UnexpectedAnswer)?;
        self.arm(group);
        let known = self.lesser.filter(|lesser| (lesser.addr, lesser.epoch) == (source, header.epoch));
        let turned_away = known.is_some_and(|lesser| !lesser.asked);
        if turned_away || Rival::beats(header.epoch, source, &group.cx.me) {
            self.lose(group, source);
            return Ok(());
        }
        self.lesser = known.or(Some(Lesser { addr: source, epoch: header.epoch, asked: false }));
        // The rival learns that it has lost when this node's claim reaches it: that must be the higher one.
        if header.epoch == group.cx.me.epoch {
            group.refute(header.incarnation.max(rival.incarnation));
        } else {
            group.refute(group.incarnation());
        }
        group.cx.event(Event::Conflict { id: group.cx.me.id, rival: source, won: true });
        Ok(())
    }

    /// Gives the id up: quiet from now on, and never outbidding.
    pub(super) fn lose(&mut self, group: &mut Group, rival: SocketAddr) {
        group.cx.event(Event::Conflict { id: group.cx.me.id, rival, won: false });
        self.give_up(group, JoinFailure::IdTaken);
        group.cx.phase = Phase::IdLost;
    }

    /// Asks the rival if it is due, or outbids it if it stays silent.
    pub(super) fn ask_rival_again(&mut self, group: &mut Group) {
        let (now, timeout) = (group.cx.now(), group.cx.config.direct_timeout);
        let Some(rival) = self.rival.as_mut().filter(|rival| rival.inquiry.next_at <= now) else { return };
        let Rival { epoch, incarnation, ref mut inquiry } = *rival;
        if inquiry.ask_again(now, timeout) {
            let ping = Ping { target: group.cx.me.id, number: inquiry.number, root: 0, held_claim: None };
            group.send(inquiry.addr, &Message::Ping(ping), Piggyback::EMPTY);
            return;
        }
        self.rival = None;
        group.outdo(epoch, incarnation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::NodeId;

    fn addr(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 7946))
    }

    #[test]
    fn of_two_rivals_exactly_one_has_the_better_claim() {
        let me = |last, epoch| Identity { id: NodeId(7), addr: addr(last), epoch: Epoch(epoch) };
        for (a, b) in [((1, 5), (2, 5)), ((1, 6), (2, 5)), ((2, 6), (1, 5))] {
            let (a, b) = (me(a.0, a.1), me(b.0, b.1));
            assert_ne!(Rival::beats(a.epoch, a.addr, &b), Rival::beats(b.epoch, b.addr, &a));
        }
    }

    #[test]
    fn a_silent_address_is_asked_several_times_within_the_direct_timeout() {
        let (at, timeout) = (Instant::from_millis, Duration::from_millis(500));
        let mut inquiry = Inquiry { addr: addr(2), number: 42, tries_left: TRIES, next_at: at(0) };
        let mut asked = alloc::vec![];
        while inquiry.ask_again(inquiry.next_at, timeout) {
            asked.push(inquiry.next_at);
        }
        assert_eq!(asked, [100, 200, 300, 400, 500].map(at));
    }
}
