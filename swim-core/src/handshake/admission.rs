//! The side that lets in.
//!
//! Until a stranger returns a token nothing is done for it and nothing is kept of it; the token proves the address that
//! it was sent to, and no other.
//!
//! A joiner that asks for an id which a member holds at another address waits until the member has been asked whether
//! it is still alive (an [`Admission`]): if it answers, the joiner is turned away; if not, the joiner is the member's
//! next epoch, and welcome. An id is a promise of the user's that the protocol cannot keep, but it can make sure that a
//! broken promise ends with one winner, the same everywhere.

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::Handshake;
use super::rivals::{Inquiry, TRIES};
use crate::api::{DropReason, Epoch, Event, Handled, Incarnation, Instant, NodeId, Status, canonical};
use crate::context::{RequestKind, Stream};
use crate::group::{Group, Piggyback, Rare, SAMPLE_MAX, Slot};
use crate::wire::{Ack, Announce, Challenge, Datagram, Join, JoinOutcome, Message, Update, Welcome};

/// Seconds that an address token is good for, at least; at most twice as long.
const TOKEN_VALID_S: u64 = 30;
/// Admissions open at once.
const ADMISSIONS_MAX: usize = 16;
/// Of one joiner.
const ADMISSIONS_PER_JOINER: usize = 2;
/// Pings that an incumbent gets whose id another epoch claims. Where a quarter is lost each way, a living one
/// is taken for gone once in 4,000 times. A node that moved within its epoch waits less.
const TRIES_FOR_ANOTHER_EPOCH: u8 = 10;
/// How long the outcome of an admission is remembered.
const REMEMBERED: Duration = Duration::from_secs(10);

/// What is known of an incumbent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Incumbent {
    /// It has been asked and may still answer.
    Asked,
    /// It is alive: the joiner is turned away.
    Alive,
    /// It did not answer: the joiner may have the id.
    Gone,
}

/// A joiner that wants the id of a member.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Admission {
    id: NodeId,
    #[serde(with = "crate::collections::serial::addr")]
    joiner: SocketAddr,
    /// The nonce of the joiner's `Join`, so that it can be answered as soon as the outcome is known.
    nonce: u64,
    /// The incumbent's epoch.
    epoch: Epoch,
    /// The joiner's stamp: an incumbent with this one, or a later one of the same epoch, is the joiner itself.
    stamp: (Epoch, Incarnation),
    /// Put to the incumbent; with an outcome, until when that is remembered.
    inquiry: Inquiry,
    outcome: Incumbent,
}

impl Admission {
    /// Whether the joiner's epoch is not earlier than the incumbent's: an earlier one may be from an old datagram.
    fn is_in_earnest(&self) -> bool {
        self.stamp.0 >= self.epoch
    }

    fn conclude(&mut self, outcome: Incumbent, now: Instant) {
        self.outcome = outcome;
        self.inquiry.next_at = now.after(REMEMBERED);
    }
}

/// All admissions that are open, and those whose outcome is remembered.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Admissions(Vec<Admission>);

impl Admissions {
    /// What is known of the admission of `joiner` as `id`.
    fn outcome(&self, id: NodeId, joiner: SocketAddr) -> Option<Incumbent> {
        let mut admissions = self.0.iter();
        admissions.find(|asked| asked.id == id && asked.joiner == joiner).map(|asked| asked.outcome)
    }

    /// Opens one, unless as many are open as may be.
    fn open(&mut self, admission: Admission) -> Handled {
        let own = self.0.iter().filter(|other| other.joiner == admission.joiner).count();
        if own >= ADMISSIONS_PER_JOINER || self.0.len() >= ADMISSIONS_MAX {
            return Err(DropReason::AttemptLimit);
        }
        self.0.push(admission);
        Ok(())
    }

    /// A node with the incumbent's id answered, with this stamp. The admission, if it was the incumbent.
    fn answered(
        &mut self,
        number: u64,
        source: SocketAddr,
        stamp: (Epoch, Incarnation),
        now: Instant,
    ) -> Option<Admission> {
        let admission = self.0.iter_mut().find(|admission| {
            (admission.inquiry.number, admission.inquiry.addr, admission.epoch) == (number, source, stamp.0)
        })?;
        let itself = stamp.0 == admission.stamp.0 && stamp.1 >= admission.stamp.1;
        admission.conclude(if itself { Incumbent::Gone } else { Incumbent::Alive }, now);
        Some(*admission)
    }

