//! Steady-state handling allocates nothing: what a node keeps is reserved once, and used again.

use std::time::Duration;

use crate::counting::{allocations, uncounted};
use crate::craft::{self, Datagram, member};
use crate::lab::{Lab, ME, addr};
use crate::mesh::Mesh;
use swim_core::{Command, Input, Metadata, Options, Status, wire};

#[test]
fn the_counter_sees_one_box() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(7_u64)))), 1);
    assert_eq!(allocations(|| uncounted(|| drop(std::hint::black_box(Box::new(7_u64))))), 0);
}

/// A node that knows 20 members, has heard from all of them, and whose queues have run empty.
fn warm() -> Lab {
    warm_with(Options::local())
}

fn warm_with(mut options: Options) -> Lab {
    options.sync_interval_max = None;
    let mut lab = Lab::new(options);
    lab.meet(20);
    for number in 0..400 {
        lab.feed(addr(2 + number % 19), &lab.ping(member(2 + number % 19), number));
    }
    lab.forget();
    lab
}

/// Allocations of handing in one datagram and polling what comes of it.
fn fed(lab: &mut Lab, source: u64, datagram: &Datagram) -> u64 {
    let (node, now) = (&mut lab.node, lab.now);
    allocations(|| {
        node.handle(now, Input::Datagram { source: addr(source), bytes: &datagram.0 });
        while node.poll().is_some() {}
    })
}

/// Allocations of one tick at the deadline, without an answer.
fn ticked(lab: &mut Lab) -> u64 {
    lab.now = lab.now.max(lab.node.deadline().expect("something is due"));
    let (node, now) = (&mut lab.node, lab.now);
    allocations(|| {
        node.handle(now, Input::Tick);
        while node.poll().is_some() {}
    })
}

#[test]
fn a_ping_is_answered_without_allocating() {
    let mut lab = warm();
    let ping = lab.ping(member(3), 77);
    assert_eq!(fed(&mut lab, 3, &ping), 0);
    assert_eq!(lab.stats().dropped(swim_core::DropReason::OutboxFull), 0);
}

#[test]
fn looking_at_a_datagram_allocates_nothing() {
    let lab = warm();
    let gossip = lab.craft(member(3), craft::GOSSIP).updates(&[
        craft::alive(member(4), addr(4), b"metadata"),
        craft::suspect(member(5), &[6, 7, 8]),
        craft::dead(member(9), 6, 7),
    ]);
    let seen = |bytes| {
        let (header, parts) = wire::read_header(bytes, None).expect("readable");
        wire::read_body(header.kind, parts).expect("readable").updates.flatten().count()
    };
    assert_eq!(allocations(|| assert_eq!(seen(&gossip.0), 3)), 0);
}

#[test]
fn an_own_probe_and_its_ack_allocate_nothing() {
    let mut lab = warm();
    let mut answered = 0;
    for _ in 0..100 {
        lab.now = lab.now.max(lab.node.deadline().expect("something is due"));
        let (node, now) = (&mut lab.node, lab.now);
        assert_eq!(allocations(|| node.handle(now, Input::Tick)), 0);
        lab.poll();
        for (target, bytes) in std::mem::take(&mut lab.sent) {
            if craft::kind(&bytes) != craft::PING {
                continue;
            }
            let id = (2..=20).find(|id| addr(*id) == target).expect("a member");
            let number = craft::u64_at(craft::head_of(&bytes), 8);
            let ack = lab.craft(member(id), craft::ACK).head(&craft::ack(number, None, None, false));
            assert_eq!(fed(&mut lab, id, &ack), 0);
            answered += 1;
        }
    }
    assert_eq!(lab.stats().probes_answered, answered);
    assert!(answered > 50, "{answered}");
}

#[test]
fn what_is_known_already_is_heard_without_allocating() {
    let mut lab = warm();
    let before = lab.stats().updates_known;
    let updates: Vec<_> = (3..=20).map(|id| craft::alive(member(id), addr(id), b"")).collect();
    let gossip = lab.craft(member(2), craft::GOSSIP).updates(&updates);
    assert_eq!(fed(&mut lab, 2, &gossip), 0);
    assert_eq!(lab.stats().updates_known - before, 18);
}

#[test]
fn a_ping_on_behalf_of_another_allocates_nothing_once_warm() {
    let mut lab = warm();
    for round in 0..4_u64 {
        let request = lab.craft(member(2), craft::PING_REQ).head(&craft::ping_req(3, round, 500_000));
        lab.sent.clear();
        let (node, now) = (&mut lab.node, lab.now);
        let bytes = &request.0;
        let asked = allocations(|| node.handle(now, Input::Datagram { source: addr(2), bytes }));
        lab.poll();
        let (_, ping) = lab.sent_of(craft::PING).pop().expect("it pings on");
        let number = craft::u64_at(craft::head_of(&ping), 8);
        let ack = lab.craft(member(3), craft::ACK).head(&craft::ack(number, None, None, false));
        let passed = fed(&mut lab, 3, &ack);
        assert!(round == 0 || asked + passed == 0, "round {round}: {asked} and {passed}");
    }
    assert_eq!(lab.stats().relayed, 4);
}

