//! Whom a contestant talks to: a real member that never tires of asking.
//!
//! A node of the core behind one blocking socket. It lets the measured member in, answers its probes, and
//! asks it far more often than the protocol would, with pings that only differ from the protocol's own in who
//! chose their number. To a loop without a protocol it sends the same pings.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use swim_core::{
    Config, Epoch, Identity, Input, Instant as NodeInstant, MessageKind, Node, NodeId, Output, Seed, Status,
};
use swim_craft::{Datagram, HEADER_LEN, Mention};
use swim_trace::inspect;

/// Where a ping's number begins, and an answer's (`docs/wire.md`).
const PING_NUMBER: usize = HEADER_LEN + 8;
const ACK_NUMBER: usize = HEADER_LEN;
/// Bytes of an ack that has nothing to add.
pub(crate) const ACK_LEN: usize = HEADER_LEN + 8 + 1;
/// What numbers of ours begin with: the protocol's own are random, all 64 bits of them.
const MARK: u64 = 0x6265_6e63 << 32;
/// How long the handshake may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// One end of a conversation.
pub(crate) struct Peer {
    socket: UdpSocket,
    node: Node,
    start: Instant,
    /// A ping, but for its number.
    ping: Vec<u8>,
    /// Where its number belongs.
    number_at: usize,
    buffer: Vec<u8>,
}

impl Peer {
    /// A peer that no member knows yet.
    pub(crate) fn new() -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        let me = Identity {
            id: NodeId::from_name("asking"),
            addr: socket.local_addr()?,
            epoch: Epoch(1_700_000_000_000),
        };
        let node = Node::new(Arc::new(Config::lan()), me, Seed([7; 32]), NodeInstant::ORIGIN);
        Ok(Self {
            socket,
            node,
            start: Instant::now(),
            ping: Vec::new(),
            number_at: ACK_NUMBER,
            buffer: vec![0; 9001],
        })
    }

    /// Where it is asked.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.node.me().addr
    }

    /// Talks to `addr` only. Pings go out as to an unknown member, which repeats their first bytes.
    pub(crate) fn connect(&mut self, addr: SocketAddr) -> io::Result<()> {
        self.socket.connect(addr)?;
        self.ping = self.craft(Mention { id: 1, epoch: 1, incarnation: 0 }, 0);
        self.number_at = ACK_NUMBER;
        Ok(())
    }

    /// Lets the member at the other end in, and learns to ask it so that its answer adds nothing.
    pub(crate) fn get_acquainted(&mut self) -> io::Result<()> {
        self.number_at = PING_NUMBER;
        let (mut root, mut answered) = (0, 0);
        while self.start.elapsed() < TIMEOUT {
            self.tick()?;
            let mine = self.node.me().id;
            let other =
                self.node.members().find(|member| member.id != mine && member.status == Status::Alive);
            if let Some(other) = other {
                let (id, epoch, incarnation) = (other.id.0, other.epoch.0, other.incarnation.0);
                self.ping = self.craft(Mention { id, epoch, incarnation }, root);
                self.ask(0)?;
            }
            let Some(len) = self.wait()? else { continue };
            match inspect(&self.buffer[..len]) {
                Ok(ack) if ack.kind == MessageKind::Ack && ack.number == Some(MARK) => {
                    root = ack.root.unwrap_or(root);
                    let plain = ack.root.is_none() && !ack.stranger && len == ACK_LEN;
                    answered = if plain { answered + 1 } else { 0 };
                }
                _ => self.hear(len)?,
            }
            if answered == ANSWERED {
                return Ok(());
            }
        }
        Err(io::Error::new(ErrorKind::TimedOut, "the measured member did not join"))
    }

    /// Sends a ping with this number.
    pub(crate) fn ask(&mut self, number: u32) -> io::Result<()> {
        let number = MARK | u64::from(number);
        self.ping[self.number_at..self.number_at + 8].copy_from_slice(&number.to_le_bytes());
        self.socket.send(&self.ping).map(drop)
    }

    /// Waits for a datagram, 50 ms at most. The number of an answer to [`Peer::ask`]; everything else is the
    /// protocol's and is dealt with.
    pub(crate) fn answer(&mut self) -> io::Result<Option<u32>> {
        let Some(len) = self.wait()? else { return Ok(None) };
        let number = self.buffer.get(ACK_NUMBER..ACK_NUMBER + 8).and_then(|bytes| bytes.try_into().ok());
        let number = number.map_or(0, u64::from_le_bytes);
        if len == ACK_LEN && number >> 32 == MARK >> 32 {
            return Ok(Some(number as u32));
        }
        self.hear(len)?;
        Ok(None)
    }

    /// Does what the protocol has to do by now.
    pub(crate) fn tick(&mut self) -> io::Result<()> {
        let now = self.now();
        if self.node.deadline().is_some_and(|deadline| deadline <= now) {
            self.node.handle(now, Input::Tick);
            self.flush()?;
        }
        Ok(())
    }

    /// Does for `time` what a member at rest does; a loop without a protocol is asked once a period.
    pub(crate) fn rest(&mut self, time: Duration) -> io::Result<()> {
        let (start, mut asked) = (Instant::now(), 0);
        while start.elapsed() < time {
            self.tick()?;
            let stranger = self.number_at == ACK_NUMBER;
            if stranger && start.elapsed() >= self.node.config().options().period * asked {
                self.ask(asked)?;
                asked += 1;
            }
            self.answer()?;
        }
        Ok(())
    }

    fn wait(&mut self) -> io::Result<Option<usize>> {
        match self.socket.recv(&mut self.buffer) {
            Ok(len) => Ok(Some(len)),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock
                | ErrorKind::TimedOut
                | ErrorKind::Interrupted
                | ErrorKind::ConnectionRefused => Ok(None),
                _ => Err(error),
            },
        }
    }

    fn hear(&mut self, len: usize) -> io::Result<()> {
        let source = self.socket.peer_addr()?;
        let now = self.now();
        self.node.handle(now, Input::Datagram { source, bytes: &self.buffer[..len] });
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        while let Some(output) = self.node.poll() {
            if let Output::Transmit(transmit) = output {
                self.socket.send(transmit.bytes)?;
            }
        }
        Ok(())
    }

    fn now(&self) -> NodeInstant {
        NodeInstant::from_nanos(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// A ping of this node's for `target`.
    fn craft(&self, target: Mention, root: u64) -> Vec<u8> {
        let Identity { id, epoch, .. } = self.node.me();
        let me = Mention { id: id.0, epoch: epoch.0, incarnation: self.node.incarnation().0 };
        let label = self.node.config().label_hash();
        Datagram::new(label, me, swim_craft::PING).head(&swim_craft::ping(target, None, 0, root)).0
    }
}

/// Plain answers in a row that show that there is no more gossip to send.
const ANSWERED: u32 = 16;
