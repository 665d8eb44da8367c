//! A node can be saved and loaded at any moment, and its users' bytes exchanged, and no difference shows.
//!
//! Two clusters run the same schedule: one as it is, the other with nodes that are saved and loaded in the
//! middle of it, or that hold other payloads of the same lengths. Every datagram, event and deadline is
//! compared, and at the end what each node is, byte by byte.

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::craft::EPOCH;
use crate::lab::{Lab, addr};
use crate::mesh::{Mesh, Packet};
use swim_core::{
    Command, Config, Epoch, Event, Identity, Incarnation, Input, Instant, KnownPeer, Metadata, Node, NodeId,
    Options, Output, Payload, Seed, StateError, payload_ranges,
};

/// Nodes at first; the last one has the id of the first but one.
const NODES: usize = 6;

#[derive(Clone, Debug)]
enum Step {
    /// So many times ten milliseconds.
    Run(u16),
    /// All machines sleep for so many milliseconds.
    Sleep(u16),
    /// Nothing arrives at the second from the first any more.
    Cut(usize, usize),
    /// So many of 256 packets are lost.
    Loss(u8),
    /// Everything arrives again.
    Repair,
    Restart(usize),
    Undelivered(usize, usize),
    Say(usize, Say),
}

#[derive(Clone, Debug)]
enum Say {
    Join,
    Leave,
    Move(u8),
    Metadata(Vec<u8>),
    Broadcast(Vec<u8>),
    Send(usize, Vec<u8>),
    Remove(usize),
    Restore(usize),
}

/// Even nodes live at v4 addresses, odd ones at link-local v6 ones, which mean nothing without their scope.
fn home(at: usize, moved: u8) -> SocketAddr {
    if at.is_multiple_of(2) {
        return addr(at as u64 + 1 + 100 * u64::from(moved));
    }
    let ip = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, u16::from(moved), at as u16 + 1);
    SocketAddr::V6(SocketAddrV6::new(ip, 7946, 0, 3))
}

fn options() -> Options {
    let mut options = Options::local();
    (options.label, options.alpha, options.beta) = ("state".to_owned(), 1, 3);
    options.tombstone_life = Duration::from_secs(20);
    options.heal_interval = Some(Duration::from_secs(2));
    options
}

fn born(at: usize, nth: u64, now: Instant) -> Node {
    let id = NodeId(if at == NODES - 1 { NODES as u64 - 2 } else { at as u64 });
    let me = Identity { id, addr: home(at, 0), epoch: Epoch(EPOCH + nth) };
    let config = Arc::new(Config::new(options()).expect("in range"));
    Node::new(config, me, Seed([(at as u64 * 16 + nth) as u8; 32]), now)
}

/// What is done to payloads: another one of the same length, equal only for equal ones.
type Change = fn(&mut [u8]);

/// An exclusive or with what the length alone decides.
fn disguise(payload: &mut [u8]) {
    let len = payload.len();
    for (i, byte) in payload.iter_mut().enumerate() {
        *byte ^= (len * 37 + i * 11 + 0x5a) as u8;
    }
}

fn disguised_datagram(datagram: &[u8], change: Change) -> Vec<u8> {
    let mut bytes = datagram.to_vec();
    for range in payload_ranges(datagram) {
        change(&mut bytes[range]);
    }
    bytes
}

fn disguised_event(event: &Event, change: Change) -> Event {
    let mut event = event.clone();
    if let Event::Broadcast { payload, .. } | Event::Message { payload, .. } = &mut event {
        change(payload);
    }
    event
}

/// A cluster with what can be done to it.
struct World {
    mesh: Mesh,
    cuts: Vec<(usize, usize)>,
    loss: u8,
    packets: u64,
    epochs: u64,
    calls: u64,
    /// One call of how many is preceded by saving and loading; 0: none.
    loads: u64,
    change: Change,
}

fn mixed(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 27)
}

fn loaded(node: &Node) -> Node {
    Node::load(&node.save()).unwrap_or_else(|error| panic!("{error}"))
}

impl World {
    fn new(loads: u64) -> Self {
        let now = Instant::from_millis(1_000_000);
        let nodes = (0..NODES).map(|at| born(at, at as u64, now)).collect();
        let mesh = Mesh { nodes, now, flying: Vec::new(), events: Vec::new() };
        Self { mesh, cuts: Vec::new(), loss: 0, packets: 0, epochs: 10, calls: 0, loads, change: |_| {} }
    }

