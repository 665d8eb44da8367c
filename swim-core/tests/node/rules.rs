//! Single rules of the acts in `src/node/`, each seen from outside.

use std::net::SocketAddr;
use std::time::Duration;

use crate::craft::{self, EPOCH, Mention, member};
use crate::lab::{Lab, ME, addr};
use swim_core::{Command, DropReason, Event, NodeId, Payload, Status};

#[test]
fn nothing_is_answered_to_an_address_without_a_port_or_to_this_node_itself() {
    let mut lab = Lab::quiet();
    lab.admit(member(2));
    let ping = lab.ping(member(9), 7);
    let join = lab.craft(member(9), craft::JOIN).head(&craft::two(5, 0));
    for source in ["0.0.0.0:7946", "10.0.0.9:0", "255.255.255.255:7946", "224.0.0.1:7946"] {
        for datagram in [&ping, &join] {
            lab.feed(source.parse().expect("an address"), datagram);
        }
    }
    assert_eq!(lab.dropped(DropReason::WrongSource), 8);
    let itself = lab.node.me().addr;
    lab.feed(itself, &ping);
    lab.feed(itself, &join);
    assert_eq!(lab.dropped(DropReason::FromMyself), 2);
    assert_eq!(lab.sent, []);
}

#[test]
fn a_rival_at_an_unreachable_address_is_not_asked() {
    let mut lab = Lab::quiet();
    lab.admit(member(2));
    let mine = lab.my_mention().incarnation(5);
    for at in ["0.0.0.0:7946", "10.0.0.9:0"] {
        lab.gossip(member(2), &[craft::alive(mine, at.parse().expect("an address"), b"")]);
    }
    assert_eq!(lab.dropped(DropReason::ClaimAddress), 2);
    lab.run_for(Duration::from_millis(100));
    assert!(lab.sent_of(craft::PING).iter().all(|(target, _)| *target == addr(2)));
}

#[test]
fn a_member_held_where_this_node_has_moved_to_is_not_sent_to_and_found_dead() {
    let mut options = Lab::quiet_options();
    options.self_doubt = false;
    let mut lab = Lab::new(options);
    lab.meet(3);
    lab.command(Command::SetAddress(addr(3)));
    lab.run_for(Duration::from_secs(60));
    let to_itself = |(target, _): &&(SocketAddr, Vec<u8>)| *target == addr(3);
    assert_eq!(lab.sent.iter().filter(to_itself).count(), 0);
    assert_eq!(lab.status(3), Some(Status::Dead));
}

/// The number of a probe of member 3, which is open and has asked its relays.
fn open_probe(lab: &mut Lab) -> u64 {
    lab.meet(6);
    let number = lab.await_probe_of(3);
    for _ in 0..10 {
        if !lab.sent_of(craft::PING_REQ).is_empty() {
            return number;
        }
        lab.tick();
    }
    panic!("no relay is asked");
}

#[test]
fn an_ack_counts_only_with_number_sender_and_source_of_the_open_probe() {
    let mut lab = Lab::quiet();
    let number = open_probe(&mut lab);
    let ack = |lab: &Lab, sender: u64, number: u64| {
        lab.craft(member(sender), craft::ACK).head(&craft::ack(number, None, None, false))
    };
    let before = lab.stats().probes_answered;
    for wrong in [ack(&lab, 3, number ^ (1 << 40)), ack(&lab, 3, number ^ (1 << 5))] {
        lab.feed(addr(3), &wrong);
    }
    lab.feed(addr(4), &ack(&lab, 4, number));
    lab.feed(addr(4), &ack(&lab, 3, number));
    assert_eq!(lab.stats().probes_answered, before);
    assert_eq!(lab.dropped(DropReason::UnexpectedAnswer), 3);
    assert_eq!(lab.dropped(DropReason::WrongSource), 1);
    lab.feed(addr(3), &ack(&lab, 3, number));
    assert_eq!(lab.stats().probes_answered, before + 1);
}

