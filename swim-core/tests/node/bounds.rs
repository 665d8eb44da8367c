//! Every bound is reached through the node's doors, and holds.

use std::net::SocketAddr;
use std::time::Duration;

use crate::craft::{self, EPOCH, member};
use crate::lab::{Lab, addr};
use swim_core::{
    Command, Done, DropReason, Epoch, Event, Incarnation, Input, KNOWN_PEERS_MAX, KnownPeer, Metadata,
    NodeId, PAYLOAD_MAX, Payload, Refusal, SEEDS_MAX, Status,
};

fn addresses(count: usize) -> Vec<SocketAddr> {
    (0..count as u64).map(|nth| addr(1_000 + nth)).collect()
}

fn known_peers(count: u64) -> Vec<KnownPeer> {
    let known_peer =
        |id| KnownPeer { id: NodeId(id), addr: addr(id), epoch: Epoch(EPOCH), incarnation: Incarnation(0) };
    (5_000..5_000 + count).map(known_peer).collect()
}

fn count_events(lab: &Lab, what: impl Fn(&Event) -> bool) -> usize {
    lab.events.iter().filter(|event| what(event)).count()
}

const fn is_dead(event: &Event) -> bool {
    matches!(event, Event::Dead { .. })
}

const fn is_forgotten(event: &Event) -> bool {
    matches!(event, Event::Forgotten { .. })
}

#[test]
fn a_seed_beyond_the_bound_is_refused_and_none_of_its_list_is_remembered() {
    let mut lab = Lab::quiet();
    let seeds = addresses(SEEDS_MAX + 1);
    lab.command(Command::Join { seeds: &seeds[..SEEDS_MAX - 1] });
    let result = lab.try_command(Command::Join { seeds: &seeds[SEEDS_MAX - 1..] });
    assert_eq!(result, Err(Refusal::TooManySeeds { limit: SEEDS_MAX as u32 }));
    let result = lab.try_command(Command::Join { seeds: &seeds[..SEEDS_MAX] });
    assert_eq!(result, Ok(Done::Seeking), "the last one fits, and known ones take no room");
}

#[test]
fn seeds_that_are_replaced_are_forgotten_and_make_room() {
    let mut lab = Lab::quiet();
    let all = addresses(2 * SEEDS_MAX);
    let (former, latter) = all.split_at(SEEDS_MAX);
    lab.command(Command::Join { seeds: former });
    assert_eq!(lab.command(Command::SetSeeds { seeds: latter }), Done::SeedsSet);
    assert!(lab.node.seeds().eq(latter.iter().copied()));
    for _ in 0..8 {
        lab.handle(Input::Tick);
    }
    let asked: Vec<SocketAddr> = lab.sent_of(craft::JOIN).into_iter().map(|(target, _)| target).collect();
    assert!(latter.iter().all(|seed| asked.contains(seed)), "they are asked: {asked:?}");
    let result = lab.try_command(Command::SetSeeds { seeds: &all });
    assert_eq!(result, Err(Refusal::TooManySeeds { limit: SEEDS_MAX as u32 }));
    assert_eq!(lab.node.seeds().count(), SEEDS_MAX, "a list that is refused changes nothing");
    lab.command(Command::SetSeeds { seeds: &[] });
    assert!(!lab.node.is_seeking(), "there is nothing left to ask");
}

#[test]
fn known_peers_beyond_the_bound_are_skipped() {
    let mut lab = Lab::quiet();
    let done = lab.command(Command::Restore { known_peers: &known_peers(KNOWN_PEERS_MAX as u64 + 44) });
    assert_eq!(done, Done::Restored { used: KNOWN_PEERS_MAX as u32, skipped: 44 });
}

#[test]
fn all_seeds_and_eight_known_peers_are_asked_at_once() {
    let mut lab = Lab::quiet();
    lab.command(Command::Join { seeds: &addresses(SEEDS_MAX) });
    let known_peers = known_peers(KNOWN_PEERS_MAX as u64);
    for _ in 0..8 {
        lab.command(Command::Restore { known_peers: &known_peers });
    }
    for _ in 0..8 {
        lab.handle(Input::Tick);
    }
    let mut asked: Vec<SocketAddr> = lab.sent_of(craft::JOIN).into_iter().map(|(target, _)| target).collect();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked.len(), SEEDS_MAX + 8);
}

