//! Whatever comes in, in whatever order, at whatever time: no panic, and what must always hold holds.
//!
//! One node of a small real cluster is treated badly: random bytes, mutated captures of what the others
//! really said, well-formed nonsense, all commands, a clock that jumps, a driver that polls late or never.
//! After every call the invariants are checked (`Watch`). Proptest prints the steps that failed, shrunk,
//! and keeps their seed.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;

use crate::craft::{self, Datagram, EPOCH, Mention};
use crate::lab::addr;
use crate::mesh::{Mesh, Packet};
use swim_core::{
    Command, DropReason, Epoch, Event, Incarnation, Input, Instant, KnownPeer, Member, Metadata, Node,
    NodeId, Options, Output, Payload, Status, is_reachable_form,
};

/// What a driver may find after one call, and not more.
const OUTBOX_DATAGRAMS: usize = 32;
const OUTBOX_EVENTS: usize = 1024;
const SEND_BUDGET: usize = 16;
const SEAL_ROOM: usize = 37;
/// The shortest ping-req: its answer is shorter.
const PING_REQ_LEN: usize = craft::HEADER_LEN + 20;
/// Ticks without a step of the clock after which everything that was due is done: 256 pings for others, 80
/// handshake attempts and some hundred suspicions, 16 or 64 at a time.
const TICKS_MAX: usize = 64;

#[derive(Clone, Debug)]
enum Step {
    /// The cluster runs on for so many milliseconds.
    Run(u16),
    Tick,
    /// The clock of the node under test.
    Clock(Clock),
    Bytes(Source, Vec<u8>),
    /// A capture, mutated.
    Capture(Source, prop::sample::Index, Vec<Mutation>),
    /// Well-formed nonsense.
    Crafted(Source, Box<Nonsense>),
    Undelivered(Source),
    Command(OwnedCommand),
    Poll(u8),
}

#[derive(Clone, Debug)]
enum Clock {
    Zero,
    Max,
    Back(u64),
    Ahead(u64),
}

#[derive(Clone, Copy, Debug)]
enum Source {
    AsCaptured,
    Member(u64),
    Other(u8),
    Wildcard,
    NoPort,
}

#[derive(Clone, Debug)]
enum Mutation {
    Flip(prop::sample::Index, u8),
    Number(prop::sample::Index, u64),
    Cut(prop::sample::Index),
    Append(Vec<u8>),
    Header(Mention),
}

#[derive(Clone, Debug)]
struct Nonsense {
    sender: Mention,
    kind: u8,
    about: Mention,
    status: u8,
    numbers: [u64; 3],
    updates: Vec<(u8, Mention, u64, u8)>,
    broadcasts: Vec<(Mention, u32, u16)>,
}

#[derive(Clone, Debug)]
enum OwnedCommand {
    Join(Vec<Source>),
    SetSeeds(Vec<Source>),
    CancelJoin,
    Leave,
    SetMetadata(u16),
    SetAddress(Source),
    Broadcast(u16),
    Send(u64, u16),
    Remove(u64),
    Restore(Vec<(u64, Source, u64)>),
}

fn a_stamp() -> impl Strategy<Value = Mention> {
    let epoch = prop_oneof![
        6 => (0..6_u64).prop_map(|n| EPOCH + n),
        1 => Just(0),
        1 => Just((1 << 48) - 1),
        1 => Just(EPOCH + 23 * 3_600_000),
        1 => any::<u64>(),
    ];
    let incarnation = prop_oneof![8 => 0..4_u32, 1 => Just(u32::MAX), 1 => any::<u32>()];
    (0..9_u64, epoch, incarnation).prop_map(|(id, epoch, incarnation)| Mention { id, epoch, incarnation })
}

fn a_source() -> impl Strategy<Value = Source> {
    prop_oneof![
        4 => Just(Source::AsCaptured),
        4 => (1..9_u64).prop_map(Source::Member),
        2 => any::<u8>().prop_map(Source::Other),
        1 => Just(Source::Wildcard),
        1 => Just(Source::NoPort),
    ]
}

