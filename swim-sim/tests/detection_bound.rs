//! Real nodes against the bound that docs/protocol.md derives: a crash in a healthy cluster is known to
//! every survivor by then, and the bound is not so wide that it says nothing.

use std::sync::Arc;
use std::time::Duration;

use swim_core::{Config, Status};
use swim_sim::World;

/// How long it takes until all call the last of `n` members Dead, for each seed, in order.
fn times(config: &Arc<Config>, n: usize, seeds: u64) -> Vec<Duration> {
    let bound = config.detection_bound(u32::try_from(n).expect("a small cluster"));
    let mut times: Vec<Duration> = (1..=seeds)
        .map(|seed| {
            let (mut world, hosts) = World::joined(seed, n, config).expect("a quiet network converges");
            // So that the crash comes at another moment of the period each time.
            world.run_for(config.period * 20 + Duration::from_millis(seed * 137));
            let (victim, survivors) = hosts.split_last().expect("n is not zero");
            world.crash(*victim);
            world
                .run_until(bound, |world| world.all_believe(survivors, &[*victim], Status::Dead))
                .unwrap_or_else(|timeout| panic!("{n} members, {bound:?}: {timeout}"))
        })
        .collect();
    times.sort_unstable();
    let (median, most) = (times[times.len() / 2], times[times.len() - 1]);
    eprintln!("{n} members, period {:?}: median {median:?}, most {most:?}, bound {bound:?}", config.period);
    times
}

fn every_crash_is_known_to_all_by_then(config: Config) {
    let config = Arc::new(config);
    for (n, seeds) in [(2, 20), (3, 40), (4, 20), (5, 20), (10, 20), (20, 10), (50, 4)] {
        let times = times(&config, n, seeds);
        let bound = config.detection_bound(u32::try_from(n).expect("a small cluster"));
        assert!(bound < times[times.len() / 2] * 8, "{n} members: {bound:?} says nothing, {times:?}");
    }
}

#[test]
fn every_crash_is_known_to_all_by_then_on_one_machine() {
    every_crash_is_known_to_all_by_then(Config::local());
}

#[test]
fn every_crash_is_known_to_all_by_then_on_a_lan() {
    every_crash_is_known_to_all_by_then(Config::lan());
}

#[test]
fn every_crash_is_known_to_all_by_then_across_sites() {
    every_crash_is_known_to_all_by_then(Config::wan());
}
