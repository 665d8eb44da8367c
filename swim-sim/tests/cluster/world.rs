//! The simulator itself: time, faults, deliveries, determinism, and what a cluster costs.

use std::net::SocketAddr;
use std::time::{Duration, Instant as WallClock};

use swim_core::{Event, Instant, Status};
use swim_sim::{
    Action, Directions, HostId, Inbox, Latency, Link, Memory, PER_CENT, Presence, Setup, Spec, World,
};

use crate::common::{cluster, lan, millis, others, secs};
use swim_craft as craft;

const STRANGER: &str = "192.0.2.7:1000";

fn stranger() -> SocketAddr {
    STRANGER.parse().expect("a valid address")
}

#[test]
fn the_clock_stands_at_the_end_of_what_was_run() {
    let mut world = World::new(1);
    world.start(Spec::new(lan()));
    world.run_for(millis(1234));
    assert_eq!(world.now(), Instant::from_millis(1234));
}

#[test]
fn scheduled_actions_happen_in_their_order_at_their_time() {
    let mut world = World::new(1);
    let host = world.start(Spec::new(lan()));
    world.schedule(secs(3), Action::Restart(host));
    world.schedule(secs(1), Action::Pause { host, inbox: Inbox::Kept });
    world.schedule(secs(2), Action::Crash(host));
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(world.presence(host));
        world.run_for(secs(1));
    }
    assert_eq!(seen, [Presence::Up, Presence::Paused, Presence::Crashed, Presence::Up]);
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let mut world = World::new(1);
    let host = world.start(Spec::new(lan()));
    let neighbour = world.start(Spec::new(lan()));
    assert!(!world.restart(host) && !world.resume(host));
    assert!(!world.move_to(host, world.addr(neighbour)), "two processes cannot bind one address");
    assert!(world.pause(host));
    assert!(!world.pause(host) && !world.leave(host), "a stopped process does nothing");
    assert!(world.crash(host));
    assert!(!world.crash(host) && !world.resume(host) && !world.join(host, &[neighbour]));
    assert!(!world.restart_at(host, world.addr(neighbour)));
    assert_eq!(world.presence(host), Presence::Crashed);
}

#[test]
fn a_datagram_to_a_dead_process_or_to_no_process_is_unheard() {
    let mut world = World::new(1);
    let host = world.start(Spec::new(lan()));
    world.inject(stranger(), world.addr(host), b"heard");
    world.run_for(millis(1));
    assert_eq!((world.traffic().received.datagrams, world.traffic().unheard.datagrams), (1, 0));
    world.crash(host);
    world.inject(stranger(), world.addr(host), b"unheard");
    world.inject(stranger(), "192.0.2.8:1".parse().expect("valid"), b"unheard");
    world.run_for(millis(1));
    assert_eq!((world.traffic().received.datagrams, world.traffic().unheard.datagrams), (1, 2));
}

#[test]
fn a_listener_outside_gets_what_is_sent_there() {
    let mut world = World::new(1);
    world.listen(stranger());
    let source = "192.0.2.8:1".parse().expect("valid");
    world.inject(source, stranger(), b"hello");
    world.run_for(millis(1));
    let [arrival] = world.heard(stranger()) else { panic!("one datagram was sent") };
    assert_eq!((arrival.source, arrival.bytes.as_slice()), (source, b"hello".as_slice()));
}

#[test]
fn a_stopped_process_keeps_what_arrives_up_to_its_socket_s_size_and_reads_it_first() {
    let mut setup = Setup::new(1);
    setup.inbox_max = 10;
    let mut world = World::with(setup);
    let host = world.start(Spec::new(lan()));
    world.pause(host);
    for _ in 0..13 {
        world.inject(stranger(), world.addr(host), b"later");
    }
    world.run_for(secs(1));
    assert_eq!((world.traffic().received.datagrams, world.traffic().overflowed.datagrams), (0, 3));
    world.resume(host);
    world.run_for(millis(0));
    assert_eq!(world.traffic().received.datagrams, 10);
}

#[test]
fn a_process_that_is_stopped_with_its_machine_never_reads_what_arrived_meanwhile() {
    let mut world = World::new(1);
    let host = world.start(Spec::new(lan()));
    world.perform(&Action::Pause { host, inbox: Inbox::Dropped });
    world.inject(stranger(), world.addr(host), b"never read");
    world.run_for(secs(1));
    world.resume(host);
    world.inject(stranger(), world.addr(host), b"read");
    world.run_for(secs(1));
    assert_eq!((world.traffic().received.datagrams, world.traffic().overflowed.datagrams), (1, 1));
}