fn a_mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<prop::sample::Index>;
    let number = prop_oneof![Just(0), Just(u64::MAX), any::<u64>(), 0..9_u64];
    prop_oneof![
        (index(), any::<u8>()).prop_map(|(at, byte)| Mutation::Flip(at, byte)),
        (index(), number).prop_map(|(at, number)| Mutation::Number(at, number)),
        index().prop_map(Mutation::Cut),
        proptest::collection::vec(any::<u8>(), 1..40).prop_map(Mutation::Append),
        a_stamp().prop_map(Mutation::Header),
    ]
}

prop_compose! {
    fn nonsense()(
        sender in a_stamp(),
        kind in prop_oneof![4 => 1..14_u8, 1 => any::<u8>()],
        about in a_stamp(),
        status in prop_oneof![8 => 0..4_u8, 1 => any::<u8>()],
        numbers in (0..9_u64, any::<u64>(), any::<u64>()),
        updates in proptest::collection::vec((0..5_u8, a_stamp(), 0..9_u64, any::<u8>()), 0..12),
        broadcasts in proptest::collection::vec((a_stamp(), 0..200_u32, 0..1024_u16), 0..3),
    ) -> Nonsense {
        Nonsense { sender, kind, about, status, numbers: numbers.into(), updates, broadcasts }
    }
}

fn a_command() -> impl Strategy<Value = OwnedCommand> {
    let ids = || 0..9_u64;
    prop_oneof![
        4 => proptest::collection::vec(a_source(), 0..70).prop_map(OwnedCommand::Join),
        2 => proptest::collection::vec(a_source(), 0..70).prop_map(OwnedCommand::SetSeeds),
        4 => Just(OwnedCommand::CancelJoin),
        1 => Just(OwnedCommand::Leave),
        4 => (0..513_u16).prop_map(OwnedCommand::SetMetadata),
        4 => a_source().prop_map(OwnedCommand::SetAddress),
        4 => (0..1025_u16).prop_map(OwnedCommand::Broadcast),
        4 => (ids(), 0..1025_u16).prop_map(|(id, len)| OwnedCommand::Send(id, len)),
        4 => ids().prop_map(OwnedCommand::Remove),
        4 => proptest::collection::vec((ids(), a_source(), any::<u64>()), 0..20).prop_map(OwnedCommand::Restore),
    ]
}

fn a_step() -> impl Strategy<Value = Step> {
    let clock = prop_oneof![
        1 => Just(Clock::Zero),
        1 => Just(Clock::Max),
        4 => (0..100_000_000_000_u64).prop_map(Clock::Back),
        8 => (0..100_000_000_000_u64).prop_map(Clock::Ahead),
        1 => (0..u64::MAX).prop_map(Clock::Ahead),
    ];
    prop_oneof![
        4 => (0..3_000_u16).prop_map(Step::Run),
        4 => Just(Step::Tick),
        1 => clock.prop_map(Step::Clock),
        2 => (a_source(), proptest::collection::vec(any::<u8>(), 0..300)).prop_map(|(s, b)| Step::Bytes(s, b)),
        8 => (a_source(), any::<prop::sample::Index>(), proptest::collection::vec(a_mutation(), 0..4))
            .prop_map(|(s, i, m)| Step::Capture(s, i, m)),
        12 => (a_source(), nonsense()).prop_map(|(s, n)| Step::Crafted(s, Box::new(n))),
        1 => a_source().prop_map(Step::Undelivered),
        4 => a_command().prop_map(Step::Command),
        4 => any::<u8>().prop_map(Step::Poll),
    ]
}

