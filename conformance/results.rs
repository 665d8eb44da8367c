//! Each command gets exactly one result, on each driver: drawn commands from many callers at once, while events flood
//! in that no consumer takes, joins are cancelled, and the member leaves or is stopped.
//!
//! A test crate includes this file with `#[path]` and implements [`Driver`].

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use swim_core::{Config, Done, Epoch, Incarnation, KnownPeer, NodeId, Options};
use swim_driver::os::Settings;
use swim_driver::{CommandError, Outcome, OwnedCommand};

/// The number of a command, and its result.
pub(crate) type Numbered = (usize, Result<Outcome, CommandError>);

/// A member on a driver.
pub(crate) trait Driver: Sized {
    fn start(settings: &Settings) -> Self;
    fn addr(&self) -> SocketAddr;
    /// Gives a command without waiting; its caller sends its result to `results`.
    fn call(&self, number: usize, command: OwnedCommand, results: Sender<Numbered>);
    /// Ends the member without leaving, and waits for its driver.
    fn stop(&self);
}

/// One thing that is done to the member.
#[derive(Clone, Debug)]
enum Step {
    Give(OwnedCommand),
    /// It broadcasts so many times, and has room for two.
    Burst(u8),
    /// Another member broadcasts so many times.
    Flood(u8),
    Pause(u8),
    Stop,
}

const CASES: u32 = 12;
/// By when every caller must have its result: what takes longest is a leave.
const HOPELESS: Duration = Duration::from_secs(30);

pub(crate) fn every_command_gets_exactly_one_result<D: Driver>() {
    // A failure is not shrunk for long: every case takes real time.
    let config = ProptestConfig { cases: CASES, max_shrink_iters: 16, ..ProptestConfig::default() };
    let steps = proptest::collection::vec(step(), 1..24);
    TestRunner::new(config)
        .run(&(steps, any::<bool>()), |(steps, leaves)| {
            carry_out::<D>(&steps, leaves);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

fn carry_out<D: Driver>(steps: &[Step], leaves: bool) {
    let peer = D::start(&settings("peer", 4096));
    // A queue of one: nearly all events are lost.
    let member = D::start(&Settings { seeds: vec![peer.addr().into()], ..settings("member", 1) });
    let (results, outcomes) = channel();
    let (ignored, _) = channel();
    let mut given = Vec::new();
    let mut give = |command: OwnedCommand| {
        member.call(given.len(), command.clone(), results.clone());
        given.push(command);
    };
    for step in steps {
        match step {
            Step::Give(OwnedCommand::Join { seeds }) if seeds.is_empty() => {
                give(OwnedCommand::Join { seeds: vec![peer.addr()] });
            }
            Step::Give(command) => give(command.clone()),
            Step::Burst(count) => (0..*count).for_each(|_| give(OwnedCommand::Broadcast([1; 64].into()))),
            Step::Flood(count) => {
                for _ in 0..*count {
                    peer.call(0, OwnedCommand::Broadcast([0; 64].into()), ignored.clone());
                }
            }
            Step::Pause(millis) => std::thread::sleep(Duration::from_millis((*millis).into())),
            Step::Stop => member.stop(),
        }
    }
    if leaves {
        give(OwnedCommand::Leave);
    } else {
        member.stop();
        give(OwnedCommand::CancelJoin);
    }
    drop(results);
    let mut counts = vec![0; given.len()];
    loop {
        match outcomes.recv_timeout(HOPELESS) {
            Ok((number, outcome)) => {
                counts[number] += 1;
                assert!(fits(&given[number], &outcome), "{:?} ended in {outcome:?}", given[number]);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("a caller still waits: {counts:?} of {given:?}"),
        }
    }
    assert!(counts.iter().all(|count| *count == 1), "{counts:?} of {given:?}");
    member.stop();
    peer.stop();
}

/// Whether this can be the end of that command.
fn fits(command: &OwnedCommand, outcome: &Result<Outcome, CommandError>) -> bool {
    match outcome {
        Ok(Outcome::Joined(_)) | Err(CommandError::JoinFailed(_)) => {
            matches!(command, OwnedCommand::Join { .. })
        }
        Ok(Outcome::Left { .. }) => matches!(command, OwnedCommand::Leave),
        Ok(Outcome::Done(done)) => matches!(
            (done, command),
            (Done::Cancelled, OwnedCommand::CancelJoin)
                | (Done::MetadataSet { .. }, OwnedCommand::SetMetadata(_))
                | (Done::AddressSet, OwnedCommand::SetAddress(_))
                | (Done::BroadcastQueued { .. }, OwnedCommand::Broadcast(_))
                | (Done::Sent, OwnedCommand::Send { .. })
                | (Done::Removed, OwnedCommand::Remove { .. })
                | (Done::SeedsSet, OwnedCommand::SetSeeds { .. })
                | (Done::Restored { .. }, OwnedCommand::Restore { .. })
        ),
        Err(CommandError::Refused(_) | CommandError::Stopped) => true,
        Err(CommandError::TooLong(_)) => {
            matches!(command, OwnedCommand::SetMetadata(_) | OwnedCommand::Broadcast(_))
        }
        _ => false,
    }
}

fn settings(name: &str, events_max: usize) -> Settings {
    let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut options = Options::local();
    options.broadcasts_max = 2;
    let config = Config::new(options).expect("in range");
    Settings { events_max, ..Settings::new(config, NodeId::from_name(name), bind) }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => command().prop_map(Step::Give),
        2 => (1_u8..=200).prop_map(Step::Flood),
        2 => (1_u8..=20).prop_map(Step::Burst),
        3 => (0_u8..30).prop_map(Step::Pause),
        1 => Just(Step::Stop),
    ]
}

fn command() -> impl Strategy<Value = OwnedCommand> {
    // The discard port: no member is there.
    let dead_end = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    let peer = NodeId::from_name("peer");
    let known_peer = KnownPeer { id: peer, addr: dead_end, epoch: Epoch(1), incarnation: Incarnation(0) };
    let bytes = |len: usize| vec![7; len].into_boxed_slice();
    prop_oneof![
        // An empty list stands for the peer.
        Just(OwnedCommand::Join { seeds: Vec::new() }),
        Just(OwnedCommand::Join { seeds: vec![dead_end] }),
        Just(OwnedCommand::CancelJoin),
        Just(OwnedCommand::CancelJoin),
        Just(OwnedCommand::Leave),
        prop_oneof![Just(3), Just(600)].prop_map(move |len| OwnedCommand::SetMetadata(bytes(len))),
        prop_oneof![Just(3), Just(2_000)].prop_map(move |len| OwnedCommand::Broadcast(bytes(len))),
        prop_oneof![Just(peer), Just(NodeId(5))]
            .prop_map(move |target| OwnedCommand::Send { target, payload: bytes(9) }),
        Just(OwnedCommand::Remove { target: peer }),
        Just(OwnedCommand::SetAddress(SocketAddr::from(([0, 0, 0, 0], 0)))),
        Just(OwnedCommand::Restore { known_peers: vec![known_peer] }),
        prop_oneof![Just(vec![dead_end]), Just(Vec::new())]
            .prop_map(|seeds| OwnedCommand::SetSeeds { seeds }),
    ]
}
