//! The contract of `swim_driver`, against an operating system of our own that writes down what it was
//! asked for.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use swim_core::{
    Command, Config, Done, Epoch, Event, Identity, Instant, JoinFailure, Node, NodeId, Refusal, Seed, Status,
};
use swim_driver::{
    COMMANDS_MAX, Callers, CommandError, DRAIN_MAX, Delivery, Engine, Host, Outcome, OwnedCommand, Ready,
    Received, Reply,
};

/// What a host was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Call {
    Read,
    Send(SocketAddr, Vec<u8>),
}

#[derive(Default)]
struct Script {
    now: Instant,
    /// How often the clock was looked at.
    looks: usize,
    calls: Vec<Call>,
    inbox: VecDeque<(SocketAddr, Vec<u8>)>,
    lent: Vec<u8>,
    /// Garbage without end behind the inbox.
    flood: bool,
    blocked: bool,
    refusing: bool,
}

impl Script {
    fn sent(&self) -> Vec<(SocketAddr, Vec<u8>)> {
        let sent = |call: &Call| match call {
            Call::Send(target, bytes) => Some((*target, bytes.clone())),
            Call::Read => None,
        };
        self.calls.iter().filter_map(sent).collect()
    }

    fn reads(&self) -> usize {
        self.calls.iter().filter(|call| **call == Call::Read).count()
    }
}

impl Host for Script {
    fn now(&mut self) -> Instant {
        self.looks += 1;
        self.now
    }

    fn receive(&mut self) -> Received<'_> {
        self.calls.push(Call::Read);
        match self.inbox.pop_front() {
            Some((source, bytes)) => {
                self.lent = bytes;
                Received::Datagram { source, bytes: &self.lent }
            }
            None if self.flood => Received::Datagram { source: addr(99), bytes: &[1, 2, 3] },
            None => Received::Empty,
        }
    }

    fn send(&mut self, target: SocketAddr, bytes: &[u8]) -> Delivery {
        self.calls.push(Call::Send(target, bytes.to_vec()));
        match (self.blocked, self.refusing) {
            (true, _) => Delivery::Blocked,
            (false, true) => Delivery::Refused,
            (false, false) => Delivery::Sent,
        }
    }
}

/// A caller that keeps the outcome.
#[derive(Clone, Default)]
struct Caller(Rc<RefCell<Option<Result<Outcome, CommandError>>>>);

impl Reply for Caller {
    fn reply(self, outcome: Result<Outcome, CommandError>) {
        *self.0.borrow_mut() = Some(outcome);
    }
}

/// An engine and its operating system.
struct Member {
    engine: Engine,
    callers: Callers<Caller>,
    os: Script,
}

impl Member {
    fn start(number: u16, seeds: &[u16]) -> Self {
        Self::start_as(NodeId(number.into()), number, seeds)
    }

    fn start_as(id: NodeId, number: u16, seeds: &[u16]) -> Self {
        let me = Identity { id, addr: addr(number), epoch: Epoch(1000) };
        let seed = Seed([number.to_le_bytes()[0]; 32]);
        let node = Node::new(Config::local().into(), me, seed, Instant::ORIGIN);
        let mut engine = Engine::new(node, Instant::ORIGIN, 4096);
        let seeds: Vec<SocketAddr> = seeds.iter().map(|seed| addr(*seed)).collect();
        if !seeds.is_empty() {
            engine.prepare(Command::Join { seeds: &seeds }).expect("seeds to ask");
        }
        Self { engine, callers: Callers::default(), os: Script::default() }
    }

    fn turn(&mut self, readable: bool, writable: bool) -> bool {
        let more = self.engine.turn(&mut self.os, Ready { readable, writable });
        self.callers.settle(&mut self.engine, &mut self.os);
        more
    }

    /// Lets time pass until the deadline, or a millisecond beyond it. A node that has left has none.
    fn wait_for_deadline(&mut self) {
        if let Some(deadline) = self.engine.deadline() {
            self.os.now = self.os.now.max(deadline.after(Duration::from_millis(1)));
        }
    }

