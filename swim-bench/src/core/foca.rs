//! Their side: one foca among members that the bench plays.
//!
//! Its runtime only counts, which is the best that an application can do for it: nothing is copied, as
//! nothing is copied out of our node. What it keeps is the last datagram's target and number, because
//! a member has to answer its pings, and the timers, because it asks for them to be handed back.

use std::fmt::Debug;
use std::hint::black_box;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use foca::{
    Codec, Config, Foca, Header, Identity, Member, Message, Notification, PostcardCodec, Runtime, State,
    Timer,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::members;
use super::meter::{Meter, Only};
use super::operation::{Dice, FULL, Operation, PINGERS, REPEATS, Side, TALK};

/// The largest table that foca is given: loading it takes time by the square of it.
pub(super) const PEER_MAX: u32 = 100_000;

/// Datagrams that are made before they are handed in, one after the other.
const BATCH: usize = 16;

/// How members are called.
pub(crate) trait Name: Identity + Serialize + DeserializeOwned {
    /// What it is compared as.
    const WHAT: &'static str;

    fn of(number: u32) -> Self;
}

/// An address and a count of restarts, as in foca's examples.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, serde::Deserialize)]
pub(crate) struct Usual {
    addr: SocketAddr,
    bump: u16,
}

/// As little as will do where addresses are looked up elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, serde::Deserialize)]
pub(crate) struct Lean {
    number: u32,
    bump: u16,
}

impl Identity for Usual {
    type Addr = SocketAddr;

    fn renew(&self) -> Option<Self> {
        Some(Self { bump: self.bump.wrapping_add(1), ..*self })
    }

    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self.bump > adversary.bump
    }
}

impl Identity for Lean {
    type Addr = u32;

    fn renew(&self) -> Option<Self> {
        Some(Self { bump: self.bump.wrapping_add(1), ..*self })
    }

    fn addr(&self) -> u32 {
        self.number
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self.bump > adversary.bump
    }
}

impl Name for Usual {
    const WHAT: &'static str = "foca 2 (usual)";

    fn of(number: u32) -> Self {
        Self { addr: members::addr(number), bump: 0 }
    }
}

impl Name for Lean {
    const WHAT: &'static str = "foca 2 (lean)";

    fn of(number: u32) -> Self {
        Self { number, bump: 0 }
    }
}

/// What came of handing something in.
#[derive(Debug)]
pub(crate) struct Outlet<T> {
    pub(crate) datagrams: u64,
    pub(crate) bytes: u64,
    pub(crate) notifications: u64,
    target: Option<T>,
    timers: Vec<Timer<T>>,
}

impl<T> Outlet<T> {
    pub(crate) fn new() -> Self {
        Self { datagrams: 0, bytes: 0, notifications: 0, target: None, timers: Vec::new() }
    }
}

impl<T: Identity> Runtime<T> for Outlet<T> {
    fn notify(&mut self, notification: Notification<'_, T>) {
        black_box(&notification);
        self.notifications += 1;
    }

    fn send_to(&mut self, target: T, data: &[u8]) {
        self.datagrams += 1;
        self.bytes += black_box(data).len() as u64;
        self.target = Some(target);
    }

    fn submit_after(&mut self, event: Timer<T>, _: Duration) {
        self.timers.push(event);
    }
}

/// A foca that knows `members` members, itself included, and has nothing left to say.
pub(crate) struct Peer<T: Name> {
    pub(crate) foca: Foca<T, PostcardCodec, StdRng, foca::NoCustomBroadcast>,
    pub(crate) outlet: Outlet<T>,
    members: u32,
    dice: Dice,
    incarnation: u16,
    newcomers: u32,
    probes: u8,
}

impl<T: Name> Peer<T> {
    /// One that has learned of `members` members, and need not pass it on.
    pub(crate) fn at_rest(members: u32) -> Self {
        let config = Config::new_lan(NonZeroU32::new(members).unwrap_or(NonZeroU32::MIN));
        let mut foca = Foca::new(T::of(0), config, StdRng::seed_from_u64(7), PostcardCodec);
        let mut outlet = Outlet::new();
        let others = (1..members).map(|number| Member::alive(T::of(number)));
        foca.apply_many(others, false, &mut outlet).expect("members are not the node itself");
        assert_eq!(foca.num_members(), members as usize - 1, "all are known");
        Self { foca, outlet, members, dice: Dice(7), incarnation: 0, newcomers: 0, probes: 0 }
    }

