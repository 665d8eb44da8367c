//! A consumer that begins with a snapshot and follows the changes holds the member table, whatever it loses on the way.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use swim_core::{
    Command, Config, Epoch, Event, Identity, Instant, Metadata, Node, NodeId, Options, Seed, Status,
};
use swim_driver::{Delivery, Engine, Host, Ready, Received, Snapshot, Start, Update, View};

const MEMBERS: usize = 5;
const TICK: Duration = Duration::from_millis(20);

/// A member, and the network as it sees it.
struct Member {
    view: View,
    wire: Wire,
}

#[derive(Default)]
struct Wire {
    now: Instant,
    arrived: VecDeque<(SocketAddr, Vec<u8>)>,
    lent: Vec<u8>,
    sent: Vec<(SocketAddr, Vec<u8>)>,
}

impl Host for Wire {
    fn now(&mut self) -> Instant {
        self.now
    }

    fn receive(&mut self) -> Received<'_> {
        let Some((source, bytes)) = self.arrived.pop_front() else { return Received::Empty };
        self.lent = bytes;
        Received::Datagram { source, bytes: &self.lent }
    }

    fn send(&mut self, target: SocketAddr, bytes: &[u8]) -> Delivery {
        self.sent.push((target, bytes.to_vec()));
        Delivery::Sent
    }
}

/// The first member is watched; the others come and go.
struct World {
    members: [Option<Member>; MEMBERS],
    now: Instant,
    started: u64,
}

impl World {
    fn new(events_max: usize) -> Self {
        let mut world = Self { members: [const { None }; MEMBERS], now: Instant::ORIGIN, started: 0 };
        world.start(0, events_max);
        world
    }

    fn start(&mut self, index: usize, events_max: usize) {
        self.started += 1;
        let mut options = Options::local();
        options.tombstone_life = Duration::from_secs(60);
        let me =
            Identity { id: NodeId(index as u64 + 1), addr: addr(index), epoch: Epoch(1000 + self.started) };
        let config = Config::new(options).expect("in range");
        let node = Node::new(config.into(), me, Seed([self.started as u8; 32]), self.now);
        let mut engine = Engine::new(node, self.now, events_max);
        if index > 0 {
            engine.prepare(Command::Join { seeds: &[addr(0)] }).expect("a seed to ask");
        }
        let wire = Wire { now: self.now, ..Wire::default() };
        self.members[index] = Some(Member { view: View::new(engine, events_max), wire });
    }

    fn pass(&mut self, ticks: u16) {
        for _ in 0..ticks {
            self.now = self.now.after(TICK);
            for index in 0..MEMBERS {
                let Some(Member { view, wire }) = &mut self.members[index] else { continue };
                wire.now = self.now;
                view.with(|engine| {
                    engine.turn(wire, Ready { readable: true, writable: true });
                    view.hand_out(engine);
                });
                for (target, bytes) in std::mem::take(&mut wire.sent) {
                    let to = (0..MEMBERS).find(|index| addr(*index) == target);
                    if let Some(to) = to.and_then(|to| self.members[to].as_mut()) {
                        to.wire.arrived.push_back((addr(index), bytes));
                    }
                }
            }
        }
    }

    fn watched(&self) -> &View {
        &self.members[0].as_ref().expect("it runs").view
    }
}

fn addr(index: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 7000 + index as u16))
}

/// What a consumer holds of the others.
#[derive(Default, PartialEq, Eq, Debug)]
struct Picture(BTreeMap<NodeId, (Status, SocketAddr)>);

impl Picture {
    fn of(members: &Snapshot) -> Self {
        let others = members.iter().filter(|row| !row.is_me);
        Self(others.map(|row| (row.id, (row.status, row.addr))).collect())
    }

    fn apply(&mut self, update: Update) {
        let event = match update {
            Update::Members { members, .. } => return *self = Self::of(&members),
            Update::Event(event) => event,
        };
        match event {
            Event::Alive { id, addr, .. } => drop(self.0.insert(id, (Status::Alive, addr))),
            Event::Suspect { id, .. } => self.held(id).0 = Status::Suspect,
            Event::Refuted { id, .. } => self.held(id).0 = Status::Alive,
            Event::Dead { id, .. } => self.held(id).0 = Status::Dead,
            Event::Left { id, .. } => self.held(id).0 = Status::Left,
            Event::Updated { id, addr } => self.held(id).1 = addr,
            Event::Forgotten { id } => drop(self.0.remove(&id)),
            Event::StartedOver { .. } => self.0.clear(),
            Event::Lost { .. } => panic!("a snapshot takes its place"),
            _ => {}
        }
    }

    fn held(&mut self, id: NodeId) -> &mut (Status, SocketAddr) {
        self.0.get_mut(&id).unwrap_or_else(|| panic!("{id:?} was never reported"))
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Starts a member, or ends it without a goodbye.
    Toggle(usize),
    Leave(usize),
    /// Changes a member's metadata.
    Change(usize, u8),
    Pass(u16),
    /// The consumer takes so many updates.
    Take(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..MEMBERS).prop_map(Step::Toggle),
        1 => (1..MEMBERS).prop_map(Step::Leave),
        2 => (1..MEMBERS, any::<u8>()).prop_map(|(index, byte)| Step::Change(index, byte)),
        4 => (1_u16..1_000).prop_map(Step::Pass),
        // Longer than a tombstone is kept.
        1 => Just(Step::Pass(4_000)),
        2 => (0_u8..4).prop_map(Step::Take),
    ]
}

#[test]
fn a_consumer_that_begins_with_a_snapshot_ends_with_the_member_table() {
    let losses = Cell::new(0);
    let steps = proptest::collection::vec(step(), 1..40);
    TestRunner::new(ProptestConfig { cases: 256, ..ProptestConfig::default() })
        .run(&(steps, 1_usize..6), |(steps, events_max)| {
            losses.set(losses.get() + follow(&steps, events_max));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(losses.get() > 0, "no event was lost in any case");
}

/// Returns how many events the consumer lost.
fn follow(steps: &[Step], events_max: usize) -> u64 {
    let mut world = World::new(events_max);
    let consumer = world.watched().subscribe(Start::Snapshot);
    let (mut picture, mut losses) = (Picture::default(), 0);
    let mut take = |world: &World| match world.watched().poll(consumer) {
        Poll::Ready(update) => {
            let update = update.expect("it runs");
            if let Update::Members { lost, .. } = &update {
                losses += lost;
            }
            picture.apply(update);
            true
        }
        Poll::Pending => false,
    };
    for step in steps {
        match *step {
            Step::Toggle(index) if world.members[index].is_some() => world.members[index] = None,
            Step::Toggle(index) => world.start(index, 16),
            Step::Leave(index) => prepare(&world, index, Command::Leave),
            Step::Change(index, byte) => {
                let metadata = [byte];
                prepare(&world, index, Command::SetMetadata(Metadata::new(&metadata).expect("short")));
            }
            Step::Pass(ticks) => world.pass(ticks),
            Step::Take(count) => (0..count).for_each(|_| _ = take(&world)),
        }
    }
    world.pass(1);
    while take(&world) {}
    let now = world.now;
    let members = world.watched().with(|engine| engine.snapshot(now)).expect("it runs");
    assert_eq!(picture, Picture::of(&members));
    losses
}

fn prepare(world: &World, index: usize, command: Command<'_>) {
    if let Some(member) = &world.members[index] {
        // Refused, if it has left.
        let _ = member.view.with(|engine| engine.prepare(command));
    }
}
