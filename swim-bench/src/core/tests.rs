//! Both sides do what is measured of them.

use std::sync::Arc;

use foca::State;
use swim_core::{
    Command, Config, DropReason, Epoch, Identity, Input, Instant, MessageKind, Node, Output, Seed, Status,
};
use swim_craft::Datagram;
use swim_trace::{Said, inspect};

use super::foca::Peer;
use super::members::{addr, alive_record, id, mention, ping_number, plain_ack};
use super::meter::{Meter, Nothing};
use super::operation::{FULL, Operation, PINGERS, Side};
use super::swim::{Swim, options};
use crate::foca_name::{Lean, Name, Usual};

/// Counts what is measured, in pieces.
#[derive(Default)]
struct Pieces(u32);

impl Meter for Pieces {
    fn measure<R>(&mut self, work: impl FnOnce() -> R) -> R {
        self.0 += 1;
        work()
    }
}

const MEMBERS: u32 = 100;

fn nothing_was_dropped(swim: &Swim) {
    let stats = swim.node.stats();
    for reason in DropReason::ALL {
        assert_eq!(stats.dropped(reason), 0, "{reason:?}");
    }
    assert_eq!((stats.stalls, stats.events_lost), (0, 0));
}

#[test]
fn a_node_at_rest_knows_all_and_has_nothing_to_say() {
    let swim = Swim::at_rest(MEMBERS);
    let stats = swim.node.stats();
    assert_eq!((stats.alive, stats.updates_queued), (MEMBERS, 0));
    nothing_was_dropped(&swim);
    let mut loaded = Swim::load(&swim.save()).expect("it was saved");
    assert_eq!(loaded.perform(Operation::Ping, 64, &mut Nothing), 64);
    nothing_was_dropped(&loaded);
}

#[test]
fn every_ping_is_answered_by_an_ack_and_by_nothing_else() {
    let mut swim = Swim::at_rest(MEMBERS);
    let ping = swim.ping(5);
    let sent = swim.answers(Input::Datagram { source: addr(5), bytes: &ping });
    let [sent] = sent.as_slice() else { panic!("{} answers", sent.len()) };
    let ack = inspect(sent).expect("readable");
    assert_eq!((ack.kind, ack.number), (MessageKind::Ack, Some(77)));
    assert_eq!((ack.root, ack.held_claim, ack.stranger), (None, None, false), "both hold the same");
    for operation in [Operation::Ping, Operation::PingAny] {
        assert_eq!(swim.perform(operation, PINGERS, &mut Nothing), u64::from(PINGERS));
    }
    nothing_was_dropped(&swim);
}

#[test]
fn a_peer_answers_every_ping() {
    let mut peer = Peer::<Usual>::at_rest(MEMBERS);
    for operation in [Operation::Ping, Operation::PingAny] {
        assert_eq!(peer.perform(operation, 64, &mut Nothing), 64);
    }
    assert!(peer.outlet.bytes / peer.outlet.datagrams < 40, "nothing is piggybacked on its acks");
}

#[test]
fn what_is_known_is_known_and_changes_nothing() {
    let mut swim = Swim::at_rest(MEMBERS);
    let (before, revision) = (swim.node.stats(), swim.node.revision());
    let count = swim.perform(Operation::Known, 32, &mut Nothing);
    assert_eq!(count, 32 * FULL as u64);
    assert_eq!(swim.node.stats().updates_known - before.updates_known, count);
    assert_eq!((swim.node.revision(), swim.node.stats().updates_queued), (revision, 0));
    nothing_was_dropped(&swim);

    let mut peer = Peer::<Usual>::at_rest(MEMBERS);
    let notified = peer.outlet.notifications;
    assert_eq!(peer.perform(Operation::Known, 32, &mut Nothing), count);
    assert_eq!((peer.outlet.notifications, peer.foca.updates_backlog()), (notified, 0));
    assert_eq!(peer.foca.num_members(), MEMBERS as usize - 1);
}