#[test]
fn four_strangers_at_a_time_make_this_node_ask_back() {
    let mut lab = Lab::quiet();
    let later = lab.my_mention().epoch(EPOCH + 1);
    for id in 50..60 {
        let ping =
            lab.craft(member(id), craft::PING).head(&craft::ping(later, Some(Status::Alive as u8), 1, 0));
        lab.feed(addr(id), &ping);
    }
    assert_eq!(lab.dropped(DropReason::AttemptLimit), 6);
    lab.tick();
    assert_eq!(lab.sent_of(craft::JOIN).len(), 4);
    // A seed finds its place all the same.
    lab.command(Command::Join { seeds: &addresses(SEEDS_MAX) });
    assert_eq!(lab.dropped(DropReason::AttemptLimit), 6);
}

#[test]
fn one_tick_sends_sixteen_datagrams_and_the_rest_stays_due() {
    let mut lab = Lab::quiet();
    lab.command(Command::Join { seeds: &addresses(SEEDS_MAX) });
    for round in 1..=4 {
        assert_eq!(lab.node.deadline().map(|at| at <= lab.now), Some(true), "round {round}");
        lab.handle(Input::Tick);
        assert_eq!(lab.sent.len(), 16 * round);
    }
    assert_eq!(lab.node.deadline().map(|at| at > lab.now), Some(true));
}

/// A thousand members, all of them suspected.
fn a_thousand_suspects() -> Lab {
    let mut options = Lab::quiet_options();
    options.self_doubt = false;
    options.members_max = 2_000;
    options.tombstones_max = 2_000;
    let mut lab = Lab::new(options);
    lab.meet(1_001);
    let ids: Vec<u64> = (3..=1_001).collect();
    for some in ids.chunks(30) {
        let updates: Vec<_> = some.iter().map(|id| craft::suspect(member(*id), &[2, 3, 4, 5])).collect();
        lab.gossip(member(2), &updates);
    }
    assert_eq!(lab.stats().suspect, 999);
    lab.forget();
    lab
}

#[test]
fn one_tick_declares_sixty_four_suspects_dead_and_the_rest_stays_due() {
    let mut lab = a_thousand_suspects();
    // Long enough for all of them to have run out, whatever their timeout.
    lab.now = lab.now.after(Duration::from_secs(3_600));
    let mut ticks = 0;
    while lab.stats().suspect > 0 {
        lab.events.clear();
        lab.handle(Input::Tick);
        ticks += 1;
        let dead = count_events(&lab, is_dead);
        assert!(dead == 64 || lab.stats().suspect == 0, "{dead}");
        assert!(lab.stats().suspect == 0 || lab.node.deadline().is_some_and(|at| at <= lab.now));
    }
    assert_eq!(ticks, 16);
    assert_eq!(lab.stats().suspicions_expired, 999);
    assert_eq!(lab.stats().events_lost, 0);
}

#[test]
fn one_tick_forgets_sixty_four_tombstones() {
    let mut options = Lab::quiet_options();
    options.tombstone_life = Duration::from_secs(60);
    let mut lab = Lab::new(options);
    lab.meet(202);
    let ids: Vec<u64> = (3..=202).collect();
    for some in ids.chunks(30) {
        let updates: Vec<_> = some.iter().map(|id| craft::left(member(*id), *id)).collect();
        lab.gossip(member(2), &updates);
    }
    assert_eq!(lab.stats().left, 200);
    let mut forgotten = Vec::new();
    while lab.stats().left > 0 {
        lab.events.clear();
        lab.tick();
        forgotten.push(count_events(&lab, is_forgotten));
    }
    forgotten.retain(|count| *count > 0);
    // Member 2, which the test plays no more, is the ninth of the last.
    assert_eq!(forgotten, [64, 64, 64, 9]);
}