prop_compose! {
    fn some_options()(
        preset in 0..3_u8,
        small in any::<[bool; 7]>(),
        off in any::<[bool; 8]>(),
    ) -> Options {
        let mut o = [Options::local(), Options::lan(), Options::wan()][usize::from(preset)].clone();
        if small[0] { o.members_max = 3; }
        if small[0] && small[1] { o.tombstones_max = 3; }
        if small[2] { o.tombstone_life = o.period * 10; }
        if small[3] { o.broadcasts_max = 1; }
        if small[4] { o.relayed_max = 1; }
        if small[5] { o.pages_per_second = 1; }
        if small[6] { o.health_max = 0; }
        if off[0] { o.gossip_interval = None; }
        if off[1] { o.heal_interval = None; }
        if off[2] { o.sync_interval_max = None; }
        if off[3] { (o.relays, o.retries) = (0, 0); }
        o.dead_over_suspect_only = !off[4];
        o.header_claims = !off[5];
        o.self_doubt = !off[6];
        o.accept_wrong_source = off[7];
        o
    }
}

const fn is_active(member: &Member<'_>) -> bool {
    matches!(member.status, Status::Alive | Status::Suspect)
}

/// Invariants that hold after every call, and what they need to remember.
struct Watch {
    revision: u64,
    lost: u64,
    /// Where a member was held when what is not polled yet was made, or who announced itself then.
    reported: BTreeSet<SocketAddr>,
}

impl Watch {
    const fn new() -> Self {
        Self { revision: 0, lost: 0, reported: BTreeSet::new() }
    }

    /// Whom gossip may be for, before and after a call.
    fn meet(&mut self, node: &Node) {
        self.reported.extend(node.members().filter(is_active).map(|member| member.addr));
    }

    fn check(&mut self, node: &Node) {
        let stats = node.stats();
        let mut counts = [0_u32; 4];
        let mut ids = BTreeSet::new();
        for (nth, member) in node.members().enumerate() {
            counts[member.status as usize] += 1;
            assert!(ids.insert(member.id), "{:?} twice", member.id);
            assert_eq!(node.member(member.id), Some(member));
            assert_eq!(member.is_me, nth == 0);
            assert!(member.is_me || is_reachable_form(member.addr), "{member:?}");
        }
        assert_eq!([stats.alive, stats.suspect, stats.dead, stats.left], counts);
        let config = node.config();
        assert!(counts[0] + counts[1] <= config.members_max);
        // This node's own goodbye is no tombstone.
        assert!(counts[2] + counts[3] <= config.tombstones_max + 1);
        assert!(stats.updates_queued as usize <= ids.len());
        assert!(stats.broadcasts_queued <= u32::from(config.broadcasts_max));
        assert!(stats.health <= config.health_max);

        let me = node.members().next().expect("a node knows itself");
        assert_eq!((me.id, me.addr, me.epoch), (node.me().id, node.me().addr, node.me().epoch));
        assert_eq!(me.incarnation, node.incarnation());
        assert!(!matches!(me.status, Status::Suspect | Status::Dead), "{me:?}");
        assert!(me.epoch <= Epoch::MAX);
        assert!(node.is_running() || node.deadline().is_none());

        assert!(node.revision() >= self.revision);
        self.revision = node.revision();
    }

    /// Polls up to `max` times and looks at what comes.
    fn poll(&mut self, node: &mut Node, max: usize) -> Vec<Packet> {
        let (room, me) = (usize::from(node.config().datagram_max) - SEAL_ROOM, node.me().addr);
        let mut packets = Vec::new();
        let mut events = 0;
        for _ in 0..max {
            match node.poll() {
                Some(Output::Transmit(transmit)) => {
                    let (target, bytes) = (transmit.destination, transmit.bytes.to_vec());
                    assert!(bytes.len() <= room, "{} bytes", bytes.len());
                    assert!(is_reachable_form(target), "to {target}: {bytes:?}");
                    assert_ne!(target, me, "to itself: {bytes:?}");
                    // A node that accepts wrong sources answers members at other addresses than theirs.
                    let gossips = [craft::UPDATES, craft::BROADCASTS].map(|tag| craft::part_of(&bytes, tag));
                    let asked = [craft::WELCOME, craft::ANNOUNCE].contains(&craft::kind(&bytes));
                    assert!(
                        gossips.concat().is_empty()
                            || asked
                            || self.reported.contains(&target)
                            || node.config().accept_wrong_source,
                        "gossip for a stranger, {target}: {bytes:?}"
                    );
                    packets.push(Packet { source: me, target, bytes });
                }
                Some(Output::Event(event)) => {
                    events += 1;
                    if let Event::Lost { events } = event {
                        self.lost += events;
                    }
                }
                _ => {
                    assert_eq!(self.lost, node.stats().events_lost, "every lost event is reported");
                    self.reported.clear();
                    break;
                }
            }
        }
        assert!(packets.len() <= OUTBOX_DATAGRAMS && events <= OUTBOX_EVENTS + 1);
        packets
    }
}

