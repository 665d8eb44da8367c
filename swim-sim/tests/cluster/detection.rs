//! Crashes are found within the bound that `docs/protocol.md` derives, which is not so wide that it says nothing.
//! Loss, reordering and stopped processes make no member falsely dead.

use std::sync::Arc;
use std::time::Duration;

use swim_core::{Config, Event, Status};
use swim_sim::{Latency, Link, PER_CENT, World};

use crate::common::{
    assert_no_false_death, cluster, detection_bound, each_cluster, each_seed, lan, lan_with, millis, others,
    secs,
};

#[test]
fn crashes_of_a_seed_of_many_at_once_and_under_loss_are_detected_and_no_other_is_declared_dead() {
    let lossy = Link::lan().loss(20 * PER_CENT);
    for (n, victims, link, bounds) in
        [(10, 0..1, Link::lan(), 1), (30, 0..10, Link::lan(), 2), (20, 7..8, lossy, 2)]
    {
        each_cluster(5, n, |mut world, hosts| {
            let victims = &hosts[victims.clone()];
            let survivors: Vec<_> = hosts.iter().copied().filter(|host| !victims.contains(host)).collect();
            world.network().set_default_link(link);
            victims.iter().for_each(|victim| assert!(world.crash(*victim)));
            world
                .run_until(detection_bound(n, &lan()) * bounds, |world| {
                    world.all_believe(&survivors, victims, Status::Dead)
                })
                .expect("crashes are detected");
            assert_no_false_death(&world);
        });
    }
}

#[test]
fn every_survivor_reports_one_suspicion_with_its_accuser_and_one_death() {
    let (mut world, hosts) = cluster(4, 8, &lan());
    let (victim, id) = (hosts[5], world.id(hosts[5]));
    let survivors = others(&hosts, victim);
    world.crash(victim);
    world.run_for(secs(60));
    for host in survivors {
        let suspected: Vec<_> = world
            .log(host)
            .iter()
            .filter_map(|logged| match &logged.event {
                Event::Suspect { id: i, by, .. } if *i == id => Some(*by),
                _ => None,
            })
            .collect();
        assert_eq!(suspected.len(), 1, "{:#?}", world.log(host));
        let dead: Vec<_> = world
            .log(host)
            .iter()
            .filter_map(|logged| match &logged.event {
                Event::Dead { id: i, accuser, .. } if *i == id => Some(*accuser),
                _ => None,
            })
            .collect();
        assert_eq!(dead.len(), 1, "{:#?}", world.log(host));
        assert_ne!(dead[0], id, "no member accuses itself");
    }
}

#[test]
fn more_members_confirm_so_bigger_clusters_do_not_wait_for_the_longest_suspicion() {
    let config = lan();
    let mut waits: Vec<_> = (1..=10)
        .map(|seed| {
            let (mut world, hosts) = cluster(seed, 20, &config);
            let survivors = others(&hosts, hosts[3]);
            world.crash(hosts[3]);
            world
                .run_until(secs(60), |world| world.all_believe(&survivors, &[hosts[3]], Status::Dead))
                .expect("a crash is detected")
        })
        .collect();
    waits.sort_unstable();
    eprintln!("detected everywhere after {waits:?}");
    assert!(waits[5] < secs(20), "the median of {waits:?}; the longest suspicion alone is 31 s");
}

fn stays_whole(seed: u64, link: Link, time: Duration) -> World {
    let (mut world, _) = cluster(seed, 20, &lan());
    world.network().set_default_link(link);
    world.run_for(time);
    eprintln!(
        "deaths {}, suspicions {}, refutations {}",
        world.deaths().len(),
        sum(&world, |stats| stats.suspicions_raised),
        sum(&world, |stats| stats.refutations),
    );
    assert_no_false_death(&world);
    world
}

fn sum(world: &World, of: impl Fn(&swim_core::Stats) -> u64) -> u64 {
    world.hosts().filter_map(|host| world.node(host)).map(|node| of(&node.stats())).sum()
}

#[test]
fn a_quarter_lost_for_ten_minutes_causes_no_false_death() {
    each_seed(5, |seed| {
        stays_whole(seed, Link::lan().loss(25 * PER_CENT), secs(600));
    });
}

