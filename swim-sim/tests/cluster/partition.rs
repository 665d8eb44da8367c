//! Partitions: each side sees the other dead and nobody of its own, and they heal by themselves.

use std::time::Duration;

use crate::common::{assert_nobody_falsely_buried, cluster, detection_bound, each_seed, lan, others, secs};
use swim_core::{Event, Status};
use swim_sim::{HostId, World};

#[test]
fn a_partition_shorter_than_a_suspicion_buries_nobody() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 20, &lan());
        let (left, right) = hosts.split_at(10);
        world.partition(&[left, right]);
        world.run_for(secs(3));
        world.heal();
        world.run_until(secs(30), World::converged).expect("suspicions are refuted");
        assert_eq!(world.deaths(), []);
    });
}

#[test]
fn a_member_cut_off_alone_for_long_comes_back_and_buries_nobody_else() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        world.partition(&[&hosts[4..5]]);
        world.run_for(secs(300));
        let rest = others(&hosts, hosts[4]);
        assert!(world.all_believe(&rest, &hosts[4..5], Status::Dead));
        assert!(world.all_believe(&rest, &rest, Status::Alive));
        world.heal();
        world.run_until(secs(60), World::converged).expect("it is let in again");
        assert_nobody_falsely_buried(&world);
    });
}

#[test]
fn a_cluster_that_falls_apart_into_single_members_finds_together_again() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 6, &lan());
        let singles: Vec<&[_]> = hosts.chunks(1).collect();
        world.partition(&singles);
        world.run_for(secs(180));
        world.heal();
        world.run_until(secs(60), World::converged).expect("they find each other");
    });
}

#[test]
fn one_broken_link_between_two_members_is_bridged_by_relays() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
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

/// Lets `deaf` hear nobody; what it says still arrives.
fn deafen(world: &mut World, hosts: &[HostId], deaf: HostId) {
    for other in others(hosts, deaf) {
        world.network().cut(other, deaf);
    }
}

/// Self-doubt lasts at most half the longest suspicion: α · β · period / 2 in a cluster of at most ten.
const DOUBT_MAX: Duration = secs(4 * 6 / 2);

#[test]
fn a_member_that_hears_nobody_accuses_nobody_while_it_may_doubt_itself() {
    each_seed(10, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        let raised = |world: &World| world.node(hosts[0]).expect("it runs").stats().suspicions_raised;
        deafen(&mut world, &hosts, hosts[0]);
        world.run_for(DOUBT_MAX);
        assert_eq!(raised(&world), 0);
        let name = world.id(hosts[0]);
        let blamed = |event: &Event| matches!(event, Event::Suspect { by, .. } if *by == name);
        assert!(hosts.iter().all(|host| world.count_events(*host, blamed) == 0));
    });
}

#[test]
fn a_member_that_hears_again_in_time_has_buried_nobody() {
    each_seed(10, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        deafen(&mut world, &hosts, hosts[0]);
        world.run_for(DOUBT_MAX);
        world.heal();
        world.run_until(secs(60), World::converged).expect("it is a member like any other again");
        let name = world.id(hosts[0]);
        let others_buried: Vec<_> = world.deaths().iter().filter(|death| death.subject != name).collect();
        assert!(others_buried.is_empty(), "{others_buried:#?}");
    });
}

#[test]
fn the_last_of_three_says_in_the_end_that_the_others_are_dead() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 3, &lan());
        world.crash(hosts[0]);
        world.crash(hosts[1]);
        let limit = DOUBT_MAX + detection_bound(3, &lan());
        world
            .run_until(limit, |world| world.all_believe(&hosts[2..], &hosts[..2], Status::Dead))
            .expect("doubt is bounded");
    });
}

#[test]
fn of_two_members_the_survivor_does_not_take_the_other_s_death_for_its_own_deafness() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 2, &lan());
        world.crash(hosts[0]);
        // Nobody can confirm, so the shortest suspicion holds: two periods to notice, and α periods.
        world
            .run_until(secs(2 + 4 + 1), |world| world.believes(hosts[1], hosts[0]) == Some(Status::Dead))
            .expect("there is no doubt to wait for");
    });
}

#[test]
fn two_members_that_have_buried_each_other_revive_each_other_in_one_handshake() {
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
        world.run_until(secs(4), World::converged).expect("either tells the other what it believes of it");
        world.run_for(secs(10));
        assert!(world.converged());
        assert!(joined(&world) <= before + 1, "it joins once");
        assert!(world.traffic().sent.datagrams - sent < 100, "and makes no storm of it");
    });
}
