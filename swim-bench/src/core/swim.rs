//! Our side: one real node among members that the bench plays.
//!
//! The node is number 0, and number 1 is the member that has introduced all others to it. Members that ping and
//! that updates are about are drawn from the whole table, so that a large table is as cold as it is in use.

use std::sync::Arc;
use std::time::Duration;

use swim_core::{Config, Epoch, Identity, Incarnation, Input, Instant, Node, Options, Output, Seed, Status};
use swim_craft::{self as craft, Datagram, EPOCH, u64_at};
use swim_trace::inspect;

use super::members::{addr, alive_record, id, mention, number_of, plain_ack, set_alive};
use super::meter::{Meter, Nothing, Only};
use super::operation::{Dice, FULL, Operation, PINGERS, REPEATS, Side, TALK};

/// The member that introduces all others to the node.
const SOURCE: u32 = 1;
/// Datagrams that are made before they are handed in, one after the other.
const BATCH: usize = 16;

/// A node that knows `members` members, itself included, and has nothing left to say.
pub(crate) struct Swim {
    pub(crate) node: Node,
    pub(crate) now: Instant,
    pub(crate) members: u32,
    root: u64,
    hashes: [u32; 16],
    dice: Dice,
    /// The newest incarnation that members were given.
    incarnation: u32,
    /// Members that were made up on the way.
    newcomers: u32,
}

/// What handing something in led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Came {
    pub(crate) datagrams: u32,
    pub(crate) bytes: u32,
    pub(crate) events: u32,
}

/// What everything is measured with: the LAN preset, as many members and pages as it takes.
pub(crate) fn options() -> Options {
    let mut options = Options::lan();
    options.members_max = 8_000_000;
    options.tombstones_max = 8_000_000;
    options.pages_per_second = u16::MAX;
    options
}

impl Swim {
    /// A node that has let in one member.
    pub(crate) fn new(options: Options) -> Self {
        let config = Arc::new(Config::new(options).expect("in range"));
        let me = Identity { id: id(0), addr: addr(0), epoch: Epoch(EPOCH) };
        let now = Instant::from_millis(1_000_000);
        let mut swim = Self {
            node: Node::new(config, me, Seed([7; 32]), now),
            now,
            members: 1,
            root: 0,
            hashes: [0; 16],
            dice: Dice(7),
            incarnation: 0,
            newcomers: 0,
        };
        swim.admit(SOURCE);
        swim.members = 2;
        swim
    }

    /// One that has learned of `members` members, and has gossiped nothing yet.
    pub(crate) fn gossiping_of(members: u32) -> Self {
        let mut swim = Self::new(options());
        for datagram in swim.gossip_of(2..members) {
            swim.feed(addr(SOURCE), &datagram);
        }
        swim.members = members;
        assert_eq!(swim.node.stats().alive, members, "all are known");
        swim
    }

    /// One that has learned of `members` members, has passed it on, and is at rest.
    pub(crate) fn at_rest(members: u32) -> Self {
        let mut swim = Self::gossiping_of(members);
        while swim.round(&mut Nothing) == 0 {}
        let ping = swim.ping(SOURCE);
        while swim.node.stats().updates_queued > 0 {
            swim.feed(addr(SOURCE), &ping);
        }
        swim.settle();
        swim
    }

    /// Gossip datagrams about all these members, each as full as a real node makes it.
    pub(crate) fn gossip_of(&self, numbers: std::ops::Range<u32>) -> Vec<Vec<u8>> {
        self.records_of(numbers, |number| alive_record(number, 0))
    }

    fn gossip(&self, about: &[u32], incarnation: u32) -> Vec<u8> {
        let records: Vec<_> = about.iter().map(|member| alive_record(*member, incarnation)).collect();
        self.craft(SOURCE, craft::GOSSIP).updates(&records).0
    }

    /// A ping of the node, by a member that holds the same table.
    pub(crate) fn ping(&self, sender: u32) -> Vec<u8> {
        let me = mention(0, self.node.incarnation().0);
        self.craft(sender, craft::PING).head(&craft::ping(me, craft::ALIVE, 77, self.root)).0
    }

    fn craft(&self, sender: u32, kind: u8) -> Datagram {
        Datagram::new(self.label(), mention(sender, 0), kind)
    }

