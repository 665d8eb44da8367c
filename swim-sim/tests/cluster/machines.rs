//! What machines do to the processes on them: slow ones, wrong clocks, late timers, second lives.

use std::net::SocketAddr;
use std::time::Duration;

use swim_craft as craft;

use crate::common::{cluster, lan, millis, secs};
use swim_core::Event;
use swim_sim::{Action, Directions, HostId, Link, Memory, PER_CENT, Presence, Spec, World};

fn stranger() -> SocketAddr {
    "192.0.2.7:1000".parse().expect("a valid address")
}

fn stalls(world: &World, host: HostId) -> usize {
    world.count_events(host, |event| matches!(event, Event::Stalled { .. }))
}

#[test]
fn a_slow_process_reads_one_datagram_after_another_and_loses_what_its_queue_cannot_hold() {
    let mut world = World::new(1);
    let host = world.start(Spec::new(lan()));
    world.perform(&Action::Slow { host, service: millis(100), queue: 3 });
    let home = world.addr(host);
    for _ in 0..5 {
        world.inject(stranger(), home, b"work");
    }
    let mut read = Vec::new();
    for _ in 0..4 {
        world.run_for(millis(90));
        read.push(world.traffic().received.datagrams);
    }
    assert_eq!(read, [1, 2, 3, 3]);
    assert_eq!(world.traffic().overflowed.datagrams, 2);
}

#[test]
fn a_slow_process_that_is_flooded_ticks_all_the_same() {
    let (mut world, hosts) = cluster(2, 3, &lan());
    let host = hosts[1];
    world.perform(&Action::Slow { host, service: millis(2), queue: 1024 });
    let sent = world.traffic_of(host).of_kind(craft::PING).datagrams;
    for _ in 0..20_000 {
        let home = world.addr(host);
        world.inject(stranger(), home, b"flood");
        world.run_for(millis(1));
    }
    assert!(world.traffic_of(host).overflowed.datagrams > 1_000);
    assert!(world.traffic_of(host).of_kind(craft::PING).datagrams > sent);
}

#[test]
fn a_quickened_process_reads_at_once_what_waits() {
    let mut world = World::new(3);
    let host = world.start(Spec::new(lan()));
    world.perform(&Action::Slow { host, service: secs(10), queue: 100 });
    let home = world.addr(host);
    for _ in 0..50 {
        world.inject(stranger(), home, b"work");
    }
    world.run_for(secs(1));
    assert_eq!(world.traffic().received.datagrams, 1);
    world.perform(&Action::Quicken(host));
    world.run_for(millis(1));
    assert_eq!(world.traffic().received.datagrams, 50);
}

#[test]
fn a_fast_clock_makes_its_host_ping_more_often() {
    let pings = |ppm| {
        let (mut world, hosts) = cluster(4, 4, &lan());
        world.perform(&Action::Drift { host: hosts[2], ppm });
        let before = world.traffic_of(hosts[2]).of_kind(craft::PING).datagrams;
        world.run_for(secs(100));
        world.traffic_of(hosts[2]).of_kind(craft::PING).datagrams - before
    };
    let [slow, right, fast] = [-200_000, 0, 200_000].map(pings);
    assert!((75..=85).contains(&slow) && (98..=102).contains(&right) && (115..=125).contains(&fast));
}

#[test]
fn a_leaping_clock_is_noticed_and_buries_nobody() {
    let (mut world, hosts) = cluster(5, 4, &lan());
    assert!(world.perform(&Action::Jump { host: hosts[0], by: secs(60) }));
    world.run_for(secs(30));
    assert_eq!(stalls(&world, hosts[0]), 1);
    assert_eq!(world.false_deaths().count(), 0);
}

#[test]
fn late_timers_are_noticed_until_they_are_punctual_again() {
    let (mut world, hosts) = cluster(6, 4, &lan());
    let host = hosts[3];
    world.run_for(secs(20));
    assert_eq!(stalls(&world, host), 0);
    let late = Action::LateTicks { host, up_to: secs(1) };
    world.perform(&late);
    world.run_for(secs(60));
    let noticed = stalls(&world, host);
    assert!(noticed > 10, "{noticed}");
    world.perform(&late.ended_by().expect("it lasts"));
    world.run_for(secs(60));
    assert!(stalls(&world, host) <= noticed + 1);
}

