//! Everybody gets to know everybody, through one seed and whatever the order.

use crate::common::{assert_nobody_falsely_buried, cluster, each_seed, lan, secs};
use swim_core::{Event, Status};
use swim_sim::{Link, PER_CENT, Setup, Spec, World};

#[test]
fn members_that_join_through_one_seed_all_know_each_other_within_seconds() {
    each_seed(5, |seed| {
        for n in [2, 3, 5, 17, 50] {
            let mut world = World::new(seed);
            let hosts = world.start_many(n, &lan());
            for host in &hosts[1..] {
                world.join(*host, &hosts[..1]);
            }
            world.run_until(secs(5), World::converged).expect("all are reachable");
            world.run_for(secs(30));
            assert!(world.converged(), "{n} members stay converged");
            assert_nobody_falsely_buried(&world);
        }
    });
}

#[test]
fn a_chain_of_joins_is_as_good_as_a_star() {
    each_seed(5, |seed| {
        let mut world = World::new(seed);
        let hosts = world.start_many(20, &lan());
        for pair in hosts.windows(2) {
            world.join(pair[1], &pair[..1]);
        }
        world.run_until(secs(15), World::converged).expect("all are reachable");
    });
}

#[test]
fn members_that_join_one_after_the_other_are_known_before_the_next_comes() {
    let mut world = World::new(1);
    let first = world.start(Spec::new(lan()));
    for _ in 0..20 {
        let newcomer = world.start(Spec::new(lan()));
        world.join(newcomer, &[first]);
        world.run_until(secs(4), World::converged).expect("a newcomer becomes known to all");
    }
}

#[test]
fn two_clusters_that_are_introduced_become_one() {
    let mut world = World::new(1);
    let hosts = world.start_many(20, &lan());
    for (leader, followers) in [(0, 1..10), (10, 11..20)] {
        for follower in followers {
            world.join(hosts[follower], &[hosts[leader]]);
        }
    }
    world.run_for(secs(10));
    assert_eq!(world.believes(hosts[3], hosts[13]), None);
    world.join(hosts[3], &[hosts[13]]);
    world.run_until(secs(30), World::converged).expect("one introduction is enough");
}

#[test]
fn a_join_is_reported_once_with_its_way_in() {
    let (world, hosts) = cluster(1, 5, &lan());
    let seed_addr = world.addr(hosts[0]);
    for host in &hosts[1..] {
        let joined = world
            .count_events(*host, |event| matches!(event, Event::Joined { via, .. } if *via == seed_addr));
        assert_eq!(joined, 1, "{host:?}: {:#?}", world.log(*host));
    }
}

#[test]
fn every_other_member_is_reported_alive_exactly_once_in_a_quiet_network() {
    let (mut world, hosts) = cluster(2, 10, &lan());
    world.run_for(secs(60));
    for host in &hosts {
        for other in hosts.iter().filter(|other| *other != host) {
            let id = world.id(*other);
            let times =
                world.count_events(*host, |event| matches!(event, Event::Alive { id: i, .. } if *i == id));
            assert_eq!(times, 1, "{host:?} about {other:?}");
        }
        assert_eq!(world.count_events(*host, |event| matches!(event, Event::Suspect { .. })), 0);
    }
}

#[test]
fn joining_succeeds_under_heavy_loss() {
    each_seed(5, |seed| {
        let setup = Setup::new(seed).link(Link::lan().loss(40 * PER_CENT));
        let mut world = World::with(setup);
        let hosts = world.start_many(10, &lan());
        for host in &hosts[1..] {
            world.join(*host, &hosts[..1]);
        }
        let all_know_all = |world: &World| {
            hosts.iter().all(|a| {
                let known = |b| world.believes(*a, b).is_some_and(Status::is_active);
                hosts.iter().all(|b| known(*b))
            })
        };
        world.run_until(secs(60), all_know_all).expect("four in ten are lost, six are not");
    });
}
