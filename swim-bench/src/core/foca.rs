//! Their side: one foca among members that the bench plays.
//!
//! Its runtime only counts, which is the best that an application can do for it: nothing is copied, as
//! nothing is copied out of our node. What it keeps is the last datagram's target and number, because
//! a member has to answer its pings, and the timers, because it asks for them to be handed back.

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

use super::members::addr;
use super::meter::Meter;
use super::operation::{Operation, Played, SOURCE, Side};
use crate::foca_name::{Address, Name};

/// The largest table that foca is given: loading it takes time by the square of it.
pub(super) const PEER_MAX: u32 = 100_000;

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
pub(crate) struct Peer<A: Address> {
    pub(crate) foca: Foca<Name<A>, PostcardCodec, StdRng, foca::NoCustomBroadcast>,
    pub(crate) outlet: Outlet<Name<A>>,
    played: Played,
    probes: u8,
}

impl<A: Address> Peer<A> {
    /// One that has learned of `members` members, and need not pass it on.
    pub(crate) fn at_rest(members: u32) -> Self {
        let config = Config::new_lan(NonZeroU32::new(members).unwrap_or(NonZeroU32::MIN));
        let mut foca = Foca::new(Name::of(0), config, StdRng::seed_from_u64(7), PostcardCodec);
        let mut outlet = Outlet::new();
        let others = (1..members).map(|number| Member::alive(Name::of(number)));
        foca.apply_many(others, false, &mut outlet).expect("members are not the node itself");
        assert_eq!(foca.num_members(), members as usize - 1, "all are known");
        Self { foca, outlet, played: Played::new(members), probes: 0 }
    }

    /// A datagram of member `sender`, in its first incarnation.
    pub(crate) fn datagram(
        &self,
        sender: u32,
        message: Message<Name<A>>,
        updates: &[Member<Name<A>>],
    ) -> Vec<u8> {
        let dst = *self.foca.identity();
        encode(&Header { src: Name::of(sender), src_incarnation: 0, dst, message }, updates)
    }

    pub(crate) fn state(&self, member: u32) -> Option<(State, u16)> {
        let found = self.foca.iter_membership_state().find(|held| *held.id() == Name::of(member))?;
        Some((found.state(), found.incarnation()))
    }

    /// Takes the first timer that is `wanted`; it is handed back when the member asks for that.
    fn timer(&mut self, wanted: impl Fn(&Timer<Name<A>>) -> bool) -> Timer<Name<A>> {
        let at = self.outlet.timers.iter().position(wanted).expect("it has asked for that");
        self.outlet.timers.swap_remove(at)
    }
}

impl<A: Address> Side for Peer<A> {
    fn played(&mut self) -> &mut Played {
        &mut self.played
    }

    fn ping(&self, sender: u32) -> Vec<u8> {
        self.datagram(sender, Message::Ping(77), &[])
    }

    fn gossip(&self, about: &[(u32, u32)]) -> Vec<u8> {
        let updates = about
            .iter()
            .map(|(number, incarnation)| Member::new(Name::of(*number), *incarnation as u16, State::Alive));
        self.datagram(SOURCE, Message::Gossip, &updates.collect::<Vec<_>>())
    }

    fn suspicion(&self, member: u32, incarnation: u32) -> Vec<u8> {
        let suspect = Member::new(Name::of(member), incarnation as u16, State::Suspect);
        self.datagram(SOURCE, Message::Gossip, &[suspect])
    }

    fn incarnation(&self, member: u32) -> u32 {
        self.state(member).expect("a member").1.into()
    }

    #[inline]
    fn feed(&mut self, _: SocketAddr, bytes: &[u8]) {
        let done = self.foca.handle_data(bytes, &mut self.outlet);
        debug_assert!(done.is_ok(), "{done:?}");
        black_box(done.is_ok());
    }

    fn sent(&self) -> u64 {
        self.outlet.datagrams
    }

    /// After the answer comes the timer of the indirect probe, which has to be handed back.
    fn round(&mut self, meter: &mut impl Meter) -> u64 {
        let period = self.timer(|timer| matches!(timer, Timer::ProbeRandomMember(_)));
        self.probes = self.probes.wrapping_add(1);
        meter.measure(|| self.foca.handle_timer(period, &mut self.outlet)).expect("a period");
        let target = self.outlet.target.take().expect("a ping");
        let dst = *self.foca.identity();
        let header = Header { src: target, src_incarnation: 0, dst, message: Message::Ack(self.probes) };
        let ack = encode(&header, &[]);
        meter.measure(|| self.feed(addr(SOURCE), &ack));
        let indirect = self.timer(|timer| matches!(timer, Timer::SendIndirectProbe { .. }));
        let sent = self.outlet.datagrams;
        meter.measure(|| self.foca.handle_timer(indirect, &mut self.outlet)).expect("a timer");
        assert_eq!(self.outlet.datagrams, sent, "the probe was answered: no other member is asked");
        1
    }

    /// Its timer that finds nothing to do is that of gossip, with nothing to gossip.
    fn idle(&mut self, batch: u32, meter: &mut impl Meter) {
        let is_gossip = |timer: &Timer<_>| matches!(timer, Timer::PeriodicGossip(_));
        let at = self.outlet.timers.iter().position(is_gossip).expect("it gossips");
        meter.measure(|| {
            for _ in 0..batch {
                let timer = self.outlet.timers.swap_remove(at);
                black_box(self.foca.handle_timer(timer, &mut self.outlet).is_ok());
                let last = self.outlet.timers.len() - 1;
                self.outlet.timers.swap(at, last);
            }
        });
    }

    fn digest(&mut self, _: &mut impl Meter) -> u64 {
        0
    }

    fn can(operation: Operation) -> bool {
        operation != Operation::Digest
    }
}

/// A datagram as foca's codec writes it.
pub(crate) fn encode<A: Address>(header: &Header<Name<A>>, updates: &[Member<Name<A>>]) -> Vec<u8> {
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