#[test]
fn only_a_relay_that_was_asked_may_answer_for_the_target() {
    let mut lab = Lab::quiet();
    let number = open_probe(&mut lab);
    let asked: Vec<SocketAddr> = lab.sent_of(craft::PING_REQ).into_iter().map(|(target, _)| target).collect();
    let asked_id = (2..=6).find(|id| asked.contains(&addr(*id))).expect("a member");
    let relayed = |lab: &Lab, sender: u64, number: u64, target: u64| {
        lab.craft(member(sender), craft::RELAYED_ACK).head(&craft::answer(number, Some(target)))
    };
    // The target itself was not asked to ping itself.
    for (sender, number, target) in [(3, number, 3), (asked_id, number ^ (1 << 30), 3), (asked_id, number, 4)]
    {
        lab.feed(addr(sender), &relayed(&lab, sender, number, target));
    }
    assert_eq!((lab.stats().probes_answered_by_relay, lab.dropped(DropReason::UnexpectedAnswer)), (0, 3));
    lab.feed(addr(asked_id), &relayed(&lab, asked_id, number, 3));
    assert_eq!(lab.stats().probes_answered_by_relay, 1);
}

#[test]
fn a_relay_passes_on_only_what_the_target_itself_says() {
    let mut lab = Lab::quiet();
    lab.meet(5);
    lab.feed(addr(2), &lab.craft(member(2), craft::PING_REQ).head(&craft::ping_req(3, 0xabc, 500_000)));
    let (target, ping) = lab.sent_of(craft::PING).pop().expect("it pings");
    assert_eq!(target, addr(3));
    let number = craft::u64_at(craft::head_of(&ping), 8);
    let ack = |lab: &Lab, sender: u64| {
        lab.craft(member(sender), craft::ACK).head(&craft::ack(number, None, None, false))
    };
    lab.feed(addr(4), &ack(&lab, 4));
    assert!(lab.sent_of(craft::RELAYED_ACK).is_empty());
    lab.feed(addr(3), &ack(&lab, 3));
    let (origin, passed) = lab.sent_of(craft::RELAYED_ACK).pop().expect("it passes on");
    assert_eq!(origin, addr(2));
    assert_eq!(craft::head_of(&passed), craft::answer(0xabc, Some(3)));
}

/// What it has asked is answered, for it was a member then; nothing else is for it any more.
#[test]
fn a_relay_sends_no_gossip_to_a_member_that_has_left_since_it_asked() {
    for (answered, kind) in [(true, craft::RELAYED_ACK), (false, craft::NACK)] {
        for leaves in [true, false] {
            let mut lab = Lab::quiet();
            lab.meet(5);
            lab.feed(
                addr(2),
                &lab.craft(member(2), craft::PING_REQ).head(&craft::ping_req(3, 0xabc, 500_000)),
            );
            let (_, ping) = lab.sent_of(craft::PING).pop().expect("it pings");
            if leaves {
                lab.gossip(member(2), &[craft::left(member(2), 2)]);
            }
            lab.command(Command::Broadcast(Payload::new(b"news").expect("short")));
            if answered {
                let number = craft::u64_at(craft::head_of(&ping), 8);
                let ack = lab.craft(member(3), craft::ACK).head(&craft::ack(number, None, None, false));
                lab.feed(addr(3), &ack);
            } else {
                lab.run_for(Duration::from_millis(450));
            }
            let (origin, passed) = lab.sent_of(kind).pop().expect("it was promised");
            assert_eq!(origin, addr(2));
            assert_eq!(craft::part_of(&passed, craft::BROADCASTS).is_empty(), leaves, "{kind}");
            assert!(!leaves || craft::part_of(&passed, craft::UPDATES).is_empty());
        }
    }
}

#[test]
fn a_ping_that_carries_its_sender_s_goodbye_is_answered_without_gossip() {
    let mut lab = Lab::quiet();
    lab.meet(5);
    lab.command(Command::Broadcast(Payload::new(b"news").expect("short")));
    lab.forget();
    let ping = lab.ping(member(2), 7).updates(&[craft::left(member(2), 2)]);
    lab.feed(addr(2), &ping);
    let (_, ack) = lab.sent_of(craft::ACK).pop().expect("it is answered");
    assert!(ack.len() <= ping.0.len() && craft::part_of(&ack, craft::BROADCASTS).is_empty());
    let request = lab.craft(member(4), craft::PING_REQ).head(&craft::ping_req(3, 1, 500_000));
    lab.feed(addr(4), &request.updates(&[craft::left(member(4), 4)]));
    assert!(lab.sent_of(craft::PING).is_empty(), "no node is asked for it");
    assert_eq!(lab.dropped(DropReason::Stranger), 1);
}