/// A cluster of four, of which the first is treated badly.
struct Trial {
    mesh: Mesh,
    now: Instant,
    /// The latest time that it was given; it holds on to that when the clock goes back.
    latest: Instant,
    watch: Watch,
    captures: Vec<Packet>,
    /// Whether everything was polled after the last call.
    polled: bool,
}

impl Trial {
    fn new(options: &Options) -> Self {
        let mut mesh = Mesh::new(4, options);
        let mut captures = Vec::new();
        let texts = [Metadata::new(b"a"), Metadata::new(&[9; 300])];
        for (node, metadata) in mesh.nodes[1..].iter_mut().zip(texts) {
            let broadcast = Command::Broadcast(Payload::new(b"hello").expect("short"));
            for command in [Command::SetMetadata(metadata.expect("short")), broadcast] {
                node.command(mesh.now, command).expect("not refused");
            }
        }
        for round in 0..400 {
            let heard = |packet: &Packet| {
                captures.push(packet.clone());
                // The last quarter is lossy, so that there are relays, nacks and suspicions to capture.
                round < 300 || round % 2 == 0
            };
            mesh.step(heard, |node, call| call(node));
        }
        Self { now: mesh.now, latest: mesh.now, mesh, watch: Watch::new(), captures, polled: true }
    }

    fn node(&mut self) -> &mut Node {
        &mut self.mesh.nodes[0]
    }

    /// One command, and what must hold after it. A refusal is an answer, too.
    fn command(&mut self, command: Command<'_>) {
        let before = self.mesh.nodes[0].stats();
        self.polled = false;
        self.latest = self.latest.max(self.now);
        let Self { mesh, watch, .. } = self;
        let node = &mut mesh.nodes[0];
        watch.meet(node);
        let _ = node.command(self.now, command);
        watch.meet(node);
        watch.check(node);
        assert!((node.stats().datagrams_sent - before.datagrams_sent) as usize <= OUTBOX_DATAGRAMS);
    }

    /// One call, and what must hold after it.
    fn handle(&mut self, input: Input<'_>) {
        let before = self.mesh.nodes[0].stats();
        let (polled, now) = (std::mem::take(&mut self.polled), self.now);
        self.latest = self.latest.max(now);
        // A node that accepts wrong sources has no strangers among those who name a member.
        let trusting = self.mesh.nodes[0].config().accept_wrong_source;
        let is_known = |node: &Node| match input {
            Input::Datagram { source, .. } if !trusting => {
                node.members().any(|member| is_active(&member) && member.addr == swim_core::canonical(source))
            }
            _ => true,
        };
        let Self { mesh, watch, .. } = self;
        let node = &mut mesh.nodes[0];
        watch.meet(node);
        if let Input::Datagram { source, bytes } = input
            && bytes.get(4) == Some(&craft::ANNOUNCE)
        {
            watch.reported.insert(swim_core::canonical(source));
        }
        let known = is_known(node);
        node.handle(now, input);
        // Its header may have brought it back.
        let known = known || is_known(node);
        watch.meet(node);
        watch.check(node);
        let sent = node.stats().datagrams_sent - before.datagrams_sent;
        assert!(sent as usize <= OUTBOX_DATAGRAMS);
        assert!(input != Input::Tick || sent as usize <= SEND_BUDGET, "{sent} in one tick");
        if let (Input::Datagram { source, bytes }, true, false) = (input, polled, known) {
            // Nothing waited before, so what is there now are the answers.
            let answers = watch.poll(node, usize::MAX);
            self.polled = true;
            let proven = bytes.len() >= craft::HEADER_LEN + 16
                && matches!(craft::kind(bytes), craft::JOIN | craft::ANNOUNCE);
            // What a relay says in the end answers another question, of one that was a member when it asked.
            let late = |packet: &Packet| {
                craft::kind(&packet.bytes) == craft::RELAYED_ACK && packet.bytes.len() <= PING_REQ_LEN
            };
            let gain = |packet: &&Packet| packet.target == source && !late(packet);
            let gained: usize = answers.iter().filter(gain).map(|packet| packet.bytes.len()).sum();
            assert!(proven || gained <= bytes.len(), "{gained} bytes for {}", bytes.len());
            self.mesh.flying.extend(answers);
        }
    }

