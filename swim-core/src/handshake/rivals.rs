//! Two nodes with one id that are members already, and hear of each other.
//!
//! Each asks the other ([`Rival`]). No answer: the claim was left over from an earlier address; it is outbid, once. An
//! answer: the higher (epoch, address) stays, the other goes quiet and never outbids. Unless the other never hears of
//! it: a node that no member holds, because it was turned away everywhere, gives way though it is the higher one
//! ([`Lesser`]).

use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::Handshake;
use crate::api::{DropReason, Epoch, Event, Handled, Identity, Incarnation, JoinFailure};
use crate::context::{Phase, RequestKind};
use crate::group::{Group, Piggyback};
use crate::timers::Timer;
use crate::wire::{Ack, Datagram, Message, Ping};

/// Pings that a silent rival gets, in one direct timeout.
const TRIES: u8 = 5;

/// A rival that is being asked. When it is asked again is in the table of timers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Rival {
    #[serde(with = "crate::collections::serial::addr")]
    addr: SocketAddr,
    epoch: Epoch,
    incarnation: Incarnation,
    number: u64,
    tries: u8,
}

impl Rival {
    /// Whether it may be asked once more.
    fn ask_again(&mut self) -> bool {
        let again = self.tries < TRIES;
        self.tries += u8::from(again);
        again
    }

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
            Message::Ping(ping) => self.rival.is_some_and(|rival| rival.number == ping.number),
            _ => false,
        }
    }

    /// Asks the node that was found to claim this node's id, if one was.
    #[inline]
    pub(crate) fn ask_namesake(&mut self, group: &mut Group) {
        if let Some(namesake) = group.take_namesake() {
            self.ask_rival(group, namesake.addr, namesake.epoch, namesake.incarnation);
        }
    }

    /// A member says that this node's id is at `addr`: ask there.
    pub(super) fn ask_rival(
        &mut self,
        group: &mut Group,
        addr: SocketAddr,
        epoch: Epoch,
        incarnation: Incarnation,
    ) {
        if self.rival.is_some() || !group.cx.is_plausible(epoch) {
            return;
        }
        let number = group.cx.number(RequestKind::Rival);
        self.rival = Some(Rival { addr, epoch, incarnation, number, tries: 0 });
        group.cx.timers.set(Timer::Rival, Some(group.cx.now()));
    }

    pub(super) fn on_rival_ack(
        &mut self,
        group: &mut Group,
        datagram: &Datagram<'_>,
        number: u64,
    ) -> Handled {
        let Datagram { source, ref header, .. } = *datagram;
        let asked = self.rival.filter(|rival| rival.number == number && rival.addr == source);
        let rival = asked.ok_or(DropReason::UnexpectedAnswer)?;
        self.end_rivalry(group);
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

    /// Asks the rival, or outbids it if it stays silent.
    pub(crate) fn on_rival_timer(&mut self, group: &mut Group) {
        let Some(rival) = &mut self.rival else { return };
        if rival.ask_again() {
            let next = group.cx.now().after(group.cx.config.direct_timeout / u32::from(TRIES));
            group.cx.timers.set(Timer::Rival, Some(next));
            let ping = Ping { target: group.cx.me.id, number: rival.number, root: 0, held_claim: None };
            group.send(rival.addr, &Message::Ping(ping), Piggyback::EMPTY);
            return;
        }
        let Rival { epoch, incarnation, .. } = *rival;
        self.end_rivalry(group);
        if epoch > group.cx.me.epoch {
            group.start_new_epoch(epoch);
        } else {
            group.refute(incarnation);
        }
    }

    pub(super) fn end_rivalry(&mut self, group: &mut Group) {
        self.rival = None;
        group.cx.timers.set(Timer::Rival, None);
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
    fn a_silent_rival_is_asked_several_times_and_then_outbid() {
        let (epoch, incarnation) = (Epoch(5), Incarnation(0));
        let mut rival = Rival { addr: addr(2), epoch, incarnation, number: 42, tries: 0 };
        assert_eq!((0..20).filter(|_| rival.ask_again()).count(), usize::from(TRIES));
    }
}