    /// What is due: an admission to ask for (`Asked`), or one whose outcome has just become `Gone`. The incumbent has
    /// `timeout`, the direct one, to answer a few pings.
    fn take_due(&mut self, now: Instant, timeout: Duration) -> Option<Admission> {
        self.0.retain(|admission| admission.inquiry.next_at > now || admission.outcome == Incumbent::Asked);
        let admission = self.0.iter_mut().find(|admission| admission.inquiry.next_at <= now)?;
        if !admission.inquiry.ask_again(now, timeout) {
            admission.conclude(Incumbent::Gone, now);
        }
        Some(*admission)
    }

    /// Whether all bounds are kept.
    pub(super) fn is_sound(&self) -> bool {
        self.0.len() <= ADMISSIONS_MAX
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.iter().map(|admission| admission.inquiry.next_at).min()
    }
}

/// The acts of the side that lets in.
impl Handshake {
    /// A stranger wants in.
    pub(super) fn on_join(&mut self, group: &mut Group, datagram: &Datagram<'_>, join: Join) -> Handled {
        let Datagram { source, ref header, len, .. } = *datagram;
        if !group.cx.is_running() {
            return Err(DropReason::NotRunning);
        }
        if !self.verify(group, source, join.token) {
            let token = self.tokens.token(source, self.token_age(group));
            let challenge = Challenge { nonce: join.nonce, token };
            let piggyback = Piggyback { len_max: Some(len), ..Piggyback::EMPTY };
            group.send(source, &Message::Challenge(challenge), piggyback);
            return if join.token == 0 { Ok(()) } else { Err(DropReason::Token) };
        }
        group.cx.take_page()?;
        let outcome = self.admission(group, datagram, source, join.nonce)?;
        // A welcome carries this node's own claim: the joiner holds it from now on.
        self.announced |= outcome == JoinOutcome::Admitted;
        Self::welcome(group, source, header.sender, join.nonce, outcome);
        Ok(())
    }

    /// Whether `header.sender` may have its id at `addr`; asks the incumbent if there is one. An error:
    /// it is being asked, or cannot be asked now.
    fn admission(
        &mut self,
        group: &mut Group,
        datagram: &Datagram<'_>,
        addr: SocketAddr,
        nonce: u64,
    ) -> Handled<JoinOutcome> {
        let Datagram { source, ref header, .. } = *datagram;
        if header.sender == group.cx.me.id {
            return Ok(JoinOutcome::IdTaken);
        }
        let Some(slot) = group.find(header.sender) else { return Ok(JoinOutcome::Admitted) };
        let held = group.claim(slot);
        if !held.status.is_active() || group.addr(slot) == addr {
            return Ok(JoinOutcome::Admitted);
        }
        match self.admissions.outcome(header.sender, source) {
            Some(Incumbent::Alive) => Ok(JoinOutcome::IdTaken),
            Some(Incumbent::Gone) => Ok(JoinOutcome::Admitted),
            Some(Incumbent::Asked) => Err(DropReason::Stranger),
            None => {
                let stamp = header.stamp();
                let tries_left = if stamp.0 == held.epoch { TRIES } else { TRIES_FOR_ANOTHER_EPOCH };
                let number = group.cx.number(RequestKind::Incumbent);
                self.admissions.open(Admission {
                    id: header.sender,
                    joiner: source,
                    nonce,
                    epoch: held.epoch,
                    stamp,
                    inquiry: Inquiry { addr: group.addr(slot), number, tries_left, next_at: group.cx.now() },
                    outcome: Incumbent::Asked,
                })?;
                self.arm(group);
                Err(DropReason::Stranger)
            }
        }
    }

    fn welcome(group: &mut Group, target: SocketAddr, id: NodeId, nonce: u64, outcome: JoinOutcome) {
        Self::welcome_with(group, target, id, (nonce, outcome), Piggyback::EMPTY);
    }

    /// Lets a node in, or not: what is held under its id, the epoch clock, and a few members to ask.
    fn welcome_with(
        group: &mut Group,
        target: SocketAddr,
        id: NodeId,
        (nonce, outcome): (u64, JoinOutcome),
        piggyback: Piggyback<'_>,
    ) {
        let holder = group.find(id);
        let held = holder.map(|slot| group.claim(slot));
        let welcome = Welcome {
            nonce,
            outcome,
            held_epoch: held.map_or(Epoch(0), |held| held.epoch),
            held_incarnation: held.map_or(Incarnation(0), |held| held.incarnation),
            clock: group.cx.epoch_clock.share(group.cx.clock.real()),
            members: group.n(),
        };
        let mut claims = [Slot::ME; SAMPLE_MAX + 1];
        let count = if let (JoinOutcome::IdTaken, Some(slot)) = (outcome, holder) {
            claims[1] = slot;
            1
        } else {
            let helpers = group.sample(Stream::Joining, SAMPLE_MAX, |members, slot| {
                members.status(slot) == Status::Alive && members.id(slot) != id
            });
            claims.iter_mut().skip(1).zip(helpers.clone()).for_each(|(claim, slot)| *claim = slot);
            helpers.len()
        };
        debug_assert!(count <= SAMPLE_MAX, "a welcome names a few members");
        let claims = &claims[..=count];
        group.send(target, &Message::Welcome(welcome), Piggyback { claims, ..piggyback });
    }