    fn poll(&mut self, max: usize) {
        let Self { mesh, watch, .. } = self;
        let packets = watch.poll(&mut mesh.nodes[0], max);
        self.polled |= max == usize::MAX;
        self.mesh.flying.extend(packets);
    }

    /// Ticks until nothing is due any more, as a driver does that keeps the contract.
    fn settle(&mut self) {
        for _ in 0..TICKS_MAX {
            self.poll(usize::MAX);
            let due = self.node().deadline().is_some_and(|deadline| deadline <= self.now);
            // Beyond the end of time nothing can be put off.
            if !due || self.latest == Instant::MAX {
                return;
            }
            self.handle(Input::Tick);
        }
        let node = &self.mesh.nodes[0];
        panic!("no progress at {:?}: still due at {:?}, {:?}", self.now, node.deadline(), node.stats());
    }

    /// The others live on by their own clock; the node under test by its own.
    fn run(&mut self, millis: u16) {
        for _ in 0..millis / 10 {
            let mut mine = Vec::new();
            let me = self.mesh.nodes[0].me().addr;
            self.mesh.flying.retain(|packet| {
                let to_me = packet.target == me;
                if to_me {
                    mine.push(packet.clone());
                }
                !to_me
            });
            for packet in mine {
                self.handle(Input::Datagram { source: packet.source, bytes: &packet.bytes });
            }
            self.settle();
            // Node 1 is never due in the mesh's own time: it is driven here.
            let node = self.mesh.nodes.remove(0);
            self.mesh.step(|_| true, |node, call| call(node));
            self.mesh.nodes.insert(0, node);
            self.now = self.now.after(Duration::from_millis(10));
        }
    }

    fn perform(&mut self, step: &Step) {
        match step {
            Step::Run(millis) => self.run(*millis),
            Step::Tick => self.handle(Input::Tick),
            Step::Clock(clock) => {
                self.now = match clock {
                    Clock::Zero => Instant::ORIGIN,
                    Clock::Max => Instant::MAX,
                    Clock::Back(nanos) => self.now.before(Duration::from_nanos(*nanos)),
                    Clock::Ahead(nanos) => self.now.after(Duration::from_nanos(*nanos)),
                }
            }
            Step::Bytes(source, bytes) => {
                self.handle(Input::Datagram { source: address(*source, None), bytes });
            }
            Step::Capture(source, which, mutations) => {
                let packet = which.get(&self.captures).clone();
                let mut bytes = packet.bytes;
                for mutation in mutations {
                    mutate(&mut bytes, mutation);
                }
                let source = address(*source, Some(packet.source));
                self.handle(Input::Datagram { source, bytes: &bytes });
            }
            Step::Crafted(source, nonsense) => {
                let label = self.node().config().label_hash();
                let home = addr(nonsense.sender.id.max(1));
                let source = address(*source, Some(home));
                self.handle(Input::Datagram { source, bytes: &write(label, nonsense).0 });
            }
            Step::Undelivered(target) => self.handle(Input::Undelivered { target: address(*target, None) }),
            Step::Command(owned) => self.owned_command(owned),
            Step::Poll(max) => self.poll(if *max < 128 { usize::MAX } else { usize::from(*max) - 128 }),
        }
    }

