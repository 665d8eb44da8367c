//! What is broadcast reaches every member that is not cut off for longer than broadcasts are kept, once and in the order
//! of its origin.

use swim_core::{Command, Done, Event, Instant, Payload, Refusal};
use swim_sim::{Action, HostId, Inbox, Link, PER_CENT, Spec, World};

use crate::common::{assert_no_false_death, cluster, detection_bound, lan, millis, others, secs};

/// Broadcasts `count` numbers from each origin in bursts, waiting wherever a node has no room. Returns when the last was
/// accepted.
fn burst(world: &mut World, origins: &[HostId], count: u32, burst: u32) -> Instant {
    let mut sent = vec![0_u32; origins.len()];
    while sent.iter().any(|sent| *sent < count) {
        for (origin, sent) in origins.iter().zip(&mut sent) {
            let end = count.min(*sent + burst);
            while *sent < end {
                let mut text = [b'.'; 100];
                text[..4].copy_from_slice(&sent.to_le_bytes());
                let payload = Payload::new(&text).expect("short");
                match world.command(*origin, Command::Broadcast(payload)) {
                    Some(Ok(Done::BroadcastQueued { .. })) => *sent += 1,
                    Some(Err(Refusal::QueueFull { .. })) => break,
                    other => panic!("{other:?}"),
                }
            }
        }
        world.run_for(millis(10));
    }
    world.now()
}

/// The numbers that `host` received of `origin`, in the order in which it did.
fn numbers(world: &World, host: HostId, origin: HostId) -> Vec<u32> {
    let id = world.id(origin);
    let texts = world.log(host).iter().filter_map(|logged| match &logged.event {
        Event::Broadcast { origin, payload } if *origin == id => Some(payload),
        _ => None,
    });
    texts.map(|text| u32::from_le_bytes(text[..4].try_into().expect("a number"))).collect()
}

fn assert_all_received(world: &World, hosts: &[HostId], origins: &[HostId], count: u32, what: &str) {
    for origin in origins {
        for host in others(hosts, *origin) {
            let received = numbers(world, host, *origin);
            let first_wrong = (0..).zip(&received).position(|(wanted, number)| wanted != *number);
            assert_eq!((received.len() as u32, first_wrong), (count, None), "{what}: {origin:?} at {host:?}");
        }
    }
    for host in hosts {
        assert_eq!(world.node(*host).expect("up").stats().broadcasts_missed, 0, "{what}: {host:?}");
    }
}

#[test]
fn every_broadcast_of_a_burst_arrives_once_and_in_order() {
    for (loss, origins, size) in [(0, 1, 1_000), (0, 20, 50), (5, 3, 300), (10, 1, 1_000), (10, 20, 50)] {
        let (mut world, hosts) = cluster(u64::from(loss) + 7, 20, &lan());
        world.network().set_default_link(Link::lan().loss(loss * PER_CENT));
        let count = 3_000 / origins as u32;
        burst(&mut world, &hosts[..origins], count, size);
        world.run_for(secs(6));
        let what = format!("{loss} % loss, {origins} origins, bursts of {size}");
        assert_all_received(&world, &hosts, &hosts[..origins], count, &what);
        assert_no_false_death(&world);
    }
}

#[test]
fn twenty_members_carry_two_thousand_broadcasts_a_second_and_detect_a_crash_meanwhile() {
    let (mut world, hosts) = cluster(3, 20, &lan());
    let (dead, living) = (hosts[19], &hosts[..19]);
    let begun = world.now();
    burst(&mut world, &hosts[..4], 1_000, 25);
    world.crash(dead);
    let end = world.now().after(detection_bound(20, &lan()));
    burst(&mut world, &hosts[4..8], 1_000, 25);
    let took = world.now().since(begun);
    assert!(took <= secs(4), "8,000 were accepted in {took:?}");
    world.run_for(end.since(world.now()).max(secs(2)));
    assert_all_received(&world, living, &hosts[..8], 1_000, "8 origins");
    assert!(world.all_believe(living, &[dead], swim_core::Status::Dead));
    assert_no_false_death(&world);
}

#[test]
fn the_last_broadcast_of_all_arrives_though_nearly_everything_is_lost() {
    let (mut world, hosts) = cluster(11, 10, &lan());
    world.network().set_default_link(Link::lan().loss(40 * PER_CENT));
    burst(&mut world, &hosts[..1], 1, 1);
    world.run_for(secs(5));
    assert_all_received(&world, &hosts, &hosts[..1], 1, "a single one");
}

/// A member that was stopped for longer than broadcasts are kept misses some, and hears how many.
#[test]
fn a_member_that_was_stopped_for_long_learns_how_many_it_missed() {
    for (stop, misses) in [(secs(3), false), (secs(30), true)] {
        let (mut world, hosts) = cluster(5, 8, &lan());
        burst(&mut world, &hosts[..1], 10, 10);
        world.run_for(secs(1));
        world.perform(&Action::Pause { host: hosts[7], inbox: Inbox::Dropped });
        world.run_for(millis(500));
        burst(&mut world, &hosts[..1], 100, 100);
        world.run_for(stop);
        world.resume(hosts[7]);
        world.run_for(secs(10));
        burst(&mut world, &hosts[..1], 5, 5);
        world.run_for(secs(10));
        let node = world.node(hosts[7]).expect("up");
        let missed = node.stats().broadcasts_missed;
        assert_eq!(missed > 0, misses, "{missed} after {stop:?}");
        let heard: u32 = world
            .log(hosts[7])
            .iter()
            .filter_map(|logged| match &logged.event {
                Event::BroadcastsMissed { count, .. } => Some(*count),
                _ => None,
            })
            .sum();
        assert_eq!(u64::from(heard), missed);
        assert_eq!(numbers(&world, hosts[7], hosts[0]).len() as u64, 115 - missed);
    }
}

/// A newcomer begins with what is still kept, and hears everything from then on.
#[test]
fn a_newcomer_receives_what_is_sent_after_it_has_joined() {
    let (mut world, hosts) = cluster(9, 6, &lan());
    burst(&mut world, &hosts[..1], 500, 50);
    world.run_for(secs(30));
    let newcomer = world.start(Spec::new(lan()));
    world.join(newcomer, &hosts[1..2]);
    world.run_for(secs(3));
    burst(&mut world, &hosts[..1], 200, 50);
    world.run_for(secs(8));
    let received = numbers(&world, newcomer, hosts[0]);
    assert_eq!(received, (0..200).collect::<Vec<_>>());
    assert_eq!(world.node(newcomer).expect("up").stats().broadcasts_missed, 0);
}

/// Broadcasts that wait to be polled are bounded by themselves.
#[test]
fn a_flood_of_broadcasts_pushes_no_other_event_out() {
    let (mut world, hosts) = cluster(2, 5, &lan());
    burst(&mut world, &hosts[..2], 2_000, 1_000);
    world.run_for(secs(6));
    for host in &hosts {
        assert_eq!(world.count_events(*host, |event| matches!(event, Event::Lost { .. })), 0);
    }
}