#[test]
fn the_thirty_third_datagram_that_is_not_polled_is_dropped_and_the_others_are_whole() {
    let mut lab = Lab::quiet();
    lab.meet(5);
    for number in 0..40 {
        let ping = lab.ping(member(3), number << 16);
        lab.node.handle(lab.now, Input::Datagram { source: addr(3), bytes: &ping.0 });
    }
    lab.poll();
    let numbers: Vec<u64> =
        lab.sent.iter().map(|(_, bytes)| craft::u64_at(craft::head_of(bytes), 0) >> 16).collect();
    assert_eq!(numbers, (0..32).collect::<Vec<_>>());
    assert_eq!(lab.dropped(DropReason::OutboxFull), 8);
    lab.feed(addr(3), &lab.ping(member(3), 99));
    assert_eq!(lab.sent.len(), 33, "there is room again");
}

#[test]
fn a_direct_message_is_refused_while_the_outbox_is_full() {
    let mut lab = Lab::quiet();
    lab.meet(3);
    let send = Command::Send { target: NodeId(2), payload: Payload::default() };
    for _ in 0..32 {
        assert_eq!(lab.node.command(lab.now, send), Ok(Done::Sent));
    }
    assert_eq!(lab.node.command(lab.now, send), Err(Refusal::OutboxFull));
}

#[test]
fn events_that_are_not_polled_are_counted_and_reported() {
    let mut lab = Lab::quiet();
    lab.admit(member(2));
    for first in (3..1_503).step_by(30) {
        let updates: Vec<_> = (first..first + 30).map(|id| craft::alive(member(id), addr(id), b"")).collect();
        let gossip = lab.craft(member(2), craft::GOSSIP).updates(&updates);
        lab.node.handle(lab.now, Input::Datagram { source: addr(2), bytes: &gossip.0 });
    }
    assert_eq!(lab.stats().events_lost, 476);
    lab.poll();
    assert_eq!(lab.events.len(), 1_025);
    assert_eq!(lab.events.last(), Some(&Event::Lost { events: 476 }));
    assert_eq!(lab.node.members().count(), 1_502, "the table has moved on all the same");
}

#[test]
fn a_newcomer_beyond_the_bound_is_not_admitted_until_there_is_room() {
    let mut options = Lab::quiet_options();
    options.members_max = 4;
    let mut lab = Lab::new(options);
    lab.meet(4);
    let newcomer = craft::alive(member(5), addr(5), b"");
    lab.gossip(member(2), std::slice::from_ref(&newcomer));
    assert_eq!((lab.status(5), lab.dropped(DropReason::MembersFull)), (None, 1));
    let token = lab.token(addr(6), member(6));
    let announce = lab.craft(member(6), craft::ANNOUNCE).head(&craft::two(token, 9));
    lab.feed(addr(6), &announce.updates(&[craft::alive(member(6), addr(6), b"")]));
    assert_eq!(lab.status(6), None);
    assert!(lab.sent_of(craft::ACK).is_empty(), "it gets no ack before it is admitted");
    lab.gossip(member(2), &[craft::left(member(4), 4), newcomer]);
    assert_eq!(lab.status(5), Some(Status::Alive));
}

#[test]
fn a_tombstone_cannot_come_back_while_the_table_is_full() {
    let mut options = Lab::quiet_options();
    options.members_max = 4;
    options.dead_over_suspect_only = false;
    let mut lab = Lab::new(options);
    lab.meet(4);
    lab.gossip(member(2), &[craft::dead(member(4), 2, 2), craft::alive(member(5), addr(5), b"")]);
    assert_eq!((lab.status(4), lab.status(5)), (Some(Status::Dead), Some(Status::Alive)));
    let back = member(4).incarnation(1);
    lab.gossip(member(2), &[craft::alive(back, addr(4), b"")]);
    lab.gossip(member(2), &[craft::suspect(back, &[2])]);
    lab.feed(addr(4), &lab.ping(back, 7));
    assert_eq!((lab.status(4), lab.dropped(DropReason::MembersFull)), (Some(Status::Dead), 3));
    lab.gossip(member(2), &[craft::left(member(5), 5)]);
    lab.feed(addr(4), &lab.ping(back, 8));
    assert_eq!(lab.status(4), Some(Status::Alive));
}

#[test]
fn the_oldest_tombstones_make_room_for_the_newest() {
    let mut options = Lab::quiet_options();
    options.members_max = 10;
    options.tombstones_max = 10;
    let mut lab = Lab::new(options);
    lab.admit(member(2));
    for id in 3..=32 {
        let mention = member(id);
        lab.gossip(member(2), &[craft::alive(mention, addr(id), b""), craft::left(mention, id)]);
        assert!(lab.stats().left <= 10);
    }
    let gone: Vec<u64> = (3..=32).filter(|id| lab.status(*id).is_none()).collect();
    assert_eq!(gone, (3..=22).collect::<Vec<_>>());
    assert_eq!(count_events(&lab, is_forgotten), 20);
}

