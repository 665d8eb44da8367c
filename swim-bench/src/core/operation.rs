//! What both sides are asked to do, and how: a side only says how it makes a datagram and how it takes one.

use std::net::SocketAddr;
use std::ops::Range;

use super::members::addr;
use super::meter::{Meter, Only, Wall};

/// Updates in a datagram of 1,400 bytes that is nearly full.
pub(crate) const FULL: usize = 41;

/// One of the things that a member does all the time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operation {
    /// A ping of one of sixty-four members is answered.
    Ping,
    /// A ping of any member, whom the cache does not remember.
    PingAny,
    /// The ack of the member that is being probed.
    Ack,
    /// A full datagram of claims that are held already; each counts. They are about a thousand members: what
    /// is new is gossiped by all members for a while.
    Known,
    /// The same about any members.
    KnownAny,
    /// A datagram of claims that are newer than what is held; each counts.
    Changed,
    /// A ping is answered while the last changes wait to be sent: as many as fit.
    Gossiped,
    /// A datagram of members that no member had heard of; each counts.
    Newcomer,
    /// A member's suspicion of a member, and the member's refutation.
    Suspicion,
    /// A period: a member is pinged, and answers.
    Round,
    /// A timer that finds nothing to do.
    Idle,
    /// A member asks what differs, and nothing does.
    Digest,
}

impl Operation {
    /// All of them; those that leave something to gossip come last.
    pub(crate) const ALL: [Self; 12] = [
        Self::Ping,
        Self::PingAny,
        Self::Ack,
        Self::Known,
        Self::KnownAny,
        Self::Round,
        Self::Idle,
        Self::Digest,
        Self::Changed,
        Self::Gossiped,
        Self::Suspicion,
        Self::Newcomer,
    ];

    /// What it is called on the command line and in the table of instructions.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::PingAny => "ping-anybody",
            Self::Ack => "ack",
            Self::Known => "known",
            Self::KnownAny => "known-anybody",
            Self::Changed => "changed",
            Self::Gossiped => "told",
            Self::Newcomer => "newcomer",
            Self::Suspicion => "suspicion",
            Self::Round => "round",
            Self::Idle => "idle",
            Self::Digest => "digest",
        }
    }

    /// What it is called in a table.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Ping => "ping → ack",
            Self::PingAny => "ping → ack, of any member",
            Self::Ack => "ack received",
            Self::Known => "known update",
            Self::KnownAny => "known update, of any member",
            Self::Changed => "changed update",
            Self::Gossiped => "ack full of news",
            Self::Newcomer => "update of a newcomer",
            Self::Suspicion => "suspicion raised and refuted",
            Self::Round => "probe round",
            Self::Idle => "idle tick",
            Self::Digest => "digest compared",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }
}

/// Acks that are sure to be full before the news is old.
const REPEATS: usize = 4;
/// Members that ping, where not all do.
pub(crate) const PINGERS: u32 = 64;
/// Members that updates are about, where not all are.
const TALK: u32 = 1_000;
/// Datagrams that are made before they are handed in, one after the other.
const BATCH: u32 = 16;
/// The member that introduces all others to the measured one, which is number 0.
pub(crate) const SOURCE: u32 = 1;

/// A datagram and where it comes from.
type Letter = (SocketAddr, Vec<u8>);

/// A member of a cluster of some size, of some library.
pub(crate) trait Side: Sized {
    /// What the bench has done with it.
    fn played(&mut self) -> &mut Played;
    /// A ping by `sender`.
    fn ping(&self, sender: u32) -> Vec<u8>;
    /// A datagram of gossip that these members are Alive, each with its incarnation.
    fn gossip(&self, about: &[(u32, u32)]) -> Vec<u8>;
    /// A datagram of gossip that this member is suspected.
    fn suspicion(&self, member: u32, incarnation: u32) -> Vec<u8>;
    /// What it holds of this member.
    fn incarnation(&self, member: u32) -> u32;
    /// Hands in a datagram, and takes all that comes of it.
    fn feed(&mut self, source: SocketAddr, bytes: &[u8]);
    /// How many datagrams have come of everything.
    fn sent(&self) -> u64;
    /// One period: the member that is pinged answers at once. Returns how many pings there were.
    fn round(&mut self, meter: &mut impl Meter) -> u64;
    /// A batch of timers that find nothing to do.
    fn idle(&mut self, batch: u32, meter: &mut impl Meter);
    /// A member asks what differs. Returns how many answers there were.
    fn digest(&mut self, meter: &mut impl Meter) -> u64;

    /// Whether it knows this operation at all.
    fn can(_: Operation) -> bool {
        true
    }

    /// Does `operation` `times` times. Returns how many it counts for: updates, not datagrams.
    fn perform(&mut self, operation: Operation, times: u32, meter: &mut impl Meter) -> u64 {
        match operation {
            Operation::Ping => self.pings(PINGERS, times, meter),
            Operation::PingAny => self.pings(u32::MAX, times, meter),
            Operation::Ack => {
                (0..times).map(|_| self.round(&mut Only { which: 2, pieces: 0, meter: &mut *meter })).sum()
            }
            Operation::Known => self.known(TALK, times, meter),
            Operation::KnownAny => self.known(u32::MAX, times, meter),
            Operation::Changed => self.changed(times, meter),
            Operation::Gossiped => self.gossiped(times, meter),
            Operation::Newcomer => self.newcomers(times, meter),
            Operation::Suspicion => self.suspicions(times, meter),
            Operation::Round => (0..times).map(|_| self.round(meter)).sum(),
            Operation::Idle => {
                let batches = times.div_ceil(BATCH);
                (0..batches).for_each(|_| self.idle(BATCH, meter));
                u64::from(batches * BATCH)
            }
            Operation::Digest => (0..times).map(|_| self.digest(meter)).sum(),
        }
    }

