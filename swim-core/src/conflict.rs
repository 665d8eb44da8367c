//! Two nodes with one id.
//!
//! An id is a promise of the user's that the protocol cannot keep for him, but it can make sure that a
//! broken promise ends with one winner, the same everywhere, and without flapping.
//!
//! *At admission* somebody asks for an id that a member holds at another address. The member is asked
//! whether it still lives (an [`Admission`]): if it answers, the joiner is turned away; if not, the
//! joiner is the member's next life, and welcome.
//!
//! *At a merge* both are members already and hear of each other. Each asks the other ([`Rival`]). No
//! answer: the claim was left over from an earlier address; it is outbid, once. An answer: the higher
//! (epoch, address) stays, the other goes quiet and never outbids. Unless the other never hears of it: whom
//! no member holds, because it was turned away everywhere, gives way though it is the higher one ([`Lesser`]).

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::identity::{Epoch, Identity, Incarnation, NodeId};
use crate::time::Instant;

/// Admissions in question at once.
pub(crate) const ADMISSIONS_MAX: usize = 16;
/// Of one joiner.
const ADMISSIONS_PER_JOINER: usize = 2;
/// Pings that a silent incumbent or rival gets, in one direct timeout.
const TRIES: u8 = 5;
/// Pings that an incumbent gets whose id another life claims. Where a quarter is lost each way, a living one
/// is taken for gone once in 4,000 times. Whoever moved within its life is in more of a hurry.
const TRIES_FOR_ANOTHER_LIFE: u8 = 10;
/// How long the outcome of an admission is remembered.
const REMEMBERED: Duration = Duration::from_secs(10);

/// What is known of an incumbent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Incumbent {
    /// It has been asked and may still answer.
    Asked,
    /// It lives: the joiner is turned away.
    Lives,
    /// It did not answer: the joiner may have the id.
    Gone,
}

/// A joiner that wants the id of a member.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Admission {
    pub(crate) id: NodeId,
    #[serde(with = "crate::state::addr")]
    pub(crate) joiner: SocketAddr,
    /// The nonce of the joiner's `Join`, so that it can be answered as soon as the outcome is known.
    pub(crate) nonce: u64,
    #[serde(with = "crate::state::addr")]
    pub(crate) incumbent: SocketAddr,
    pub(crate) epoch: Epoch,
    /// The joiner's word: an incumbent that speaks it, or a later one of the same life, is the joiner itself.
    word: (Epoch, Incarnation),
    pub(crate) number: u64,
    pub(crate) outcome: Incumbent,
    tries: u8,
    next_at: Instant,
}

impl Admission {
    /// Whether the joiner claims no earlier life than the incumbent's: what an earlier one says may be an old
    /// datagram.
    pub(crate) fn is_in_earnest(&self) -> bool {
        self.word.0 >= self.epoch
    }

    fn tries_max(&self) -> u8 {
        if self.word.0 == self.epoch { TRIES } else { TRIES_FOR_ANOTHER_LIFE }
    }
}

/// All admissions in question, by place.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Admissions {
    /// Up to the last one that is in question: usually none is.
    places: Vec<Option<Admission>>,
    timeout: Duration,
}

impl Admissions {
    /// `timeout` is the direct one.
    pub(crate) const fn new(timeout: Duration) -> Self {
        Self { places: Vec::new(), timeout }
    }

    /// What is known of the admission of `joiner` as `id`.
    pub(crate) fn outcome(&self, id: NodeId, joiner: SocketAddr) -> Option<Incumbent> {
        self.places
            .iter()
            .flatten()
            .find(|admission| admission.id == id && admission.joiner == joiner)
            .map(|admission| admission.outcome)
    }

    /// A place for a new question, or `None` if as many are open as may be.
    pub(crate) fn room(&self, joiner: SocketAddr) -> Option<u16> {
        let own = self.places.iter().flatten().filter(|admission| admission.joiner == joiner).count();
        if own >= ADMISSIONS_PER_JOINER {
            return None;
        }
        let place = self.places.iter().position(Option::is_none).unwrap_or(self.places.len());
        (place < ADMISSIONS_MAX).then_some(place as u16)
    }

