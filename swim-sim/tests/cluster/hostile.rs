//! Hostile senders. What an action asks for is sent, forged and replayed datagrams change no table, a stranger gains
//! nothing, and a false claim about a living member is put right by that member.

use std::net::SocketAddr;
use std::time::Duration;

use swim_core::{Command, DropReason, Event, Status};
use swim_sim::{Action, HostId, Inbox, Origin, Says, World};

use crate::common::{
    Seen, assert_no_false_death, claims, cluster, each_cluster, each_seed, forge, lan, lie, mention, millis,
    others, record_wire, secs, views,
};
use swim_craft as craft;

const NOW: Duration = Duration::ZERO;

fn victim() -> SocketAddr {
    "192.0.2.66:6666".parse().expect("a valid address")
}

/// Every kind of hostility towards the first of `hosts`.
fn all(hosts: &[HostId], count: u32, over: Duration) -> Vec<Action> {
    let (host, from) = (hosts[0], Origin::Any);
    vec![
        Action::Garbage { host, count, len_max: 1500, from, over },
        Action::Mutants { host, count, from, over },
        Action::Replay { host, count, from, over },
        Action::SpoofAcks { host, subject: hosts[1], count, over },
        Action::Reflect { host, victim: victim(), count, over },
        Action::Strangers { host, count, over },
    ]
}

#[test]
fn as_many_datagrams_arrive_as_were_asked_for_within_the_time() {
    let (mut world, hosts) = cluster(1, 4, &lan());
    for action in all(&hosts, 300, secs(10)) {
        let forged = world.traffic().forged.datagrams;
        assert!(world.perform(&action), "{action:?}");
        assert_eq!(world.traffic().forged.datagrams - forged, 300, "{action:?}");
    }
    let received = |world: &World| world.traffic_of(hosts[0]).received.datagrams;
    let before = received(&world);
    world.run_for(secs(5));
    let half = received(&world) - before;
    assert!((800..1_200).contains(&half), "half of 1,800 and a few of the members' own: {half}");
}

/// Bytes that were changed on the way from a member are as good as a member's lie (no datagram is signed), so
/// here all that is changed comes from strangers.
#[test]
fn hostile_floods_cause_no_false_death_and_invent_no_member() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 5, &lan());
        for _ in 0..5 {
            for mut action in all(&hosts, 500, secs(5)) {
                if let Action::Mutants { from, .. } = &mut action {
                    *from = Origin::Stranger;
                }
                assert!(world.perform(&action), "{action:?}");
            }
            world.run_for(secs(5));
        }
        world.run_for(secs(60));
        assert!(world.converged(), "seed {seed}: {:?}", world.run_until(NOW, World::converged));
        assert_no_false_death(&world);
        let node = world.node(hosts[0]).expect("it runs");
        assert_eq!(node.members().count(), 5, "seed {seed}: no member was invented");
    });
}

#[test]
fn the_victim_of_a_reflection_gets_no_more_than_was_sent_in_its_name() {
    let (mut world, hosts) = cluster(2, 4, &lan());
    world.listen(victim());
    let before = world.traffic().forged.bytes;
    world.perform(&Action::Reflect { host: hosts[0], victim: victim(), count: 1000, over: secs(10) });
    let sent = world.traffic().forged.bytes - before;
    world.run_for(secs(30));
    let got: usize = world.heard(victim()).iter().map(|arrival| arrival.bytes.len()).sum();
    assert!(got > 0 && got as u64 <= sent, "{got} B for {sent} B");
}

#[test]
fn an_old_datagram_comes_again_from_where_it_came() {
    let (mut world, hosts) = cluster(3, 3, &lan());
    let before = claims(&world, hosts[0]);
    world.perform(&Action::Replay { host: hosts[0], count: 200, from: Origin::Member, over: NOW });
    world.run_for(secs(30));
    assert_eq!(claims(&world, hosts[0]), before);
    let mut silent = World::new(3);
    silent.start_many(1, &lan());
    assert!(!silent.perform(&Action::Replay { host: HostId(0), count: 1, from: Origin::Any, over: NOW }));
}