    fn step(&mut self) {
        let Self { mesh, cuts, loss, packets, calls, loads, .. } = self;
        let homes: Vec<SocketAddr> = mesh.nodes.iter().map(|node| node.me().addr).collect();
        let at = |addr| homes.iter().position(|home| *home == addr);
        let arrives = |packet: &Packet| {
            *packets += 1;
            let link = at(packet.source).zip(at(packet.target));
            mixed(*packets) as u8 >= *loss && link.is_some_and(|link| !cuts.contains(&link))
        };
        mesh.step(arrives, |node, call| {
            *calls += 1;
            if *loads > 0 && mixed(*calls).is_multiple_of(*loads) {
                *node = loaded(node);
            }
            call(node);
        });
    }

    fn handle(&mut self, at: usize, input: Input<'_>) {
        self.mesh.nodes[at].handle(self.mesh.now, input);
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Run(times) => (0..*times).for_each(|_| self.step()),
            Step::Sleep(millis) => {
                self.mesh.now = self.mesh.now.after(Duration::from_millis(u64::from(*millis)));
            }
            Step::Cut(from, to) => self.cuts.push((*from, *to)),
            Step::Loss(loss) => self.loss = *loss,
            Step::Repair => (self.cuts, self.loss) = (Vec::new(), 0),
            Step::Restart(at) => {
                self.epochs += 1;
                self.mesh.nodes[*at] = born(*at, self.epochs, self.mesh.now);
                self.say(*at, &Say::Join);
            }
            Step::Undelivered(at, to) => self.handle(*at, Input::Undelivered { target: home(*to, 0) }),
            Step::Say(at, say) => self.say(*at, say),
        }
    }

    fn say(&mut self, at: usize, say: &Say) {
        let changed = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            (self.change)(&mut bytes);
            bytes
        };
        let (seeds, bytes, known_peer);
        let command = match say {
            Say::Join => {
                seeds = [home(0, 0), home(1, 0), home(at, 0)];
                Command::Join { seeds: &seeds }
            }
            Say::Leave => Command::Leave,
            Say::Move(moved) => Command::SetAddress(home(at, *moved)),
            Say::Metadata(metadata) => {
                bytes = changed(metadata);
                Command::SetMetadata(Metadata::new(&bytes).expect("short"))
            }
            Say::Broadcast(payload) => {
                bytes = changed(payload);
                Command::Broadcast(Payload::new(&bytes).expect("short"))
            }
            Say::Send(to, payload) => {
                bytes = changed(payload);
                Command::Send { target: NodeId(*to as u64), payload: Payload::new(&bytes).expect("short") }
            }
            Say::Remove(target) => Command::Remove { target: NodeId(*target as u64) },
            Say::Restore(who) => {
                let (epoch, incarnation) = (Epoch(EPOCH), Incarnation(0));
                known_peer = [KnownPeer { id: NodeId(*who as u64), addr: home(*who, 0), epoch, incarnation }];
                Command::Restore { known_peers: &known_peer }
            }
        };
        // What is refused is refused by both nodes.
        let _ = self.mesh.nodes[at].command(self.mesh.now, command);
    }

    /// From now on every payload in here is another one.
    fn disguise(&mut self) {
        self.change = disguise;
        for node in &mut self.mesh.nodes {
            node.map_payloads(&mut disguise);
        }
        for packet in &mut self.mesh.flying {
            packet.bytes = disguised_datagram(&packet.bytes, disguise);
        }
        for (_, event) in &mut self.mesh.events {
            *event = disguised_event(event, disguise);
        }
    }

    /// Whether `other` is the same cluster with payloads that `change` makes of this one's.
    fn compare(&self, other: &Self, change: Change) {
        let packet = |packet: &Packet| (packet.source, packet.target, packet.bytes.clone());
        let disguised =
            |packet: &Packet| (packet.source, packet.target, disguised_datagram(&packet.bytes, change));
        let (mine, theirs) = (&self.mesh, &other.mesh);
        assert!(mine.flying.iter().map(disguised).eq(theirs.flying.iter().map(packet)), "datagrams");
        let events = mine.events.iter().map(|(at, event)| (*at, disguised_event(event, change)));
        assert!(events.eq(theirs.events.iter().cloned()), "events");
        for (mine, theirs) in mine.nodes.iter().zip(&theirs.nodes) {
            assert_eq!((mine.deadline(), mine.stats()), (theirs.deadline(), theirs.stats()));
            assert_eq!((mine.revision(), mine.me()), (theirs.revision(), theirs.me()));
            let mut mine = loaded(mine);
            mine.map_payloads(&mut |payload| change(payload));
            let mut theirs = loaded(theirs);
            // What is left of datagrams that were polled is blanked by it.
            theirs.map_payloads(&mut |_| {});
            assert!(mine.members().eq(theirs.members()), "members");
            assert!(mine.save() == theirs.save(), "the nodes' own bytes");
        }
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![prop::collection::vec(any::<u8>(), 0..4), prop::collection::vec(0..2_u8, 60..400)]
}