    /// A node whose address is proven says who it is.
    pub(super) fn on_announce(
        &mut self,
        group: &mut Group,
        datagram: &Datagram<'_>,
        announce: Announce,
    ) -> Handled {
        let Datagram { source, ref header, ref body, .. } = *datagram;
        if !group.cx.is_running() {
            return Err(DropReason::NotRunning);
        }
        if !self.verify(group, source, announce.token) {
            return Err(DropReason::Token);
        }
        group.cx.take_page()?;
        let Some(Ok(Update::Alive { about, addr, .. })) = body.updates.clone().next() else {
            return Err(DropReason::Malformed);
        };
        let own = (about.id, about.epoch, about.incarnation);
        if own != (header.sender, header.epoch, header.incarnation) {
            return Err(DropReason::Malformed);
        }
        // The token proves this address and no other: no node is made to send to a third one.
        if canonical(addr) != source && !group.cx.config.accept_wrong_source {
            let seen = Piggyback { rare: Some(&Rare::Seen(about, source)), ..Piggyback::EMPTY };
            Self::welcome_with(group, source, header.sender, (announce.number, JoinOutcome::Refused), seen);
            return Err(DropReason::ClaimAddress);
        }
        if self.admission(group, datagram, canonical(addr), announce.number)? == JoinOutcome::IdTaken {
            Self::welcome(group, source, header.sender, announce.number, JoinOutcome::IdTaken);
            return Ok(());
        }
        // Its own claim, and what it holds of this node: nothing else of a node so new is applied.
        for update in body.updates.clone().flatten() {
            if [header.sender, group.cx.me.id].contains(&update.about().id) {
                group.on_update(&update, header.sender);
            }
        }
        self.ask_namesake(group);
        let Some(slot) = group.find(header.sender) else {
            // The table is full, or the claim was refused; either is counted.
            Self::welcome(group, source, header.sender, announce.number, JoinOutcome::Refused);
            return Ok(());
        };
        // It may be held where it is not: then it has to say a higher stamp than that.
        let held = group.claim(slot);
        let elsewhere = group.addr(slot) != canonical(addr);
        let ack = Ack {
            number: announce.number,
            root: Some(group.digest_root()),
            held_claim: if elsewhere { Some(held) } else { group.held_claim(slot, header) },
            stranger: false,
        };
        group.send(source, &Message::Ack(ack), Piggyback::claims(&[Slot::ME]));
        Ok(())
    }

    /// The holder of an id that a joiner claims answered, or a later epoch of it did.
    pub(crate) fn on_incumbent(&mut self, group: &mut Group, datagram: &Datagram<'_>, number: u64) -> bool {
        let Datagram { source, ref header, .. } = *datagram;
        let answered = self.admissions.answered(number, source, header.stamp(), group.cx.now());
        let Some(admission) = answered else { return false };
        self.arm(group);
        let alive = admission.outcome == Incumbent::Alive;
        if alive && admission.is_in_earnest() {
            group.cx.event(Event::Conflict { id: header.sender, rival: admission.joiner, won: true });
        }
        let outcome = if alive { JoinOutcome::IdTaken } else { JoinOutcome::Admitted };
        Self::welcome(group, admission.joiner, admission.id, admission.nonce, outcome);
        true
    }

    /// Asks incumbents and the rival. The joiner of an incumbent that stays silent is admitted, a silent rival outbid.
    pub(crate) fn on_inquiry_timer(&mut self, group: &mut Group) {
        let (now, timeout) = (group.cx.now(), group.cx.config.direct_timeout);
        while group.cx.outbox.budget_left() > 0
            && let Some(admission) = self.admissions.take_due(now, timeout)
        {
            let Admission { joiner, id, nonce, inquiry, outcome, .. } = admission;
            if outcome == Incumbent::Gone {
                Self::welcome(group, joiner, id, nonce, JoinOutcome::Admitted);
            } else if let Some(slot) = group.find(id) {
                group.ping(slot, inquiry.addr, inquiry.number, Piggyback::EMPTY);
            }
        }
        self.ask_rival_again(group);
        self.arm(group);
    }