#[test]
fn a_member_may_have_four_pings_in_flight_and_all_together_as_many_as_configured() {
    let mut options = Lab::quiet_options();
    options.relayed_max = 10;
    let mut lab = Lab::new(options);
    lab.meet(9);
    for id in 2..=4_u64 {
        for number in 0..5 {
            let request = lab.craft(member(id), craft::PING_REQ).head(&craft::ping_req(9, number, 200_000));
            lab.feed(addr(id), &request);
        }
    }
    assert_eq!((lab.stats().relayed, lab.dropped(DropReason::RelayLimit)), (10, 5));
    lab.run_for(Duration::from_millis(250));
    let request = lab.craft(member(2), craft::PING_REQ).head(&craft::ping_req(9, 1, 200_000));
    lab.feed(addr(2), &request);
    assert_eq!(lab.stats().relayed, 11, "their time is over");
}

#[test]
fn pages_and_welcomes_share_a_budget_that_refills_with_time() {
    let mut options = Lab::quiet_options();
    options.pages_per_second = 8;
    let mut lab = Lab::new(options);
    lab.meet(3);
    lab.run_for(Duration::from_secs(1));
    let pull = lab.craft(member(2), craft::SYNC_PULL).head(&craft::sync_pull(1, 0, 0, [0; 16]));
    for _ in 0..6 {
        lab.feed(addr(2), &pull);
    }
    let token = lab.token(addr(99), member(99));
    let join = lab.craft(member(99), craft::JOIN).head(&craft::two(5, token));
    for _ in 0..6 {
        lab.feed(addr(99), &join);
    }
    assert_eq!((lab.stats().pages_served, lab.sent_of(craft::WELCOME).len()), (6, 2));
    assert_eq!(lab.dropped(DropReason::PageLimit), 4);
    lab.run_for(Duration::from_millis(250));
    for _ in 0..6 {
        lab.feed(addr(2), &pull);
    }
    assert_eq!(lab.stats().pages_served, 8);
}

#[test]
fn an_own_broadcast_is_refused_when_the_queue_is_full_and_welcome_when_it_has_drained() {
    let mut options = Lab::quiet_options();
    options.broadcasts_max = 3;
    let mut lab = Lab::new(options);
    lab.meet(3);
    let broadcast = Command::Broadcast(Payload::new(b"x").expect("short"));
    for sequence in 1..4 {
        assert_eq!(lab.command(broadcast), Done::BroadcastQueued { sequence });
    }
    assert_eq!(lab.try_command(broadcast), Err(Refusal::QueueFull { limit: 3 }));
    for number in 0..20 {
        lab.feed(addr(2), &lab.ping(member(2), number));
    }
    assert_eq!(lab.command(broadcast), Done::BroadcastQueued { sequence: 4 });
}

#[test]
fn no_datagram_is_longer_than_configured_less_the_room_for_a_seal() {
    for datagram_max in [1_200, 1_400, 9_000] {
        let mut options = Lab::quiet_options();
        options.datagram_max = datagram_max;
        let mut lab = Lab::new(options);
        lab.admit(member(2));
        for id in 3..=30 {
            lab.gossip(member(2), &[craft::alive(member(id), addr(id), &[9; 300])]);
        }
        lab.command(Command::SetMetadata(Metadata::new(&[7; 512]).expect("short enough")));
        lab.command(Command::Broadcast(Payload::new(&[7; PAYLOAD_MAX]).expect("short enough")));
        lab.command(Command::Send {
            target: NodeId(2),
            payload: Payload::new(&[7; PAYLOAD_MAX]).expect("short enough"),
        });
        for number in 0..20 {
            lab.feed(addr(2), &lab.ping(member(2), number));
        }
        let pull = lab.craft(member(2), craft::SYNC_PULL).head(&craft::sync_pull(1, 0, 0, [0; 16]));
        lab.feed(addr(2), &pull);
        let longest = lab.sent.iter().map(|(_, bytes)| bytes.len()).max().unwrap_or_default();
        let room = usize::from(datagram_max) - 37;
        assert!(longest <= room && longest + 400 > room, "{longest} of {room}");
    }
}