    fn owned_command(&mut self, owned: &OwnedCommand) {
        let zeros = [0; 1024];
        let payload = |len: u16| Payload::new(&zeros[..usize::from(len)]).expect("short enough");
        let command = match owned {
            OwnedCommand::Join(seeds) => {
                let seeds: Vec<SocketAddr> = seeds.iter().map(|seed| address(*seed, None)).collect();
                return self.command(Command::Join { seeds: &seeds });
            }
            OwnedCommand::SetSeeds(seeds) => {
                let seeds: Vec<SocketAddr> = seeds.iter().map(|seed| address(*seed, None)).collect();
                return self.command(Command::SetSeeds { seeds: &seeds });
            }
            OwnedCommand::Restore(known_peers) => {
                let known_peer = |(id, source, epoch): &(u64, Source, u64)| KnownPeer {
                    id: NodeId(*id),
                    addr: address(*source, None),
                    epoch: Epoch(*epoch),
                    incarnation: Incarnation(*epoch as u32),
                };
                let known_peers: Vec<KnownPeer> = known_peers.iter().map(known_peer).collect();
                return self.command(Command::Restore { known_peers: &known_peers });
            }
            OwnedCommand::CancelJoin => Command::CancelJoin,
            OwnedCommand::Leave => Command::Leave,
            OwnedCommand::SetMetadata(len) => {
                Command::SetMetadata(Metadata::new(&zeros[..usize::from(*len)]).expect("short enough"))
            }
            OwnedCommand::SetAddress(addr) => {
                // What still waits was made for the world as it was before.
                self.poll(usize::MAX);
                Command::SetAddress(address(*addr, None))
            }
            OwnedCommand::Broadcast(len) => Command::Broadcast(payload(*len)),
            OwnedCommand::Send(id, len) => Command::Send { target: NodeId(*id), payload: payload(*len) },
            OwnedCommand::Remove(id) => Command::Remove { target: NodeId(*id) },
        };
        self.command(command);
    }
}

