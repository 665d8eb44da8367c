//! One id, several epochs, several addresses: the id conflict, the restart and the move.

use swim_core::{Event, Incarnation, Status};
use swim_sim::{Link, PER_CENT, Presence, Spec, World};

use crate::common::{
    assert_no_false_death, claims, cluster, detection_bound, each_cluster, each_seed, lan, millis, others,
    record_wire, secs,
};

#[test]
fn a_newcomer_whose_wall_clock_is_ahead_loses_all_the_same() {
    let (mut world, hosts) = cluster(1, 5, &lan());
    let name = world.id(hosts[2]);
    let rival = world.start(Spec::new(lan()).id(name).wall_clock_ms(3_600_000));
    world.join(rival, &hosts[..1]);
    world.run_for(secs(30));
    assert_eq!(world.presence(rival), Presence::Gone);
    assert_eq!(world.presence(hosts[2]), Presence::Up);
    assert!(world.converged());
}

#[test]
fn of_two_holders_that_meet_when_clusters_merge_all_keep_the_same_one() {
    each_seed(5, |seed| {
        let mut world = World::new(seed);
        let hosts = world.start_many(6, &lan());
        let name = world.id(hosts[1]);
        let rival = world.start(Spec::new(lan()).id(name).wall_clock_ms(5_000));
        for host in &hosts[1..3] {
            world.join(*host, &hosts[..1]);
        }
        for host in hosts[4..].iter().chain([&rival]) {
            world.join(*host, &hosts[3..4]);
        }
        world.run_for(secs(10));
        world.join(hosts[0], &hosts[3..4]);
        world.run_until(secs(60), World::converged).expect("one holder remains, the same everywhere");
        let still = [hosts[1], rival].map(|host| world.presence(host));
        assert_eq!(still.iter().filter(|presence| **presence == Presence::Up).count(), 1, "{still:?}");
        world.run_for(secs(120));
        assert!(world.converged(), "and it stays so");
    });
}

#[test]
fn loss_costs_a_living_member_its_name_to_no_newcomer() {
    each_seed(20, |seed| {
        for loss in [10, 25] {
            let (mut world, hosts) = cluster(seed, 5, &lan());
            world.network().set_default_link(Link::lan().loss(loss * PER_CENT));
            let rival = world.start(Spec::new(lan()).id(world.id(hosts[2])));
            world.join(rival, &hosts[..1]);
            world.run_for(secs(60));
            let still = [hosts[2], rival].map(|host| world.presence(host));
            assert_eq!(still, [Presence::Up, Presence::Gone], "at {loss} %");
        }
    });
}

const DAY_MS: i64 = 86_400_000;
/// Two periods, and the time that news take to go round.
const BACK_WITHIN: u64 = 5;

#[test]
fn a_member_that_restarts_noticed_or_not_here_or_elsewhere_is_alive_everywhere_at_once() {
    let elsewhere = "10.200.0.1:7946".parse().expect("a valid address");
    for (noticed, ahead_ms, addr) in [
        (false, 0, None),
        (false, -DAY_MS, Some(elsewhere)),
        (true, -DAY_MS, None),
        (true, -DAY_MS, Some(elsewhere)),
    ] {
        each_cluster(5, 10, |mut world, hosts| {
            let rest = others(&hosts, hosts[4]);
            world.crash(hosts[4]);
            if noticed {
                world
                    .run_until(secs(90), |world| world.all_believe(&rest, &hosts[4..5], Status::Dead))
                    .expect("the crash is detected");
            }
            world.run_for(secs(1));
            world.set_wall_clock_ms(hosts[4], ahead_ms);
            assert!(world.restart_at(hosts[4], addr.unwrap_or(world.addr(hosts[4]))));
            world.join(hosts[4], &hosts[..1]);
            world.run_until(secs(BACK_WITHIN), World::converged).expect("the new epoch is accepted");
            world.run_for(secs(120));
            assert!(world.converged(), "and it stays so");
            assert_no_false_death(&world);
        });
    }
}

#[test]
fn datagrams_of_the_earlier_epoch_change_nothing() {
    each_cluster(3, 5, |mut world, hosts| {
        let wire = record_wire(&mut world);
        world.run_for(secs(10));
        world.crash(hosts[2]);
        world.run_for(secs(60));
        world.clear_hook();
        world.restart(hosts[2]);
        world.join(hosts[2], &hosts[..1]);
        world.run_until(secs(BACK_WITHIN), World::converged).expect("the new epoch is accepted");
        world.run_for(secs(30));
        let before: Vec<_> = hosts.iter().map(|host| claims(&world, *host)).collect();
        let seen = wire.lock().expect("one thread").clone();
        assert!(seen.len() > 50);
        for datagram in seen {
            world.inject(datagram.source, datagram.target, &datagram.bytes);
            world.run_for(millis(1));
        }
        world.run_for(secs(1));
        let after: Vec<_> = hosts.iter().map(|host| claims(&world, *host)).collect();
        assert_eq!(before, after);
        world.run_for(secs(60));
        assert!(world.converged());
        assert_no_false_death(&world);
    });
}

