//! A crash is detected by everybody, within the bound, and nobody else suffers.

use crate::common::{assert_nobody_falsely_buried, cluster, detection_bound, each_seed, lan, others, secs};
use swim_core::{Event, Status};
use swim_sim::{Link, PER_CENT};

#[test]
fn a_crashed_member_is_dead_everywhere_within_the_bound() {
    each_seed(10, |seed| {
        for n in [2, 3, 5, 20] {
            let (mut world, hosts) = cluster(seed, n, &lan());
            let victim = hosts[n - 1];
            let survivors = others(&hosts, victim);
            world.crash(victim);
            world
                .run_until(detection_bound(n, &lan()), |world| {
                    world.all_believe(&survivors, &[victim], Status::Dead)
                })
                .expect("a crash is detected");
            world.run_for(secs(60));
            assert!(world.converged());
            assert_nobody_falsely_buried(&world);
        }
    });
}

#[test]
fn the_seed_that_everybody_joined_through_is_a_member_like_any_other() {
    let (mut world, hosts) = cluster(3, 10, &lan());
    let survivors = others(&hosts, hosts[0]);
    world.crash(hosts[0]);
    world
        .run_until(detection_bound(10, &lan()), |world| {
            world.all_believe(&survivors, &hosts[..1], Status::Dead)
        })
        .expect("a crash is detected");
    assert_nobody_falsely_buried(&world);
}

#[test]
fn a_third_of_the_cluster_crashing_at_once_is_detected_and_buries_nobody_else() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 30, &lan());
        let (victims, survivors) = hosts.split_at(10);
        for victim in victims {
            world.crash(*victim);
        }
        world
            .run_until(detection_bound(30, &lan()) * 2, |world| {
                world.all_believe(survivors, victims, Status::Dead)
            })
            .expect("crashes are detected");
        assert_nobody_falsely_buried(&world);
    });
}

#[test]
fn a_crash_is_detected_under_loss_too() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 20, &lan());
        world.network().set_default_link(Link::lan().loss(20 * PER_CENT));
        let survivors = others(&hosts, hosts[7]);
        world.crash(hosts[7]);
        world
            .run_until(detection_bound(20, &lan()) * 2, |world| {
                world.all_believe(&survivors, &[hosts[7]], Status::Dead)
            })
            .expect("a crash is detected");
        assert_nobody_falsely_buried(&world);
    });
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
        assert_ne!(dead[0], id, "nobody accuses itself");
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
