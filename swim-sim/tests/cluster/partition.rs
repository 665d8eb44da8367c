//! Partitions: each side holds the other dead and none of its own, and they heal by themselves.

use std::time::Duration;

use crate::common::{
    assert_no_false_death, cluster, detection_bound, each_cluster, each_seed, lan, others, secs,
};
use swim_core::{Event, Status};
use swim_sim::{HostId, World};

#[test]
fn a_partition_shorter_than_a_suspicion_causes_no_death() {
    each_cluster(5, 20, |mut world, hosts| {
        let (left, right) = hosts.split_at(10);
        world.partition(&[left, right]);
        world.run_for(secs(3));
        world.heal();
        world.run_until(secs(30), World::converged).expect("suspicions are refuted");
        assert_eq!(world.deaths(), []);
    });
}

#[test]
fn a_member_cut_off_alone_for_long_comes_back_and_no_other_is_declared_dead() {
    each_cluster(5, 10, |mut world, hosts| {
        world.partition(&[&hosts[4..5]]);
        world.run_for(secs(300));
        let rest = others(&hosts, hosts[4]);
        assert!(world.all_believe(&rest, &hosts[4..5], Status::Dead));
        assert!(world.all_believe(&rest, &rest, Status::Alive));
        world.heal();
        world.run_until(secs(60), World::converged).expect("it is let in again");
        assert_no_false_death(&world);
    });
}

#[test]
fn a_cluster_that_falls_apart_into_single_members_finds_together_again() {
    each_cluster(3, 6, |mut world, hosts| {
        let singles: Vec<&[_]> = hosts.chunks(1).collect();
        world.partition(&singles);
        world.run_for(secs(180));
        world.heal();
        world.run_until(secs(60), World::converged).expect("they find each other");
    });
}

#[test]
fn one_broken_link_between_two_members_is_bridged_by_relays() {
    each_cluster(3, 10, |mut world, hosts| {
        world.network().cut(hosts[2], hosts[6]);
        world.network().cut(hosts[6], hosts[2]);
        world.run_for(secs(300));
        let bridged: u64 = [hosts[2], hosts[6]]
            .map(|host| world.node(host).expect("it runs").stats().probes_answered_by_relay)
            .iter()
            .sum();
        assert!(bridged > 10, "{bridged} probes were answered through a relay");
        let raised: u64 = hosts
            .iter()
            .filter_map(|host| world.node(*host))
            .map(|node| node.stats().suspicions_raised)
            .sum();
        assert_eq!(raised, 0, "relays answer for the broken link");
        assert!(world.converged());
    });
}

/// Nothing reaches `isolated`; what it sends still arrives.
fn isolate(world: &mut World, hosts: &[HostId], isolated: HostId) {
    for other in others(hosts, isolated) {
        world.network().cut(other, isolated);
    }
}

/// Isolation excuses for at most half the longest suspicion: α · β · period / 2 in a cluster of at most ten.
const ISOLATED_MAX: Duration = secs(4 * 6 / 2);

#[test]
fn a_member_that_receives_nothing_accuses_none_while_it_may_be_isolated() {
    each_cluster(10, 10, |mut world, hosts| {
        let raised = |world: &World| world.node(hosts[0]).expect("it runs").stats().suspicions_raised;
        isolate(&mut world, &hosts, hosts[0]);
        world.run_for(ISOLATED_MAX);
        assert_eq!(raised(&world), 0);
        let name = world.id(hosts[0]);
        let blamed = |event: &Event| matches!(event, Event::Suspect { by, .. } if *by == name);
        assert!(hosts.iter().all(|host| world.count_events(*host, blamed) == 0));
    });
}

#[test]
fn a_member_that_receives_again_in_time_has_declared_none_dead() {
    each_cluster(10, 10, |mut world, hosts| {
        isolate(&mut world, &hosts, hosts[0]);
        world.run_for(ISOLATED_MAX);
        world.heal();
        world.run_until(secs(60), World::converged).expect("it is a member like any other again");
        let name = world.id(hosts[0]);
        let others_dead: Vec<_> = world.deaths().iter().filter(|death| death.subject != name).collect();
        assert!(others_dead.is_empty(), "{others_dead:#?}");
    });
}

#[test]
fn the_last_of_three_says_in_the_end_that_the_others_are_dead() {
    each_cluster(5, 3, |mut world, hosts| {
        world.crash(hosts[0]);
        world.crash(hosts[1]);
        // No other member confirms, so the longest suspicion holds: twice as long as the excuse.
        let limit = ISOLATED_MAX * 3 + detection_bound(3, &lan());
        world
            .run_until(limit, |world| world.all_believe(&hosts[2..], &hosts[..2], Status::Dead))
            .expect("the excuse is bounded");
    });
}

#[test]
fn of_two_members_the_survivor_does_not_take_the_other_s_death_for_its_own_isolation() {
    each_cluster(5, 2, |mut world, hosts| {
        world.crash(hosts[0]);
        // No other member can confirm, so the shortest suspicion holds: two periods to notice, and α periods.
        world
            .run_until(secs(2 + 4 + 1), |world| world.believes(hosts[1], hosts[0]) == Some(Status::Dead))
            .expect("there is no excuse to wait for");
    });
}

#[test]
fn two_members_that_hold_each_other_dead_revive_each_other_in_one_handshake() {
    each_seed(10, |seed| {
        let (mut world, hosts) = cluster(seed, 2, &lan());
        world.run_for(secs(5));
        world.partition(&[&hosts[..1]]);
        world.run_for(secs(60));
        assert!(world.all_believe(&hosts, &hosts, Status::Dead));
        world.heal();
        let joined =
            |world: &World| world.count_events(hosts[1], |event| matches!(event, Event::Joined { .. }));
        let (before, sent) = (joined(&world), world.traffic().sent.datagrams);
        // The second looks for its seed at least every three seconds.
        world.run_until(secs(4), World::converged).expect("either sends the other what it holds of it");
        world.run_for(secs(10));
        assert!(world.converged());
        assert!(joined(&world) <= before + 1, "it joins once");
        assert!(world.traffic().sent.datagrams - sent < 100, "and makes no storm of it");
    });
}