fn address(source: Source, captured: Option<SocketAddr>) -> SocketAddr {
    match source {
        Source::AsCaptured => captured.unwrap_or_else(|| addr(2)),
        Source::Member(id) => addr(id),
        Source::Other(last) => SocketAddr::from(([192, 0, 2, last], 9)),
        Source::Wildcard => SocketAddr::from(([0, 0, 0, 0], 7946)),
        Source::NoPort => SocketAddr::from(([10, 0, 0, 2], 0)),
    }
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    match mutation {
        Mutation::Flip(at, byte) if !bytes.is_empty() => {
            let at = at.index(bytes.len());
            bytes[at] ^= byte;
        }
        Mutation::Number(at, number) if bytes.len() > 8 => {
            let at = at.index(bytes.len() - 8);
            bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        Mutation::Cut(at) if !bytes.is_empty() => bytes.truncate(at.index(bytes.len())),
        Mutation::Append(tail) => bytes.extend(tail),
        Mutation::Header(mention) if bytes.len() >= craft::HEADER_LEN => {
            let label = craft::label(bytes);
            let header = Datagram::new(label, *mention, bytes[4]).0;
            bytes[..craft::HEADER_LEN].copy_from_slice(&header);
        }
        _ => {}
    }
}

/// A datagram in order in every length, and in nothing else.
fn write(label: u32, n: &Nonsense) -> Datagram {
    let [id, a, b] = n.numbers;
    let status = n.status % 4;
    let held = (n.status > 1).then_some((n.about, status));
    let craft = Datagram::new(label, n.sender, n.kind);
    let craft = match n.kind {
        craft::PING => craft.head(&craft::ping(n.about, (n.status > 1).then_some(status), a, b)),
        craft::ACK => craft.head(&craft::ack(a, (b % 2 == 0).then_some(b), held, b % 3 == 0)),
        craft::PING_REQ => craft.head(&craft::ping_req(id, a, b as u32)),
        craft::NACK => craft.head(&craft::answer(a, None)),
        craft::RELAYED_ACK => craft.head(&craft::answer(a, Some(id))),
        craft::JOIN | craft::CHALLENGE | craft::ANNOUNCE => craft.head(&craft::two(a, b % 2 * b)),
        craft::WELCOME => craft.head(&craft::welcome(a, b % 2 == 0, n.about, b, b as u32)),
        craft::SYNC_PULL => {
            craft.head(&craft::sync_pull(a, b as u32, (b >> 32) as u8 % 12, [(b >> 40) as u16; 16]))
        }
        craft::SYNC_PAGE => craft.head(&craft::sync_page(a, b as u32, (b >> 32) as u8 % 12, b as u16)),
        craft::USER => craft.with_part(craft::PAYLOAD, &[7; 20]),
        _ => craft,
    };
    let update = |(status, mention, id, byte): &(u8, Mention, u64, u8)| match status {
        0 => {
            let host = [addr(mention.id.max(1)), addr(*id), address(Source::Wildcard, None)];
            craft::alive(*mention, host[usize::from(byte % 16 / 7)], &vec![1; usize::from(byte / 16)])
        }
        1 => craft::suspect(*mention, &[*id, u64::from(byte % 9), 3][..usize::from(byte % 3 + 1)]),
        2 => craft::dead(*mention, *id, u64::from(byte % 9)),
        3 => craft::left(*mention, if byte % 2 == 0 { mention.id } else { *id }),
        _ => vec![*byte; usize::from(byte % 50)],
    };
    let updates: Vec<Vec<u8>> = n.updates.iter().map(update).collect();
    let broadcast = |(origin, sequence, len): &(Mention, u32, u16)| {
        craft::broadcast(*origin, *sequence, &vec![2; usize::from(*len)])
    };
    let broadcasts: Vec<Vec<u8>> = n.broadcasts.iter().map(broadcast).collect();
    craft.updates(&updates).broadcasts(&broadcasts)
}

proptest! {
    // 256 cases, or as many as PROPTEST_CASES says.
    #[test]
    fn nothing_that_comes_in_breaks_what_must_always_hold(
        options in some_options(),
        steps in proptest::collection::vec(a_step(), 1..120),
    ) {
        let mut trial = Trial::new(&options);
        for step in &steps {
            trial.perform(step);
        }
        trial.settle();
    }
}

/// The other tests are only worth something if what they feed gets somewhere.
#[test]
fn well_formed_nonsense_and_captures_reach_most_of_the_protocol() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut drops = [0; DropReason::COUNT];
    let (mut applied, mut refuted, mut learnt, mut captured) = (0, 0, 0, BTreeSet::new());
    for _ in 0..32 {
        let mut trial = Trial::new(&Options::local());
        captured.extend(trial.captures.iter().map(|packet| craft::kind(&packet.bytes)));
        let steps = proptest::collection::vec(a_step(), 100..101).new_tree(&mut runner).expect("steps");
        for step in steps.current().iter().filter(|step| !matches!(step, Step::Command(OwnedCommand::Leave)))
        {
            trial.perform(step);
        }
        let stats = trial.node().stats();
        for (total, drops) in drops.iter_mut().zip(stats.drops) {
            *total += drops;
        }
        applied += stats.updates_applied;
        refuted += stats.refutations;
        learnt += stats.suspicions_learnt;
    }
    assert!(applied > 100 && refuted > 10 && learnt > 10, "{applied}, {refuted}, {learnt}");
    let never = |reason: &DropReason| drops[*reason as usize] == 0;
    let never: Vec<DropReason> = DropReason::ALL.into_iter().filter(never).collect();
    assert!(never.len() < 10, "{never:?}");
    for kind in [
        craft::PING,
        craft::ACK,
        craft::PING_REQ,
        craft::JOIN,
        craft::WELCOME,
        craft::ANNOUNCE,
        craft::SYNC_PULL,
    ] {
        assert!(captured.contains(&kind), "no {kind} in {captured:?}");
    }
}
