//! Lost, doubled and reordered datagrams bury nobody.

use std::time::Duration;

use crate::common::{assert_nobody_falsely_buried, cluster, each_seed, lan, millis, secs};
use swim_sim::{Latency, Link, PER_CENT, World};

fn stays_whole(seed: u64, link: Link, time: Duration) -> World {
    let (mut world, _) = cluster(seed, 20, &lan());
    world.network().set_default_link(link);
    world.run_for(time);
    eprintln!(
        "deaths {}, suspicions {}, refutations {}",
        world.deaths().len(),
        sum(&world, |stats| stats.suspicions_raised),
        sum(&world, |stats| stats.refutations),
    );
    assert_nobody_falsely_buried(&world);
    world
}

fn sum(world: &World, of: impl Fn(&swim_core::Stats) -> u64) -> u64 {
    world.hosts().filter_map(|host| world.node(host)).map(|node| of(&node.stats())).sum()
}

#[test]
fn a_tenth_lost_for_ten_minutes_buries_nobody() {
    each_seed(5, |seed| {
        stays_whole(seed, Link::lan().loss(10 * PER_CENT), secs(600));
    });
}

#[test]
fn a_quarter_lost_for_ten_minutes_buries_nobody() {
    each_seed(5, |seed| {
        stays_whole(seed, Link::lan().loss(25 * PER_CENT), secs(600));
    });
}

#[test]
fn after_the_loss_all_are_alive_everywhere_soon() {
    each_seed(5, |seed| {
        let mut world = stays_whole(seed, Link::lan().loss(25 * PER_CENT), secs(120));
        world.network().set_default_link(Link::lan());
        world.run_until(secs(10), World::converged).expect("suspicions are refuted");
    });
}

#[test]
fn duplicates_and_reordering_change_nothing() {
    each_seed(3, |seed| {
        let spread = Latency::Exponential { min: millis(1), mean_extra: millis(30) };
        let link = Link::lan().latency(spread).duplication(30 * PER_CENT);
        let world = stays_whole(seed, link, secs(300));
        assert!(world.traffic().duplicated.datagrams > 1000);
        assert!(world.converged());
    });
}
