//! What the properties of quality find, and that they are silent otherwise.

use std::time::Duration;

use swim_core::{Event, Incarnation, MessageKind, NodeId, Payload};

use super::{detection, dissemination, load, probing, rest};
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::Monitor;
use crate::properties::tests::worlds::{attach, calm, case, feed, outcome, sent};

/// A datagram that looks like one of this kind at a glance.
fn blank(kind: MessageKind) -> [u8; 40] {
    let mut bytes = [0; 40];
    bytes[4] = kind as u8;
    bytes
}

/// What Q1 says of a crash among four that know each other.
fn detection_of_a_crash(shows: fn(&Happening<'_>) -> bool) -> (Option<&'static str>, u64) {
    let (mut world, hosts) = calm(4);
    world.run_for(Duration::from_secs(30));
    let checker = attach(&mut world, detection::Detection::new(&case(4)), shows);
    world.crash(hosts[3]);
    world.run_for(Duration::from_secs(90));
    outcome(&checker)
}

#[test]
fn a_crash_is_detected_in_time_and_one_that_a_survivor_does_not_report_is_found() {
    assert_eq!(detection_of_a_crash(|_| true), (None, 1));
    let hidden: fn(&Happening<'_>) -> bool =
        |what| !matches!(what, Happening::Reported { host: HostId(1), event: Event::Dead { .. } });
    assert_eq!(detection_of_a_crash(hidden), (Some("Q1"), 1));
}

#[test]
fn probes_are_fair_and_one_that_is_not_seen_is_missed() {
    let (mut world, _) = calm(5);
    let seen = attach(&mut world, probing::Fairness::default(), |_| true);
    // As if #2 never probed #3.
    let blind = attach(&mut world, probing::Fairness::default(), |what| match what {
        Happening::Sent { host: HostId(1), bytes, .. } => {
            swim_trace::inspect(bytes).is_ok_and(|said| said.target != Some(NodeId(3)))
        }
        _ => true,
    });
    // The walk begins anew when a member comes.
    world.start_many(1, &std::sync::Arc::new(swim_core::Config::lan()));
    let (hosts, newcomer) = ([HostId(0)], HostId(5));
    world.join(newcomer, &hosts);
    world.run_for(Duration::from_secs(120));
    assert_eq!(outcome(&seen).0, None);
    assert!(outcome(&seen).1 > 300);
    assert_eq!(outcome(&blind).0, Some("Q2"));
}

#[test]
fn rest_is_quiet_and_chatter_or_pages_in_every_stretch_of_it_are_found() {
    for (part, number, kind) in
        [(rest::Part::Load, "Q3", MessageKind::Gossip), (rest::Part::Pages, "Q4", MessageKind::SyncPull)]
    {
        let (mut world, hosts) = calm(3);
        world.run_for(Duration::from_secs(60));
        let mut quiet = rest::Rest::new(part, &case(3));
        let mut loud = rest::Rest::new(part, &case(3));
        let begin = Happening::Entered { phase: Phase::Rest };
        assert_eq!(feed(&mut quiet, &world, &[begin]), Ok(()));
        assert_eq!(feed(&mut loud, &world, &[begin]), Ok(()));
        let bytes = blank(kind);
        for _ in 0..crate::scenario::RESTS {
            for _ in 0..300 {
                assert_eq!(feed(&mut loud, &world, &[sent(&world, hosts[0], &bytes)]), Ok(()));
            }
            world.run_for(Duration::from_secs(u64::from(crate::scenario::REST_PERIODS)));
        }
        assert_eq!(quiet.after_phase(&world, Phase::Rest), Ok(()));
        let broken = loud.after_phase(&world, Phase::Rest);
        assert!(broken.is_err() && loud.property().id == number, "{number}");
    }
}

#[test]
fn a_member_that_has_to_refute_again_and_again_at_rest_is_found() {
    let (world, hosts) = calm(3);
    let mut monitor = rest::Storms::new(&case(3));
    let event = Event::Accused { by: NodeId(2), incarnation: Incarnation(1) };
    let accused = Happening::Reported { host: hosts[0], event: &event };
    assert_eq!(feed(&mut monitor, &world, &[accused; 9]), Ok(()), "not at rest");
    assert_eq!(feed(&mut monitor, &world, &[Happening::Entered { phase: Phase::Rest }]), Ok(()));
    assert_eq!(feed(&mut monitor, &world, &[accused; 3]), Ok(()));
    assert!(feed(&mut monitor, &world, &[accused]).is_err());
}

#[test]
fn what_is_left_over_at_the_end_is_found() {
    let (mut world, hosts) = calm(3);
    world.run_for(Duration::from_secs(60));
    let mut monitor = rest::Storms::new(&case(3));
    assert_eq!(monitor.after_phase(&world, Phase::Rest), Ok(()));
    world.set_metadata(hosts[0], b"still to be gossiped");
    assert!(monitor.after_phase(&world, Phase::Rest).is_err());
}

#[test]
fn a_broadcast_that_no_user_sent_or_hardly_any_member_received_is_found() {
    let (mut world, hosts) = calm(6);
    world.run_for(Duration::from_secs(10));
    let seen = attach(&mut world, dissemination::Broadcasts::new(&case(6)), |_| true);
    let unheard = attach(&mut world, dissemination::Broadcasts::new(&case(6)), |what| {
        !matches!(what, Happening::Reported { event: Event::Broadcast { .. }, .. })
    });
    let unsaid = attach(&mut world, dissemination::Broadcasts::new(&case(6)), |what| {
        !matches!(what, Happening::Commanded { .. })
    });
    let payload = Payload::new(b"hello").expect("short enough");
    world.command(hosts[0], swim_core::Command::Broadcast(payload));
    world.run_for(Duration::from_secs(30));
    assert_eq!(outcome(&seen).0, None);
    assert!(outcome(&seen).1 >= 5);
    assert_eq!(outcome(&unheard).0, Some("Q6"));
    assert_eq!(outcome(&unsaid).0, Some("Q6"));
}

#[test]
fn updates_that_reach_all_in_time_are_good_and_others_are_found() {
    let (mut world, hosts) = calm(5);
    world.run_for(Duration::from_secs(30));
    let monitor = || dissemination::Dissemination::new(&case(5));
    let seen = attach(&mut world, monitor(), |_| true);
    let hidden = attach(&mut world, monitor(), |what| {
        !matches!(what, Happening::Reported { host: HostId(2), event: Event::Updated { .. } })
    });
    world.set_metadata(hosts[0], b"news");
    world.run_for(Duration::from_secs(60));
    assert_eq!(outcome(&seen), (None, 1));
    assert_eq!(outcome(&hidden).0, Some("Q8"));
    // The same value again is no update, and no node reports it.
    world.set_metadata(hosts[0], b"news");
    world.run_for(Duration::from_secs(60));
    assert_eq!(outcome(&seen), (None, 1));
}

#[test]
fn a_member_that_sends_more_than_its_clockwork_makes_it_is_found() {
    for (kind, most) in [(MessageKind::Ping, 12), (MessageKind::PingReq, 6), (MessageKind::Gossip, 23)] {
        let (world, hosts) = calm(3);
        let mut monitor = load::Load::new(&case(3));
        let bytes = blank(kind);
        let what = sent(&world, hosts[0], &bytes);
        for scene in [world.scene(), Scene { ticking: Some(hosts[0]), ..world.scene() }] {
            let mut send = || monitor.on_happening(&scene, &what);
            assert!((0..most).all(|_| send().is_ok()), "{kind:?}");
            assert_eq!(send().is_ok(), !scene.ticks(hosts[0]), "{kind:?}");
        }
    }
}