#[test]
fn what_is_changed_is_held_and_gossiped() {
    let mut swim = Swim::at_rest(MEMBERS);
    let before = swim.node.stats().updates_applied;
    let count = swim.perform(Operation::Changed, 16, &mut Nothing);
    assert_eq!(count, 16 * FULL as u64);
    assert_eq!(swim.node.stats().updates_applied - before, count);
    assert_eq!(swim.node.stats().updates_queued, FULL as u32);
    assert_eq!(swim.incarnation(2), 16);
    nothing_was_dropped(&swim);

    let mut peer = Peer::<Usual>::at_rest(MEMBERS);
    assert_eq!(peer.perform(Operation::Changed, 16, &mut Nothing), count);
    assert_eq!(peer.foca.updates_backlog(), FULL);
    assert_eq!(peer.state(2), Some((State::Alive, 16)));
}

#[test]
fn an_ack_full_of_news_carries_as_many_updates_on_both_sides() {
    let mut swim = Swim::at_rest(MEMBERS);
    swim.change(2..2 + FULL as u32, 1);
    let ping = swim.ping(1);
    let sent = swim.answers(Input::Datagram { source: addr(1), bytes: &ping }).swap_remove(0);
    let said: Vec<_> = inspect(&sent).expect("readable").said().flatten().collect();
    assert_eq!(said.len(), FULL);
    let is_news = |said: &Said<'_>| matches!(said, Said::Member(member) if member.claim.incarnation.0 == 1);
    assert!(said.iter().all(is_news) && sent.len() > 1_200);
    assert_eq!(swim.perform(Operation::Gossiped, 16, &mut Nothing), 16);

    let mut peer = Peer::<Usual>::at_rest(MEMBERS);
    let before = peer.outlet.bytes;
    assert_eq!(peer.perform(Operation::Gossiped, 4, &mut Nothing), 4);
    assert!((peer.outlet.bytes - before) / 4 > 10 * FULL as u64, "all of it, each time");
}

#[test]
fn newcomers_are_let_in() {
    let mut swim = Swim::at_rest(MEMBERS);
    let count = swim.perform(Operation::Newcomer, 2, &mut Nothing);
    assert_eq!((count, swim.node.stats().alive), (2 * FULL as u64, MEMBERS + 2 * FULL as u32));
    nothing_was_dropped(&swim);
    let mut peer = Peer::<Lean>::at_rest(MEMBERS);
    peer.perform(Operation::Newcomer, 2, &mut Nothing);
    assert_eq!(peer.foca.num_members(), MEMBERS as usize - 1 + 2 * FULL);
}

#[test]
fn a_suspicion_is_raised_and_refuted() {
    let mut swim = Swim::at_rest(MEMBERS);
    assert_eq!(swim.perform(Operation::Suspicion, 50, &mut Nothing), 50);
    let stats = swim.node.stats();
    assert_eq!((stats.suspicions_learnt, stats.suspicions_refuted, stats.suspect), (50, 50, 0));
    nothing_was_dropped(&swim);

    let mut peer = Peer::<Usual>::at_rest(MEMBERS);
    let suspect = foca::Member::new(Name::of(7), 0, State::Suspect);
    let raised = peer.datagram(1, foca::Message::Gossip, &[suspect]);
    peer.feed(addr(1), &raised);
    assert_eq!(peer.state(7), Some((State::Suspect, 0)));
    let mut peer = Peer::<Usual>::at_rest(MEMBERS);
    assert_eq!(peer.perform(Operation::Suspicion, 50, &mut Nothing), 50);
    let states = peer.foca.iter_membership_state();
    let (alive, incarnations) = states.fold((0, 0), |(alive, sum), held| {
        (alive + usize::from(held.state() == State::Alive), sum + u32::from(held.incarnation()))
    });
    assert_eq!((alive, incarnations), (MEMBERS as usize - 1, 50));
}

#[test]
fn a_round_is_a_ping_that_is_answered() {
    let mut swim = Swim::at_rest(MEMBERS);
    let before = swim.node.stats();
    let mut pieces = Pieces::default();
    assert_eq!(swim.perform(Operation::Round, 50, &mut pieces), 50);
    let stats = swim.node.stats();
    assert_eq!((stats.probes - before.probes, stats.probes_answered - before.probes_answered), (50, 50));
    assert_eq!((pieces.0, stats.suspect), (100, 0));
    let mut pieces = Pieces::default();
    assert_eq!(swim.perform(Operation::Ack, 50, &mut pieces), 50);
    assert_eq!(pieces.0, 50, "the ack alone");
    nothing_was_dropped(&swim);

    let mut peer = Peer::<Usual>::at_rest(MEMBERS);
    let before = peer.outlet.datagrams;
    assert_eq!(peer.perform(Operation::Round, 50, &mut Nothing), 50);
    assert_eq!(peer.outlet.datagrams - before, 50);
    assert_eq!(peer.perform(Operation::Ack, 50, &mut Nothing), 50);
    let all_alive = peer.foca.iter_membership_state().all(|held| held.state() == State::Alive);
    assert!(all_alive, "every probe was answered");
}

