//! Our side: one real node among members that the bench plays.
//!
//! The node is number 0, and number 1 is the member that has introduced all others to it.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use swim_core::{Config, Epoch, Identity, Input, Instant, Node, Options, Output, Seed, Status};
use swim_craft::{self as craft, Datagram, EPOCH, HEADER_LEN, u16_at, u64_at};
use swim_trace::inspect;

use super::members::{addr, alive_record, id, mention, ping_number, plain_ack};
use super::meter::{Meter, Nothing};
use super::operation::{FULL, Played, SOURCE, Side};
use crate::foca_name::Address as _;

/// Where a ping says the root of its sender's digest.
const ROOT_AT: usize = HEADER_LEN + 16;

/// A node that knows `members` members, itself included, and has nothing left to say.
pub(crate) struct Swim {
    pub(crate) node: Node,
    pub(crate) now: Instant,
    pub(crate) played: Played,
    sent: u64,
    root: u64,
    /// What the node holds in each sixteenth, as a pull with the number sends it.
    hashes: (u64, [u16; 16]),
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
            played: Played::new(2),
            sent: 0,
            root: 0,
            hashes: (0, [0; 16]),
        };
        swim.admit(SOURCE);
        swim
    }

    /// One that has learned of `members` members, and has gossiped nothing yet.
    pub(crate) fn gossiping_of(members: u32) -> Self {
        let mut swim = Self::new(options());
        swim.change(2..members, 0);
        swim.played = Played::new(members);
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

    fn craft(&self, sender: u32, kind: u8) -> Datagram {
        Datagram::new(self.label(), mention(sender, 0), kind)
    }

    pub(crate) fn label(&self) -> u32 {
        self.node.config().label_hash()
    }

    #[inline]
    fn handle(&mut self, input: Input<'_>) {
        self.now = Instant::from_nanos(self.now.as_nanos() + 1);
        self.node.handle(self.now, input);
        while let Some(output) = self.node.poll() {
            match output {
                Output::Transmit(transmit) => {
                    self.sent += 1;
                    std::hint::black_box(transmit.bytes);
                }
                Output::Event(event) => drop(std::hint::black_box(event)),
            }
        }
    }

    /// Hands something in; the datagrams that come of it.
    pub(crate) fn answers(&mut self, input: Input<'_>) -> Vec<Vec<u8>> {
        self.node.handle(self.now, input);
        let mut sent = Vec::new();
        while let Some(output) = self.node.poll() {
            if let Output::Transmit(transmit) = output {
                sent.push(transmit.bytes.to_vec());
            }
        }
        sent
    }

    /// The handshake of a newcomer.
    fn admit(&mut self, member: u32) {
        let Datagram(join) = self.craft(member, craft::JOIN).head(&craft::two(5, 0));
        let answers = self.answers(Input::Datagram { source: addr(member), bytes: &join });
        let token = answers.iter().find_map(|bytes| inspect(bytes).ok()?.token);
        let head = craft::two(token.expect("a challenge"), 9);
        let announce = self.craft(member, craft::ANNOUNCE).head(&head).updates(&[alive_record(member, 0)]);
        self.feed(addr(member), &announce.0);
        assert_eq!(self.status(member), Some(Status::Alive));
    }

    pub(crate) fn status(&self, member: u32) -> Option<Status> {
        self.node.member(id(member)).map(|member| member.status)
    }

    /// Learns what the node's digest says: its root from a ping of its own, the hashes below it from the
    /// question that it asks when a member's root differs.
    fn settle(&mut self) {
        self.round(&mut Nothing);
        let mut other = self.ping(SOURCE);
        other[ROOT_AT..ROOT_AT + 8].copy_from_slice(&(!self.root).to_le_bytes());
        self.feed(addr(SOURCE), &other);
        self.now = self.now.max(self.node.deadline().expect("a page is to be asked for"));
        let pull = self.answers(Input::Tick).into_iter().find(|bytes| craft::kind(bytes) == craft::SYNC_PULL);
        let head = craft::head_of(&pull.expect("a pull")).to_vec();
        let number = u64_at(&head, 0);
        self.hashes = (number, std::array::from_fn(|slot| u16_at(&head, 13 + 2 * slot)));
        let page = self.craft(SOURCE, craft::SYNC_PAGE).head(&craft::sync_page(number, 0, 0, 0));
        self.feed(addr(SOURCE), &page.0);
        self.round(&mut Nothing);
    }

    /// Gossip that these members are suspected.
    pub(crate) fn suspicions_of(&self, numbers: Range<u32>, incarnation: u32) -> Vec<Vec<u8>> {
        self.records_of(numbers, |number| suspect_record(number, incarnation))
    }

    /// Gossip that these members have said goodbye.
    pub(crate) fn goodbyes_of(&self, numbers: Range<u32>, incarnation: u32) -> Vec<Vec<u8>> {
        self.records_of(numbers, |number| craft::left(mention(number, incarnation), id(number).0))
    }

    fn records_of(&self, numbers: Range<u32>, record: impl Fn(u32) -> Vec<u8>) -> Vec<Vec<u8>> {
        let records: Vec<_> = numbers.map(record).collect();
        records.chunks(FULL).map(|some| self.craft(SOURCE, craft::GOSSIP).updates(some).0).collect()
    }

    /// The node and what the bench knows of it.
    pub(crate) fn save(&self) -> Vec<u8> {
        let mut bytes = self.now.as_nanos().to_le_bytes().to_vec();
        bytes.extend(self.root.to_le_bytes());
        bytes.extend(self.hashes.0.to_le_bytes());
        bytes.extend(self.hashes.1.iter().flat_map(|hash| hash.to_le_bytes()));
        bytes.extend(self.played.members.to_le_bytes());
        bytes.extend(self.node.save());
        bytes
    }

    /// What was saved, as it was.
    pub(crate) fn load(bytes: &[u8]) -> Result<Self, String> {
        let (head, node) = bytes.split_first_chunk::<60>().ok_or("too short")?;
        let members = u32::from_le_bytes(head[56..].try_into().map_err(|_| "four bytes")?);
        Ok(Self {
            node: Node::load(node).map_err(|error| error.to_string())?,
            now: Instant::from_nanos(u64_at(head, 0)),
            played: Played::new(members),
            sent: 0,
            root: u64_at(head, 8),
            hashes: (u64_at(head, 16), std::array::from_fn(|index| u16_at(head, 24 + 2 * index))),
        })
    }
}