    fn command(&mut self, command: &OwnedCommand) -> Caller {
        let caller = Caller::default();
        self.callers.command(&mut self.engine, &mut self.os, command.clone(), caller.clone());
        caller
    }
}

fn addr(number: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 7000 + number))
}

/// Two members that know each other, after some time.
fn pair() -> [Member; 2] {
    let mut members = [Member::start(1, &[]), Member::start(2, &[1])];
    for _ in 0..500 {
        step(&mut members);
    }
    for member in &mut members {
        let rows = member.engine.snapshot(member.os.now);
        assert_eq!(rows.iter().filter(|row| row.status == Status::Alive).count(), 2, "{rows:?}");
        member.os.calls.clear();
    }
    members
}

/// Ten milliseconds: everything that was sent arrives, whatever is due is done.
fn step(members: &mut [Member; 2]) {
    for index in 0..2 {
        members[index].os.now = members[index].os.now.after(Duration::from_millis(10));
        members[index].turn(true, true);
        let source = addr([1, 2][index]);
        let sent = members[index].os.sent();
        members[index].os.calls.clear();
        let other = &mut members[1 - index];
        other.os.inbox.extend(sent.into_iter().map(|(_, bytes)| (source, bytes)));
    }
}

#[test]
fn what_had_arrived_by_the_deadline_is_read_before_the_tick() {
    let mut member = Member::start(1, &[2]);
    member.turn(false, false);
    member.os.calls.clear();
    member.wait_for_deadline();
    member.os.inbox.push_back((addr(99), vec![1, 2, 3]));
    member.turn(false, false);
    let calls = &member.os.calls;
    assert_eq!(calls[..2], [Call::Read, Call::Read], "the garbage, then nothing: {calls:?}");
    assert!(matches!(calls[2], Call::Send(..)), "and only then the join is repeated: {calls:?}");
}

#[test]
fn a_turn_with_nothing_due_looks_at_the_clock_once() {
    let [mut member, _] = pair();
    member.os.looks = 0;
    member.os.inbox.push_back((addr(99), vec![1, 2, 3]));
    assert!(!member.turn(true, false));
    assert_eq!((member.os.looks, member.os.reads()), (1, 2), "the garbage, then nothing");
}

#[test]
fn a_flood_cannot_keep_a_tick_from_its_work() {
    let mut member = Member::start(1, &[2]);
    member.turn(false, false);
    member.os.calls.clear();
    member.wait_for_deadline();
    member.os.flood = true;
    let more = member.turn(true, false);
    assert!(more, "the driver must come again");
    assert_eq!(member.os.reads(), DRAIN_MAX);
    assert!(!member.os.sent().is_empty(), "the join was repeated");
}

#[test]
fn a_turn_with_nothing_to_do_asks_the_operating_system_for_nothing() {
    let mut member = Member::start(1, &[2]);
    member.turn(false, false);
    member.os.calls.clear();
    assert!(!member.turn(false, false));
    assert_eq!(member.os.calls, []);
}

#[test]
fn a_readable_turn_costs_one_empty_read() {
    let mut member = Member::start(1, &[]);
    member.turn(false, false);
    member.os.calls.clear();
    member.os.inbox.push_back((addr(99), vec![1, 2, 3]));
    member.turn(true, false);
    assert_eq!(member.os.calls, [Call::Read, Call::Read]);
}

#[test]
fn a_send_that_would_block_is_held_and_reading_goes_on() {
    let [mut member, _] = pair();
    member.os.blocked = true;
    member.command(&OwnedCommand::Send { target: NodeId(2), payload: b"one".as_slice().into() });
    let held = member.os.sent();
    assert_eq!(held.len(), 1);
    assert!(member.engine.is_blocked());

    member.os.inbox.push_back((addr(99), vec![1, 2, 3]));
    member.turn(true, false);
    assert_eq!(member.os.reads(), 2, "it reads, and does not try to send: {:?}", member.os.calls);
    assert_eq!(member.os.sent().len(), 1);

    member.os.blocked = false;
    member.turn(false, true);
    assert!(!member.engine.is_blocked());
    assert_eq!(member.os.sent()[1], held[0], "the same datagram goes first");
}