#[test]
fn a_member_that_is_lied_about_refutes() {
    for says in [Says::Suspect, Says::Dead] {
        let (mut world, hosts) = cluster(4, 5, &lan());
        let lie = Action::Forge {
            host: hosts[1],
            speaker: Some(hosts[0]),
            victim: hosts[3],
            says,
            epoch_ahead: 0,
            incarnation_ahead: 2,
            addr: None,
        };
        assert!(world.perform(&lie));
        world.run_for(millis(10));
        assert_eq!(world.believes(hosts[1], hosts[3]), Some(Status::Suspect), "{says:?}");
        world.run_until(secs(20), World::converged).expect("the truth comes out");
        let incarnation = world.node(hosts[3]).expect("it runs").incarnation().0;
        assert_eq!(incarnation, 3, "above what was claimed");
        assert_no_false_death(&world);
    }
}

#[test]
fn a_claim_of_a_stranger_counts_for_nothing() {
    for says in [Says::Alive, Says::Suspect, Says::Dead, Says::Left] {
        let (mut world, hosts) = cluster(5, 5, &lan());
        let before = claims(&world, hosts[1]);
        let lie = Action::Forge {
            host: hosts[1],
            speaker: None,
            victim: hosts[3],
            says,
            epoch_ahead: 1,
            incarnation_ahead: 5,
            addr: Some(victim()),
        };
        assert!(world.perform(&lie));
        world.run_for(secs(20));
        assert_eq!(claims(&world, hosts[1]), before, "{says:?}");
    }
}

#[test]
fn one_hostile_action_does_not_change_what_another_sends() {
    let first = |with_garbage: bool| {
        let (mut world, hosts) = cluster(7, 3, &lan());
        world.listen(victim());
        if with_garbage {
            let (host, count, from, over) = (hosts[1], 50, Origin::Stranger, NOW);
            world.perform(&Action::Garbage { host, count, len_max: 20, from, over });
        }
        world.perform(&Action::Reflect { host: hosts[0], victim: victim(), count: 200, over: NOW });
        world.run_for(millis(1));
        world.traffic_of(hosts[0]).received.bytes
    };
    assert_eq!(first(true), first(false));
}

#[test]
fn garbage_is_counted_by_why_it_was_dropped_and_causes_no_event() {
    let (mut world, hosts) = cluster(8, 3, &lan());
    let (host, from) = (hosts[0], Origin::Member);
    let events = world.count_events(host, |_: &Event| true);
    let drops = |world: &World| world.node(host).expect("it runs").stats().dropped(DropReason::Length);
    let before = drops(&world);
    world.perform(&Action::Garbage { host, count: 1000, len_max: 26, from, over: NOW });
    world.run_for(millis(1));
    assert_eq!(drops(&world) - before, 1000);
    assert_eq!(world.count_events(host, |_: &Event| true), events);
}

/// `speaker` says nothing, with these numbers in its header instead of its own.
fn garbled(world: &mut World, speaker: HostId, target: HostId, epoch_ahead: u64, incarnation_ahead: u32) {
    let me = mention(world, speaker);
    let garbled = me.epoch(me.epoch + epoch_ahead).incarnation(me.incarnation + incarnation_ahead);
    forge(world, speaker, garbled, target, &[]);
}

/// Nothing reaches `host`.
fn isolate(world: &mut World, hosts: &[HostId], host: HostId) {
    for other in others(hosts, host) {
        world.network().cut(other, host);
    }
}

#[test]
fn a_member_held_where_it_never_was_proves_where_it_is() {
    each_seed(3, |seed| {
        for (addr, incarnation_ahead) in
            [("10.0.0.200:7946", 0), ("10.0.0.3:7946", 0), ("10.0.0.1:7", 1), ("10.0.0.200:7946", 1 << 20)]
        {
            let (mut world, hosts) = cluster(seed, 5, &lan());
            let about = mention(&world, hosts[1]);
            let about = about.incarnation(about.incarnation + incarnation_ahead);
            let alive = craft::alive(about, addr.parse().expect("an address"), b"");
            lie(&mut world, hosts[2], hosts[0], alive);
            world.run_for(secs(20));
            assert!(world.converged(), "{addr} {incarnation_ahead}");
            assert_no_false_death(&world);
            world.run_for(secs(60));
            assert!(world.converged(), "and it stays so");
        }
    });
}