    fn verify(&self, group: &Group, source: SocketAddr, token: u64) -> bool {
        let age = self.token_age(group);
        token != 0
            && (token == self.tokens.token(source, age)
                || (age > 0 && token == self.tokens.token(source, age - 1)))
    }

    /// Tokens change with this.
    fn token_age(&self, group: &Group) -> u64 {
        group.cx.clock.real().as_nanos() / (TOKEN_VALID_S * 1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(500);

    fn addr(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 7946))
    }

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    const STAMP: (Epoch, Incarnation) = (Epoch(5), Incarnation(0));

    /// A joiner with `stamp` wants the id of an incumbent at address 1 with `epoch`.
    fn admission(joiner: u8, stamp: (Epoch, Incarnation), epoch: Epoch) -> Admission {
        let tries_left = if stamp.0 == epoch { TRIES } else { TRIES_FOR_ANOTHER_EPOCH };
        Admission {
            id: NodeId(7),
            joiner: addr(joiner),
            nonce: 99,
            epoch,
            stamp,
            inquiry: Inquiry { addr: addr(1), number: 42, tries_left, next_at: at(0) },
            outcome: Incumbent::Asked,
        }
    }

    fn open(admissions: &mut Admissions, joiner: u8) -> bool {
        admissions.open(admission(joiner, (Epoch(5), Incarnation(3)), Epoch(5))).is_ok()
    }

    #[test]
    fn an_incumbent_that_answers_keeps_its_id() {
        let mut admissions = Admissions::default();
        assert!(open(&mut admissions, 2));
        assert_eq!(admissions.take_due(at(0), TIMEOUT).map(|due| due.outcome), Some(Incumbent::Asked));
        assert!(admissions.answered(41, addr(1), STAMP, at(9)).is_none(), "wrong number");
        assert!(admissions.answered(42, addr(2), STAMP, at(9)).is_none(), "wrong source");
        assert!(
            admissions.answered(42, addr(1), (Epoch(6), Incarnation(0)), at(9)).is_none(),
            "its next epoch is no incumbent"
        );
        assert!(admissions.answered(42, addr(1), STAMP, at(9)).is_some());
        assert!(admissions.take_due(at(1000), TIMEOUT).is_none(), "and is remembered for a while");
        assert_eq!(admissions.outcome(NodeId(7), addr(2)), Some(Incumbent::Alive));
    }

    #[test]
    fn an_incumbent_that_is_the_joiner_itself_may_move() {
        let mut admissions = Admissions::default();
        assert!(open(&mut admissions, 2));
        let stamp = (Epoch(5), Incarnation(3));
        let answered = admissions.answered(42, addr(1), stamp, at(9));
        assert_eq!(answered.map(|admission| admission.outcome), Some(Incumbent::Gone));
    }

    #[test]
    fn an_incumbent_that_is_alive_in_a_later_epoch_is_not_the_joiner() {
        let mut admissions = Admissions::default();
        assert!(admissions.open(admission(2, STAMP, Epoch(6))).is_ok());
        let answered = admissions.answered(42, addr(1), (Epoch(6), Incarnation(0)), at(9));
        assert_eq!(answered.map(|admission| admission.outcome), Some(Incumbent::Alive));
    }

    #[test]
    fn a_silent_incumbent_is_asked_several_times_and_then_gone() {
        for (epoch, tries) in [(Epoch(5), 5), (Epoch(6), 10)] {
            let mut admissions = Admissions::default();
            assert!(admissions.open(admission(2, (epoch, Incarnation(3)), Epoch(5))).is_ok());
            for tried in 0..tries {
                assert_eq!(
                    admissions.take_due(at(100 * tried), TIMEOUT).map(|due| due.outcome),
                    Some(Incumbent::Asked)
                );
                assert!(admissions.take_due(at(100 * tried + 99), TIMEOUT).is_none());
            }
            assert_eq!(
                admissions.take_due(at(100 * tries), TIMEOUT).map(|due| due.outcome),
                Some(Incumbent::Gone)
            );
            assert_eq!(admissions.outcome(NodeId(7), addr(2)), Some(Incumbent::Gone));
            assert!(admissions.take_due(at(20_000), TIMEOUT).is_none(), "forgotten after a while");
            assert_eq!(admissions.outcome(NodeId(7), addr(2)), None);
        }
    }

    #[test]
    fn the_number_of_admissions_is_bounded() {
        let mut admissions = Admissions::default();
        assert!(open(&mut admissions, 0) && open(&mut admissions, 0));
        assert!(!open(&mut admissions, 0), "one joiner has its share");
        for joiner in 2..ADMISSIONS_MAX as u8 {
            assert!(open(&mut admissions, joiner));
        }
        assert!(!open(&mut admissions, 200));
    }
}
