//! What comes back from an address that only echoes, and what a stranger can make a node send.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use swim_core::{
    Command, Config, Epoch, Event, Identity, Input, Instant, Node, NodeId, Output, Seed, Stats, Status,
};

const EPOCH: u64 = 1_700_000_000_000;

fn addr(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], 7946))
}

fn node(id: u64, last: u8) -> Node {
    let me = Identity { id: NodeId(id), addr: addr(last), epoch: Epoch(EPOCH) };
    Node::new(Arc::new(Config::local()), me, Seed([last; 32]), Instant::ORIGIN)
}

/// Runs `node` for a while against an address that answers as `answer` says; all that was sent there, and
/// all events.
fn run(
    node: &mut Node,
    from: Instant,
    time: Duration,
    echo: SocketAddr,
    answers: bool,
) -> (Vec<Vec<u8>>, Vec<Event>) {
    let (mut sent, mut events, mut now) = (Vec::new(), Vec::new(), from);
    while now < from.after(time) {
        node.handle(now, Input::Tick);
        let mut back = drain(node, echo, &mut events);
        while let Some(bytes) = back.pop() {
            if answers {
                node.handle(now, Input::Datagram { source: echo, bytes: &bytes });
                back.extend(drain(node, echo, &mut events));
            }
            sent.push(bytes);
        }
        now = now.after(Duration::from_millis(10));
    }
    (sent, events)
}

fn drain(node: &mut Node, echo: SocketAddr, events: &mut Vec<Event>) -> Vec<Vec<u8>> {
    let mut sent = Vec::new();
    while let Some(output) = node.poll() {
        match output {
            Output::Transmit(transmit) if transmit.destination == echo => sent.push(transmit.bytes.to_vec()),
            Output::Event(event) => events.push(event),
            _ => {}
        }
    }
    sent
}

#[test]
fn a_seed_that_only_echoes_is_not_taken_for_another_with_the_same_id() {
    let mut node = node(1, 1);
    node.command(Instant::ORIGIN, Command::Join { seeds: &[addr(9)] }).expect("an address to ask");
    let (sent, events) = run(&mut node, Instant::ORIGIN, Duration::from_secs(5), addr(9), true);
    assert!(sent.len() > 3, "it goes on asking");
    assert!(node.is_running());
    assert!(!events.iter().any(|event| matches!(event, Event::Conflict { .. })), "{events:?}");
}

#[test]
fn a_stranger_that_knows_of_a_later_epoch_is_asked_once_and_not_at_length() {
    let mut node = node(1, 1);
    let before: Stats = node.stats();
    let ping = ping_about(&node, EPOCH + 60_000);
    node.handle(Instant::ORIGIN, Input::Datagram { source: addr(9), bytes: &ping });
    let (sent, _) = run(&mut node, Instant::ORIGIN, Duration::from_secs(20), addr(9), false);
    let back: usize = sent.iter().map(Vec::len).sum();
    assert_eq!(sent.len(), 1, "one question");
    assert!(back <= ping.len(), "{back} bytes for {}", ping.len());
    assert_eq!(node.stats().datagrams_sent - before.datagrams_sent, 1);
}

#[test]
fn no_node_is_in_the_epoch_that_stands_for_nothing_held() {
    let me = Identity { id: NodeId(1), addr: addr(1), epoch: Epoch(0) };
    let node = Node::new(Arc::new(Config::local()), me, Seed([1; 32]), Instant::ORIGIN);
    assert_eq!(node.me().epoch, Epoch(1));
}

/// A stranger's ping for `node` in the epoch `epoch`.
fn ping_about(node: &Node, epoch: u64) -> Vec<u8> {
    let mut bytes = vec![b'S', b'W', 2, 0, 1];
    bytes.extend(node.config().label_hash().to_le_bytes());
    bytes.extend(99_u64.to_le_bytes());
    bytes.extend(&EPOCH.to_le_bytes()[..6]);
    bytes.extend([0; 4]);
    bytes.extend(node.me().id.0.to_le_bytes());
    bytes.extend([7; 16]);
    bytes.push(1);
    bytes.extend(&epoch.to_le_bytes()[..6]);
    bytes.extend([0; 4]);
    bytes.push(Status::Alive as u8);
    bytes
}
