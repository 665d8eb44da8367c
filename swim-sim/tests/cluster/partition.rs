//! Partitions: each side sees the other dead and nobody of its own, and they heal by themselves.

use crate::common::{assert_nobody_falsely_buried, cluster, each_seed, lan, others, secs};
use swim_core::Status;
use swim_sim::World;

#[test]
fn the_halves_of_a_long_partition_bury_each_other_and_heal_within_a_minute() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 20, &lan());
        let (left, right) = hosts.split_at(10);
        world.partition(&[left, right]);
        world.run_for(secs(180));
        for (here, there) in [(left, right), (right, left)] {
            assert!(world.all_believe(here, there, Status::Dead), "the other half is dead");
            assert!(world.all_believe(here, here, Status::Alive), "one's own half is not");
        }
        assert_nobody_falsely_buried(&world);
        world.heal();
        let healed = world.run_until(secs(60), World::converged).expect("the halves find each other");
        eprintln!("healed after {healed:?}");
        world.run_for(secs(60));
        assert!(world.converged());
        assert_nobody_falsely_buried(&world);
    });
}

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
fn three_parts_become_one_again() {
    let (mut world, hosts) = cluster(1, 15, &lan());
    world.partition(&[&hosts[..5], &hosts[5..10], &hosts[10..]]);
    world.run_for(secs(120));
    world.heal();
    world.run_until(secs(60), World::converged).expect("the parts find each other");
    assert_nobody_falsely_buried(&world);
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

#[test]
fn a_member_that_hears_nobody_accuses_nobody() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        for other in others(&hosts, hosts[0]) {
            world.network().cut(other, hosts[0]);
        }
        world.run_for(secs(120));
        assert!(
            world.deaths().iter().all(|death| death.subject == world.id(hosts[0])),
            "only the deaf one is buried: {:#?}",
            world.deaths()
        );
    });
}
