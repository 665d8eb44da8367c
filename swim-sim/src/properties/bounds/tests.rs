//! What bounds find, and that they are silent otherwise.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use swim_core::{Config, Event, MessageKind, NodeId, Options};
use swim_trace::inspect;

use super::{datagrams, deadlines, repeats, tables};
use crate::ground_truth::{Happening, Phase};
use crate::properties::Monitor;
use crate::properties::evidence::datagram::Reading;
use crate::properties::tests::worlds::{attach, calm, case, feed, outcome, sent};

#[test]
fn a_datagram_that_is_too_long_is_found() {
    let (world, hosts) = calm(2);
    let mut monitor = datagrams::Lengths::new(&case(2));
    let bytes = [0; 1_364];
    assert_eq!(feed(&mut monitor, &world, &[sent(&world, hosts[0], &bytes[..1_363])]), Ok(()));
    assert!(feed(&mut monitor, &world, &[sent(&world, hosts[0], &bytes)]).is_err());
}

#[test]
fn an_input_that_sends_too_much_is_found() {
    let (world, hosts) = calm(2);
    let (host, source) = (hosts[0], world.addr(hosts[1]));
    let arrived = Happening::Arrived { host, source, bytes: &[] };
    for (input, most) in [(Happening::Ticked { host }, 16), (arrived, 3)] {
        let mut monitor = datagrams::SendBudget::default();
        assert_eq!(feed(&mut monitor, &world, &[input]), Ok(()));
        let datagrams = vec![sent(&world, host, &[]); most];
        assert_eq!(feed(&mut monitor, &world, &datagrams), Ok(()));
        assert!(feed(&mut monitor, &world, &datagrams[..1]).is_err());
    }
}

#[test]
fn too_many_pages_in_a_second_are_found() {
    let (world, hosts) = calm(2);
    let mut monitor = datagrams::PagesPerSecond::new(&case(2));
    let page = [0, 0, 0, 0, MessageKind::SyncPage as u8];
    let pages = vec![sent(&world, hosts[0], &page); 512];
    assert_eq!(feed(&mut monitor, &world, &pages), Ok(()));
    assert!(feed(&mut monitor, &world, &pages[..1]).is_err());
}

#[test]
fn a_tombstone_that_is_forgotten_early_or_never_is_found() {
    let (mut world, hosts) = calm(3);
    let mut options = Options::lan();
    options.tombstone_life = Duration::from_secs(60);
    let mut case = case(3);
    case.config = Arc::new(Config::new(options).expect("in range"));
    let event = Event::Dead { id: NodeId(3), by: NodeId(1), accuser: NodeId(1) };
    let dead = Happening::Reported { host: hosts[0], event: &event };
    let forgotten = Happening::Reported { host: hosts[0], event: &Event::Forgotten { id: NodeId(3) } };
    let mut monitor = tables::Tombstones::new(&case);
    assert!(feed(&mut monitor, &world, &[dead, forgotten]).is_err());
    let mut never = tables::Tombstones::new(&case);
    assert_eq!(feed(&mut monitor, &world, &[dead]), Ok(()));
    assert_eq!(feed(&mut never, &world, &[dead]), Ok(()));
    world.run_for(Duration::from_secs(61));
    assert_eq!(feed(&mut monitor, &world, &[forgotten]), Ok(()));
    assert_eq!(never.after_phase(&world, Phase::Rest), Ok(()));
    world.run_for(Duration::from_secs(120));
    assert!(never.after_phase(&world, Phase::Rest).is_err());
}

#[test]
fn updates_that_are_gossiped_too_often_are_found() {
    let (mut world, hosts) = calm(4);
    let seen = attach(&mut world, repeats::Repeats::new(&case(4)), |_| true);
    let found = Arc::new(Mutex::new(Vec::new()));
    let put = Arc::clone(&found);
    world.set_hook(move |datagram| {
        let said = inspect(datagram.bytes).expect("made by a node");
        if said.kind == MessageKind::Nack || said.kind == MessageKind::Ping && said.said().count() == 1 {
            put.lock().expect("no test panics").push(datagram.bytes.to_vec());
        }
        crate::Handling::Pass
    });
    for value in 0..30 {
        world.set_metadata(hosts[0], &[value]);
        world.run_for(Duration::from_millis(700));
    }
    let (broken, looked) = outcome(&seen);
    assert_eq!(broken, None);
    assert!(looked > 30, "{looked}");
    let bytes =
        found.lock().expect("no test panics").first().cloned().expect("some update piggybacked on a ping");
    let mut monitor = repeats::Repeats::new(&case(4));
    let said = Reading::of(&bytes).expect("made by a node");
    let what = sent(&world, hosts[1], &bytes);
    // Four times by each of so few.
    for _ in 0..4 {
        assert_eq!(monitor.on_datagram(&world.scene(), &what, &said), Ok(()));
    }
    assert!(monitor.on_datagram(&world.scene(), &what, &said).is_err());
}

#[test]
fn a_node_that_sleeps_too_long_or_never_is_found() {
    let (world, hosts) = calm(3);
    let mut monitor = deadlines::Deadlines::new(&case(3));
    assert_eq!(monitor.after_input(&world, hosts[0]), Ok(()));
    let mut quicker = case(3);
    let mut options = Options::lan();
    (options.period, options.direct_timeout) = (Duration::from_millis(10), Duration::from_millis(5));
    quicker.config = Arc::new(Config::new(options).expect("in range"));
    assert!(deadlines::Deadlines::new(&quicker).after_input(&world, hosts[0]).is_err());
    let ticks = vec![Happening::Ticked { host: hosts[0] }; 1_000];
    assert_eq!(feed(&mut monitor, &world, &ticks), Ok(()));
    assert!(feed(&mut monitor, &world, &ticks[..1]).is_err());
}