#[test]
fn a_relay_keeps_no_budget_longer_than_the_longest_period() {
    let mut options = Lab::quiet_options();
    options.health_max = 1;
    let mut lab = Lab::new(options);
    lab.meet(5);
    lab.feed(addr(2), &lab.craft(member(2), craft::PING_REQ).head(&craft::ping_req(3, 1, u32::MAX)));
    // A second is the period at the worst health: 80 % of it, and it says that it heard nothing.
    lab.run_for(Duration::from_millis(790));
    assert!(lab.sent_of(craft::NACK).is_empty());
    lab.run_for(Duration::from_millis(20));
    assert_eq!(lab.sent_of(craft::NACK).len(), 1);
}

#[test]
fn a_suspect_learns_of_its_suspicion_from_the_ping_that_probes_it() {
    let mut lab = Lab::quiet();
    lab.meet(5);
    lab.gossip(member(2), &[craft::suspect(member(3), &[4])]);
    lab.await_probe_of(3);
    let pings = lab.sent_of(craft::PING);
    let (_, ping) = pings.iter().find(|(target, _)| *target == addr(3)).expect("awaited");
    assert_eq!(craft::head_of(ping)[35], Status::Suspect as u8);
}

#[test]
fn a_suspect_that_pings_learns_of_it_from_the_ack() {
    let mut lab = Lab::quiet();
    lab.meet(5);
    lab.gossip(member(2), &[craft::suspect(member(3), &[4])]);
    lab.sent.clear();
    lab.feed(addr(3), &lab.ping(member(3), 7));
    let head = craft::head_of(&lab.sent[0].1).to_vec();
    // number, flags, the held claim: epoch, incarnation, status.
    assert_eq!((head.len(), head[8], head[19]), (20, 0b10, Status::Suspect as u8));
}

#[test]
fn a_tombstone_is_sent_to_a_member_that_claims_its_subject_alive() {
    let mut lab = Lab::quiet();
    lab.meet(5);
    lab.gossip(member(2), &[craft::left(member(3), 3)]);
    for number in 0..50 {
        lab.feed(addr(2), &lab.ping(member(2), number));
    }
    lab.sent.clear();
    lab.feed(addr(4), &lab.ping(member(4), 7).updates(&[craft::alive(member(3), addr(3), b"")]));
    assert_eq!(lab.status(3), Some(Status::Left));
    assert_eq!(craft::claims(&lab.sent[0].1), [(Status::Left as u8, member(3))]);
}

#[test]
fn a_ping_that_states_a_claim_of_this_node_is_answered_with_its_own() {
    let mut lab = Lab::quiet();
    lab.meet(3);
    let old = lab.my_mention();
    lab.gossip(member(2), &[craft::suspect(old, &[3])]);
    for number in 0..50 {
        lab.feed(addr(2), &lab.ping(member(2), number));
    }
    let own = [(Status::Alive as u8, lab.my_mention())];
    for (held, sent) in [(None, &[][..]), (Some(old), &own), (Some(lab.my_mention()), &own)] {
        lab.sent.clear();
        let status = held.map(|_| Status::Alive as u8);
        let ping = craft::ping(held.unwrap_or(old), status, 7, 0);
        lab.feed(addr(3), &lab.craft(member(3), craft::PING).head(&ping));
        assert_eq!(craft::claims(&lab.sent[0].1), sent);
    }
}

#[test]
fn a_ping_says_nothing_of_a_living_member_unless_something_of_it_is_missing() {
    let mut lab = Lab::quiet();
    lab.meet(3);
    let mut probe = || {
        lab.await_probe_of(3);
        let (_, ping) = lab.sent_of(craft::PING).pop().expect("awaited");
        lab.feed(addr(3), &lab.ping(member(3).incarnation(1), 7));
        craft::head_of(&ping).to_vec()
    };
    let (before, after) = (probe(), probe());
    assert_eq!((before.len(), after.len()), (25, 36));
    assert_eq!((craft::u32_at(&after, 31), after[35]), (1, Status::Alive as u8));
}