    /// Nanoseconds of `operation`, done `times` times; looking at the clock takes `look` of them.
    fn timed(&mut self, operation: Operation, times: u32, look: f64) -> f64 {
        let mut wall = Wall::default();
        let count = self.perform(operation, times, &mut wall);
        wall.nanos(look) / count as f64
    }

    /// Hands in at least `times` datagrams. Returns how many.
    fn batches(&mut self, times: u32, meter: &mut impl Meter, letter: impl Fn(&mut Self) -> Letter) -> u64 {
        let batches = times.div_ceil(BATCH);
        for _ in 0..batches {
            let batch: Vec<Letter> = (0..BATCH).map(|_| letter(self)).collect();
            meter.measure(|| batch.iter().for_each(|(source, bytes)| self.feed(*source, bytes)));
        }
        u64::from(batches * BATCH)
    }

    fn pings(&mut self, some: u32, times: u32, meter: &mut impl Meter) -> u64 {
        let before = self.sent();
        self.batches(times, meter, |side| {
            let sender = side.played().any_member(some);
            (addr(sender), side.ping(sender))
        });
        self.sent() - before
    }

    fn known(&mut self, some: u32, times: u32, meter: &mut impl Meter) -> u64 {
        let datagrams = self.batches(times, meter, |side| {
            let about = [(); FULL].map(|()| (side.played().any_member(some), 0));
            (addr(SOURCE), side.gossip(&about))
        });
        datagrams * FULL as u64
    }

    /// The same members again and again, so that as much waits to be sent at the end as at the beginning.
    fn changed(&mut self, times: u32, meter: &mut impl Meter) -> u64 {
        let some: Vec<u32> = (2..self.played().members).take(FULL).collect();
        let datagrams = self.batches(times, meter, |side| {
            let incarnation = side.played().next_incarnation();
            let about: Vec<_> = some.iter().map(|member| (*member, incarnation)).collect();
            (addr(SOURCE), side.gossip(&about))
        });
        datagrams * some.len() as u64
    }

    fn gossiped(&mut self, times: u32, meter: &mut impl Meter) -> u64 {
        let (ping, before) = (self.ping(SOURCE), self.sent());
        for _ in 0..times.div_ceil(REPEATS as u32) {
            let (incarnation, members) = (self.played().next_incarnation(), self.played().members);
            self.change(2..members.min(2 + FULL as u32), incarnation);
            meter.measure(|| (0..REPEATS).for_each(|_| self.feed(addr(SOURCE), &ping)));
        }
        self.sent() - before
    }

    fn newcomers(&mut self, times: u32, meter: &mut impl Meter) -> u64 {
        let count = times * FULL as u32;
        let played = self.played();
        let first = played.members + played.newcomers;
        played.newcomers += count;
        let datagrams = self.changes_of(first..first + count, 0);
        meter.measure(|| datagrams.iter().for_each(|bytes| self.feed(addr(SOURCE), bytes)));
        u64::from(count)
    }

    fn suspicions(&mut self, times: u32, meter: &mut impl Meter) -> u64 {
        for _ in 0..times {
            let played = self.played();
            let member = 2 + played.dice.below((played.members - 2).min(64));
            let held = self.incarnation(member);
            let said = [self.suspicion(member, held), self.gossip(&[(member, held + 1)])];
            meter.measure(|| said.iter().for_each(|bytes| self.feed(addr(SOURCE), bytes)));
        }
        u64::from(times)
    }

    /// Gossip that these members are Alive with this incarnation, in full datagrams.
    fn changes_of(&self, numbers: Range<u32>, incarnation: u32) -> Vec<Vec<u8>> {
        let about: Vec<_> = numbers.map(|number| (number, incarnation)).collect();
        about.chunks(FULL).map(|some| self.gossip(some)).collect()
    }

    /// Hears of changes of these members.
    fn change(&mut self, numbers: Range<u32>, incarnation: u32) {
        let datagrams = self.changes_of(numbers, incarnation);
        datagrams.iter().for_each(|bytes| self.feed(addr(SOURCE), bytes));
    }
}

/// What the bench has done with a side, and draws its members from. They are drawn from the whole table, so that
/// a large table is as cold as it is in use.
#[derive(Debug)]
pub(crate) struct Played {
    /// Members of the table, the measured one included.
    pub(crate) members: u32,
    dice: Dice,
    /// The newest incarnation that members were given.
    incarnation: u32,
    /// Members that were made up on the way.
    newcomers: u32,
}

impl Played {
    pub(crate) const fn new(members: u32) -> Self {
        Self { members, dice: Dice(7), incarnation: 0, newcomers: 0 }
    }

    /// One of the first `some` members after the measured one.
    fn any_member(&mut self, some: u32) -> u32 {
        1 + self.dice.below((self.members - 1).min(some))
    }

    const fn next_incarnation(&mut self) -> u32 {
        self.incarnation += 1;
        self.incarnation
    }
}

/// Uniform enough to choose members by: a linear congruence.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `n`.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (((self.0 >> 32) * u64::from(n)) >> 32) as u32
    }
}