#[test]
fn after_the_loss_all_are_alive_everywhere_soon() {
    each_seed(5, |seed| {
        let mut world = stays_whole(seed, Link::lan().loss(25 * PER_CENT), secs(120));
        world.network().set_default_link(Link::lan());
        world.run_until(secs(10), World::converged).expect("suspicions are refuted");
    });
}

#[test]
fn duplicates_and_reordering_change_nothing() {
    each_seed(3, |seed| {
        let spread = Latency::Exponential { min: millis(1), mean_extra: millis(30) };
        let link = Link::lan().latency(spread).duplication(30 * PER_CENT);
        let world = stays_whole(seed, link, secs(300));
        assert!(world.traffic().duplicated.datagrams > 1000);
        assert!(world.converged());
    });
}

fn stop_one_of_ten(seed: u64, seconds: u64) -> World {
    let (mut world, hosts) = cluster(seed, 10, &lan());
    let rest = others(&hosts, hosts[6]);
    world.pause(hosts[6]);
    world.run_for(secs(seconds));
    let raised = |world: &World| world.node(hosts[6]).expect("it has a process").stats().suspicions_raised;
    let raised_before = raised(&world);
    world.resume(hosts[6]);
    world.run_for(secs(5));
    assert_eq!(raised(&world), raised_before, "it accuses none when it goes on");
    world.run_until(secs(25), World::converged).expect("it is alive everywhere shortly after");
    world.run_for(secs(60));
    assert!(world.converged());
    for death in world.deaths() {
        assert_eq!(death.subject, world.id(hosts[6]), "no other is ever dead: {death:#?}");
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
fn a_member_stopped_for_five_seconds_declares_none_dead_and_is_back_soon() {
    each_seed(5, |seed| drop(stop_one_of_ten(seed, 5)));
}

#[test]
fn a_member_stopped_for_half_a_minute_declares_none_dead_and_is_back_soon() {
    each_seed(5, |seed| {
        let world = stop_one_of_ten(seed, 30);
        assert!(!world.deaths().is_empty(), "30 s are longer than a confirmed suspicion");
    });
}

#[test]
fn a_member_stopped_for_an_hour_declares_none_dead_and_is_back_soon() {
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
    each_cluster(3, 10, |mut world, hosts| {
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
            assert!(!running.contains(&death.subject), "no member that ran is dead: {death:#?}");
        }
    });
}

#[test]
fn a_member_stopped_for_longer_than_tombstones_last_revives_no_member() {
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

/// How long it takes until all call the last of `n` members Dead, for each seed, in order.
fn times(config: &Arc<Config>, n: usize, seeds: u64) -> Vec<Duration> {
    let bound = detection_bound(n, config);
    let mut times: Vec<Duration> = (1..=seeds)
        .map(|seed| {
            let (mut world, hosts) = cluster(seed, n, config);
            // So that the crash comes at another moment of the period each time.
            world.run_for(config.period * 20 + Duration::from_millis(seed * 137));
            let (victim, survivors) = hosts.split_last().expect("n is not zero");
            world.crash(*victim);
            world
                .run_until(bound, |world| world.all_believe(survivors, &[*victim], Status::Dead))
                .unwrap_or_else(|timeout| panic!("{n} members, {bound:?}: {timeout}"))
        })
        .collect();
    times.sort_unstable();
    let (median, most) = (times[times.len() / 2], times[times.len() - 1]);
    eprintln!("{n} members, period {:?}: median {median:?}, most {most:?}, bound {bound:?}", config.period);
    times
}

fn every_crash_is_known_to_all_by_then(config: Config) {
    let config = Arc::new(config);
    for (n, seeds) in [(2, 20), (3, 40), (4, 20), (5, 20), (10, 20), (20, 10), (50, 4)] {
        let times = times(&config, n, seeds);
        let bound = detection_bound(n, &config);
        assert!(bound < times[times.len() / 2] * 8, "{n} members: {bound:?} says nothing, {times:?}");
    }
}

#[test]
fn every_crash_is_known_to_all_by_then_on_one_machine() {
    every_crash_is_known_to_all_by_then(Config::local());
}

#[test]
fn every_crash_is_known_to_all_by_then_on_a_lan() {
    every_crash_is_known_to_all_by_then(Config::lan());
}

#[test]
fn every_crash_is_known_to_all_by_then_across_sites() {
    every_crash_is_known_to_all_by_then(Config::wan());
}