/// Relays find it where they hold it, so its probes never fail, and it is never accused.
#[test]
fn a_member_that_one_other_holds_at_its_old_address_is_held_at_the_new_one_soon() {
    each_cluster(3, 5, |mut world, hosts| {
        isolate(&mut world, &hosts, hosts[0]);
        garbled(&mut world, hosts[1], hosts[0], 0, 64);
        world.run_for(millis(10));
        world.move_to(hosts[1], "10.0.0.200:7946".parse().expect("an address"));
        world.run_for(secs(2));
        world.heal();
        world.run_until(secs(60), World::converged).expect("it is held where it is");
    });
}

/// Each takes the other for an earlier epoch than the one that it holds, and answers nothing.
#[test]
fn two_members_that_hold_each_other_in_later_epochs_come_to_agree() {
    each_cluster(3, 5, |mut world, hosts| {
        garbled(&mut world, hosts[0], hosts[1], 8, 0);
        garbled(&mut world, hosts[1], hosts[0], 1 << 20, 0);
        world.run_for(millis(10));
        assert!(!world.converged(), "both are believed");
        world.run_until(secs(60), World::converged).expect("each learns in which epoch it is held");
        assert_no_false_death(&world);
    });
}

/// Its probes of the dead member are not answered, no relay holds it any longer, and that it was removed is
/// believed only of a suspect.
#[test]
fn who_alone_holds_a_member_that_was_removed_finds_out_that_it_is_gone() {
    each_cluster(3, 6, |mut world, hosts| {
        let (lonely, gone) = (hosts[0], hosts[5]);
        let rest = others(&hosts[1..], gone);
        world.perform(&Action::Pause { host: lonely, inbox: Inbox::Dropped });
        world.crash(gone);
        world
            .run_until(secs(90), |world| world.all_believe(&rest, &[gone], Status::Dead))
            .expect("the crash is detected");
        let target = world.id(gone);
        world.command(rest[0], Command::Remove { target });
        world.run_until(secs(10), |world| world.all_believe(&rest, &[gone], Status::Left)).expect("removed");
        world.resume(lonely);
        world
            .run_until(secs(90), |world| world.all_believe(&[lonely], &[gone], Status::Left))
            .expect("it accuses the one that is gone");
        let isolated = |event: &Event| matches!(event, Event::Isolated { isolated: true });
        assert_eq!(world.count_events(lonely, isolated), 0, "it is not the one to blame");
    });
}

/// A node whose wall clock is days ahead keeps its own clock: an epoch between that and the cluster's, from a flipped
/// bit or a false claim, it alone would accept. So would the member itself, were its wall clock ahead as well.
#[test]
fn an_epoch_between_two_clocks_is_accepted_by_none_however_far_ahead_their_wall_clocks_are() {
    const HOUR_MS: u64 = 3_600_000;
    each_cluster(3, 5, |mut world, hosts| {
        let (fast, faster) = (hosts[3], hosts[4]);
        for (host, hours) in [(fast, 300), (faster, 720)] {
            world.set_wall_clock_ms(host, hours * HOUR_MS as i64);
            world.crash(host);
            world.run_for(secs(5));
            world.restart(host);
            world.join(host, &hosts[..2]);
            world.run_until(secs(20), World::converged).expect("it defers to the cluster's clock");
        }
        for hours in [30, 200, 500, 690] {
            let about = mention(&world, fast);
            let suspect = craft::suspect(about.epoch(about.epoch + hours * HOUR_MS), &[1]);
            lie(&mut world, hosts[0], faster, suspect);
            garbled(&mut world, hosts[1], faster, hours * HOUR_MS, 0);
            garbled(&mut world, hosts[1], fast, hours * HOUR_MS, 0);
            world.run_for(secs(30));
            assert!(world.converged(), "{hours}");
        }
        let raised = |event: &Event| matches!(event, Event::EpochRaised { .. });
        assert_eq!(world.count_events(hosts[1], raised), 0);
        assert_no_false_death(&world);
    });
}

fn stranger() -> SocketAddr {
    "192.0.2.66:6666".parse().expect("a valid address")
}

/// Five members, and ten seconds of what they said to each other.
fn overheard(seed: u64) -> (World, Vec<HostId>, Vec<Seen>) {
    let (mut world, hosts) = cluster(seed, 5, &lan());
    let wire = record_wire(&mut world);
    world.set_metadata(hosts[1], b"so that there is gossip to hear");
    world.run_for(secs(10));
    world.clear_hook();
    let seen = wire.lock().expect("one thread").clone();
    assert!(seen.len() > 50);
    (world, hosts, seen)
}

