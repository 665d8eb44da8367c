//! Figures, not judgements: `cargo test --release -p swim-sim --test measure -- --ignored --nocapture`.

use std::sync::Arc;
use std::time::{Duration, Instant as WallClock};

use swim_core::{Config, Status};
use swim_sim::{Spec, World};

/// Seconds from a crash until the first and until the last survivor calls the crashed one Dead.
fn detection(config: &Arc<Config>, n: usize, seed: u64) -> (Duration, Duration) {
    let (mut world, hosts) = World::joined(seed, n, config).expect("a quiet network converges");
    // At another moment of the period each time.
    world.run_for(config.period * 20 + config.period * u32::try_from(seed % 97).expect("small") / 97);
    let (victim, survivors) = hosts.split_last().expect("n is not zero");
    world.crash(*victim);
    let limit = config.period * 400;
    let dead = |world: &World, host| world.believes(host, *victim) == Some(Status::Dead);
    let first = world.run_until(limit, |world| survivors.iter().any(|host| dead(world, *host)));
    let rest = world.run_until(limit, |world| survivors.iter().all(|host| dead(world, *host)));
    assert_eq!(world.false_deaths().count(), 0);
    let first = first.expect("it is detected");
    (first, first + rest.expect("all hear of it"))
}

#[test]
#[ignore = "a table, not a test"]
fn detection_times_by_profile_and_size() {
    println!("| profile | n | first: min | median | p99 | max | all: min | median | p99 | max |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (name, config) in [("local", Config::local()), ("lan", Config::lan()), ("wan", Config::wan())] {
        let config = Arc::new(config);
        for n in [5, 10, 50] {
            let (mut firsts, mut alls): (Vec<_>, Vec<_>) =
                (1..=300).map(|seed| detection(&config, n, seed)).unzip();
            let columns = [&mut firsts, &mut alls].map(|times| {
                times.sort_unstable();
                let at = |place: usize| format!("{:.1}", times[place].as_secs_f64());
                [at(0), at(times.len() / 2), at(times.len() * 99 / 100), at(times.len() - 1)].join(" | ")
            });
            println!("| {name} | {n} | {} | {} |", columns[0], columns[1]);
        }
    }
}

#[test]
#[ignore = "a figure, not a test"]
fn a_thousand_members_join_through_one_seed_at_once() {
    let config = Arc::new(Config::lan());
    for n in [300, 1000] {
        let began = WallClock::now();
        let mut world = World::new(1);
        let hosts: Vec<_> = (0..n).map(|_| world.start(Spec::new(Arc::clone(&config)))).collect();
        for host in &hosts[1..] {
            world.join(*host, &hosts[..1]);
        }
        let took = world.run_until(Duration::from_secs(300), World::converged);
        println!("{n} members: converged after {took:?} virtual, {:?} real", began.elapsed());
        println!("sent {:?}, by the seed {:?}", world.traffic().sent, world.traffic_of(hosts[0]).sent);
        let began = WallClock::now();
        world.run_for(Duration::from_secs(60));
        println!("a minute more: {:?} real; converged: {}", began.elapsed(), world.converged());
    }
}