#[test]
fn a_held_send_is_tried_again_with_every_deadline() {
    let [mut member, _] = pair();
    member.os.blocked = true;
    member.command(&OwnedCommand::Send { target: NodeId(2), payload: b"one".as_slice().into() });
    member.os.blocked = false;
    member.wait_for_deadline();
    member.turn(false, false);
    assert!(!member.engine.is_blocked(), "even if writability was never reported");
}

#[test]
fn a_refused_send_is_not_repeated_without_end() {
    let [mut member, _] = pair();
    member.os.refusing = true;
    for _ in 0..20 {
        member.wait_for_deadline();
        assert!(!member.turn(false, false));
    }
    assert!(!member.engine.is_blocked());
    assert!(member.os.sent().len() < 20 * 32, "{}", member.os.sent().len());
}

#[test]
fn a_node_that_cannot_send_says_so_before_it_accuses() {
    let [mut member, _] = pair();
    member.os.refusing = true;
    for _ in 0..200 {
        member.wait_for_deadline();
        member.turn(false, false);
    }
    let events: Vec<Event> = std::iter::from_fn(|| member.engine.next_event()).collect();
    let isolated = events.iter().position(|event| matches!(event, Event::Isolated { isolated: true }));
    let accused = events.iter().position(|event| matches!(event, Event::Suspect { .. }));
    assert!(isolated.is_some() && accused.is_none_or(|accused| isolated < Some(accused)), "{events:#?}");
}

#[test]
fn a_leave_is_answered_when_its_last_datagram_has_left() {
    let [mut member, _] = pair();
    member.os.blocked = true;
    let caller = member.command(&OwnedCommand::Leave);
    for _ in 0..100 {
        member.wait_for_deadline();
        member.turn(false, false);
    }
    assert_eq!(*caller.0.borrow(), None, "its goodbye is still held");
    assert!(!member.engine.is_finished());
    member.os.blocked = false;
    for _ in 0..100 {
        if !member.engine.is_finished() {
            member.wait_for_deadline();
            member.turn(false, true);
        }
    }
    let outcome = caller.0.borrow_mut().take().expect("answered");
    assert!(matches!(outcome, Ok(Outcome::Left { datagrams: 1.. })), "{outcome:?}");
    assert!(member.engine.is_finished());
}

#[test]
fn commands_return_their_results_in_order_even_while_a_send_is_held() {
    let [mut member, _] = pair();
    member.os.blocked = true;
    member.command(&OwnedCommand::Send { target: NodeId(2), payload: b"one".as_slice().into() });
    assert!(member.engine.is_blocked());
    let set = |member: &mut Member, n: usize| {
        member.command(&OwnedCommand::SetMetadata([n.to_le_bytes()[0]].into()))
    };
    let callers: Vec<Caller> = (0..COMMANDS_MAX).map(|n| set(&mut member, n)).collect();
    let incarnation = |caller: &Caller| match caller.0.borrow_mut().take() {
        Some(Ok(Outcome::Done(Done::MetadataSet { incarnation }))) => incarnation,
        other => panic!("{other:?}"),
    };
    let incarnations: Vec<_> = callers.iter().map(incarnation).collect();
    assert!(incarnations.is_sorted(), "incarnations only grow: {incarnations:?}");
}

#[test]
fn a_snapshot_is_shared_while_nothing_has_changed() {
    let [mut member, _] = pair();
    let first = member.engine.snapshot(member.os.now);
    let second = member.engine.snapshot(member.os.now);
    assert!(std::ptr::eq(first.iter().as_slice(), second.iter().as_slice()));
    member.command(&OwnedCommand::SetMetadata(b"new".as_slice().into()));
    let third = member.engine.snapshot(member.os.now);
    assert_eq!(third.get(NodeId(1)).map(|row| row.metadata.to_vec()), Some(b"new".to_vec()));
}