#[test]
fn a_dead_from_another_member_starts_a_suspicion_with_the_shortest_timeout() {
    let mut options = Lab::quiet_options();
    options.self_doubt = false;
    let mut lab = Lab::new(options);
    lab.meet(6);
    lab.gossip(member(2), &[craft::dead(member(3), 4, 5)]);
    assert_eq!(lab.status(3), Some(Status::Suspect));
    // α = 3 periods of 500 ms.
    lab.run_for(Duration::from_millis(1_400));
    assert_eq!(lab.status(3), Some(Status::Suspect));
    lab.run_for(Duration::from_millis(200));
    assert_eq!(lab.status(3), Some(Status::Dead));
}

#[test]
fn an_operator_s_removal_is_accepted_only_of_a_suspect_or_dead_member() {
    let mut lab = Lab::quiet();
    lab.meet(5);
    lab.gossip(member(2), &[craft::left(member(3), 4)]);
    assert_eq!(lab.status(3), Some(Status::Alive));
    lab.gossip(member(2), &[craft::suspect(member(3), &[5]), craft::left(member(3), 4)]);
    assert_eq!(lab.status(3), Some(Status::Left));
    lab.gossip(member(2), &[craft::left(member(4), 4)]);
    assert_eq!(lab.status(4), Some(Status::Left), "a goodbye of one's own is");
}

#[test]
fn gossip_is_heard_only_from_members_where_they_live() {
    let mut lab = Lab::quiet();
    lab.meet(4);
    lab.gossip(member(2), &[craft::left(member(4), 4)]);
    let newcomer = [craft::alive(member(9), addr(9), b"")];
    let gossip = |lab: &Lab, sender| lab.craft(sender, craft::GOSSIP).updates(&newcomer);
    lab.feed(addr(7), &gossip(&lab, member(7)));
    lab.feed(addr(7), &gossip(&lab, member(3)));
    lab.feed(addr(4), &gossip(&lab, member(4)));
    lab.feed(addr(3), &gossip(&lab, member(3).epoch(EPOCH - 1)));
    assert_eq!(lab.status(9), None);
    lab.feed(addr(3), &gossip(&lab, member(3)));
    assert_eq!(lab.status(9), Some(Status::Alive));
}

#[test]
fn a_stranger_s_claim_about_this_node_does_not_raise_its_incarnation() {
    let mut lab = Lab::quiet();
    lab.meet(3);
    lab.gossip(member(2), &[craft::left(member(3), 3)]);
    let mine = lab.my_mention();
    for (sender, source) in [(9, 9), (2, 9), (3, 3)] {
        let accused = mine.incarnation(mine.incarnation + 5);
        let ping = craft::ping(accused, Some(Status::Suspect as u8), 7, 0);
        lab.feed(addr(source), &lab.craft(member(sender), craft::PING).head(&ping));
    }
    assert_eq!(lab.my_mention(), mine);
    // A member held Dead here may claim that it holds this node Dead, in exactly this incarnation.
    let ping = craft::ping(mine, Some(Status::Dead as u8), 7, 0);
    lab.feed(addr(3), &lab.craft(member(3), craft::PING).head(&ping));
    assert_eq!(lab.my_mention().incarnation, mine.incarnation + 1);
}

#[test]
fn a_page_must_have_been_asked_for() {
    let mut options = Lab::quiet_options();
    options.sync_interval_max = Some(Duration::from_secs(30));
    let mut lab = Lab::new(options);
    lab.meet(4);
    let ping = craft::ping(lab.my_mention(), None, 1, 0xdead);
    lab.feed(addr(2), &lab.craft(member(2), craft::PING).head(&ping));
    lab.sent.clear();
    lab.tick();
    let (target, pull) = lab.sent_of(craft::SYNC_PULL).pop().expect("their digests differ");
    assert_eq!(target, addr(2));
    let number = craft::u64_at(craft::head_of(&pull), 0);
    let page = |lab: &Lab, sender, number| {
        lab.craft(member(sender), craft::SYNC_PAGE).head(&craft::sync_page(number, 0, 0, 0))
    };
    lab.feed(addr(3), &page(&lab, 3, number));
    lab.feed(addr(2), &page(&lab, 2, number ^ (1 << 20)));
    assert_eq!(lab.dropped(DropReason::UnexpectedAnswer), 2);
    lab.feed(addr(2), &page(&lab, 2, number));
    assert_eq!(lab.dropped(DropReason::UnexpectedAnswer), 2);
    lab.feed(addr(2), &page(&lab, 2, number));
    assert_eq!(lab.dropped(DropReason::UnexpectedAnswer), 3, "once");
}

