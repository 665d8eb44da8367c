//! A few real nodes in memory, each recorded: datagrams get lost, sockets are full, users want things.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use swim_core::{
    Command, Config, Epoch, Identity, Incarnation, Input, Instant, KnownPeer, Metadata, Node, NodeId, Output,
    Payload, Seed,
};
use swim_trace::{Plain, Reader, Recorder, Redactor, Sink, Subject};

/// Numbers that follow from a seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// Below `n`.
    pub(crate) fn throw(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % n
    }
}

/// A node, its recorder, and what the driver around it holds.
pub(crate) struct Host<S> {
    pub(crate) node: Node,
    pub(crate) recorder: Recorder<S>,
    inbox: VecDeque<(SocketAddr, Vec<u8>)>,
    /// Its socket is full: it does not poll.
    blocked: bool,
    /// It is gone.
    dead: bool,
}

/// All of them, and the time.
pub(crate) struct Cluster<S> {
    pub(crate) hosts: Vec<Host<S>>,
    pub(crate) now: Instant,
    dice: Dice,
    /// What users say begins with this.
    pub(crate) text: &'static str,
}

pub(crate) fn addr(index: usize) -> SocketAddr {
    if index == 2 {
        return format!("[2001:db8::{}]:7946", index + 1).parse().expect("an address");
    }
    SocketAddr::from(([10, 0, 0, u8::try_from(index + 1).expect("few")], 7946))
}

pub(crate) fn subject(index: usize, redactor: Option<Redactor>) -> (Subject, Seed) {
    let me = Identity { id: NodeId(index as u64 + 1), addr: addr(index), epoch: Epoch(1_700_000_000_000) };
    let seed = Seed([u8::try_from(index).expect("few") + 1; 32]);
    (Subject { me, unix_ms: 1_700_000_000_000, recording: 77 + index as u64, redactor }, seed)
}

impl Cluster<Plain<Vec<u8>>> {
    /// Recorded into memory.
    pub(crate) fn in_memory(n: usize, seed: u64, redactor: Option<&Redactor>) -> Self {
        Self::new(n, seed, |subject| Recorder::to(Vec::new(), subject), redactor)
    }

    /// What the `index`-th wrote.
    pub(crate) fn trace(self, index: usize) -> Vec<u8> {
        let host = self.hosts.into_iter().nth(index).expect("there is one");
        host.recorder.finish().expect("memory does not fail").0
    }
}

impl<S: Sink> Cluster<S> {
    pub(crate) fn new(
        n: usize,
        seed: u64,
        mut recorder: impl FnMut(Subject) -> Recorder<S>,
        redactor: Option<&Redactor>,
    ) -> Self {
        let now = Instant::from_millis(5);
        let mut host = |index| {
            let (subject, seed) = subject(index, redactor.cloned());
            let node = Node::new(Arc::new(Config::local()), subject.me, seed, now);
            let mut recorder = recorder(subject);
            recorder.born(&node, seed, now);
            Host { node, recorder, inbox: VecDeque::new(), blocked: false, dead: false }
        };
        let hosts = (0..n).map(&mut host).collect();
        let mut cluster = Self { hosts, now, dice: Dice(seed), text: "secret" };
        for index in 0..n {
            cluster.command(index, Command::SetMetadata(Metadata::new(b"secret metadata").expect("short")));
            cluster.command(index, Command::Join { seeds: &[addr(0), addr(1)] });
        }
        cluster
    }

    pub(crate) fn command(&mut self, index: usize, command: Command<'_>) {
        let host = &mut self.hosts[index];
        host.recorder.command(&host.node, self.now, &command);
        let result = host.node.command(self.now, command);
        host.recorder.result(result);
        self.poll(index);
    }

    pub(crate) fn node(&self, index: usize) -> &Node {
        &self.hosts[index].node
    }

    /// As if it had been killed.
    pub(crate) fn kill(&mut self, index: usize) {
        self.hosts[index].dead = true;
    }

    fn handle(&mut self, index: usize, input: Input<'_>) {
        let host = &mut self.hosts[index];
        host.recorder.input(&host.node, self.now, &input);
        host.node.handle(self.now, input);
        self.poll(index);
    }

    fn poll(&mut self, index: usize) {
        loop {
            let host = &mut self.hosts[index];
            if host.blocked {
                return;
            }
            let Some(output) = host.node.poll() else {
                return host.recorder.settled(host.node.deadline());
            };
            host.recorder.output(&output);
            if let Output::Transmit(transmit) = output {
                let (target, bytes) = (transmit.destination, transmit.bytes.to_vec());
                host.blocked = self.dice.throw(50) == 0;
                match self.dice.throw(20) {
                    0 => {}
                    1 => {
                        let input = Input::Undelivered { target };
                        host.recorder.input(&host.node, self.now, &input);
                        host.node.handle(self.now, input);
                    }
                    _ => self.deliver(index, target, bytes),
                }
            }
        }
    }

