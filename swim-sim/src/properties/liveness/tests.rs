//! What the laws of liveness find, and that they are silent otherwise.

use std::time::Duration;

use swim_core::{Command, Metadata};

use super::{attachments, crashes, farewells, promises, returns};
use crate::ground_truth::{Happening, Phase};
use crate::host::Spec;
use crate::properties::Monitor;
use crate::properties::test_worlds::{calm, case};
use crate::properties::tests::{attach, told, verdict};
use crate::{Action, Inbox, Presence};

fn metadata() -> Command<'static> {
    Command::SetMetadata(Metadata::new(b"said and not done").expect("short enough"))
}

#[test]
fn a_crash_that_nobody_notices_is_found() {
    let (world, hosts) = calm(3);
    let mut law = crashes::Crashes::new(&case(3));
    let crash = Happening::Ended { host: hosts[2], presence: Presence::Crashed };
    assert_eq!(told(&mut law, &world, &[crash]), Ok(()));
    assert_eq!(law.after_phase(&world, Phase::Trouble), Ok(()), "not yet");
    assert!(law.after_phase(&world, Phase::Rest).is_err());
}

#[test]
fn a_crash_in_a_healthy_cluster_is_found_by_itself_when_its_time_has_come() {
    let (mut world, hosts) = calm(3);
    world.run_for(Duration::from_secs(10));
    let mut law = crashes::Crashes::new(&case(3));
    let crash = Happening::Ended { host: hosts[2], presence: Presence::Crashed };
    assert_eq!(told(&mut law, &world, &[crash]), Ok(()));
    let bound = swim_core::Config::lan().detection_bound(3);
    assert_eq!(law.after_input(&world, hosts[0]), Ok(()));
    world.run_for(bound);
    assert_eq!(law.after_input(&world, hosts[0]), Ok(()));
    world.run_for(bound + Duration::from_secs(1));
    assert!(law.after_input(&world, hosts[0]).is_err());
}

#[test]
fn who_comes_and_is_known_to_nobody_is_found() {
    let (mut world, hosts) = calm(3);
    let stranger = world.start(Spec::new(std::sync::Arc::new(swim_core::Config::lan())));
    let began = Happening::Began { host: stranger, me: world.scene().identity(stranger) };
    let pause = Action::Pause { host: stranger, inbox: Inbox::Kept };
    let resume = Action::Resume(stranger);
    let paused = [&pause, &resume].map(|action| Happening::Acted { action, done: true });
    for (way, number) in
        [(returns::Way::First, "L2"), (returns::Way::Again, "L3"), (returns::Way::Resumed, "L5")]
    {
        let mut law = returns::Returns::new(way, &case(3));
        assert_eq!(law.property().id, number);
        assert_eq!(told(&mut law, &world, &[began, began, paused[0], paused[1]]), Ok(()));
        assert!(law.after_phase(&world, Phase::Rest).is_err(), "{number}");
    }
    let mut law = returns::Returns::new(returns::Way::First, &case(3));
    let known = Happening::Began { host: hosts[0], me: world.scene().identity(hosts[0]) };
    world.crash(stranger);
    assert_eq!(told(&mut law, &world, &[known]), Ok(()));
    assert_eq!(law.after_phase(&world, Phase::Rest), Ok(()));
}

#[test]
fn a_newcomer_without_a_seed_that_runs_has_time() {
    let (mut world, hosts) = calm(4);
    let stranger = world.start(Spec::new(std::sync::Arc::new(swim_core::Config::lan())));
    let began = Happening::Began { host: stranger, me: world.scene().identity(stranger) };
    let mut law = returns::Returns::new(returns::Way::First, &case(4));
    assert_eq!(told(&mut law, &world, &[began]), Ok(()));
    hosts[..3].iter().for_each(|seed| assert!(world.crash(*seed)));
    assert_eq!(law.after_phase(&world, Phase::Rest), Ok(()));
    world.restart(hosts[0]);
    assert!(law.after_phase(&world, Phase::Rest).is_err());
}

#[test]
fn metadata_that_nobody_knows_is_found() {
    let (world, hosts) = calm(3);
    let mut law = attachments::Attachments::new(&case(3));
    assert_eq!(law.after_phase(&world, Phase::Rest), Ok(()));
    let command = metadata();
    let set = Happening::Commanded { host: hosts[1], command: &command };
    assert_eq!(told(&mut law, &world, &[set]), Ok(()));
    assert!(law.after_phase(&world, Phase::Rest).is_err());
}

#[test]
fn a_goodbye_without_an_end_is_found() {
    let (mut world, hosts) = calm(3);
    let mut law = farewells::Farewells::new(&case(3));
    let leave = Happening::Commanded { host: hosts[1], command: &Command::Leave };
    assert_eq!(told(&mut law, &world, &[leave]), Ok(()));
    assert_eq!(law.after_input(&world, hosts[1]), Ok(()));
    world.run_for(Duration::from_secs(60));
    assert!(law.after_input(&world, hosts[1]).is_err());
    assert!(law.after_phase(&world, Phase::Trouble).is_err());
}

#[test]
fn a_goodbye_that_some_have_not_heard_is_found() {
    let (mut world, hosts) = calm(4);
    let checker = attach(&mut world, farewells::Farewells::new(&case(4)), |_| true);
    // Whoever is told that somebody left is told nothing.
    let deaf = world.addr(hosts[0]);
    world.set_hook(move |datagram| {
        let read = swim_core::inspect(datagram.bytes).expect("made by a node");
        let left = read.said().flatten().any(|said| match said {
            swim_core::Said::Member(member) => member.claim.status == swim_core::Status::Left,
            _ => false,
        });
        if left && datagram.target == deaf { crate::Handling::Drop } else { crate::Handling::Pass }
    });
    world.run_for(Duration::from_secs(5));
    world.leave(hosts[3]);
    world.run_for(Duration::from_secs(30));
    assert_eq!(verdict(&checker).0, Some("L7"));
}

#[test]
fn a_join_that_ends_in_nothing_is_found() {
    let (world, hosts) = calm(3);
    let join = Happening::Returned { host: hosts[1], result: Ok(swim_core::Done::Seeking) };
    let failed = swim_core::Event::JoinFailed { reason: swim_core::JoinFailure::Refused };
    let failed = Happening::Reported { host: hosts[1], event: &failed };
    let mut law = promises::Promises::default();
    assert_eq!(told(&mut law, &world, &[join, failed]), Ok(()));
    assert_eq!(law.after_phase(&world, Phase::Rest), Ok(()));
    assert_eq!(told(&mut law, &world, &[join]), Ok(()));
    assert!(law.after_phase(&world, Phase::Rest).is_err());
}
