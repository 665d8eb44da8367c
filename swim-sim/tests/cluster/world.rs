//! The world itself: time, faults and deliveries, whatever the nodes say.

use std::net::SocketAddr;

use crate::common::{lan, millis, secs};
use swim_core::Instant;
use swim_sim::{Action, Inbox, Presence, Setup, Spec, World};

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
fn a_datagram_to_a_dead_process_or_to_nobody_is_unheard() {
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
fn a_listener_outside_hears_what_is_sent_there() {
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
fn an_epoch_follows_the_calendar_unless_the_host_remembers_a_later_one() {
    let epochs = |spec: Spec| {
        let mut world = World::new(1);
        let host = world.start(spec);
        let epoch = |world: &World| world.node(host).expect("it runs").me().epoch.0;
        let first = epoch(&world);
        world.crash(host);
        world.set_calendar_ms(host, -86_400_000);
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
    let timeout = world.run_until(secs(1), World::converged).expect_err("nobody told them of each other");
    let text = timeout.to_string();
    assert!(text.contains("seed 7") && text.contains("#1 holds #2 not at all, which is Up"), "{text}");
}
