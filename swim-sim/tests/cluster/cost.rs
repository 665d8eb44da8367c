//! What a cluster costs: on the network at rest, and here in memory and time.

use std::time::Instant as WallClock;

use crate::common::{cluster, lan, secs};
use swim_core::Status;

#[test]
fn a_cluster_at_rest_sends_a_ping_and_an_ack_per_member_and_period_and_little_else() {
    let (mut world, _) = cluster(1, 30, &lan());
    world.run_for(secs(120));
    let before = world.traffic().sent;
    world.run_for(secs(600));
    let sent = world.traffic().sent;
    let member_seconds = 30 * 600;
    let datagrams = (sent.datagrams - before.datagrams) as u128 * 1000 / member_seconds;
    let bytes = (sent.bytes - before.bytes) as u128 / member_seconds;
    eprintln!("at rest: {datagrams} datagrams of 1,000 periods, {bytes} B a second");
    assert!((1_900..=2_150).contains(&datagrams), "{datagrams} datagrams in 1,000 periods of a member");
    assert!(bytes <= 200, "{bytes} B a second and member");
}

#[test]
fn a_lone_node_sends_nothing() {
    let mut world = swim_sim::World::new(1);
    world.start(swim_sim::Spec::new(lan()));
    world.run_for(secs(3600));
    assert_eq!(world.traffic().sent.datagrams, 0);
}

#[test]
fn no_datagram_is_longer_than_configured_even_in_a_storm() {
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (mut world, hosts) = cluster(1, 60, &lan());
    let longest = std::sync::Arc::clone(&seen);
    world.set_hook(move |datagram| {
        longest.fetch_max(datagram.bytes.len(), std::sync::atomic::Ordering::Relaxed);
        swim_sim::Verdict::Pass
    });
    for host in &hosts {
        world.set_metadata(*host, &[1; 512]);
        world.broadcast(*host, &[2; 1000]);
    }
    world.run_for(secs(30));
    let longest = seen.load(std::sync::atomic::Ordering::Relaxed);
    assert!((1_000..=1_400).contains(&longest), "{longest} B");
}

#[test]
fn the_storm_after_a_crash_ends() {
    let (mut world, hosts) = cluster(1, 30, &lan());
    world.crash(hosts[29]);
    world
        .run_until(secs(90), |world| world.all_believe(&hosts[..29], &hosts[29..], Status::Dead))
        .expect("the crash is detected");
    world.run_for(secs(120));
    let before = world.traffic().sent.datagrams;
    world.run_for(secs(600));
    let datagrams = (world.traffic().sent.datagrams - before) * 1000 / (29 * 600);
    assert!(datagrams <= 2_300, "{datagrams} datagrams in 1,000 periods of a member: back to rest");
}

/// Not an assertion on time: prints what a virtual minute of 300 members costs on this machine.
#[test]
fn three_hundred_members_for_a_minute() {
    let began = WallClock::now();
    let (mut world, _) = cluster(1, 300, &lan());
    let joined = began.elapsed();
    world.run_for(secs(60));
    let whole = began.elapsed();
    eprintln!("300 members: converged in {joined:?} of wall clock, a minute more in {:?}", whole - joined);
    eprintln!("sent {:?}", world.traffic().sent);
    assert!(world.converged());
}