    /// A datagram of member `sender`, in its first incarnation.
    pub(crate) fn datagram(&self, sender: u32, message: Message<T>, updates: &[Member<T>]) -> Vec<u8> {
        let header =
            Header { src: T::of(sender), src_incarnation: 0, dst: self.foca.identity().clone(), message };
        encode(&header, updates)
    }

    #[inline]
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        let done = self.foca.handle_data(bytes, &mut self.outlet);
        debug_assert!(done.is_ok(), "{done:?}");
        black_box(done.is_ok());
    }

    fn any_member(&mut self, some: u32) -> u32 {
        1 + self.dice.below((self.members - 1).min(some))
    }

    pub(crate) fn state(&self, member: u32) -> Option<(State, u16)> {
        let found = self.foca.iter_membership_state().find(|held| *held.id() == T::of(member))?;
        Some((found.state(), found.incarnation()))
    }

    fn pings(&mut self, some: u32, times: u32, meter: &mut impl Meter) -> u64 {
        let before = self.outlet.datagrams;
        for _ in 0..times.div_ceil(BATCH as u32) {
            let batch: Vec<_> = (0..BATCH)
                .map(|_| {
                    let sender = self.any_member(some);
                    self.datagram(sender, Message::Ping(77), &[])
                })
                .collect();
            meter.measure(|| {
                for bytes in &batch {
                    self.feed(bytes);
                }
            });
        }
        self.outlet.datagrams - before
    }

    fn gossip(&self, about: impl Iterator<Item = (u32, u16)>) -> Vec<u8> {
        let updates: Vec<_> = about
            .map(|(number, incarnation)| Member::new(T::of(number), incarnation, State::Alive))
            .collect();
        self.datagram(1, Message::Gossip, &updates)
    }

    fn known(&mut self, some: u32, times: u32, meter: &mut impl Meter) -> u64 {
        for _ in 0..times.div_ceil(BATCH as u32) {
            let batch: Vec<_> = (0..BATCH)
                .map(|_| {
                    let about: Vec<_> = (0..FULL).map(|_| (self.any_member(some), 0)).collect();
                    self.gossip(about.into_iter())
                })
                .collect();
            meter.measure(|| {
                for bytes in &batch {
                    self.feed(bytes);
                }
            });
        }
        u64::from(times.div_ceil(BATCH as u32)) * (BATCH * FULL) as u64
    }

    fn changed(&mut self, times: u32, meter: &mut impl Meter) -> u64 {
        let some: Vec<u32> = (2..self.members).take(FULL).collect();
        for _ in 0..times.div_ceil(BATCH as u32) {
            let batch: Vec<_> = (0..BATCH)
                .map(|_| {
                    self.incarnation += 1;
                    let incarnation = self.incarnation;
                    self.gossip(some.iter().map(|member| (*member, incarnation)))
                })
                .collect();
            meter.measure(|| {
                for bytes in &batch {
                    self.feed(bytes);
                }
            });
        }
        u64::from(times.div_ceil(BATCH as u32)) * (BATCH * some.len()) as u64
    }

    fn gossiped(&mut self, times: u32, meter: &mut impl Meter) -> u64 {
        let ping = self.datagram(1, Message::Ping(77), &[]);
        let before = self.outlet.datagrams;
        for _ in 0..times.div_ceil(REPEATS as u32) {
            self.incarnation += 1;
            self.change(2..self.members.min(2 + FULL as u32), self.incarnation);
            meter.measure(|| {
                for _ in 0..REPEATS {
                    self.feed(&ping);
                }
            });
        }
        self.outlet.datagrams - before
    }

    /// Hears of changes of these members.
    pub(crate) fn change(&mut self, numbers: std::ops::Range<u32>, incarnation: u16) {
        let numbers: Vec<u32> = numbers.collect();
        for some in numbers.chunks(FULL) {
            let datagram = self.gossip(some.iter().map(|number| (*number, incarnation)));
            self.feed(&datagram);
        }
    }

    fn newcomers(&mut self, times: u32, meter: &mut impl Meter) -> u64 {
        let first = self.members + self.newcomers;
        let count = times * FULL as u32;
        let numbers: Vec<u32> = (first..first + count).collect();
        let datagrams: Vec<_> =
            numbers.chunks(FULL).map(|some| self.gossip(some.iter().map(|number| (*number, 0)))).collect();
        self.newcomers += count;
        meter.measure(|| {
            for bytes in &datagrams {
                self.feed(bytes);
            }
        });
        u64::from(count)
    }

    fn suspicions(&mut self, times: u32, meter: &mut impl Meter) -> u64 {
        for _ in 0..times {
            let member = 2 + self.dice.below((self.members - 2).min(64));
            let (_, held) = self.state(member).expect("a member");
            let suspect = Member::new(T::of(member), held, State::Suspect);
            let raised = self.datagram(1, Message::Gossip, &[suspect]);
            let refuted = self.gossip(std::iter::once((member, held + 1)));
            meter.measure(|| {
                self.feed(&raised);
                self.feed(&refuted);
            });
        }
        u64::from(times)
    }

    /// One period: the member that is pinged answers at once; then the timer of the indirect probe, which has to be
    /// handed back.
    fn round(&mut self, meter: &mut impl Meter) -> u64 {
        let at = self.outlet.timers.iter().position(|timer| matches!(timer, Timer::ProbeRandomMember(_)));
        let timer = self.outlet.timers.swap_remove(at.expect("a period is due"));
        self.probes = self.probes.wrapping_add(1);
        meter.measure(|| self.foca.handle_timer(timer, &mut self.outlet)).expect("a period");
        let target = self.outlet.target.take().expect("a ping");
        let dst = self.foca.identity().clone();
        let header = Header { src: target, src_incarnation: 0, dst, message: Message::Ack(self.probes) };
        let ack = encode(&header, &[]);
        meter.measure(|| self.feed(&ack));
        let at = self.outlet.timers.iter().position(|timer| matches!(timer, Timer::SendIndirectProbe { .. }));
        let timer = self.outlet.timers.swap_remove(at.expect("it asks to be called"));
        let sent = self.outlet.datagrams;
        meter.measure(|| self.foca.handle_timer(timer, &mut self.outlet)).expect("a timer");
        assert_eq!(self.outlet.datagrams, sent, "the probe was answered: no other member is asked");
        1
    }

    fn ack(&mut self, meter: &mut impl Meter) -> u64 {
        self.round(&mut Only { which: 2, pieces: 0, meter })
    }

    /// Its timer that finds nothing to do is that of gossip, with nothing to gossip.
    fn idle(&mut self, times: u32, meter: &mut impl Meter) -> u64 {
        for _ in 0..times.div_ceil(BATCH as u32) {
            let is_gossip = |timer: &Timer<T>| matches!(timer, Timer::PeriodicGossip(_));
            let at = self.outlet.timers.iter().position(is_gossip).expect("it gossips");
            meter.measure(|| {
                for _ in 0..BATCH {
                    let timer = self.outlet.timers.swap_remove(at);
                    black_box(self.foca.handle_timer(timer, &mut self.outlet).is_ok());
                    let last = self.outlet.timers.len() - 1;
                    self.outlet.timers.swap(at, last);
                }
            });
        }
        u64::from(times.div_ceil(BATCH as u32)) * BATCH as u64
    }
}