/// As long as the budget for freezing suspicions lasts; then silence is silence.
#[test]
fn a_member_to_which_no_ping_leaves_is_excused_for_a_while_and_then_found_dead() {
    let mut lab = Lab::quiet();
    lab.admit(member(2));
    lab.forget();
    let mut suspected_after = None;
    for _ in 0..1_000 {
        lab.handle(swim_core::Input::Undelivered { target: addr(2) });
        lab.tick();
        if lab.status(2) == Some(Status::Suspect) {
            suspected_after = suspected_after.or(Some(lab.stats().probes_excused));
        } else if lab.status(2) == Some(Status::Dead) {
            break;
        }
    }
    let isolated = |event: &Event| matches!(event, Event::Isolated { isolated: true });
    assert_eq!(lab.events.iter().filter(|event| isolated(event)).count(), 1);
    assert!(suspected_after.is_some_and(|excused| excused >= 3), "{suspected_after:?}");
    assert_eq!(lab.status(2), Some(Status::Dead));
}

#[test]
fn a_nack_counts_once_with_the_right_number_and_from_a_relay_that_was_asked() {
    let mut lab = Lab::quiet();
    let number = open_probe(&mut lab);
    let asked: Vec<SocketAddr> = lab.sent_of(craft::PING_REQ).into_iter().map(|(target, _)| target).collect();
    let is_asked = |id: &u64| asked.contains(&addr(*id));
    let relay = (2..=6).find(is_asked).expect("a relay");
    let other = (2..=6).find(|id| !is_asked(id)).expect("the target at least");
    let nack = |lab: &Lab, sender: u64, number: u64| {
        lab.craft(member(sender), craft::NACK).head(&craft::answer(number, None))
    };
    let heard = [(relay, number ^ (1 << 30)), (other, number), (relay, number), (relay, number)].map(
        |(sender, number)| {
            lab.feed(addr(sender), &nack(&lab, sender, number));
            lab.stats().nacks_received
        },
    );
    assert_eq!((heard, lab.dropped(DropReason::UnexpectedAnswer)), ([0, 0, 1, 1], 3));
}

#[test]
fn no_relay_is_made_to_ping_the_dead_or_itself() {
    let mut options = Lab::quiet_options();
    options.dead_over_suspect_only = false;
    let mut lab = Lab::new(options);
    lab.meet(5);
    lab.gossip(member(2), &[craft::dead(member(3), 4, 4)]);
    lab.forget();
    for target in [3, ME, 99] {
        let request = lab.craft(member(2), craft::PING_REQ).head(&craft::ping_req(target, 1, 500_000));
        lab.feed(addr(2), &request);
    }
    assert_eq!((lab.dropped(DropReason::RelayTarget), lab.sent_of(craft::PING).len()), (3, 0));
}

/// The only one that holds a member that is gone would hear from no relay, and hold itself isolated each time.
#[test]
fn a_relay_that_does_not_hold_the_target_sends_a_nack_at_once() {
    let mut lab = Lab::quiet();
    lab.meet(5);
    lab.forget();
    let request = lab.craft(member(2), craft::PING_REQ).head(&craft::ping_req(99, 1, 500_000));
    lab.feed(addr(2), &request);
    let nacks: Vec<SocketAddr> = lab.sent_of(craft::NACK).into_iter().map(|(target, _)| target).collect();
    assert_eq!(nacks, [addr(2)]);
}

#[test]
fn a_ping_to_a_dead_member_says_that_it_is_held_dead() {
    let mut options = Lab::quiet_options();
    options.dead_over_suspect_only = false;
    options.heal_interval = Some(Duration::from_secs(1));
    let mut lab = Lab::new(options);
    lab.meet(4);
    lab.gossip(member(2), &[craft::dead(member(3), 4, 4)]);
    lab.forget();
    lab.run_for(Duration::from_secs(10));
    let pings = lab.sent_of(craft::PING);
    let (_, ping) = pings.iter().find(|(target, _)| *target == addr(3)).expect("the dead are asked");
    assert_eq!(craft::head_of(ping)[35], Status::Dead as u8);
}

