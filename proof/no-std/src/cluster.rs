//! A few nodes in one process, datagrams through memory, a virtual clock.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;

use swim_core::{Command, Config, Epoch, Identity, Input, Instant, Node, NodeId, Output, Seed, Status};

/// How long a datagram travels.
const LATENCY: Duration = Duration::from_millis(1);
/// First epochs: some Unix time in milliseconds.
const EPOCH: u64 = 1_750_000_000_000;
/// Inputs after which a run is given up, should time not get on.
const INPUTS_MAX: u32 = 1_000_000;

/// The nodes, the datagrams in flight (equal latency keeps them in order) and the time.
pub struct Cluster {
    config: Arc<Config>,
    hosts: Vec<Host>,
    in_flight: VecDeque<Datagram>,
    /// Emptied buffers, used again: this process cannot free memory.
    spare: Vec<Vec<u8>>,
    now: Instant,
}

struct Host {
    node: Node,
    is_up: bool,
    received: u64,
}

struct Datagram {
    arrives: Instant,
    source: SocketAddr,
    target: SocketAddr,
    bytes: Vec<u8>,
}

impl Cluster {
    pub fn new() -> Self {
        let config = Arc::new(Config::local());
        Self {
            config,
            hosts: Vec::new(),
            in_flight: VecDeque::new(),
            spare: Vec::new(),
            now: Instant::ORIGIN,
        }
    }

    /// Starts another node that knows only itself, and says which it is.
    pub fn start(&mut self) -> usize {
        let host = self.hosts.len();
        let node = self.node(host, EPOCH);
        self.hosts.push(Host { node, is_up: true, received: 0 });
        host
    }

    /// The host is gone, with whatever its node knew.
    pub fn crash(&mut self, host: usize) {
        self.hosts[host].is_up = false;
    }

    /// A restart of a crashed host, in its next epoch.
    pub fn restart(&mut self, host: usize) {
        let node = self.node(host, EPOCH + 1);
        self.hosts[host] = Host { node, is_up: true, received: 0 };
    }

    pub fn join(&mut self, host: usize, seed: usize) {
        let seeds = [addr(seed)];
        self.command(host, Command::Join { seeds: &seeds });
    }

    pub fn leave(&mut self, host: usize) {
        self.command(host, Command::Leave);
    }

    /// Lets time pass until `done`, at most for `limit`. Whether it was done.
    pub fn run_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now.after(limit);
        for _ in 0..INPUTS_MAX {
            if done(self) {
                return true;
            }
            if !self.step(end) {
                return false;
            }
        }
        false
    }

    /// Whether every host that is up holds `subject` as `status`.
    pub fn all_see(&self, subject: usize, status: Status) -> bool {
        (0..self.hosts.len()).all(|host| !self.hosts[host].is_up || self.sees(host, subject, status))
    }

    pub fn sees(&self, host: usize, subject: usize, status: Status) -> bool {
        self.hosts[host].node.member(id(subject)).is_some_and(|member| member.status == status)
    }

    /// Whether each node has counted as many datagrams as it was given.
    pub fn counts_agree(&self) -> bool {
        self.hosts
            .iter()
            .all(|host| host.received > 0 && host.node.stats().datagrams_received == host.received)
    }

    /// Delivers the next datagram or runs the next timer, whichever comes first. `false` if neither
    /// comes before `end`.
    fn step(&mut self, end: Instant) -> bool {
        let timer = (0..self.hosts.len())
            .filter(|host| self.hosts[*host].is_up)
            .filter_map(|host| Some((self.hosts[host].node.deadline()?, host)))
            .min();
        let arrival = self.in_flight.front().map(|datagram| datagram.arrives);
        let due = match (arrival, timer) {
            (Some(arrival), Some((deadline, _))) => arrival.min(deadline),
            (Some(arrival), None) => arrival,
            (None, Some((deadline, _))) => deadline,
            (None, None) => return false,
        };
        if due > end {
            return false;
        }
        self.now = self.now.max(due);
        if arrival == Some(due)
            && let Some(datagram) = self.in_flight.pop_front()
        {
            self.deliver(&datagram);
            self.spare.push(datagram.bytes);
        } else if let Some((_, host)) = timer {
            self.handle(host, Input::Tick);
        }
        true
    }

    fn deliver(&mut self, datagram: &Datagram) {
        let Some(host) = (0..self.hosts.len()).find(|host| addr(*host) == datagram.target) else { return };
        if self.hosts[host].is_up {
            self.hosts[host].received += 1;
            self.handle(host, Input::Datagram { source: datagram.source, bytes: &datagram.bytes });
        }
    }

    fn command(&mut self, host: usize, command: Command<'_>) {
        let result = self.hosts[host].node.command(self.now, command);
        result.expect("the scenario asks for nothing that is refused");
        self.flush(host);
    }

    fn handle(&mut self, host: usize, input: Input<'_>) {
        self.hosts[host].node.handle(self.now, input);
        self.flush(host);
    }

    fn flush(&mut self, host: usize) {
        let node = &mut self.hosts[host].node;
        while let Some(output) = node.poll() {
            if let Output::Transmit(transmit) = output {
                let mut bytes = self.spare.pop().unwrap_or_default();
                bytes.clear();
                bytes.extend_from_slice(transmit.bytes);
                let (source, target) = (addr(host), transmit.destination);
                self.in_flight.push_back(Datagram {
                    arrives: self.now.after(LATENCY),
                    source,
                    target,
                    bytes,
                });
            }
        }
    }

    fn node(&self, host: usize, epoch: u64) -> Node {
        let me = Identity { id: id(host), addr: addr(host), epoch: Epoch(epoch) };
        Node::new(Arc::clone(&self.config), me, Seed([host as u8 + 1; 32]), self.now)
    }
}

fn id(host: usize) -> NodeId {
    NodeId(host as u64 + 1)
}

fn addr(host: usize) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, host as u8 + 1)), 7946)
}