    pub(crate) fn label(&self) -> u32 {
        self.node.config().label_hash()
    }

    /// Hands in a datagram and polls all that comes of it.
    #[inline]
    pub(crate) fn feed(&mut self, source: std::net::SocketAddr, bytes: &[u8]) -> Came {
        self.handle(Input::Datagram { source, bytes })
    }

    #[inline]
    fn handle(&mut self, input: Input<'_>) -> Came {
        self.now = Instant::from_nanos(self.now.as_nanos() + 1);
        self.node.handle(self.now, input);
        let mut came = Came::default();
        while let Some(output) = self.node.poll() {
            match output {
                Output::Transmit(transmit) => {
                    came.datagrams += 1;
                    came.bytes += std::hint::black_box(transmit.bytes).len() as u32;
                }
                Output::Event(event) => {
                    came.events += 1;
                    drop(std::hint::black_box(event));
                }
            }
        }
        came
    }

    /// The handshake of a newcomer.
    fn admit(&mut self, member: u32) {
        let Datagram(join) = self.craft(member, craft::JOIN).head(&craft::two(5, 0));
        let token = self.last_datagram(&join, member, |bytes| inspect(bytes).ok()?.token);
        let head = craft::two(token.expect("a challenge"), 9);
        let announce = self.craft(member, craft::ANNOUNCE).head(&head).updates(&[alive_record(member, 0)]);
        self.feed(addr(member), &announce.0);
        assert_eq!(self.status(member), Some(Status::Alive));
    }

    /// What can be read in the last datagram that comes of `bytes`.
    fn last_datagram<T>(&mut self, bytes: &[u8], from: u32, read: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        self.node.handle(self.now, Input::Datagram { source: addr(from), bytes });
        let mut found = None;
        while let Some(output) = self.node.poll() {
            if let Output::Transmit(transmit) = output {
                found = read(transmit.bytes);
            }
        }
        found
    }

    pub(crate) fn status(&self, member: u32) -> Option<Status> {
        self.node.member(id(member)).map(|member| member.status)
    }

    pub(crate) fn incarnation(&self, member: u32) -> Option<Incarnation> {
        self.node.member(id(member)).map(|member| member.incarnation)
    }

    /// Learns what the node's digest says: its root from a ping of its own, the hashes below it from the
    /// question that it asks when a member's root differs.
    fn settle(&mut self) {
        self.round(&mut Nothing);
        let mut other = self.ping(SOURCE);
        let end = other.len();
        other[end - 8..].copy_from_slice(&(!self.root).to_le_bytes());
        self.feed(addr(SOURCE), &other);
        self.now = self.now.max(self.node.deadline().expect("a page is to be asked for"));
        self.node.handle(self.now, Input::Tick);
        let mut asked = None;
        while let Some(output) = self.node.poll() {
            if let Output::Transmit(transmit) = output
                && craft::kind(transmit.bytes) == craft::SYNC_PULL
            {
                asked = Some(craft::part_of(transmit.bytes, craft::HEAD).to_vec());
            }
        }
        let head = asked.expect("a pull");
        self.hashes = std::array::from_fn(|slot| craft::u32_at(&head, 13 + 4 * slot));
        let page = self.craft(SOURCE, craft::SYNC_PAGE).head(&craft::sync_page(u64_at(&head, 0), 0, 0, 0));
        self.feed(addr(SOURCE), &page.0);
        self.round(&mut Nothing);
    }

    /// One period: the member that is pinged answers at once. Returns how many pings there were.
    fn round(&mut self, meter: &mut impl Meter) -> u64 {
        self.now = self.now.max(self.node.deadline().expect("a period is due"));
        let now = self.now;
        let node = &mut self.node;
        let ping = meter.measure(|| {
            node.handle(now, Input::Tick);
            let mut ping = None;
            while let Some(output) = node.poll() {
                if let Output::Transmit(transmit) = output
                    && craft::kind(transmit.bytes) == craft::PING
                {
                    ping =
                        Some((transmit.destination, u64_at(transmit.bytes, 56), u64_at(transmit.bytes, 64)));
                }
            }
            ping
        });
        let Some((target, number, root)) = ping else { return 0 };
        self.root = root;
        let ack = plain_ack(self.label(), number_of(target), number);
        meter.measure(|| self.feed(target, &ack));
        1
    }