#[test]
fn an_answer_that_waited_for_this_node_measures_nothing() {
    let mut lab = Lab::quiet();
    lab.meet(4);
    let number = lab.await_probe_of(3);
    let ack = lab.craft(member(3), craft::ACK).head(&craft::ack(number, None, None, false));
    lab.now = lab.now.after(Duration::from_secs(10));
    lab.feed(addr(3), &ack);
    let stats = lab.stats();
    assert_eq!((stats.stalls, stats.probes_answered, stats.rtts), (1, 1, 0));
    assert_eq!(lab.node.member(NodeId(3)).and_then(|member| member.rtt), None);
}

#[test]
fn a_member_that_speaks_no_common_version_is_not_admitted() {
    let mut lab = Lab::quiet();
    lab.admit(member(2));
    for (id, lowest, highest) in [(8, 3, 4), (9, 1, 1)] {
        let mut later = craft::alive(member(id), addr(id), b"");
        let versions = later.len() - 2;
        later[versions..].copy_from_slice(&[lowest, highest]);
        lab.gossip(member(2), &[later]);
        assert_eq!(lab.status(id), None);
    }
    assert_eq!(lab.dropped(DropReason::Version), 2);
}

#[test]
fn of_two_addresses_under_one_stamp_every_member_takes_the_higher() {
    for order in [[7, 8], [8, 7]] {
        let mut lab = Lab::quiet();
        lab.admit(member(2));
        for at in order {
            lab.gossip(member(2), &[craft::alive(member(5), addr(at), b"")]);
        }
        assert_eq!(lab.node.member(NodeId(5)).map(|member| member.addr), Some(addr(8)));
    }
}

#[test]
fn a_suspect_is_no_accuser_of_itself() {
    let mut lab = Lab::quiet();
    lab.meet(9);
    lab.gossip(member(2), &[craft::suspect(member(3), &[4])]);
    lab.forget();
    lab.gossip(member(2), &[craft::suspect(member(3), &[3])]);
    assert_eq!(lab.events, []);
}

#[test]
fn a_dead_of_this_node_that_others_repeat_is_theirs_now() {
    let mut lab = Lab::quiet();
    lab.meet(5);
    lab.forget();
    lab.gossip(member(2), &[craft::dead(member(3), ME, ME)]);
    assert!(matches!(lab.events[..], [Event::Suspect { by: NodeId(2), .. }]), "{:?}", lab.events);
}

#[test]
fn to_be_accused_costs_health() {
    let mut lab = Lab::quiet();
    lab.meet(3);
    lab.gossip(member(2), &[craft::suspect(lab.my_mention(), &[3])]);
    assert_eq!(lab.node.health(), 1);
}

#[test]
fn a_claim_about_an_implausible_epoch_of_this_node_starts_no_new_epoch() {
    let mut lab = Lab::quiet();
    lab.meet(3);
    let mine = lab.my_mention();
    let impossible = mine.epoch(EPOCH + 48 * 3_600_000);
    for status in [Status::Alive, Status::Suspect, Status::Dead, Status::Left] {
        let ping = craft::ping(impossible, Some(status as u8), 7, 0);
        lab.feed(addr(2), &lab.craft(member(2), craft::PING).head(&ping));
        let ping = craft::ping(impossible, Some(status as u8), 8, 0);
        lab.feed(addr(9), &lab.craft(member(9), craft::PING).head(&ping));
    }
    assert_eq!(lab.my_mention(), mine);
    assert_eq!(lab.sent_of(craft::JOIN), []);
}

#[test]
fn a_stranger_s_ping_for_another_member_is_not_answered() {
    let mut lab = Lab::quiet();
    lab.admit(member(2));
    let ping = craft::ping(member(77), None, 7, 0);
    lab.feed(addr(9), &lab.craft(member(9), craft::PING).head(&ping));
    assert_eq!((lab.dropped(DropReason::NotForMe), lab.sent.len()), (1, 0));
}

#[test]
fn a_broadcast_counts_only_in_the_epoch_that_is_held() {
    let mut lab = Lab::quiet();
    lab.meet(3);
    for (epoch, heard) in [(EPOCH - 1, 0), (EPOCH + 48 * 3_600_000, 0), (EPOCH + 5, 0), (EPOCH, 1)] {
        let record = craft::broadcast(member(3).epoch(epoch), 1, b"x");
        lab.feed(addr(2), &lab.craft(member(2), craft::GOSSIP).broadcasts(&[record]));
        assert_eq!(lab.stats().broadcasts_delivered, heard, "{epoch}");
    }
    assert_eq!(lab.dropped(DropReason::UnknownMember), 3);
}