    /// Opens the question; the first ping is due at once.
    pub(crate) fn open(
        &mut self,
        place: u16,
        joiner: (NodeId, SocketAddr, u64),
        word: (Epoch, Incarnation),
        incumbent: (SocketAddr, Epoch),
        number: u64,
        now: Instant,
    ) {
        let place = usize::from(place);
        if self.places.len() <= place {
            self.places.resize(place + 1, None);
        }
        self.places[place] = Some(Admission {
            id: joiner.0,
            joiner: joiner.1,
            nonce: joiner.2,
            incumbent: incumbent.0,
            epoch: incumbent.1,
            word,
            number,
            outcome: Incumbent::Asked,
            tries: 0,
            next_at: now,
        });
    }

    /// Somebody with the incumbent's id answered, with this word. The admission, if it was the incumbent.
    pub(crate) fn answered(
        &mut self,
        place: u16,
        number: u64,
        source: SocketAddr,
        word: (Epoch, Incarnation),
        now: Instant,
    ) -> Option<Admission> {
        let admission = self.places.get_mut(usize::from(place))?.as_mut()?;
        if admission.number != number || admission.incumbent != source || admission.epoch != word.0 {
            return None;
        }
        let itself = word.0 == admission.word.0 && word.1 >= admission.word.1;
        admission.outcome = if itself { Incumbent::Gone } else { Incumbent::Lives };
        admission.next_at = now.after(REMEMBERED);
        Some(*admission)
    }

    /// What is due: an admission to ask for (`Asked`), or one whose outcome has just become `Gone`.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Admission> {
        for entry in &mut self.places {
            let Some(admission) = entry else { continue };
            if admission.next_at > now {
                continue;
            }
            if admission.outcome != Incumbent::Asked {
                *entry = None;
                continue;
            }
            if admission.tries < admission.tries_max() {
                admission.tries += 1;
                admission.next_at = now.after(self.timeout / u32::from(TRIES));
            } else {
                admission.outcome = Incumbent::Gone;
                admission.next_at = now.after(REMEMBERED);
            }
            return Some(*admission);
        }
        while let Some(None) = self.places.last() {
            self.places.pop();
        }
        None
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.places.iter().flatten().map(|admission| admission.next_at).min()
    }
}

/// A rival that is being asked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Rival {
    #[serde(with = "crate::state::addr")]
    pub(crate) addr: SocketAddr,
    pub(crate) epoch: Epoch,
    pub(crate) incarnation: Incarnation,
    pub(crate) number: u64,
    tries: u8,
    next_at: Instant,
}

/// What is due about a rival.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RivalDue {
    /// Ping it.
    Ask,
    /// It did not answer: outbid it.
    Silent,
}

impl Rival {
    pub(crate) const fn new(
        addr: SocketAddr,
        epoch: Epoch,
        incarnation: Incarnation,
        number: u64,
        now: Instant,
    ) -> Self {
        Self { addr, epoch, incarnation, number, tries: 0, next_at: now }
    }

    /// What is due at `now`.
    pub(crate) fn due(&mut self, now: Instant, timeout: Duration) -> Option<RivalDue> {
        if self.next_at > now {
            return None;
        }
        if self.tries >= TRIES {
            return Some(RivalDue::Silent);
        }
        self.tries += 1;
        self.next_at = now.after(timeout / u32::from(TRIES));
        Some(RivalDue::Ask)
    }

    pub(crate) const fn deadline(&self) -> Instant {
        self.next_at
    }

    /// Whether the rival, which answered in life `epoch` from `addr`, has the better claim.
    pub(crate) fn beats(epoch: Epoch, addr: SocketAddr, me: &Identity) -> bool {
        (epoch, addr) > (me.epoch, me.addr)
    }
}

/// A rival that lives and, as far as is known, has the lesser claim. If a member holds this node it tells the
/// rival, which asks in turn and gives way when it is answered. A rival that never asks while members turn this
/// node away on its account has been told by nobody: then this node gives way. One of the two stays, for
/// whoever is quiet answers nothing, and without an answer the other does not give way.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Lesser {
    #[serde(with = "crate::state::addr")]
    pub(crate) addr: SocketAddr,
    pub(crate) epoch: Epoch,
    /// It has asked in turn, and this node had the better claim by then.
    pub(crate) asked: bool,
}

