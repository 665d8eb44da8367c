//! A living member may move.

use crate::common::{assert_nobody_falsely_buried, cluster, each_seed, lan, millis, others, secs};
use swim_core::Event;
use swim_sim::{Link, PER_CENT, World};

#[test]
fn a_member_that_moves_is_known_at_its_new_address_everywhere_soon_and_never_suspected() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        let addr = "10.77.0.1:9000".parse().expect("a valid address");
        assert!(world.move_to(hosts[4], addr));
        world.run_until(secs(5), World::converged).expect("the move is known");
        world.run_for(secs(60));
        assert!(world.converged());
        assert_nobody_falsely_buried(&world);
        for host in others(&hosts, hosts[4]) {
            let updated = |event: &Event| matches!(event, Event::Updated { addr: a, .. } if *a == addr);
            assert_eq!(world.count_events(host, updated), 1, "{:#?}", world.log(host));
        }
    });
}

#[test]
fn two_members_may_swap_addresses_by_way_of_a_third() {
    let (mut world, hosts) = cluster(1, 6, &lan());
    let (first, second) = (world.addr(hosts[1]), world.addr(hosts[2]));
    for (host, addr) in [(1, "10.77.0.1:9000".parse().expect("valid")), (2, first), (1, second)] {
        assert!(world.move_to(hosts[host], addr));
        world.run_until(secs(10), World::converged).expect("the move is known");
    }
    assert_nobody_falsely_buried(&world);
}

#[test]
fn an_address_that_changed_hands_leads_to_nobody_s_burial() {
    // The victim's address is taken over by another member: its acks must not keep the victim alive, and
    // pings meant for the victim must not make the other one refute for it.
    let (mut world, hosts) = cluster(1, 6, &lan());
    let (victim, addr) = (hosts[3], world.addr(hosts[3]));
    world.crash(victim);
    assert!(world.move_to(hosts[4], addr));
    let rest = others(&hosts, victim);
    world
        .run_until(crate::common::detection_bound(6, &lan()), |world| {
            world.all_believe(&rest, &[victim], swim_core::Status::Dead)
        })
        .expect("the crash is detected");
    assert!(world.converged());
    assert_nobody_falsely_buried(&world);
}

#[test]
fn of_two_members_the_one_that_moves_is_not_buried_even_under_loss() {
    // Nobody else can tell the other, and the shortest suspicion is four periods: the handshake that proves
    // the new address must not wait long for what was lost.
    each_seed(100, |seed| {
        let (mut world, hosts) = cluster(seed, 2, &lan());
        world.run_for(secs(10));
        world.network().set_default_link(Link::lan().loss(20 * PER_CENT));
        assert!(world.move_to(hosts[1], "10.77.0.1:9000".parse().expect("a valid address")));
        world.run_for(secs(60));
        assert_nobody_falsely_buried(&world);
        assert!(world.converged());
    });
}

#[test]
fn a_dead_member_that_is_back_at_another_address_is_told_of_with_that_address() {
    let (mut world, hosts) = cluster(1, 4, &lan());
    let rest = others(&hosts, hosts[3]);
    world.crash(hosts[3]);
    world.run_for(secs(90));
    let addr = "10.77.0.1:9000".parse().expect("a valid address");
    assert!(world.restart_at(hosts[3], addr));
    world.join(hosts[3], &rest);
    world.run_until(secs(5), World::converged).expect("it is let in");
    let id = world.id(hosts[3]);
    for host in rest {
        let told = world.log(host).iter().rev().find_map(|logged| match logged.event {
            Event::Alive { id: subject, addr, .. } if subject == id => Some(addr),
            _ => None,
        });
        assert_eq!(told, Some(addr), "{host:?}");
    }
}

#[test]
fn a_probe_at_the_old_address_accuses_nobody() {
    each_seed(30, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        world.run_for(millis(seed * 17));
        assert!(world.move_to(hosts[4], "10.77.0.1:9000".parse().expect("a valid address")));
        world.run_for(secs(20));
        let accused = |event: &Event| matches!(event, Event::Accused { .. });
        assert_eq!(world.count_events(hosts[4], accused), 0, "{:#?}", world.log(hosts[4]));
    });
}
