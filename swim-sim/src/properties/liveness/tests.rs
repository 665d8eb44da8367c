//! What the properties of liveness find, and that they are silent otherwise.

use std::time::Duration;

use swim_core::{Command, Metadata};

use super::members::{Soon, What};
use super::{commands, leaves};
use crate::ground_truth::{Happening, Phase};
use crate::host::Spec;
use crate::properties::Monitor;
use crate::properties::tests::worlds::{attach, calm, case, feed, outcome};
use crate::{Action, Inbox, Presence};

fn some_metadata() -> Command<'static> {
    Command::SetMetadata(Metadata::new(b"said and not done").expect("short enough"))
}

#[test]
fn a_crash_that_no_member_notices_is_found() {
    let (world, hosts) = calm(3);
    let mut monitor = Soon::new(What::Crash, &case(3));
    let crash = Happening::Ended { host: hosts[2], presence: Presence::Crashed };
    assert_eq!(feed(&mut monitor, &world, &[crash]), Ok(()));
    assert_eq!(monitor.after_phase(&world, Phase::Trouble), Ok(()), "not yet");
    assert!(monitor.after_phase(&world, Phase::Rest).is_err());
}

#[test]
fn a_crash_in_a_healthy_cluster_is_found_by_itself_when_its_time_has_come() {
    let (mut world, hosts) = calm(3);
    world.run_for(Duration::from_secs(10));
    let mut monitor = Soon::new(What::Crash, &case(3));
    let crash = Happening::Ended { host: hosts[2], presence: Presence::Crashed };
    assert_eq!(feed(&mut monitor, &world, &[crash]), Ok(()));
    let bound = swim_core::Config::lan().detection_bound(3);
    assert_eq!(monitor.after_input(&world, hosts[0]), Ok(()));
    world.run_for(bound);
    assert_eq!(monitor.after_input(&world, hosts[0]), Ok(()));
    world.run_for(bound + Duration::from_secs(1));
    assert!(monitor.after_input(&world, hosts[0]).is_err());
}

#[test]
fn a_member_that_comes_and_is_known_to_none_is_found() {
    let (mut world, hosts) = calm(3);
    let stranger = world.start(Spec::new(std::sync::Arc::new(swim_core::Config::lan())));
    let began = Happening::Began { host: stranger, me: world.scene().identity(stranger) };
    let pause = Action::Pause { host: stranger, inbox: Inbox::Kept };
    let resume = Action::Resume(stranger);
    let paused = [&pause, &resume].map(|action| Happening::Acted { action, done: true });
    for (way, number) in [(What::Start, "L2"), (What::Restart, "L3"), (What::Resume, "L5")] {
        let mut monitor = Soon::new(way, &case(3));
        assert_eq!(monitor.property().id, number);
        assert_eq!(feed(&mut monitor, &world, &[began, began, paused[0], paused[1]]), Ok(()));
        assert!(monitor.after_phase(&world, Phase::Rest).is_err(), "{number}");
    }
    let mut monitor = Soon::new(What::Start, &case(3));
    let known = Happening::Began { host: hosts[0], me: world.scene().identity(hosts[0]) };
    world.crash(stranger);
    assert_eq!(feed(&mut monitor, &world, &[known]), Ok(()));
    assert_eq!(monitor.after_phase(&world, Phase::Rest), Ok(()));
}

#[test]
fn a_newcomer_without_a_seed_that_runs_has_time() {
    let (mut world, hosts) = calm(4);
    let stranger = world.start(Spec::new(std::sync::Arc::new(swim_core::Config::lan())));
    let began = Happening::Began { host: stranger, me: world.scene().identity(stranger) };
    let mut monitor = Soon::new(What::Start, &case(4));
    assert_eq!(feed(&mut monitor, &world, &[began]), Ok(()));
    hosts[..3].iter().for_each(|seed| assert!(world.crash(*seed)));
    assert_eq!(monitor.after_phase(&world, Phase::Rest), Ok(()));
    world.restart(hosts[0]);
    assert!(monitor.after_phase(&world, Phase::Rest).is_err());
}

#[test]
fn metadata_that_no_member_knows_is_found() {
    let (world, hosts) = calm(3);
    let mut monitor = Soon::new(What::Metadata, &case(3));
    assert_eq!(monitor.after_phase(&world, Phase::Rest), Ok(()));
    let command = some_metadata();
    let set = Happening::Commanded { host: hosts[1], command: &command };
    assert_eq!(feed(&mut monitor, &world, &[set]), Ok(()));
    assert!(monitor.after_phase(&world, Phase::Rest).is_err());
}

#[test]
fn a_leave_without_an_end_is_found() {
    let (mut world, hosts) = calm(3);
    let mut monitor = leaves::Leaves::new(&case(3));
    let leave = Happening::Commanded { host: hosts[1], command: &Command::Leave };
    assert_eq!(feed(&mut monitor, &world, &[leave]), Ok(()));
    assert_eq!(monitor.after_input(&world, hosts[1]), Ok(()));
    world.run_for(Duration::from_secs(60));
    assert!(monitor.after_input(&world, hosts[1]).is_err());
    assert!(monitor.after_phase(&world, Phase::Trouble).is_err());
}

#[test]
fn a_leave_that_some_do_not_know_is_found() {
    let (mut world, hosts) = calm(4);
    let checker = attach(&mut world, leaves::Leaves::new(&case(4)), |_| true);
    // A datagram that says that a member left does not reach this one.
    let unreached = world.addr(hosts[0]);
    world.set_hook(move |datagram| {
        let read = swim_trace::inspect(datagram.bytes).expect("made by a node");
        let left = read.said().flatten().any(|said| match said {
            swim_trace::Said::Member(member) => member.claim.status == swim_core::Status::Left,
            _ => false,
        });
        if left && datagram.target == unreached { crate::Handling::Drop } else { crate::Handling::Pass }
    });
    world.run_for(Duration::from_secs(5));
    world.leave(hosts[3]);
    world.run_for(Duration::from_secs(30));
    assert_eq!(outcome(&checker).0, Some("L7"));
}

#[test]
fn a_join_that_ends_in_nothing_is_found() {
    let (world, hosts) = calm(3);
    let join = Happening::Returned { host: hosts[1], result: Ok(swim_core::Done::Seeking) };
    let failed = swim_core::Event::JoinFailed { reason: swim_core::JoinFailure::Refused };
    let failed = Happening::Reported { host: hosts[1], event: &failed };
    let mut monitor = commands::Commands::default();
    assert_eq!(feed(&mut monitor, &world, &[join, failed]), Ok(()));
    assert_eq!(monitor.after_phase(&world, Phase::Rest), Ok(()));
    assert_eq!(feed(&mut monitor, &world, &[join]), Ok(()));
    assert!(monitor.after_phase(&world, Phase::Rest).is_err());
}
