//! Wall clocks may be wrong by days: a single node is admitted all the same, and no member is declared dead for it.

use crate::common::{assert_no_false_death, cluster, each_cluster, each_seed, lan, secs};
use swim_core::{Event, JoinFailure};
use swim_sim::{Spec, World};

const HOUR_MS: i64 = 3_600_000;

#[test]
fn a_newcomer_whose_wall_clock_is_days_off_is_admitted() {
    each_seed(3, |seed| {
        for hours in [-24 * 365, -48, -25, 25, 48, 24 * 365] {
            let (mut world, hosts) = cluster(seed, 5, &lan());
            let newcomer = world.start(Spec::new(lan()).wall_clock_ms(hours * HOUR_MS));
            world.join(newcomer, &hosts[..2]);
            world.run_until(secs(5), World::converged).expect("the cluster's clock is taken");
            world.run_for(secs(60));
            assert!(world.converged());
            assert_no_false_death(&world);
        }
    });
}

#[test]
fn a_first_member_whose_wall_clock_is_days_off_admits_the_others() {
    each_seed(3, |seed| {
        for hours in [-24 * 365, 24 * 365] {
            let mut world = World::new(seed);
            let first = world.start(Spec::new(lan()).wall_clock_ms(hours * HOUR_MS));
            let rest = world.start_many(5, &lan());
            for host in &rest {
                world.join(*host, &[first]);
            }
            world.run_until(secs(10), World::converged).expect("they follow its clock");
        }
    });
}

#[test]
fn the_last_of_a_cluster_whose_clock_was_days_behind_is_let_into_another() {
    each_cluster(5, 4, |mut world, hosts| {
        let past = world.start(Spec::new(lan()).wall_clock_ms(-30 * HOUR_MS));
        world.crash(hosts[3]);
        world.run_for(secs(60));
        world.restart(hosts[3]);
        world.join(hosts[3], &[past]);
        world.run_for(secs(5));
        world.crash(past);
        world.run_for(secs(60));
        // It follows the clock of the crashed one, in an epoch before its own earlier one.
        world.join(hosts[3], &hosts[..1]);
        world.run_until(secs(10), World::converged).expect("it takes the cluster's clock and a new epoch");
    });
}

#[test]
fn members_whose_wall_clocks_are_hours_apart_all_accept_each_other() {
    each_seed(3, |seed| {
        let mut world = World::new(seed);
        let ahead = [0, -11, 11, -8, 8, 3];
        let hosts = ahead.map(|hours| world.start(Spec::new(lan()).wall_clock_ms(hours * HOUR_MS)));
        for host in hosts {
            world.join(host, &hosts);
        }
        world.run_until(secs(10), World::converged).expect("less than a day apart");
        world.run_for(secs(60));
        assert!(world.converged());
        assert_no_false_death(&world);
    });
}

#[test]
fn a_newcomer_that_joins_through_a_member_that_deferred_to_a_slow_clock_is_accepted_by_all() {
    each_seed(5, |seed| {
        for hours in [-48, 48] {
            let mut world = World::new(seed);
            let first = world.start(Spec::new(lan()).wall_clock_ms(hours * HOUR_MS));
            let mut last = first;
            for _ in 0..4 {
                let next = world.start(Spec::new(lan()));
                world.join(next, &[last]);
                world.run_until(secs(10), World::converged).expect("each is admitted by the one before");
                last = next;
            }
            world.run_for(secs(120));
            assert!(world.converged());
            assert_no_false_death(&world);
        }
    });
}

#[test]
fn two_that_admit_each_other_with_wall_clocks_days_apart_admit_others() {
    each_seed(5, |seed| {
        for (x, y) in [(-48, 0), (0, -48), (0, 48), (-24 * 365, 24 * 365)] {
            let mut world = World::new(seed);
            let pair = [x, y].map(|hours| world.start(Spec::new(lan()).wall_clock_ms(hours * HOUR_MS)));
            world.join(pair[0], &pair);
            world.join(pair[1], &pair);
            world.run_for(secs(20));
            for seed in pair {
                let next = world.start(Spec::new(lan()));
                world.join(next, &[seed]);
                world.run_for(secs(5));
            }
            world.run_until(secs(10), World::converged).expect("one clock for all");
            world.run_for(secs(60));
            assert!(world.converged());
            assert_no_false_death(&world);
        }
    });
}

#[test]
fn a_cluster_whose_seeds_are_days_ahead_gives_itself_up_for_them() {
    each_seed(5, |seed| {
        let mut world = World::new(seed);
        let slow = [0; 3].map(|_| world.start(Spec::new(lan()).wall_clock_ms(-30 * HOUR_MS)));
        let right = [0; 3].map(|_| world.start(Spec::new(lan())));
        world.partition(&[&slow]);
        for host in slow.into_iter().chain(right) {
            world.join(host, &[slow[0], right[0]]);
        }
        world.run_for(secs(60));
        world.heal();
        world.run_until(secs(120), World::converged).expect("they take the clock that is ahead");
        world.run_for(secs(60));
        assert!(world.converged());
        assert_no_false_death(&world);
        for host in right {
            let started_over = |event: &Event| matches!(event, Event::StartedOver { .. });
            assert_eq!(world.count_events(host, started_over), 0, "who is ahead stays");
        }
    });
}

#[test]
fn a_cluster_that_is_asked_to_join_one_days_behind_stays_and_declares_none_dead() {
    each_seed(5, |seed| {
        let mut world = World::new(seed);
        let slow = [0; 3].map(|_| world.start(Spec::new(lan()).wall_clock_ms(-30 * HOUR_MS)));
        let right = [0; 3].map(|_| world.start(Spec::new(lan())));
        for group in [slow, right] {
            for host in &group[1..] {
                world.join(*host, &group[..1]);
            }
        }
        world.run_for(secs(10));
        world.join(right[0], &slow[..1]);
        world.run_for(secs(300));
        let refused = |event: &Event| matches!(event, Event::JoinFailed { reason: JoinFailure::Refused });
        assert_eq!(world.count_events(right[0], refused), 1);
        for group in [slow, right] {
            for host in group {
                assert_eq!(world.node(host).map(|node| node.members().count()), Some(3));
            }
        }
        assert_eq!(world.deaths(), []);
    });
}

#[test]
fn a_first_member_without_seeds_that_restarts_with_its_wall_clock_set_back_finds_its_cluster() {
    each_seed(5, |seed| {
        for hours in [1, 12, 23] {
            let (mut world, hosts) = cluster(seed, 6, &lan());
            world.run_for(secs(60));
            world.crash(hosts[0]);
            world.run_for(secs(5));
            world.set_wall_clock_ms(hosts[0], -hours * HOUR_MS);
            world.restart(hosts[0]);
            world.run_until(secs(60), World::converged).expect("it is asked for, and asks to be introduced");
        }
    });
}