    fn ack(&mut self, meter: &mut impl Meter) -> u64 {
        self.round(&mut Only { which: 2, pieces: 0, meter })
    }

    /// One of the first `some` members after the node itself.
    fn any_member(&mut self, some: u32) -> u32 {
        1 + self.dice.below((self.members - 1).min(some))
    }

    fn pings(&mut self, some: u32, times: u32, meter: &mut impl Meter) -> u64 {
        let ping = self.ping(SOURCE);
        let mut batch: Vec<_> = (0..BATCH).map(|_| (addr(SOURCE), ping.clone())).collect();
        let mut answered = 0;
        for _ in 0..times.div_ceil(BATCH as u32) {
            for (source, bytes) in &mut batch {
                let sender = self.any_member(some);
                *source = addr(sender);
                craft::set_sender(bytes, mention(sender, 0));
            }
            meter.measure(|| {
                for (source, bytes) in &batch {
                    answered += u64::from(self.feed(*source, bytes).datagrams);
                }
            });
        }
        answered
    }

    fn known(&mut self, some: u32, times: u32, meter: &mut impl Meter) -> u64 {
        let mut batch: Vec<_> = (0..BATCH).map(|_| self.gossip(&[SOURCE; FULL], 0)).collect();
        for _ in 0..times.div_ceil(BATCH as u32) {
            for bytes in &mut batch {
                for index in 0..FULL {
                    set_alive(bytes, index, self.any_member(some), 0);
                }
            }
            meter.measure(|| {
                for bytes in &batch {
                    self.feed(addr(SOURCE), bytes);
                }
            });
        }
        u64::from(times.div_ceil(BATCH as u32)) * (BATCH * FULL) as u64
    }

    /// The same members again and again, so that as much waits to be sent at the end as at the beginning.
    fn changed(&mut self, times: u32, meter: &mut impl Meter) -> u64 {
        let some: Vec<u32> = (2..self.members).take(FULL).collect();
        let mut batch = vec![self.gossip(&some, 0); BATCH];
        for _ in 0..times.div_ceil(BATCH as u32) {
            for bytes in &mut batch {
                self.incarnation += 1;
                for (index, member) in some.iter().enumerate() {
                    set_alive(bytes, index, *member, self.incarnation);
                }
            }
            meter.measure(|| {
                for bytes in &batch {
                    self.feed(addr(SOURCE), bytes);
                }
            });
        }
        u64::from(times.div_ceil(BATCH as u32)) * (BATCH * some.len()) as u64
    }

    fn gossiped(&mut self, times: u32, meter: &mut impl Meter) -> u64 {
        let ping = self.ping(SOURCE);
        let mut sent = 0;
        for _ in 0..times.div_ceil(REPEATS as u32) {
            self.incarnation += 1;
            self.change(2..self.members.min(2 + FULL as u32), self.incarnation);
            sent += meter.measure(|| {
                (0..REPEATS).map(|_| u64::from(self.feed(addr(SOURCE), &ping).datagrams)).sum::<u64>()
            });
        }
        sent
    }

    /// Hears of changes of these members.
    pub(crate) fn change(&mut self, numbers: std::ops::Range<u32>, incarnation: u32) {
        for datagram in self.changes_of(numbers, incarnation) {
            self.hear(&datagram);
        }
    }

    /// Gossip that these members have changed.
    pub(crate) fn changes_of(&self, numbers: std::ops::Range<u32>, incarnation: u32) -> Vec<Vec<u8>> {
        self.records_of(numbers, |number| alive_record(number, incarnation))
    }

    /// Gossip that these members are suspected.
    pub(crate) fn suspicions_of(&self, numbers: std::ops::Range<u32>, incarnation: u32) -> Vec<Vec<u8>> {
        self.records_of(numbers, |number| suspect_record(number, incarnation))
    }

    /// Gossip that these members have said goodbye.
    pub(crate) fn goodbyes_of(&self, numbers: std::ops::Range<u32>, incarnation: u32) -> Vec<Vec<u8>> {
        self.records_of(numbers, |number| craft::left(mention(number, incarnation), id(number).0))
    }

