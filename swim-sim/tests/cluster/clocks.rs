//! Calendars may be wrong by days: whoever is alone is let in all the same.

use crate::common::{assert_nobody_falsely_buried, cluster, each_seed, lan, secs};
use swim_sim::{Spec, World};

const HOUR_MS: i64 = 3_600_000;

#[test]
fn a_newcomer_whose_calendar_is_days_off_is_let_in() {
    each_seed(3, |seed| {
        for hours in [-24 * 365, -48, -25, 25, 48, 24 * 365] {
            let (mut world, hosts) = cluster(seed, 5, &lan());
            let newcomer = world.start(Spec::new(lan()).calendar_ms(hours * HOUR_MS));
            world.join(newcomer, &hosts[..2]);
            world.run_until(secs(5), World::converged).expect("the cluster's clock is taken");
            world.run_for(secs(60));
            assert!(world.converged());
            assert_nobody_falsely_buried(&world);
        }
    });
}

#[test]
fn a_first_member_whose_calendar_is_days_off_takes_in_the_others() {
    each_seed(3, |seed| {
        for hours in [-24 * 365, 24 * 365] {
            let mut world = World::new(seed);
            let first = world.start(Spec::new(lan()).calendar_ms(hours * HOUR_MS));
            let rest = world.start_many(5, &lan());
            for host in &rest {
                world.join(*host, &[first]);
            }
            world.run_until(secs(10), World::converged).expect("they live by its clock");
        }
    });
}

#[test]
fn the_last_of_a_cluster_whose_clock_was_days_behind_is_let_into_another() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 4, &lan());
        let past = world.start(Spec::new(lan()).calendar_ms(-30 * HOUR_MS));
        world.crash(hosts[3]);
        world.run_for(secs(60));
        world.restart(hosts[3]);
        world.join(hosts[3], &[past]);
        world.run_for(secs(5));
        world.crash(past);
        world.run_for(secs(60));
        // It lives by the clock of the crashed one, and in an epoch before its own earlier life's.
        world.join(hosts[3], &hosts[..1]);
        world.run_until(secs(10), World::converged).expect("it takes the cluster's clock and a new epoch");
    });
}

#[test]
fn members_whose_calendars_are_hours_apart_all_believe_each_other() {
    each_seed(3, |seed| {
        let mut world = World::new(seed);
        let ahead = [0, -11, 11, -8, 8, 3];
        let hosts = ahead.map(|hours| world.start(Spec::new(lan()).calendar_ms(hours * HOUR_MS)));
        for host in hosts {
            world.join(host, &hosts);
        }
        world.run_until(secs(10), World::converged).expect("less than a day apart");
        world.run_for(secs(60));
        assert!(world.converged());
        assert_nobody_falsely_buried(&world);
    });
}
