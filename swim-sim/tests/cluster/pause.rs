//! A stopped process buries nobody when it goes on, and is a member again soon.

use crate::common::{cluster, each_seed, lan, lan_with, others, secs};
use swim_core::Event;
use swim_sim::World;

fn stop_one_of_ten(seed: u64, seconds: u64) -> World {
    let (mut world, hosts) = cluster(seed, 10, &lan());
    let rest = others(&hosts, hosts[6]);
    world.pause(hosts[6]);
    world.run_for(secs(seconds));
    let raised = |world: &World| world.node(hosts[6]).expect("it has a process").stats().suspicions_raised;
    let raised_before = raised(&world);
    world.resume(hosts[6]);
    world.run_for(secs(5));
    assert_eq!(raised(&world), raised_before, "it accuses nobody when it wakes");
    world.run_until(secs(25), World::converged).expect("it is alive everywhere shortly after");
    world.run_for(secs(60));
    assert!(world.converged());
    for death in world.deaths() {
        assert_eq!(death.subject, world.id(hosts[6]), "nobody else is ever dead: {death:#?}");
    }
    assert_eq!(world.count_events(hosts[6], |event| matches!(event, Event::Dead { .. })), 0);
    assert!(rest.iter().all(|host| world.node(*host).is_some()));
    world
}

#[test]
fn a_member_stopped_for_a_second_is_never_dead() {
    each_seed(5, |seed| assert_eq!(stop_one_of_ten(seed, 1).deaths(), []));
}

#[test]
fn a_member_stopped_for_five_seconds_buries_nobody_and_is_back_soon() {
    each_seed(5, |seed| drop(stop_one_of_ten(seed, 5)));
}

#[test]
fn a_member_stopped_for_half_a_minute_buries_nobody_and_is_back_soon() {
    each_seed(5, |seed| {
        let world = stop_one_of_ten(seed, 30);
        assert!(!world.deaths().is_empty(), "30 s are longer than a confirmed suspicion");
    });
}

#[test]
fn a_member_stopped_for_an_hour_buries_nobody_and_is_back_soon() {
    stop_one_of_ten(1, 3600);
}

#[test]
fn a_stall_is_noticed_and_reported() {
    let (mut world, hosts) = cluster(1, 3, &lan());
    world.pause(hosts[1]);
    world.run_for(secs(5));
    world.resume(hosts[1]);
    world.run_for(secs(1));
    let stalled = |event: &Event| matches!(event, Event::Stalled { lost } if *lost > secs(3));
    assert_eq!(world.count_events(hosts[1], stalled), 1, "{:#?}", world.log(hosts[1]));
}

#[test]
fn half_the_cluster_stopped_for_a_while_is_whole_again_soon() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        for host in &hosts[..5] {
            world.pause(*host);
        }
        world.run_for(secs(20));
        for host in &hosts[..5] {
            world.resume(*host);
        }
        world.run_until(secs(60), World::converged).expect("all are alive everywhere again");
        let running: Vec<_> = hosts[5..].iter().map(|host| world.id(*host)).collect();
        for death in world.deaths() {
            assert!(!running.contains(&death.subject), "nobody who ran is dead: {death:#?}");
        }
    });
}

#[test]
fn who_slept_longer_than_others_remember_brings_nobody_back() {
    each_seed(5, |seed| {
        let forgetful = lan_with(|options| options.tombstone_life = secs(10));
        let (mut world, hosts) = cluster(seed, 6, &forgetful);
        world.pause(hosts[5]);
        world.partition(&[&hosts[5..]]);
        world.leave(hosts[3]);
        world.run_for(secs(120));
        let id = world.id(hosts[3]);
        let rest = others(&hosts, hosts[3]);
        assert!(rest[..4].iter().all(|host| world.believes(*host, hosts[3]).is_none()), "it is forgotten");
        let before: Vec<usize> = rest.iter().map(|host| world.log(*host).len()).collect();
        world.heal();
        world.resume(hosts[5]);
        world.run_until(secs(30), World::converged).expect("it joins anew");
        world.run_for(secs(60));
        for (host, before) in rest.iter().zip(before) {
            let news = &world.log(*host)[before..];
            let of_it = |event: &Event| matches!(event, Event::Alive { id: of, .. } | Event::Dead { id: of, .. } if *of == id);
            assert!(!news.iter().any(|logged| of_it(&logged.event)), "{news:#?}");
        }
    });
}