    fn deliver(&mut self, from: usize, target: SocketAddr, mut bytes: Vec<u8>) {
        if self.dice.throw(100) == 0 {
            let len = self.dice.throw(bytes.len() as u64) as usize;
            bytes.truncate(len);
        }
        if let Some(to) = (0..self.hosts.len()).find(|index| addr(*index) == target) {
            self.hosts[to].inbox.push_back((addr(from), bytes));
        }
    }

    /// Some milliseconds, in which everything that is due happens.
    pub(crate) fn step(&mut self) {
        self.now = self.now.after(Duration::from_millis(5 + self.dice.throw(10)));
        for index in 0..self.hosts.len() {
            if self.hosts[index].dead {
                self.hosts[index].inbox.clear();
                continue;
            }
            self.hosts[index].blocked = false;
            self.poll(index);
            while let Some((source, bytes)) = self.hosts[index].inbox.pop_front() {
                self.handle(index, Input::Datagram { source, bytes: &bytes });
            }
            if self.hosts[index].node.deadline().is_some_and(|deadline| deadline <= self.now) {
                self.handle(index, Input::Tick);
            }
            if self.dice.throw(15) == 0 {
                self.want(index);
            }
            self.hosts[index].recorder.flush();
        }
    }

    pub(crate) fn run(&mut self, steps: usize) {
        (0..steps).for_each(|_| self.step());
    }

    /// A user wants something.
    fn want(&mut self, index: usize) {
        let text = format!("{} number {}", self.text, self.dice.throw(1000));
        let target = NodeId(self.dice.throw(self.hosts.len() as u64 + 1) + 1);
        let payload = Payload::new(text.as_bytes()).expect("short");
        let known_peer =
            KnownPeer { id: target, addr: addr(0), epoch: Epoch(1), incarnation: Incarnation(2) };
        match self.dice.throw(9) {
            0 => self.command(index, Command::SetMetadata(Metadata::new(text.as_bytes()).expect("short"))),
            1 => self.command(index, Command::Send { target, payload }),
            2 => self.command(index, Command::Remove { target }),
            3 => self.command(index, Command::Restore { known_peers: &[known_peer, known_peer] }),
            4 => self.command(index, Command::CancelJoin),
            5 => self.command(index, Command::Join { seeds: &[addr(1), addr(9)] }),
            6 => self.command(index, Command::SetAddress(addr(index))),
            7 => self.command(index, Command::SetSeeds { seeds: &[addr(0), addr(9)] }),
            _ => self.command(index, Command::Broadcast(payload)),
        }
    }
}

/// A trace of a subject with everything in it, of some 100 KB.
pub(crate) fn eventful(seed: u64, redactor: Option<&Redactor>) -> Vec<u8> {
    let mut cluster = Cluster::in_memory(4, seed, redactor);
    cluster.run(400);
    cluster.kill(3);
    cluster.run(400);
    cluster.command(0, Command::Leave);
    cluster.run(50);
    assert!(!cluster.node(0).is_running(), "it has left");
    cluster.trace(0)
}

pub(crate) fn reader(bytes: Vec<u8>) -> Reader {
    Reader::new("memory", bytes).expect("a trace")
}

/// A short trace of one of two nodes.
pub(crate) fn short(seed: u64, steps: usize) -> Vec<u8> {
    let mut cluster = Cluster::in_memory(2, seed, None);
    cluster.run(steps);
    cluster.trace(0)
}

/// The bytes of each frame, its header included: the head's and the birth's first.
pub(crate) fn frames(trace: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut end = 12;
    std::iter::from_fn(move || {
        let at = end;
        let len = trace.get(at..at + 4)?.try_into().expect("four bytes");
        end = at + 8 + u32::from_le_bytes(len) as usize;
        Some(at..end)
    })
}

/// Corrects the checksum of a frame.
pub(crate) fn seal(frame: &mut [u8]) {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&frame[..4]);
    hasher.update(&frame[8..]);
    frame[4..8].copy_from_slice(&hasher.finalize().to_le_bytes());
}

/// Corrects the checksum of the frame that holds byte `changed`.
pub(crate) fn reseal(trace: &mut [u8], changed: usize) {
    let frame = frames(trace).find(|frame| frame.contains(&changed)).expect("it is in a frame");
    seal(&mut trace[frame]);
}