#[test]
fn a_gossip_tick_allocates_nothing() {
    // The period is long: nothing but gossip is due.
    let mut options = Options::local();
    options.period = Duration::from_secs(3_600);
    let mut lab = warm_with(options);
    for round in 0..4 {
        lab.command(Command::SetMetadata(Metadata::new(&[round; 16]).expect("short")));
        let before = lab.stats();
        let mut allocated = 0;
        while lab.stats().updates_queued > 0 {
            allocated += ticked(&mut lab);
        }
        assert!(lab.stats().updates_sent > before.updates_sent, "it gossiped");
        assert_eq!(lab.stats().probes, before.probes);
        assert!(round == 0 || allocated == 0, "round {round}: {allocated}");
    }
}

#[test]
fn a_header_with_news_of_its_sender_allocates_nothing_once_warm() {
    let mut lab = warm();
    for incarnation in 1..5_u32 {
        let ping = lab.ping(member(3).incarnation(incarnation), 7);
        let allocated = fed(&mut lab, 3, &ping);
        assert!(incarnation == 1 || allocated == 0, "{incarnation}: {allocated}");
    }
    assert_eq!(lab.stats().header_claims, 4);
}

#[test]
fn a_suspicion_that_is_raised_and_refuted_allocates_nothing_once_warm() {
    let mut lab = warm();
    for incarnation in 0..6_u32 {
        let mut allocated = 0;
        let accused = member(3).incarnation(incarnation);
        for accusers in [&[4][..], &[5, 6], &[7]] {
            let gossip = lab.craft(member(2), craft::GOSSIP).updates(&[craft::suspect(accused, accusers)]);
            allocated += fed(&mut lab, 2, &gossip);
        }
        assert_eq!(lab.status(3), Some(Status::Suspect));
        let mention = accused.incarnation(incarnation + 1);
        let refuted = lab.craft(member(2), craft::GOSSIP).updates(&[craft::alive(mention, addr(3), b"")]);
        allocated += fed(&mut lab, 2, &refuted);
        assert_eq!(lab.status(3), Some(Status::Alive));
        assert!(incarnation == 0 || allocated == 0, "{incarnation}: {allocated}");
    }
    assert_eq!(lab.stats().suspicions_refuted, 6);
}

#[test]
fn an_accusation_of_this_node_is_refuted_without_allocating() {
    let mut lab = warm();
    for _ in 0..3 {
        let accused = lab.my_mention();
        let gossip = lab.craft(member(2), craft::GOSSIP).updates(&[craft::suspect(accused, &[3])]);
        let allocated = fed(&mut lab, 2, &gossip);
        assert!(accused.incarnation == 0 || allocated == 0, "{allocated}");
        assert_eq!(lab.my_mention().incarnation, accused.incarnation + 1);
    }
    assert_eq!(lab.my_mention().id, ME);
}

#[test]
fn a_cluster_at_rest_allocates_nothing_at_all() {
    let mut mesh = Mesh::new(8, &Options::local());
    mesh.run_for(Duration::from_secs(60));
    assert!(mesh.nodes.iter().all(|node| node.stats().alive == 8), "all know all");
    let before: u64 = mesh.nodes.iter().map(|node| node.stats().datagrams_received).sum();
    let mut allocated = 0;
    for _ in 0..6_000 {
        mesh.step(|_| true, |node, call| allocated += allocations(|| call(node)));
    }
    let after: u64 = mesh.nodes.iter().map(|node| node.stats().datagrams_received).sum();
    assert!(after - before > 1_000, "{}", after - before);
    assert_eq!(allocated, 0);
}

#[test]
fn lost_datagrams_retries_and_relays_allocate_nothing_once_warm() {
    let mut mesh = Mesh::new(8, &Options::local());
    mesh.run_for(Duration::from_secs(30));
    let mut turn = 0_u32;
    let mut lossy = move |_: &crate::mesh::Packet| {
        turn = turn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        turn >> 24 >= 51
    };
    for _ in 0..30_000 {
        mesh.step(&mut lossy, |node, call| call(node));
    }
    let relays = |mesh: &Mesh| mesh.nodes.iter().map(|node| node.stats().relays_asked).sum::<u64>();
    let before = relays(&mesh);
    let mut allocated = 0;
    for _ in 0..6_000 {
        mesh.step(&mut lossy, |node, call| allocated += allocations(|| call(node)));
    }
    assert!(relays(&mesh) > before, "relays were asked");
    assert_eq!(allocated, 0);
}
