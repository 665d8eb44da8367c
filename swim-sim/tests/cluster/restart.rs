//! A new life wins at once over whatever is believed of the last one.

use crate::common::{
    assert_nobody_falsely_buried, claims, cluster, each_seed, lan, millis, others, record_wire, secs,
};
use swim_core::{Event, Incarnation, Status};
use swim_sim::World;

const DAY_MS: i64 = 86_400_000;
/// Two periods, and the time that news take to go round.
const BACK_WITHIN: u64 = 5;

#[test]
fn a_member_restarted_before_anybody_noticed_is_alive_everywhere_at_once() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        world.crash(hosts[4]);
        world.run_for(secs(1));
        world.restart(hosts[4]);
        world.join(hosts[4], &hosts[..1]);
        world.run_until(secs(BACK_WITHIN), World::converged).expect("the new life is believed");
        world.run_for(secs(120));
        assert!(world.converged());
        assert_nobody_falsely_buried(&world);
    });
}

#[test]
fn a_dead_member_that_restarts_a_day_in_the_past_is_alive_everywhere_at_once() {
    each_seed(5, |seed| {
        for addr in [None, Some("10.200.0.1:7946".parse().expect("a valid address"))] {
            let (mut world, hosts) = cluster(seed, 10, &lan());
            let rest = others(&hosts, hosts[4]);
            world.crash(hosts[4]);
            world
                .run_until(secs(90), |world| world.all_believe(&rest, &hosts[4..5], Status::Dead))
                .expect("the crash is detected");
            world.set_calendar_ms(hosts[4], -DAY_MS);
            assert!(world.restart_at(hosts[4], addr.unwrap_or(world.addr(hosts[4]))));
            world.join(hosts[4], &hosts[..1]);
            let took = world.run_until(secs(BACK_WITHIN), World::converged).expect("the new life wins");
            eprintln!("back after {took:?}");
            world.run_for(secs(120));
            assert!(world.converged(), "and stays");
            assert_nobody_falsely_buried(&world);
        }
    });
}

#[test]
fn an_unnoticed_restart_at_another_address_a_day_in_the_past_is_known_everywhere_at_once() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        world.crash(hosts[4]);
        world.run_for(secs(1));
        world.set_calendar_ms(hosts[4], -DAY_MS);
        assert!(world.restart_at(hosts[4], "10.200.0.1:7946".parse().expect("a valid address")));
        world.join(hosts[4], &hosts[..1]);
        world.run_until(secs(BACK_WITHIN), World::converged).expect("the new life wins");
        world.run_for(secs(120));
        assert!(world.converged());
        assert_nobody_falsely_buried(&world);
    });
}

#[test]
fn datagrams_of_the_earlier_life_change_nothing() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 5, &lan());
        let wire = record_wire(&mut world);
        world.run_for(secs(10));
        world.crash(hosts[2]);
        world.run_for(secs(60));
        world.clear_hook();
        world.restart(hosts[2]);
        world.join(hosts[2], &hosts[..1]);
        world.run_until(secs(BACK_WITHIN), World::converged).expect("the new life is believed");
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
        assert_nobody_falsely_buried(&world);
    });
}

#[test]
fn a_member_that_restarts_every_few_seconds_ends_up_alive_everywhere() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 8, &lan());
        for _ in 0..20 {
            world.crash(hosts[3]);
            world.run_for(secs(2));
            world.restart(hosts[3]);
            world.join(hosts[3], &hosts[..1]);
            world.run_for(secs(3));
        }
        world.run_until(secs(BACK_WITHIN), World::converged).expect("the last life is believed");
        assert_nobody_falsely_buried(&world);
    });
}

#[test]
fn all_members_restarting_one_after_the_other_is_a_non_event() {
    let (mut world, hosts) = cluster(1, 10, &lan());
    for (i, host) in hosts.iter().enumerate() {
        world.crash(*host);
        world.run_for(secs(1));
        world.restart(*host);
        world.join(*host, &[hosts[(i + 1) % hosts.len()]]);
        world.run_until(secs(BACK_WITHIN), World::converged).expect("each is back at once");
    }
    assert_nobody_falsely_buried(&world);
}

#[test]
fn the_event_of_a_new_life_names_the_address_where_it_is() {
    let (mut world, hosts) = cluster(1, 5, &lan());
    world.crash(hosts[4]);
    world.run_for(secs(1));
    let (id, addr) = (world.id(hosts[4]), "10.200.0.1:7946".parse().expect("a valid address"));
    let before: Vec<usize> = hosts.iter().map(|host| world.log(*host).len()).collect();
    world.restart_at(hosts[4], addr);
    world.join(hosts[4], &hosts[..1]);
    world.run_until(secs(BACK_WITHIN), World::converged).expect("the new life is believed");
    for (host, before) in hosts[..4].iter().zip(before) {
        let told: Vec<_> = world.log(*host)[before..]
            .iter()
            .filter_map(|logged| match logged.event {
                Event::Alive { id: of, addr, .. } | Event::Updated { id: of, addr } if of == id => Some(addr),
                _ => None,
            })
            .collect();
        assert_eq!(told, [addr], "{host:?}");
    }
}

#[test]
fn a_probe_of_the_earlier_life_accuses_nobody() {
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
