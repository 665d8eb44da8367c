//! A few real nodes whose datagrams pass through memory, and everything that was said.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::craft::EPOCH;
use crate::lab::addr;
use swim_core::{
    Command, Config, Epoch, Event, Identity, Input, Instant, Node, NodeId, Options, Output, Seed,
};

/// A datagram on its way.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) source: SocketAddr,
    pub(crate) target: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

/// Nodes 1 to n, of which the first is the seed of all others.
pub(crate) struct Mesh {
    pub(crate) nodes: Vec<Node>,
    pub(crate) now: Instant,
    /// Sent and not delivered yet.
    pub(crate) flying: Vec<Packet>,
    pub(crate) events: Vec<(usize, Event)>,
}

impl Mesh {
    pub(crate) fn new(n: u64, options: &Options) -> Self {
        let config = Arc::new(Config::new(options.clone()).expect("in range"));
        let now = Instant::from_millis(1_000_000);
        let node = |id: u64| {
            let me = Identity { id: NodeId(id), addr: addr(id), epoch: Epoch(EPOCH + id) };
            Node::new(config.clone(), me, Seed([id as u8; 32]), now)
        };
        let mut nodes: Vec<Node> = (1..=n).map(node).collect();
        for node in &mut nodes[1..] {
            node.command(now, Command::Join { seeds: &[addr(1)] }).expect("an address to ask");
        }
        Self { nodes, now, flying: Vec::new(), events: Vec::new() }
    }

    /// Ten milliseconds: what is due is done, what was sent arrives. `heard` sees every packet, and
    /// decides whether it arrives; `around` surrounds every call of a node.
    pub(crate) fn step(
        &mut self,
        mut heard: impl FnMut(&Packet) -> bool,
        mut around: impl FnMut(&mut Node, &mut dyn FnMut(&mut Node)),
    ) {
        self.now = self.now.after(Duration::from_millis(10));
        let now = self.now;
        for packet in std::mem::take(&mut self.flying) {
            let at = self.nodes.iter().position(|node| node.me().addr == packet.target);
            let (true, Some(at)) = (heard(&packet), at) else { continue };
            let input = Input::Datagram { source: packet.source, bytes: &packet.bytes };
            around(&mut self.nodes[at], &mut |node| node.handle(now, input));
            self.collect(at, &mut around);
        }
        for at in 0..self.nodes.len() {
            if self.nodes[at].deadline().is_some_and(|deadline| deadline <= now) {
                around(&mut self.nodes[at], &mut |node| node.handle(now, Input::Tick));
            }
            self.collect(at, &mut around);
        }
    }

    /// The same, unwatched.
    pub(crate) fn run_for(&mut self, time: Duration) {
        for _ in 0..time.as_millis() / 10 {
            self.step(|_| true, |node, call| call(node));
        }
    }

    fn collect(&mut self, at: usize, around: &mut impl FnMut(&mut Node, &mut dyn FnMut(&mut Node))) {
        let (flying, events) = (&mut self.flying, &mut self.events);
        let source = self.nodes[at].me().addr;
        loop {
            let mut polled = None;
            around(&mut self.nodes[at], &mut |node| match node.poll() {
                Some(Output::Transmit(transmit)) => {
                    // What the driver copies is none of the node's business: see `uncounted`.
                    let bytes = crate::counting::uncounted(|| transmit.bytes.to_vec());
                    polled = Some(Ok(Packet { source, target: transmit.destination, bytes }));
                }
                Some(Output::Event(event)) => polled = Some(Err(event)),
                _ => {}
            });
            match polled {
                Some(Ok(packet)) => flying.push(packet),
                Some(Err(event)) => events.push((at, event)),
                None => return,
            }
        }
    }
}
