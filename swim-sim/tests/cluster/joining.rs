//! Seeds that are late, wrong or black holes delay nobody.

use std::net::SocketAddr;

use crate::common::{lan, others, secs};
use swim_core::{Command, Event, JoinFailure};
use swim_sim::{Spec, World};

fn black_hole(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], 7946))
}

#[test]
fn a_join_waits_for_a_seed_that_comes_up_later() {
    for delay in [1, 10, 120, 1000] {
        let mut world = World::new(delay);
        let early = world.start(Spec::new(lan()));
        let late = "10.9.9.9:7946".parse().expect("a valid address");
        world.join_at(early, &[late]);
        world.run_for(secs(delay));
        world.start(Spec::new(lan()).addr(late));
        let took = world.run_until(secs(8), World::converged).expect("it is asked again and again");
        eprintln!("seed up after {delay} s, joined {took:?} later");
    }
}

#[test]
fn nine_black_holes_among_ten_addresses_delay_nobody() {
    for place in [0, 5, 9] {
        let mut world = World::new(1);
        let seed = world.start(Spec::new(lan()));
        let newcomer = world.start(Spec::new(lan()));
        let mut addresses: Vec<SocketAddr> = (1..10).map(black_hole).collect();
        addresses.insert(place, world.addr(seed));
        world.join_at(newcomer, &addresses);
        world.run_until(secs(1), World::converged).expect("all are asked in parallel");
    }
}

#[test]
fn everybody_may_start_at_once_with_the_same_list_of_all() {
    let mut world = World::new(5);
    let hosts = world.start_many(10, &lan());
    for host in &hosts {
        world.join(*host, &hosts);
    }
    world.run_until(secs(10), World::converged).expect("no island remains");
}

#[test]
fn a_ring_of_seeds_leaves_no_islands() {
    let mut world = World::new(6);
    let hosts = world.start_many(12, &lan());
    for (i, host) in hosts.iter().enumerate() {
        world.join(*host, &[hosts[(i + 1) % hosts.len()]]);
    }
    world.run_until(secs(15), World::converged).expect("no island remains");
}

#[test]
fn a_join_can_be_cancelled_and_says_so() {
    let mut world = World::new(1);
    let host = world.start(Spec::new(lan()));
    world.join_at(host, &[black_hole(1)]);
    world.run_for(secs(60));
    world.command(host, Command::CancelJoin);
    let failed = |event: &Event| matches!(event, Event::JoinFailed { reason: JoinFailure::Cancelled });
    assert_eq!(world.count_events(host, failed), 1);
    let sent = world.traffic().sent.datagrams;
    world.run_for(secs(60));
    assert_eq!(world.traffic().sent.datagrams, sent, "nobody is asked any more");
}

#[test]
fn a_member_whose_whole_cluster_was_replaced_finds_the_new_one_through_its_seeds() {
    let mut world = World::new(8);
    let hosts = world.start_many(4, &lan());
    for host in &hosts {
        world.join(*host, &hosts);
    }
    world.run_until(secs(10), World::converged).expect("they converge");
    let rest = others(&hosts, hosts[0]);
    for host in &rest {
        world.crash(*host);
    }
    world.run_for(secs(300));
    for host in &rest {
        world.restart(*host);
        world.join(*host, &rest);
    }
    world.run_until(secs(60), World::converged).expect("the one that stayed is found");
}

#[test]
fn clusters_of_different_labels_never_mix() {
    let labelled = |label: &str| crate::common::lan_with(|options| options.label = label.into());
    let mut world = World::new(1);
    let blue = world.start(Spec::new(labelled("blue")));
    let green = world.start(Spec::new(labelled("green")));
    world.join(green, &[blue]);
    world.run_for(secs(30));
    assert_eq!((world.believes(blue, green), world.believes(green, blue)), (None, None));
}