fn say() -> impl Strategy<Value = Say> {
    prop_oneof![
        3 => Just(Say::Join),
        1 => Just(Say::Leave),
        1 => (0..2_u8).prop_map(Say::Move),
        3 => bytes().prop_map(Say::Metadata),
        4 => bytes().prop_map(Say::Broadcast),
        2 => (0..NODES, bytes()).prop_map(|(to, payload)| Say::Send(to, payload)),
        1 => (0..NODES).prop_map(Say::Remove),
        1 => (0..NODES).prop_map(Say::Restore),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..300_u16).prop_map(Step::Run),
        1 => (1..20_000_u16).prop_map(Step::Sleep),
        4 => (0..NODES, 0..NODES).prop_map(|(from, to)| Step::Cut(from, to)),
        1 => any::<u8>().prop_map(Step::Loss),
        1 => Just(Step::Repair),
        1 => (0..NODES).prop_map(Step::Restart),
        1 => (0..NODES, 0..NODES).prop_map(|(at, to)| Step::Undelivered(at, to)),
        6 => (0..NODES, say()).prop_map(|(at, say)| Step::Say(at, say)),
    ]
}

/// A cluster that has formed, then whatever happens.
fn schedule() -> impl Strategy<Value = Vec<Step>> {
    let join = |at| Step::Say(at, Say::Join);
    let formed = (1..NODES - 1).map(join).chain([Step::Run(100)]).collect::<Vec<_>>();
    prop::collection::vec(step(), 1..30).prop_map(move |steps| formed.iter().cloned().chain(steps).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_node_that_is_saved_and_loaded_goes_on_as_if_nothing_had_happened(schedule in schedule(), loads in 1..200_u64) {
        let (mut plain, mut interrupted) = (World::new(0), World::new(loads));
        for step in &schedule {
            plain.take(step);
            interrupted.take(step);
            plain.compare(&interrupted, |_| {});
        }
    }

    #[test]
    fn nothing_depends_on_what_users_say(schedule in schedule(), after in any::<prop::sample::Index>()) {
        let (mut plain, mut disguised) = (World::new(0), World::new(0));
        let after = after.index(schedule.len());
        for (i, step) in schedule.iter().enumerate() {
            plain.take(step);
            disguised.take(step);
            if i == after {
                disguised.disguise();
            }
            plain.compare(&disguised, if i < after { |_| {} } else { disguise });
        }
    }
}

/// One schedule in which everything happens that a node keeps state for, and a node is loaded at every call.
#[test]
fn nodes_that_are_loaded_at_every_call_live_through_everything() {
    let steps = [
        vec![Step::Say(1, Say::Join), Step::Say(2, Say::Join), Step::Say(3, Say::Join), Step::Run(100)],
        vec![Step::Say(4, Say::Join), Step::Say(5, Say::Join), Step::Run(300)],
        vec![Step::Say(2, Say::Metadata(vec![7; 200])), Step::Say(3, Say::Broadcast(vec![8; 300]))],
        vec![Step::Say(1, Say::Send(2, vec![9; 400])), Step::Run(100)],
        (0..NODES).filter(|at| *at != 2).flat_map(|at| [Step::Cut(2, at), Step::Cut(at, 2)]).collect(),
        vec![Step::Run(4000), Step::Repair, Step::Run(1500), Step::Loss(100), Step::Run(500), Step::Repair],
        vec![Step::Say(1, Say::Leave), Step::Sleep(9_000), Step::Restart(3), Step::Run(2500)],
    ]
    .concat();
    let (mut plain, mut interrupted) = (World::new(0), World::new(1));
    for step in &steps {
        plain.take(step);
        interrupted.take(step);
    }
    plain.compare(&interrupted, |_| {});

    let total = |count: fn(&swim_core::Stats) -> u64| -> u64 {
        plain.mesh.nodes.iter().map(|node| count(&node.stats())).sum()
    };
    assert!(total(|stats| stats.suspicions_raised) > 0 && total(|stats| stats.suspicions_refuted) > 0);
    assert!(total(|stats| stats.relayed) > 0 && total(|stats| stats.pages_served) > 0);
    assert!(total(|stats| stats.reconnects) > 0 && total(|stats| stats.broadcasts_delivered) > 0);
    assert!(total(|stats| stats.stalls) > 0);
    let reported = |like: fn(&Event) -> bool| plain.mesh.events.iter().any(|(_, event)| like(event));
    assert!(reported(|event| matches!(event, Event::Conflict { .. })));
    assert!(reported(|event| matches!(event, Event::Dead { .. })));
    assert!(reported(|event| matches!(event, Event::Left { .. })));
    assert!(reported(|event| matches!(event, Event::Forgotten { .. })));
    assert!(reported(|event| matches!(event, Event::Message { .. })));
}

/// A node in the middle of everything.
fn busy() -> Node {
    let mut world = World::new(0);
    (1..NODES).for_each(|at| world.take(&Step::Say(at, Say::Join)));
    world.take(&Step::Say(0, Say::Metadata(vec![1; 50])));
    world.take(&Step::Run(200));
    world.take(&Step::Cut(1, 0));
    world.take(&Step::Cut(4, 0));
    world.take(&Step::Say(0, Say::Broadcast(vec![2; 50])));
    world.take(&Step::Run(170));
    loaded(&world.mesh.nodes[0])
}

/// Whatever it is, it runs on for a while.
fn run(node: Node) {
    let mut lab = Lab { now: Instant::from_millis(1_010_000), node, sent: Vec::new(), events: Vec::new() };
    for _ in 0..40 {
        if lab.node.deadline().is_some() {
            lab.tick();
        }
    }
    lab.command(Command::Leave);
    lab.run_for(Duration::from_secs(5));
}

#[test]
fn no_payload_is_left_in_a_node_whose_payloads_were_changed() {
    let secret = *b"a secret of twenty-four.";
    let mut world = World::new(0);
    (1..4).for_each(|at| world.take(&Step::Say(at, Say::Join)));
    world.take(&Step::Run(200));
    for say in [Say::Metadata(secret.into()), Say::Broadcast(secret.into()), Say::Send(2, secret.into())] {
        world.take(&Step::Say(0, say.clone()));
        world.take(&Step::Say(1, say));
    }
    // Two messages wait, of which one is taken out.
    world.take(&Step::Say(0, Say::Send(3, secret.into())));
    let mut node = loaded(&world.mesh.nodes[0]);
    assert!(matches!(node.poll(), Some(Output::Transmit(_))));
    let copies = |node: &Node| node.save().windows(24).filter(|window| *window == secret).count();
    assert_eq!(copies(&node), 4, "metadata, a broadcast, a message that was polled and one that was not");
    node.map_payloads(&mut |payload| payload.fill(b'-'));
    assert_eq!(copies(&node), 0);

    let mut message = None;
    while let Some(output) = node.poll() {
        if let Output::Transmit(transmit) = output {
            message = Some(transmit.bytes.to_vec());
        }
    }
    let message = message.expect("the second message");
    assert_eq!(&message[message.len() - 24..], [b'-'; 24]);
}

#[test]
fn bytes_of_another_core_are_refused_by_name_and_so_is_what_is_cut_short_or_too_long() {
    let bytes = busy().save();
    assert!(Node::load(&bytes).is_ok());
    let mut other = bytes.clone();
    other[0] ^= 1;
    assert_eq!(Node::load(&other).err(), Some(StateError::OtherSource(swim_core::SOURCE ^ 1)));
    let long = [&bytes[..], &[0]].concat();
    assert_eq!(Node::load(&long).err(), Some(StateError::Malformed("end")));
    for len in 0..bytes.len() {
        assert!(Node::load(&bytes[..len]).is_err(), "{len}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn damaged_bytes_are_refused_or_make_a_node_that_runs(
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        thread_local!(static BYTES: Vec<u8> = busy().save());
        let mut bytes = BYTES.with(Vec::clone);
        for (at, byte) in hits {
            let at = 8 + at.index(bytes.len() - 8);
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(8 + cut.index(bytes.len() - 8));
        }
        if let Ok(node) = Node::load(&bytes) {
            run(node);
        }
    }

    #[test]
    fn garbage_is_no_node(garbage in prop::collection::vec(any::<u8>(), 0..2000)) {
        let bytes = [&swim_core::SOURCE.to_le_bytes()[..], &garbage].concat();
        prop_assert!(Node::load(&bytes).is_err());
    }
}
