//! Hostile senders as actions: what was asked for is sent, and no member is harmed by it.

use std::net::SocketAddr;
use std::time::Duration;

use crate::common::{assert_nobody_falsely_buried, claims, cluster, each_seed, lan, millis, secs};
use swim_core::{DropReason, Event, Status};
use swim_sim::{Action, HostId, Origin, Says, World};

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
fn hostile_floods_bury_nobody_and_invent_nobody() {
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
        assert_nobody_falsely_buried(&world);
        let node = world.node(hosts[0]).expect("it runs");
        assert_eq!(node.members().count(), 5, "seed {seed}: nobody was invented");
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
        assert_nobody_falsely_buried(&world);
    }
}

#[test]
fn a_stranger_s_word_counts_for_nothing() {
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
fn guessed_acks_keep_nobody_alive() {
    let (mut world, hosts) = cluster(6, 4, &lan());
    world.crash(hosts[3]);
    for _ in 0..60 {
        let (host, subject) = (hosts[0], hosts[3]);
        world.perform(&Action::SpoofAcks { host, subject, count: 1000, over: secs(1) });
        world.run_for(secs(1));
    }
    assert_eq!(world.believes(hosts[0], hosts[3]), Some(Status::Dead));
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
fn garbage_is_counted_by_why_it_was_dropped_and_tells_users_nothing() {
    let (mut world, hosts) = cluster(8, 3, &lan());
    let (host, from) = (hosts[0], Origin::Member);
    let events = world.count_events(host, |_: &Event| true);
    let drops = |world: &World| world.node(host).expect("it runs").stats().dropped(DropReason::Length);
    let before = drops(&world);
    world.perform(&Action::Garbage { host, count: 1000, len_max: 31, from, over: NOW });
    world.run_for(millis(1));
    assert_eq!(drops(&world) - before, 1000);
    assert_eq!(world.count_events(host, |_: &Event| true), events);
}
