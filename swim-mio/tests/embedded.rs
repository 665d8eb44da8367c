//! Members inside a `mio::Poll` that the test runs.

use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use swim_mio::{Command, Config, Done, Embedded, Event, NodeId, Settings};

fn settings(name: &str) -> Settings {
    let bind = "127.0.0.1:0".parse().expect("a valid address");
    Settings::new(Config::local(), NodeId::from_name(name), bind)
}

/// Turns both until `done`; a limit says when waiting is hopeless.
fn run(poll: &mut Poll, members: &mut [Embedded; 2], mut done: impl FnMut(&mut [Embedded; 2]) -> bool) {
    let mut ready = Events::with_capacity(8);
    let begun = Instant::now();
    while !done(members) {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain");
        let wait = members.iter_mut().filter_map(Embedded::turn).min();
        let wait = wait.unwrap_or(Duration::MAX).min(Duration::from_millis(100));
        poll.poll(&mut ready, Some(wait)).expect("polled");
        for event in &ready {
            members[event.token().0].ready(event);
        }
    }
}

#[test]
fn two_members_in_one_poll_find_each_other_and_one_leaves() {
    let mut poll = Poll::new().expect("a poll");
    let ada = Embedded::new(&settings("ada"), poll.registry(), Token(0)).expect("started");
    let seeds = vec![ada.local_addr().into()];
    let bob = Settings { seeds, ..settings("bob") };
    let bob = Embedded::new(&bob, poll.registry(), Token(1)).expect("started");
    let mut members = [ada, bob];
    run(&mut poll, &mut members, |members| members.iter_mut().all(|member| member.members().len() == 2));

    assert_eq!(members[1].command(Command::Leave), Ok(Done::Leaving));
    let mut history = Vec::new();
    run(&mut poll, &mut members, |members| {
        history.extend(members[0].next_event());
        members[1].is_finished() && history.iter().any(|event| matches!(event, Event::Left { .. }))
    });
}

#[test]
fn a_lone_member_may_sleep_until_its_deadline() {
    let poll = Poll::new().expect("a poll");
    let mut ada = Embedded::new(&settings("ada"), poll.registry(), Token(0)).expect("started");
    let wait = ada.turn();
    assert_ne!(wait, Some(Duration::ZERO), "after the first turn there is nothing to do");
}

/// A loop that turns a member only to learn how long to wait, and takes no note of its token's events.
#[test]
fn a_loop_that_only_waits_as_returned_starts_its_member_and_does_not_spin() {
    let (mut poll, mut ready) = (Poll::new().expect("a poll"), Events::with_capacity(8));
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    silent.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let seeds = vec![silent.local_addr().expect("bound").into()];
    let bob = Settings { seeds, ..settings("bob") };
    let mut bob = Embedded::new(&bob, poll.registry(), Token(0)).expect("started");
    let (begun, mut turns) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_secs(1) {
        let wait = bob.turn().unwrap_or(Duration::MAX).min(Duration::from_millis(200));
        poll.poll(&mut ready, Some(wait)).expect("polled");
        turns += 1;
    }
    silent.recv_from(&mut [0; 1500]).expect("it asks its seed");
    assert!(turns < 100, "{turns} turns in a second of silence");
}

#[test]
fn a_seed_by_name_is_found_and_wakes_the_wait() {
    let mut poll = Poll::new().expect("a poll");
    let ada = Embedded::new(&settings("ada"), poll.registry(), Token(0)).expect("started");
    let bob = Embedded::new(&settings("bob"), poll.registry(), Token(1)).expect("started");
    let mut members = [ada, bob];
    let name = format!("localhost:{}", members[0].local_addr().port());
    members[1].set_seeds(&[name.parse().expect("a name")]).expect("one seed");
    run(&mut poll, &mut members, |members| members.iter_mut().all(|member| member.members().len() == 2));
}