#[test]
fn a_process_remembers_its_epoch_or_not_and_may_listen_elsewhere() {
    let mut world = World::new(7);
    let host = world.start(Spec::new(lan()));
    let neighbour = world.start(Spec::new(lan()));
    let epoch = |world: &World| world.node(host).expect("it runs").me().epoch.0;
    let first = epoch(&world);
    let again = |memory, addr| Action::RestartAs { host, memory, addr };
    assert!(!world.perform(&again(Memory::Kept, None)), "it runs");
    world.perform(&Action::Calendar { host, ahead_ms: -1_000_000 });
    world.crash(host);
    assert!(world.perform(&again(Memory::Kept, None)));
    assert_eq!(epoch(&world), first + 1);
    world.crash(host);
    let taken = world.addr(neighbour);
    assert!(!world.perform(&again(Memory::Lost, Some(taken))), "its neighbour listens there");
    world.crash(neighbour);
    assert!(world.perform(&again(Memory::Lost, Some(taken))));
    assert_eq!((epoch(&world), world.addr(host)), (first - 1_000_000, taken));
}

#[test]
fn of_two_hosts_with_one_name_one_goes() {
    let (mut world, hosts) = cluster(8, 4, &lan());
    let seeds = vec![world.addr(hosts[0])];
    assert!(world.perform(&Action::Twin { of: hosts[2], seeds }));
    let twin = world.hosts().last().expect("it is there");
    assert_eq!(world.id(twin), world.id(hosts[2]));
    world.run_until(secs(60), World::converged).expect("one of them keeps the name");
    let gone = [hosts[2], twin].map(|host| world.presence(host) == Presence::Gone);
    assert_ne!(gone[0], gone[1]);
}

#[test]
fn a_host_more_joins_like_any_other() {
    let (mut world, hosts) = cluster(9, 3, &lan());
    let seeds = vec![world.addr(hosts[0])];
    assert!(world.perform(&Action::Start { like: hosts[0], seeds }));
    assert_eq!(world.hosts().count(), 4);
    world.run_until(secs(20), World::converged).expect("it is a member");
}

#[test]
fn hosts_that_do_not_exist_cannot_be_touched_but_links_to_them_can_be_laid() {
    let mut world = World::new(10);
    let nobody = HostId(5);
    assert!(!world.perform(&Action::Crash(nobody)));
    assert!(!world.perform(&Action::Start { like: nobody, seeds: Vec::new() }));
    assert!(world.perform(&Action::Cut { source: nobody, target: HostId(6) }));
    assert!(!world.perform(&Action::Partition(vec![vec![HostId(u32::MAX)]])));
}

#[test]
fn peace_ends_whatever_lasts() {
    let (mut world, hosts) = cluster(11, 5, &lan());
    let [a, b, c, d, e] = hosts[..] else { panic!("five were started") };
    let bad = Link::lan().loss(90 * PER_CENT);
    let actions = [
        Action::Partition(vec![vec![a, b]]),
        Action::Cut { source: c, target: d },
        Action::SetDefaultLink(bad),
        Action::SetLink { source: a, target: b, link: bad },
        Action::SetLinksOf { host: e, directions: Directions::Both, link: bad },
        Action::Slow { host: a, service: secs(1), queue: 5 },
        Action::LateTicks { host: b, up_to: secs(5) },
        Action::Drift { host: c, ppm: -500_000 },
        Action::Unplug(d),
        Action::Pause { host: e, inbox: swim_sim::Inbox::Dropped },
    ];
    for action in &actions {
        assert!(action.ended_by().is_some() && world.perform(action), "{action:?}");
    }
    world.run_for(secs(5));
    world.perform(&Action::Peace);
    world.run_until(Duration::from_secs(120), World::converged).expect("nothing is wrong any more");
    for host in hosts.clone() {
        assert_eq!(world.presence(host), Presence::Up);
        for other in &hosts {
            assert_eq!(world.network().link(host, *other), Link::lan());
        }
    }
    world.run_for(secs(5));
    let (stalled, lost) = (stalls(&world, b), world.traffic().lost.datagrams);
    world.run_for(secs(60));
    assert_eq!((stalls(&world, b), world.traffic().lost.datagrams), (stalled, lost));
}