impl Lesser {
    pub(crate) fn is(&self, addr: SocketAddr, epoch: Epoch) -> bool {
        (self.addr, self.epoch) == (addr, epoch)
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

    const WORD: (Epoch, Incarnation) = (Epoch(5), Incarnation(0));

    fn open(admissions: &mut Admissions, joiner: u8) -> Option<u16> {
        let place = admissions.room(addr(joiner))?;
        let joiner = (NodeId(7), addr(joiner), 99);
        admissions.open(place, joiner, (Epoch(5), Incarnation(3)), (addr(1), Epoch(5)), 42, at(0));
        Some(place)
    }

    #[test]
    fn an_incumbent_that_answers_keeps_its_id() {
        let mut admissions = Admissions::new(TIMEOUT);
        let place = open(&mut admissions, 2).expect("there is room");
        assert_eq!(admissions.due(at(0)).map(|due| due.outcome), Some(Incumbent::Asked));
        assert!(admissions.answered(place, 41, addr(1), WORD, at(9)).is_none(), "wrong number");
        assert!(admissions.answered(place, 42, addr(2), WORD, at(9)).is_none(), "wrong source");
        assert!(
            admissions.answered(place, 42, addr(1), (Epoch(6), Incarnation(0)), at(9)).is_none(),
            "its next life is no incumbent"
        );
        assert!(admissions.answered(place, 42, addr(1), WORD, at(9)).is_some());
        assert!(admissions.due(at(1000)).is_none(), "and is remembered for a while");
        assert_eq!(admissions.outcome(NodeId(7), addr(2)), Some(Incumbent::Lives));
    }

    #[test]
    fn an_incumbent_that_is_the_joiner_itself_may_move() {
        let mut admissions = Admissions::new(TIMEOUT);
        let place = open(&mut admissions, 2).expect("there is room");
        let word = (Epoch(5), Incarnation(3));
        let answered = admissions.answered(place, 42, addr(1), word, at(9));
        assert_eq!(answered.map(|admission| admission.outcome), Some(Incumbent::Gone));
    }

    #[test]
    fn an_incumbent_that_lives_in_a_later_life_is_not_the_joiner() {
        let mut admissions = Admissions::new(TIMEOUT);
        let place = admissions.room(addr(2)).expect("there is room");
        let joiner = (NodeId(7), addr(2), 99);
        admissions.open(place, joiner, WORD, (addr(1), Epoch(6)), 42, at(0));
        let answered = admissions.answered(place, 42, addr(1), (Epoch(6), Incarnation(0)), at(9));
        assert_eq!(answered.map(|admission| admission.outcome), Some(Incumbent::Lives));
    }

    #[test]
    fn a_silent_incumbent_is_asked_several_times_and_then_gone() {
        for (epoch, tries) in [(Epoch(5), 5), (Epoch(6), 10)] {
            let mut admissions = Admissions::new(TIMEOUT);
            let joiner = (NodeId(7), addr(2), 99);
            admissions.open(0, joiner, (epoch, Incarnation(3)), (addr(1), Epoch(5)), 42, at(0));
            for tried in 0..tries {
                assert_eq!(admissions.due(at(100 * tried)).map(|due| due.outcome), Some(Incumbent::Asked));
                assert!(admissions.due(at(100 * tried + 99)).is_none());
            }
            assert_eq!(admissions.due(at(100 * tries)).map(|due| due.outcome), Some(Incumbent::Gone));
            assert_eq!(admissions.outcome(NodeId(7), addr(2)), Some(Incumbent::Gone));
            assert!(admissions.due(at(20_000)).is_none(), "forgotten after a while");
            assert_eq!(admissions.outcome(NodeId(7), addr(2)), None);
        }
    }

    #[test]
    fn the_number_of_questions_is_bounded() {
        let mut admissions = Admissions::new(TIMEOUT);
        assert!(open(&mut admissions, 0).is_some() && open(&mut admissions, 0).is_some());
        assert!(open(&mut admissions, 0).is_none(), "one joiner has its share");
        for joiner in 2..ADMISSIONS_MAX as u8 {
            assert!(open(&mut admissions, joiner).is_some());
        }
        assert!(open(&mut admissions, 200).is_none());
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
        let mut rival = Rival::new(addr(2), Epoch(5), Incarnation(0), 42, at(0));
        assert_eq!(rival.due(at(0), TIMEOUT), Some(RivalDue::Ask));
        assert_eq!(rival.due(at(99), TIMEOUT), None);
        for tried in 1..u64::from(TRIES) {
            assert_eq!(rival.due(at(100 * tried), TIMEOUT), Some(RivalDue::Ask));
        }
        assert_eq!(rival.due(at(500), TIMEOUT), Some(RivalDue::Silent));
    }
}