    fn records_of(&self, numbers: std::ops::Range<u32>, record: impl Fn(u32) -> Vec<u8>) -> Vec<Vec<u8>> {
        let numbers: Vec<u32> = numbers.collect();
        let datagram = |some: &[u32]| {
            let records: Vec<_> = some.iter().map(|number| record(*number)).collect();
            self.craft(SOURCE, craft::GOSSIP).updates(&records).0
        };
        numbers.chunks(FULL).map(datagram).collect()
    }

    /// Receives a datagram of that member.
    pub(crate) fn hear(&mut self, datagram: &[u8]) -> Came {
        self.feed(addr(SOURCE), datagram)
    }

    fn newcomers(&mut self, times: u32, meter: &mut impl Meter) -> u64 {
        let first = self.members + self.newcomers;
        let count = times * FULL as u32;
        let datagrams = self.gossip_of(first..first + count);
        self.newcomers += count;
        meter.measure(|| {
            for bytes in &datagrams {
                self.feed(addr(SOURCE), bytes);
            }
        });
        u64::from(count)
    }

    fn suspicions(&mut self, times: u32, meter: &mut impl Meter) -> u64 {
        for _ in 0..times {
            let member = 2 + self.dice.below((self.members - 2).min(64));
            let held = self.incarnation(member).expect("a member").0;
            let raised = self.craft(SOURCE, craft::GOSSIP).updates(&[suspect_record(member, held)]);
            let refuted = self.gossip(&[member], held + 1);
            meter.measure(|| {
                self.feed(addr(SOURCE), &raised.0);
                self.feed(addr(SOURCE), &refuted);
            });
        }
        u64::from(times)
    }

    fn idle(&mut self, times: u32, meter: &mut impl Meter) -> u64 {
        for _ in 0..times.div_ceil(BATCH as u32) {
            meter.measure(|| {
                for _ in 0..BATCH {
                    self.handle(Input::Tick);
                }
            });
        }
        u64::from(times.div_ceil(BATCH as u32)) * BATCH as u64
    }

    fn digests(&mut self, times: u32, meter: &mut impl Meter) -> u64 {
        let head = craft::sync_pull(7, 0, 0, self.hashes);
        let Datagram(pull) = self.craft(SOURCE, craft::SYNC_PULL).head(&head);
        let mut answered = 0;
        for _ in 0..times {
            // The budget of pages is one a moment, and it is never late for a period.
            self.now = self.now.after(Duration::from_micros(16));
            if self.node.deadline().is_some_and(|deadline| deadline <= self.now) {
                self.round(&mut Nothing);
            }
            answered += meter.measure(|| u64::from(self.feed(addr(SOURCE), &pull).datagrams));
        }
        answered
    }

    /// The node and what the bench knows of it.
    pub(crate) fn save(&self) -> Vec<u8> {
        let mut bytes = self.now.as_nanos().to_le_bytes().to_vec();
        bytes.extend(self.root.to_le_bytes());
        bytes.extend(self.hashes.iter().flat_map(|hash| hash.to_le_bytes()));
        bytes.extend(self.members.to_le_bytes());
        bytes.extend(self.node.save());
        bytes
    }

    /// What was saved, as it was.
    pub(crate) fn load(bytes: &[u8]) -> Result<Self, String> {
        let (head, node) = bytes.split_first_chunk::<84>().ok_or("too short")?;
        Ok(Self {
            node: Node::load(node).map_err(|error| error.to_string())?,
            now: Instant::from_nanos(u64_at(head, 0)),
            members: u32::from_le_bytes(head[80..].try_into().map_err(|_| "four bytes")?),
            root: u64_at(head, 8),
            hashes: std::array::from_fn(|index| u64_at(head, 16 + 4 * index) as u32),
            dice: Dice(7),
            incarnation: 0,
            newcomers: 0,
        })
    }
}

impl Side for Swim {
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
            Operation::Digest => self.digests(times, meter),
        }
    }

    fn can(_: Operation) -> bool {
        true
    }
}

/// The record that the presenter suspects member `number`.
fn suspect_record(number: u32, incarnation: u32) -> Vec<u8> {
    craft::suspect(mention(number, incarnation), &[id(SOURCE).0])
}