#[test]
fn a_datagram_beyond_nine_thousand_bytes_is_not_looked_at() {
    let mut lab = Lab::quiet();
    lab.admit(member(2));
    let filled = |lab: &Lab, len: usize| {
        let gossip = lab.craft(member(2).incarnation(1), craft::GOSSIP);
        let fill = len - gossip.0.len() - 3;
        gossip.with_part(99, &vec![0; fill])
    };
    lab.feed(addr(2), &filled(&lab, 9_001));
    assert_eq!((lab.dropped(DropReason::Length), lab.stats().header_claims), (1, 0));
    lab.feed(addr(2), &filled(&lab, 9_000));
    assert_eq!((lab.dropped(DropReason::Length), lab.stats().header_claims), (1, 1));
}

#[test]
fn an_update_is_sent_lambda_times_for_each_decade_and_then_never_again() {
    let mut lab = Lab::quiet();
    lab.meet(50);
    for number in 0..100 {
        lab.feed(addr(2), &lab.ping(member(2), number));
    }
    assert_eq!(lab.stats().updates_queued, 0);
    lab.sent.clear();
    lab.gossip(member(2), &[craft::suspect(member(9), &[3])]);
    for number in 0..100 {
        lab.feed(addr(2), &lab.ping(member(2), number));
    }
    let about_9 = |bytes: &[u8]| craft::claims(bytes).iter().filter(|claim| claim.1.id == 9).count();
    let sent: Vec<usize> = lab.sent.iter().map(|(_, bytes)| about_9(bytes)).collect();
    // λ = 4, and 51 has two digits: eight datagrams, once in each.
    assert_eq!((&sent[..8], sent[8..].iter().sum()), (&[1; 8][..], 0));
}

#[test]
fn the_longest_datagram_carries_sixty_four_updates() {
    let mut options = Lab::quiet_options();
    options.datagram_max = 9_000;
    let mut lab = Lab::new(options);
    lab.meet(200);
    lab.feed(addr(2), &lab.ping(member(2), 1));
    assert_eq!(craft::claims(&lab.sent[0].1).len(), 64);
}

#[test]
fn sixteen_introductions_are_open_at_once() {
    let mut lab = Lab::quiet();
    lab.meet(200);
    for last in 1..=4 {
        lab.command(Command::SetAddress(SocketAddr::from(([10, 9, 0, last], 7946))));
    }
    let refused = lab.dropped(DropReason::AttemptLimit);
    assert!(refused > 0);
    (0..4).for_each(|_| lab.handle(Input::Tick));
    assert_eq!(lab.sent_of(craft::JOIN).len(), 16);
}

#[test]
fn one_answer_corrects_sixteen_outdated_claims() {
    let mut lab = Lab::quiet();
    lab.meet(25);
    let gone: Vec<_> = (3..=25).map(|id| craft::left(member(id), id)).collect();
    lab.gossip(member(2), &gone);
    for number in 0..100 {
        lab.feed(addr(2), &lab.ping(member(2), number));
    }
    lab.forget();
    let outdated: Vec<_> = (3..=25).map(|id| craft::alive(member(id), addr(id), b"")).collect();
    lab.feed(addr(2), &lab.ping(member(2), 1).updates(&outdated));
    let sent = craft::claims(&lab.sent[0].1);
    assert_eq!(sent.len(), 16, "{sent:?}");
    assert!(sent.iter().all(|(status, _)| *status == Status::Left as u8));
}

#[test]
fn a_probe_makes_three_pings_and_asks_as_many_relays_as_configured() {
    for (retries, relays) in [(2, 8), (0, 1), (1, 0)] {
        let mut options = Lab::quiet_options();
        (options.retries, options.relays) = (retries, relays);
        let mut lab = Lab::new(options);
        lab.meet(20);
        lab.await_probe_of(7);
        let period = lab.node.config().period.saturating_mul(1 + u32::from(lab.node.health()));
        lab.run_for(period - Duration::from_millis(1));
        let pings = lab.sent_of(craft::PING).iter().filter(|(target, _)| *target == addr(7)).count();
        assert_eq!(pings, usize::from(retries) + 1);
        assert_eq!(lab.sent_of(craft::PING_REQ).len(), usize::from(relays));
    }
}