impl Side for Swim {
    fn played(&mut self) -> &mut Played {
        &mut self.played
    }

    /// By a member that holds the same table.
    fn ping(&self, sender: u32) -> Vec<u8> {
        let me = mention(0, self.node.incarnation().0);
        self.craft(sender, craft::PING).head(&craft::ping(me, None, 77, self.root)).0
    }

    fn gossip(&self, about: &[(u32, u32)]) -> Vec<u8> {
        let records: Vec<_> =
            about.iter().map(|(number, incarnation)| alive_record(*number, *incarnation)).collect();
        self.craft(SOURCE, craft::GOSSIP).updates(&records).0
    }

    fn suspicion(&self, member: u32, incarnation: u32) -> Vec<u8> {
        self.craft(SOURCE, craft::GOSSIP).updates(&[suspect_record(member, incarnation)]).0
    }

    fn incarnation(&self, member: u32) -> u32 {
        self.node.member(id(member)).expect("a member").incarnation.0
    }

    #[inline]
    fn feed(&mut self, source: SocketAddr, bytes: &[u8]) {
        self.handle(Input::Datagram { source, bytes });
    }

    fn sent(&self) -> u64 {
        self.sent
    }

    fn round(&mut self, meter: &mut impl Meter) -> u64 {
        self.now = self.now.max(self.node.deadline().expect("a period is due"));
        let now = self.now;
        let node = &mut self.node;
        let ping = meter.measure(|| {
            node.handle(now, Input::Tick);
            let mut ping = None;
            while let Some(output) = node.poll() {
                if let Output::Transmit(transmit) = output
                    && let Some(number) = ping_number(transmit.bytes)
                {
                    ping = Some((transmit.destination, number, u64_at(transmit.bytes, ROOT_AT)));
                }
            }
            ping
        });
        let Some((target, number, root)) = ping else { return 0 };
        self.root = root;
        let ack = plain_ack(self.label(), target.number(), number);
        meter.measure(|| self.feed(target, &ack));
        1
    }

    fn idle(&mut self, batch: u32, meter: &mut impl Meter) {
        meter.measure(|| (0..batch).for_each(|_| self.handle(Input::Tick)));
    }

    fn digest(&mut self, meter: &mut impl Meter) -> u64 {
        let head = craft::sync_pull(self.hashes.0, 0, 0, self.hashes.1);
        let Datagram(pull) = self.craft(SOURCE, craft::SYNC_PULL).head(&head);
        // The budget of pages is one a moment, and it is never late for a period.
        self.now = self.now.after(Duration::from_micros(16));
        if self.node.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.round(&mut Nothing);
        }
        let before = self.sent;
        meter.measure(|| self.feed(addr(SOURCE), &pull));
        self.sent - before
    }
}

/// The record that the source suspects member `number`.
fn suspect_record(number: u32, incarnation: u32) -> Vec<u8> {
    craft::suspect(mention(number, incarnation), &[id(SOURCE).0])
}