/// A seed says that `holder` has this node's id, with these records. How many unexpected answers were dropped then.
fn id_taken(lab: &mut Lab, holder: Mention, records: &[Vec<u8>]) -> u64 {
    lab.command(Command::Join { seeds: &[addr(5)] });
    lab.tick();
    let (_, join) = lab.sent_of(craft::JOIN).pop().expect("the seed is asked");
    let nonce = craft::u64_at(craft::head_of(&join), 0);
    lab.feed(addr(5), &lab.craft(member(5), craft::CHALLENGE).head(&craft::two(nonce, 5)));
    let welcome = craft::welcome(nonce, true, holder, EPOCH, 3);
    lab.feed(addr(5), &lab.craft(member(5), craft::WELCOME).head(&welcome).updates(records));
    lab.run_for(Duration::from_secs(5));
    lab.dropped(DropReason::UnexpectedAnswer)
}

#[test]
fn a_seed_that_calls_the_id_taken_in_an_implausible_epoch_poisons_nothing() {
    let mut lab = Lab::quiet();
    lab.admit(member(2));
    let (mine, holder) = (lab.my_mention(), lab.my_mention().epoch((1 << 48) - 1));
    assert_eq!(id_taken(&mut lab, holder, &[craft::alive(holder, addr(98), b"")]), 0);
    assert_eq!(lab.my_mention().epoch, mine.epoch);
}

#[test]
fn a_welcome_that_calls_the_id_taken_gives_it_up_only_with_the_record_of_its_holder() {
    for with_record in [false, true] {
        let mut lab = Lab::quiet();
        let holder = lab.my_mention();
        let records = &[craft::alive(holder, addr(98), b"")][..usize::from(with_record)];
        let unexpected = id_taken(&mut lab, holder, records);
        assert_eq!((lab.node.is_running(), unexpected), (!with_record, u64::from(!with_record)));
    }
}

#[test]
fn a_token_is_good_for_one_address_and_for_half_a_minute_but_not_for_two() {
    let mut lab = Lab::quiet();
    let mut welcomed = |source: u64, waited: Duration| {
        let token = lab.token(addr(8), member(8));
        lab.now = lab.now.after(waited);
        let join = lab.craft(member(8), craft::JOIN).head(&craft::two(5, token));
        lab.sent.clear();
        lab.feed(addr(source), &join);
        craft::kind(&lab.sent[0].1) == craft::WELCOME
    };
    assert!(welcomed(8, Duration::ZERO));
    assert!(!welcomed(9, Duration::ZERO));
    assert!(welcomed(8, Duration::from_secs(30)));
    assert!(!welcomed(8, Duration::from_secs(60)));
}

#[test]
fn an_announcement_carries_no_claim_about_another_member() {
    let mut lab = Lab::quiet();
    lab.admit(member(2));
    let token = lab.token(addr(8), member(8));
    let announce = |lab: &Lab, updates: &[Vec<u8>]| {
        lab.craft(member(8), craft::ANNOUNCE).head(&craft::two(token, 9)).updates(updates)
    };
    for about in [member(9), member(8).epoch(EPOCH + 1), member(8).incarnation(1)] {
        lab.feed(addr(8), &announce(&lab, &[craft::alive(about, addr(8), b"")]));
    }
    lab.feed(addr(8), &announce(&lab, &[craft::left(member(8), 8)]));
    lab.feed(addr(8), &announce(&lab, &[]));
    assert_eq!(lab.dropped(DropReason::Malformed), 5);
    let both = [craft::alive(member(8), addr(8), b""), craft::left(member(2), 2)];
    lab.feed(addr(8), &announce(&lab, &both));
    assert_eq!((lab.status(8), lab.status(2)), (Some(Status::Alive), Some(Status::Alive)));
}