#[test]
fn a_suspicion_names_as_many_accusers_as_count() {
    let mut options = Lab::quiet_options();
    options.confirmations = 6;
    let mut lab = Lab::new(options);
    lab.meet(20);
    lab.forget();
    for accuser in 4..=19 {
        lab.gossip(member(2), &[craft::suspect(member(3), &[accuser])]);
    }
    assert_eq!(count_events(&lab, |event| matches!(event, Event::Confirmed { .. })), 6);
    assert!(lab.events.contains(&Event::Confirmed { id: NodeId(3), by: NodeId(10), accusers: 7 }));
}

#[test]
fn a_welcome_names_eight_members_beside_the_one_who_says_it() {
    let mut lab = Lab::quiet();
    lab.meet(30);
    let token = lab.token(addr(99), member(99));
    lab.feed(addr(99), &lab.craft(member(99), craft::JOIN).head(&craft::two(5, token)));
    let (_, welcome) = lab.sent_of(craft::WELCOME).pop().expect("it is welcome");
    assert_eq!(craft::claims(&welcome).len(), 9);
}

/// A node that has just learnt from member 2 that their digests differ.
fn with_a_different_digest() -> Lab {
    let mut options = Lab::quiet_options();
    options.sync_interval_max = Some(Duration::from_secs(30));
    let mut lab = Lab::new(options);
    lab.meet(10);
    let ping = craft::ping(lab.my_mention(), None, 1, 0xdead);
    lab.feed(addr(2), &lab.craft(member(2), craft::PING).head(&ping));
    lab.forget();
    lab
}

#[test]
fn four_pages_are_in_flight_and_each_is_asked_for_three_times() {
    let mut lab = with_a_different_digest();
    lab.tick();
    let (_, pull) = lab.sent_of(craft::SYNC_PULL).pop().expect("it asks");
    let number = craft::u64_at(craft::head_of(&pull), 0);
    let all = craft::sync_page(number, 0, 0, u16::MAX);
    lab.sent.clear();
    lab.feed(addr(2), &lab.craft(member(2), craft::SYNC_PAGE).head(&all));
    lab.tick();
    assert_eq!(lab.sent_of(craft::SYNC_PULL).len(), 4);
    lab.run_for(Duration::from_secs(60));
    assert_eq!(lab.stats().pages_asked, 1 + 16 * 3);
}

#[test]
fn a_session_that_a_peer_keeps_alive_ends() {
    let mut lab = with_a_different_digest();
    for _ in 0..40_000 {
        lab.now = lab.now.max(lab.node.deadline().expect("the probe at least"));
        lab.handle(Input::Tick);
        for (target, bytes) in std::mem::take(&mut lab.sent) {
            if craft::kind(&bytes) == craft::SYNC_PULL {
                assert_eq!(target, addr(2));
                let head = craft::head_of(&bytes);
                let (number, prefix, depth) = (craft::u64_at(head, 0), craft::u32_at(head, 8), head[12]);
                let page = craft::sync_page(number, prefix, depth, u16::MAX);
                lab.feed(addr(2), &lab.craft(member(2), craft::SYNC_PAGE).head(&page));
            }
        }
        lab.events.clear();
    }
    let asked = lab.stats().pages_asked;
    assert!((16_384..=16_384 + 512 + 4).contains(&asked), "{asked}");
}

#[test]
fn the_dead_are_asked_for_at_most_once_a_period() {
    let mut options = Lab::quiet_options();
    options.heal_interval = Some(Duration::from_millis(1));
    options.dead_over_suspect_only = false;
    options.self_doubt = false;
    options.health_max = 0;
    let mut lab = Lab::new(options);
    lab.meet(60);
    let dead: Vec<_> = (3..=30).map(|id| craft::dead(member(id), 2, 2)).collect();
    lab.gossip(member(2), &dead);
    let before = lab.stats();
    lab.run_for(Duration::from_secs(5));
    let asked = lab.stats().reconnects - before.reconnects;
    assert!((8..=11).contains(&asked), "{asked} in ten periods");
}
