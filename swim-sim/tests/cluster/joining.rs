//! Seeds that are late, wrong or black holes delay no join.

use std::net::SocketAddr;

use swim_core::{Command, Epoch, Event, Incarnation, JoinFailure, KnownPeer, Status};
use swim_sim::{Link, PER_CENT, Setup, Spec, World};

use crate::common::{
    assert_no_false_death, cluster, each_seed, lan, lan_with, millis, others, record_wire, secs,
};
use swim_craft as craft;

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
fn nine_black_holes_among_ten_addresses_delay_no_join() {
    for index in [0, 5, 9] {
        let mut world = World::new(1);
        let seed = world.start(Spec::new(lan()));
        let newcomer = world.start(Spec::new(lan()));
        let mut addresses: Vec<SocketAddr> = (1..10).map(black_hole).collect();
        addresses.insert(index, world.addr(seed));
        world.join_at(newcomer, &addresses);
        world.run_until(secs(1), World::converged).expect("all are asked in parallel");
    }
}

#[test]
fn all_may_start_at_once_with_the_same_list_of_all() {
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
    assert_eq!(world.traffic().sent.datagrams, sent, "no seed is asked any more");
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
    let labelled = |label: &str| lan_with(|options| options.label = label.into());
    let mut world = World::new(1);
    let blue = world.start(Spec::new(labelled("blue")));
    let green = world.start(Spec::new(labelled("green")));
    world.join(green, &[blue]);
    world.run_for(secs(30));
    assert_eq!((world.believes(blue, green), world.believes(green, blue)), (None, None));
}

#[test]
fn known_peers_alone_are_enough_however_late_they_come_up() {
    let mut world = World::new(1);
    let (early, late) = (world.start(Spec::new(lan())), world.start(Spec::new(lan())));
    let (id, addr) = (world.id(late), world.addr(late));
    world.crash(late);
    let peer = KnownPeer { id, addr, epoch: Epoch(1), incarnation: Incarnation(0) };
    world.command(early, Command::Restore { known_peers: &[peer] });
    world.run_for(secs(3600));
    world.restart(late);
    world.run_until(secs(30), World::converged).expect("it is asked again and again");
}

#[test]
fn a_newcomer_refused_by_a_full_table_learns_it_and_asks_again_only_now_and_then() {
    let small = lan_with(|options| options.members_max = 3);
    let (mut world, hosts) = cluster(1, 3, &small);
    let newcomer = world.start(Spec::new(small));
    world.join(newcomer, &hosts);
    world.run_for(secs(60));
    let refused = |event: &Event| matches!(event, Event::JoinFailed { reason: JoinFailure::Refused });
    assert_eq!(world.count_events(newcomer, refused), 1, "{:#?}", world.log(newcomer));
    let wire = record_wire(&mut world);
    world.run_for(secs(60));
    let asked =
        wire.lock().expect("one thread").iter().filter(|datagram| datagram.kind() == craft::JOIN).count();
    assert!(asked <= 3 * 6, "{asked} joins in a minute");
    world.leave(hosts[2]);
    world.run_for(secs(10));
    world.join(newcomer, &hosts[..1]);
    world.run_until(secs(10), World::converged).expect("there is room now, and the user asks at once");
}

#[test]
fn a_flood_of_joins_with_a_token_delays_a_newcomer_and_does_not_keep_it_out() {
    let stranger = black_hole(66);
    let (mut world, hosts) = cluster(1, 5, &lan());
    world.listen(stranger);
    let wire = record_wire(&mut world);
    let other = world.start(Spec::new(lan()));
    world.join(other, &hosts[..1]);
    world.run_for(secs(5));
    world.clear_hook();
    // The stranger asks as the other one did, and gets a token of its own.
    let asked =
        wire.lock().expect("one thread").iter().find(|datagram| datagram.kind() == craft::JOIN).cloned();
    let mut join = asked.expect("it asked").bytes;
    world.inject(stranger, world.addr(hosts[0]), &join);
    world.run_for(secs(1));
    let challenge = world.heard(stranger).last().expect("a challenge").bytes.clone();
    let token = challenge.len() - 8;
    join[token..].copy_from_slice(&challenge[token..]);
    world.inject(stranger, world.addr(hosts[0]), &join);
    world.run_for(secs(1));
    assert!(world.heard(stranger).len() > 1, "the token is good");

    let newcomer = world.start(Spec::new(lan()));
    world.join(newcomer, &hosts[..1]);
    let end = world.now().after(secs(25));
    while world.now() < end && world.node(newcomer).is_some_and(|node| node.members().count() == 1) {
        for _ in 0..10 {
            world.inject(stranger, world.addr(hosts[0]), &join);
        }
        world.run_for(millis(1));
    }
    world.run_until(secs(5), World::converged).expect("its turn came");
}

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
            assert_no_false_death(&world);
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

#[test]
fn half_of_two_hundred_members_restarting_at_once_settles() {
    let (mut world, hosts) = cluster(2, 200, &lan());
    for host in &hosts[..100] {
        world.crash(*host);
    }
    world.run_for(secs(2));
    for host in &hosts[..100] {
        world.restart(*host);
        world.join(*host, &hosts[100..103]);
    }
    let took = world.run_until(secs(30), World::converged).expect("the new epochs are accepted");
    eprintln!("settled after {took:?}");
    assert_no_false_death(&world);
    assert!(world.all_believe(&hosts[100..], &hosts[..100], Status::Alive));
}