#[test]
fn a_second_challenge_does_not_replace_the_token_of_the_first() {
    let mut lab = Lab::quiet();
    lab.command(Command::Join { seeds: &[addr(5)] });
    lab.tick();
    let (_, join) = lab.sent_of(craft::JOIN).pop().expect("the seed is asked");
    let nonce = craft::u64_at(craft::head_of(&join), 0);
    for token in [111, 222] {
        lab.feed(addr(5), &lab.craft(member(5), craft::CHALLENGE).head(&craft::two(nonce, token)));
    }
    lab.feed(addr(6), &lab.craft(member(6), craft::CHALLENGE).head(&craft::two(nonce, 333)));
    assert_eq!(lab.dropped(DropReason::UnexpectedAnswer), 2);
    lab.tick();
    let (_, join) = lab.sent_of(craft::JOIN).pop().expect("it asks again");
    assert_eq!(craft::u64_at(craft::head_of(&join), 8), 111);
}

#[test]
fn no_member_is_declared_dead_in_the_tick_that_comes_too_late() {
    let mut lab = Lab::quiet();
    lab.meet(6);
    lab.gossip(member(2), &[craft::dead(member(3), 4, 5)]);
    let begin = lab.now;
    // Others are heard until just before the suspicion runs out: three periods of 500 ms.
    while lab.now.since(begin) < Duration::from_millis(1_490) {
        lab.run_for(Duration::from_millis(10));
        lab.feed(addr(2), &lab.ping(member(2), 7));
    }
    assert_eq!((lab.status(3), lab.stats().isolations), (Some(Status::Suspect), 0));
    lab.now = lab.now.after(Duration::from_secs(30));
    lab.handle(swim_core::Input::Tick);
    assert_eq!((lab.status(3), lab.stats().stalls), (Some(Status::Suspect), 1));
    lab.feed(addr(2), &lab.ping(member(2), 7));
    lab.run_for(Duration::from_millis(150));
    assert_eq!(lab.status(3), Some(Status::Suspect), "its answer may wait in the socket");
    for _ in 0..20 {
        lab.run_for(Duration::from_millis(100));
        lab.feed(addr(2), &lab.ping(member(2), 7));
    }
    assert_eq!(lab.status(3), Some(Status::Dead));
}

#[test]
fn a_ping_to_where_a_member_is_no_longer_held_says_nothing_of_it() {
    let mut lab = Lab::quiet();
    lab.meet(4);
    lab.await_probe_of(3);
    // Another node has the id now, in a later epoch. A node that still ran would outbid that claim.
    lab.gossip(member(2), &[craft::alive(member(3).epoch(EPOCH + 5), addr(33), b"")]);
    lab.sent.clear();
    let again = loop {
        lab.tick();
        let pings = lab.sent_of(craft::PING);
        if let Some((_, ping)) = pings.into_iter().find(|(target, _)| *target == addr(3)) {
            break ping;
        }
    };
    assert_eq!((craft::u64_at(craft::head_of(&again), 0), craft::head_of(&again).len()), (3, 25));
}

/// Its slot may be free by then.
#[test]
fn an_answer_of_a_member_that_was_forgotten_meanwhile_is_an_answer_and_nothing_more() {
    let mut options = Lab::quiet_options();
    (options.members_max, options.tombstones_max) = (8, 8);
    let mut lab = Lab::new(options);
    lab.meet(4);
    let number = lab.await_probe_of(4);
    // More goodbyes than are remembered, its own first.
    for id in 4..=13 {
        lab.gossip(member(2), &[craft::alive(member(id), addr(id), b"")]);
        lab.gossip(member(2), &[craft::left(member(id), id)]);
    }
    lab.handle(swim_core::Input::Tick);
    assert_eq!(lab.status(4), None, "it is forgotten while the question is open");
    // And others come, who may sit where it sat.
    lab.gossip(member(2), &[20, 21, 22, 23, 24].map(|id| craft::alive(member(id), addr(id), b"")));
    assert_eq!(lab.status(24), Some(Status::Alive));
    lab.now = lab.now.after(Duration::from_millis(3));
    let ack = lab.craft(member(4), craft::ACK).head(&craft::ack(number, None, None, false));
    lab.feed(addr(4), &ack);
    assert_eq!(lab.stats().probes_answered, 1);
    let credited =
        (1..30).filter(|id| lab.node.member(NodeId(*id)).is_some_and(|member| member.rtt.is_some()));
    assert_eq!(credited.collect::<Vec<_>>(), [], "its time is that of no other member");
    lab.run_for(Duration::from_secs(5));
    assert_eq!(lab.status(4), None);
}