#[test]
fn a_member_that_restarts_every_few_seconds_ends_up_alive_everywhere() {
    each_cluster(3, 8, |mut world, hosts| {
        for _ in 0..20 {
            world.crash(hosts[3]);
            world.run_for(secs(2));
            world.restart(hosts[3]);
            world.join(hosts[3], &hosts[..1]);
            world.run_for(secs(3));
        }
        world.run_until(secs(BACK_WITHIN), World::converged).expect("the last epoch is accepted");
        assert_no_false_death(&world);
    });
}

#[test]
fn the_event_of_a_new_epoch_names_the_address_where_it_is() {
    let (mut world, hosts) = cluster(1, 5, &lan());
    world.crash(hosts[4]);
    world.run_for(secs(1));
    let (id, addr) = (world.id(hosts[4]), "10.200.0.1:7946".parse().expect("a valid address"));
    let before: Vec<usize> = hosts.iter().map(|host| world.log(*host).len()).collect();
    world.restart_at(hosts[4], addr);
    world.join(hosts[4], &hosts[..1]);
    world.run_until(secs(BACK_WITHIN), World::converged).expect("the new epoch is accepted");
    for (host, before) in hosts[..4].iter().zip(before) {
        let reported: Vec<_> = world.log(*host)[before..]
            .iter()
            .filter_map(|logged| match logged.event {
                Event::Alive { id: of, addr, .. } | Event::Updated { id: of, addr } if of == id => Some(addr),
                _ => None,
            })
            .collect();
        assert_eq!(reported, [addr], "{host:?}");
    }
}

#[test]
fn a_probe_of_the_earlier_epoch_accuses_none() {
    each_seed(30, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        world.run_for(millis(seed * 17));
        world.crash(hosts[4]);
        world.run_for(millis(700));
        world.restart(hosts[4]);
        world.join(hosts[4], &hosts[..1]);
        world.run_for(secs(20));
        let node = world.node(hosts[4]).expect("it runs");
        assert_eq!(node.incarnation(), Incarnation(0), "it had to refute: {:#?}", world.log(hosts[4]));
    });
}

#[test]
fn a_member_that_moves_is_known_at_its_new_address_everywhere_soon_and_never_suspected() {
    each_cluster(5, 10, |mut world, hosts| {
        let addr = "10.77.0.1:9000".parse().expect("a valid address");
        assert!(world.move_to(hosts[4], addr));
        world.run_until(secs(5), World::converged).expect("the move is known");
        world.run_for(secs(60));
        assert!(world.converged());
        assert_no_false_death(&world);
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
    assert_no_false_death(&world);
}

#[test]
fn an_address_that_changed_hands_causes_no_false_death() {
    // The victim's address is taken over by another member: its acks must not keep the victim alive, and
    // pings meant for the victim must not make the other one refute for it.
    let (mut world, hosts) = cluster(1, 6, &lan());
    let (victim, addr) = (hosts[3], world.addr(hosts[3]));
    world.crash(victim);
    assert!(world.move_to(hosts[4], addr));
    let rest = others(&hosts, victim);
    world
        .run_until(detection_bound(6, &lan()), |world| {
            world.all_believe(&rest, &[victim], swim_core::Status::Dead)
        })
        .expect("the crash is detected");
    assert!(world.converged());
    assert_no_false_death(&world);
}

#[test]
fn of_two_members_the_one_that_moves_is_not_declared_dead_even_under_loss() {
    // No third member can pass on the move, and the shortest suspicion is four periods: the handshake that proves
    // the new address must not wait long for what was lost.
    each_cluster(100, 2, |mut world, hosts| {
        world.run_for(secs(10));
        world.network().set_default_link(Link::lan().loss(20 * PER_CENT));
        assert!(world.move_to(hosts[1], "10.77.0.1:9000".parse().expect("a valid address")));
        world.run_for(secs(60));
        assert_no_false_death(&world);
        assert!(world.converged());
    });
}

#[test]
fn a_dead_member_that_is_back_at_another_address_is_reported_with_that_address() {
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
        let reported = world.log(host).iter().rev().find_map(|logged| match logged.event {
            Event::Alive { id: subject, addr, .. } if subject == id => Some(addr),
            _ => None,
        });
        assert_eq!(reported, Some(addr), "{host:?}");
    }
}

#[test]
fn a_probe_at_the_old_address_accuses_none() {
    each_seed(30, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        world.run_for(millis(seed * 17));
        assert!(world.move_to(hosts[4], "10.77.0.1:9000".parse().expect("a valid address")));
        world.run_for(secs(20));
        let accused = |event: &Event| matches!(event, Event::Accused { .. });
        assert_eq!(world.count_events(hosts[4], accused), 0, "{:#?}", world.log(hosts[4]));
    });
}