#[test]
fn an_idle_tick_says_and_changes_nothing() {
    let mut swim = Swim::at_rest(MEMBERS);
    let (before, deadline) = (swim.node.stats(), swim.node.deadline());
    assert_eq!(swim.perform(Operation::Idle, 64, &mut Nothing), 64);
    assert_eq!((swim.node.stats(), swim.node.deadline()), (before, deadline));
    let mut peer = Peer::<Usual>::at_rest(MEMBERS);
    let before = peer.outlet.datagrams;
    assert_eq!(peer.perform(Operation::Idle, 64, &mut Nothing), 64);
    assert_eq!(peer.outlet.datagrams, before);
}

#[test]
fn a_digest_that_is_the_same_is_answered_with_an_empty_page() {
    let mut swim = Swim::at_rest(MEMBERS);
    let before = swim.node.stats();
    assert_eq!(swim.perform(Operation::Digest, 300, &mut Nothing), 300);
    let stats = swim.node.stats();
    assert_eq!((stats.pages_served - before.pages_served, stats.updates_sent), (300, before.updates_sent));
    nothing_was_dropped(&swim);
}

/// The node writes what the bench writes by hand.
#[test]
fn what_is_crafted_is_what_a_node_writes() {
    let mut swim = Swim::new(options());
    // A real node joins and pings; all others it hears of stay silent.
    let config = Arc::new(Config::new(options()).expect("in range"));
    let identity = Identity { id: id(MEMBERS), addr: addr(MEMBERS), epoch: Epoch(swim_craft::EPOCH) };
    let mut other = Node::new(config, identity, Seed([9; 32]), Instant::ORIGIN);
    other.command(Instant::ORIGIN, Command::Join { seeds: &[addr(0)] }).expect("an address to ask");
    let mut now = Instant::ORIGIN;
    let (mut pings, mut acks) = (0, 0);
    for _ in 0..400 {
        if other.deadline().is_some_and(|deadline| deadline <= now) {
            other.handle(now, Input::Tick);
        }
        let mut sent = Vec::new();
        while let Some(output) = other.poll() {
            match output {
                Output::Transmit(one) if one.destination == addr(0) => sent.push(one.bytes.to_vec()),
                _ => {}
            }
        }
        for bytes in sent {
            let read = inspect(&bytes).expect("readable");
            if read.kind == MessageKind::Ping && read.said().next().is_none() {
                let (number, root) = (read.number.expect("a number"), read.root.expect("a root"));
                let sender = mention(MEMBERS, read.incarnation.0);
                let target = mention(0, swim.node.incarnation().0);
                let head = swim_craft::ping(target, None, number, root);
                let crafted = Datagram::new(swim.label(), sender, swim_craft::PING).head(&head);
                assert_eq!((&bytes, ping_number(&bytes)), (&crafted.0, Some(number)));
                pings += 1;
            }
            for bytes in swim.answers(Input::Datagram { source: addr(MEMBERS), bytes: &bytes }) {
                let read = inspect(&bytes).expect("readable");
                if read.kind == MessageKind::Ack && read.root.is_none() && read.said().next().is_none() {
                    assert_eq!(bytes, plain_ack(swim.label(), 0, read.number.expect("a number")));
                    acks += 1;
                }
                other.handle(now, Input::Datagram { source: addr(0), bytes: &bytes });
            }
        }
        now = now.after(std::time::Duration::from_millis(100));
    }
    assert!(pings > 0 && acks > 0, "{pings} pings, {acks} acks");
    assert_eq!(swim.status(MEMBERS), Some(Status::Alive));
    // And gossip: every Alive record, as it stands in a datagram of a node that passes it on.
    swim.change(2..12, 1);
    let ping = swim.ping(1);
    let sent = swim.answers(Input::Datagram { source: addr(1), bytes: &ping }).swap_remove(0);
    for number in 2..12 {
        let record = alive_record(number, 1);
        assert!(sent.windows(record.len()).any(|window| window == record), "{number}");
    }
}