#[test]
fn what_was_in_the_socket_of_a_killed_process_is_gone() {
    let mut world = World::new(1);
    let host = world.start(Spec::new(lan()));
    world.pause(host);
    world.inject(stranger(), world.addr(host), b"never read");
    world.run_for(secs(1));
    world.crash(host);
    world.restart(host);
    world.run_for(secs(1));
    assert_eq!(world.traffic().received.datagrams, 0);
}

#[test]
fn an_epoch_follows_the_wall_clock_unless_the_host_remembers_a_later_one() {
    let epochs = |spec: Spec| {
        let mut world = World::new(1);
        let host = world.start(spec);
        let epoch = |world: &World| world.node(host).expect("it runs").me().epoch.0;
        let first = epoch(&world);
        world.crash(host);
        world.set_wall_clock_ms(host, -86_400_000);
        world.run_for(secs(10));
        world.restart(host);
        (first, epoch(&world))
    };
    let (first, second) = epochs(Spec::new(lan()));
    assert_eq!(second, first - 86_400_000 + 10_000);
    let (first, second) = epochs(Spec::new(lan()).persistent());
    assert_eq!(second, first + 1);
}

#[test]
fn a_timeout_says_who_believes_what() {
    let mut world = World::new(7);
    world.start_many(2, &lan());
    let timeout = world.run_until(secs(1), World::converged).expect_err("they do not know each other");
    let text = timeout.to_string();
    assert!(text.contains("seed 7") && text.contains("#1 holds #2 not at all, which is Up"), "{text}");
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
    assert_eq!(read, [1, 2, 3, 4], "one in hand, three that wait");
    assert_eq!(world.traffic().overflowed.datagrams, 1);
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
fn a_leaping_clock_is_noticed_and_causes_no_false_death() {
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
    world.perform(&Action::WallClock { host, ahead_ms: -1_000_000 });
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
fn hosts_that_do_not_exist_cannot_be_touched_but_links_to_them_can_be_laid() {
    let mut world = World::new(10);
    let absent = HostId(5);
    assert!(!world.perform(&Action::Crash(absent)));
    assert!(!world.perform(&Action::Start { like: absent, seeds: Vec::new() }));
    assert!(world.perform(&Action::Cut { source: absent, target: HostId(6) }));
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

/// Everything at once, for a minute.
fn eventful(seed: u64) -> World {
    let latency = Latency::Exponential { min: millis(1), mean_extra: millis(20) };
    let link = Link::lan().latency(latency).loss(10 * PER_CENT).duplication(5 * PER_CENT);
    let mut world = World::with(Setup::new(seed).link(link));
    let hosts = world.start_many(12, &lan());
    for host in others(&hosts, hosts[0]) {
        world.join(host, &hosts[..1]);
    }
    world.schedule(secs(5), Action::Crash(hosts[3]));
    world.schedule(secs(8), Action::Pause { host: hosts[4], inbox: Inbox::Kept });
    world.schedule(secs(14), Action::Resume(hosts[4]));
    world.schedule(secs(20), Action::Partition(vec![hosts[..6].to_vec()]));
    world.schedule(secs(25), Action::Restart(hosts[3]));
    world.schedule(secs(26), Action::Join { host: hosts[3], seeds: vec![world.addr(hosts[0])] });
    world.schedule(secs(40), Action::Heal);
    world.schedule(secs(45), Action::Leave(hosts[7]));
    world.run_for(secs(60));
    world
}

#[test]
fn another_seed_gives_another_fingerprint() {
    assert_ne!(eventful(1).fingerprint(), eventful(2).fingerprint());
}

#[test]
fn looking_changes_nothing() {
    let mut watched = World::new(9);
    let mut unwatched = World::new(9);
    for world in [&mut watched, &mut unwatched] {
        let hosts = world.start_many(5, &lan());
        for host in &hosts[1..] {
            world.join(*host, &hosts[..1]);
        }
    }
    watched.set_transcript(true);
    for _ in 0..1000 {
        watched.run_for(millis(10));
        let _ = watched.converged();
    }
    unwatched.run_for(secs(10));
    assert!(!watched.transcript().is_empty());
    assert_eq!(watched.fingerprint(), unwatched.fingerprint());
}

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
        swim_sim::Handling::Pass
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