impl<T: Name> Side for Peer<T> {
    fn perform(&mut self, operation: Operation, times: u32, meter: &mut impl Meter) -> u64 {
        match operation {
            Operation::Ping => self.pings(PINGERS, times, meter),
            Operation::PingAny => self.pings(u32::MAX, times, meter),
            Operation::Ack => (0..times).map(|_| self.ack(meter)).sum(),
            Operation::Known => self.known(TALK, times, meter),
            Operation::KnownAny => self.known(u32::MAX, times, meter),
            Operation::Changed => self.changed(times, meter),
            Operation::Gossiped => self.gossiped(times, meter),
            Operation::Newcomer => self.newcomers(times, meter),
            Operation::Suspicion => self.suspicions(times, meter),
            Operation::Round => (0..times).map(|_| self.round(meter)).sum(),
            Operation::Idle => self.idle(times, meter),
            Operation::Digest => 0,
        }
    }

    fn can(operation: Operation) -> bool {
        operation != Operation::Digest
    }
}

/// A datagram as foca's codec writes it.
pub(crate) fn encode<T: Name>(header: &Header<T>, updates: &[Member<T>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    PostcardCodec.encode_header(header, &mut bytes).expect("memory takes it");
    if !updates.is_empty() {
        bytes.extend(u16::try_from(updates.len()).expect("few").to_be_bytes());
        for member in updates {
            PostcardCodec.encode_member(member, &mut bytes).expect("memory takes it");
        }
    }
    bytes
}