#[test]
fn a_snapshot_gives_the_others_as_known_peers() {
    let [mut member, _] = pair();
    let known_peers = member.engine.snapshot(member.os.now).known_peers();
    assert_eq!(known_peers.iter().map(|known_peer| known_peer.id).collect::<Vec<_>>(), [NodeId(2)]);
}

#[test]
fn a_blocked_socket_is_no_reason_to_turn_without_end() {
    let mut member = Member::start(1, &(2..42).collect::<Vec<_>>());
    member.os.blocked = true;
    let mut turns = 0;
    let end = Instant::from_millis(10_000);
    while member.os.now < end && turns < 100_000 {
        member.os.now = member.os.now.after(Duration::from_micros(1));
        member.turn(false, false);
        turns += 1;
        member.os.now = member.os.now.max(member.engine.deadline().unwrap_or(end));
    }
    assert!(turns < 2_000, "{turns} turns in ten seconds, for forty seeds that are asked every second");
    assert!(member.os.calls.len() < 3 * turns, "{} calls", member.os.calls.len());
}

#[test]
fn a_member_that_loses_its_name_is_finished_and_a_waiting_caller_learns_why() {
    let mut members = [Member::start(1, &[]), Member::start_as(NodeId(1), 2, &[])];
    let join = members[1].command(&OwnedCommand::Join { seeds: vec![addr(1)] });
    for _ in 0..500 {
        step(&mut members);
    }
    assert_eq!(join.0.borrow_mut().take(), Some(Err(CommandError::JoinFailed(JoinFailure::IdTaken))));
    assert!(members[1].engine.is_finished());
    let late = members[1]
        .command(&OwnedCommand::Leave)
        .0
        .borrow_mut()
        .take()
        .expect("answered")
        .expect_err("too late");
    assert_eq!(late.to_string(), "refused: this node has left or lost its id; start it again");
    assert!(!members[0].engine.is_finished());
}

/// Fills the room for broadcasts. As no time passes, nothing is pushed meanwhile.
fn fill(member: &mut Member) {
    while !member.engine.node().is_broadcast_queue_full() {
        let caller = member.command(&OwnedCommand::Broadcast([0; 8].into()));
        assert!(caller.0.borrow().is_some(), "there is room");
    }
}

#[test]
fn broadcasts_wait_for_room_in_order_and_only_they_do() {
    let [mut member, _] = pair();
    fill(&mut member);
    let waiting: Vec<Caller> =
        (0..10).map(|_| member.command(&OwnedCommand::Broadcast([1; 8].into()))).collect();
    let refused = Caller::default();
    let command = OwnedCommand::Broadcast([2; 8].into());
    member.callers.try_command(&mut member.engine, &mut member.os, &command, refused.clone());
    let refusal = refused.0.borrow_mut().take().expect("answered at once");
    assert!(matches!(refusal, Err(CommandError::Refused(Refusal::QueueFull { .. }))), "{refusal:?}");
    let other = member.command(&OwnedCommand::SetMetadata([3].into()));
    assert!(other.0.borrow().is_some(), "it does not wait behind them");
    assert!(waiting.iter().all(|caller| caller.0.borrow().is_none()));
    for _ in 0..100 {
        member.wait_for_deadline();
        member.turn(false, false);
    }
    let number = |caller: &Caller| match *caller.0.borrow() {
        Some(Ok(Outcome::Done(Done::BroadcastQueued { sequence }))) => sequence,
        ref outcome => panic!("{outcome:?}"),
    };
    let numbers: Vec<u32> = waiting.iter().map(number).collect();
    assert!(numbers.is_sorted_by(|a, b| a + 1 == *b), "{numbers:?}");
}

#[test]
fn a_leave_ends_the_wait_for_room() {
    let [mut member, _] = pair();
    fill(&mut member);
    let waiting = member.command(&OwnedCommand::Broadcast([1; 8].into()));
    member.command(&OwnedCommand::Leave);
    member.turn(false, false);
    let refused = Err(CommandError::Refused(Refusal::NotRunning));
    assert_eq!(waiting.0.borrow_mut().take(), Some(refused));
}