#[test]
fn an_insane_epoch_from_a_stranger_changes_nothing() {
    let (mut world, hosts, seen) = overheard(1);
    let before = views(&world, &hosts);
    for (i, datagram) in seen.iter().enumerate() {
        let mut forged = datagram.bytes.clone();
        let epoch = [u64::MAX, (1 << 48) - 1, 1 << 47][i % 3];
        let sender = craft::sender(&forged).expect("a header");
        craft::set_sender(&mut forged, sender.epoch(epoch));
        world.inject(stranger(), datagram.target, &forged);
        world.inject(datagram.source, datagram.target, &forged);
    }
    world.run_for(secs(30));
    assert_eq!(views(&world, &hosts), before);
    assert!(world.converged());
}

#[test]
fn an_insane_incarnation_from_a_stranger_changes_nothing() {
    let (mut world, hosts, seen) = overheard(2);
    let before = views(&world, &hosts);
    for datagram in &seen {
        let mut forged = datagram.bytes.clone();
        let sender = craft::sender(&forged).expect("a header");
        craft::set_sender(&mut forged, sender.incarnation(u32::MAX));
        world.inject(stranger(), datagram.target, &forged);
    }
    world.run_for(secs(30));
    assert_eq!(views(&world, &hosts), before);
    assert!(world.converged());
}

#[test]
fn a_stranger_never_gets_back_more_than_it_sent() {
    let (mut world, hosts, seen) = overheard(5);
    world.listen(stranger());
    for datagram in &seen {
        let before = answered(&world);
        world.inject(stranger(), world.addr(hosts[0]), &datagram.bytes);
        // A peer that a member learns of by this may be asked back, so what comes later counts as well.
        world.run_for(secs(5));
        let gained = answered(&world) - before;
        assert!(gained <= datagram.bytes.len(), "{gained} B for {} B: {datagram:?}", datagram.bytes.len());
    }
}

fn answered(world: &World) -> usize {
    world.heard(stranger()).iter().map(|arrival| arrival.bytes.len()).sum()
}

#[test]
fn a_join_without_a_token_is_answered_with_no_more_bytes() {
    let (mut world, hosts) = cluster(6, 5, &lan());
    let wire = record_wire(&mut world);
    let newcomer = world.start(swim_sim::Spec::new(lan()));
    world.join(newcomer, &hosts[..1]);
    world.run_for(secs(5));
    let seen = wire.lock().expect("one thread").clone();
    let question = seen.iter().find(|d| d.kind() == craft::JOIN).expect("it asked").bytes.clone();
    world.clear_hook();
    world.listen(stranger());
    for host in &hosts {
        world.inject(stranger(), world.addr(*host), &question);
    }
    world.run_for(secs(60));
    let sizes: Vec<usize> = world.heard(stranger()).iter().map(|arrival| arrival.bytes.len()).collect();
    assert_eq!(sizes.len(), hosts.len(), "each answers once");
    assert!(sizes.iter().all(|size| *size <= question.len()), "{sizes:?} for {}", question.len());
}

#[test]
fn no_member_is_made_to_send_to_an_address_that_is_no_member_s() {
    let (mut world, hosts, _) = overheard(7);
    let wire = record_wire(&mut world);
    world.network().cut(hosts[0], hosts[1]);
    world.network().cut(hosts[1], hosts[0]);
    world.run_for(secs(30));
    let seen = wire.lock().expect("one thread").clone();
    let asked: Vec<&Seen> = seen.iter().filter(|d| d.kind() == craft::PING_REQ).collect();
    assert!(!asked.is_empty(), "the broken link makes relays necessary");
    let members: Vec<SocketAddr> = hosts.iter().map(|host| world.addr(*host)).collect();
    // The same questions again, from a stranger, and with every eight bytes of the head turned into noise.
    for datagram in asked {
        world.inject(stranger(), datagram.target, &datagram.bytes);
        for at in (32..datagram.bytes.len().saturating_sub(8)).step_by(4) {
            let mut forged = datagram.bytes.clone();
            forged[at..at + 8].copy_from_slice(&0xdead_beef_dead_beef_u64.to_le_bytes());
            world.inject(datagram.source, datagram.target, &forged);
        }
    }
    wire.lock().expect("one thread").clear();
    world.run_for(secs(10));
    for datagram in wire.lock().expect("one thread").iter() {
        assert!(members.contains(&datagram.target), "{datagram:?}");
    }
}
