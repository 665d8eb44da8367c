//! The little that a driver needs of the operating system: a bound socket, a clock, randomness.
//!
//! Nothing here waits. Drivers differ only in when they call it.
//!
//! Datagrams are read and sent through rustix, which makes the system call and nothing else; a C library may make
//! each one a point at which the thread can be cancelled, with atomic operations before and after it.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod alarm;
mod aside;
mod buffer;
mod error;
mod seeds;
mod settings;
mod state;
mod state_file;

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recvfrom, sendto};
use rustix::time::{ClockId, clock_gettime};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use swim_core::{Command, Identity, Instant, Metadata, Node, Refusal, Seed, is_reachable_form};
use swim_trace::{Recorder, Recording, Redactor, Ring, Subject};

use crate::{Delivery, Engine};
use seeds::Seeds;
use state_file::StateFile;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub use alarm::Alarm;
pub use aside::{Aside, Wake};
pub use buffer::Buffer;
pub use error::Error;
pub use seeds::{NotASeed, SeedAddr};
pub use settings::Settings;
pub use state::{BadState, STATE_PEERS_MAX, State};

/// Bytes asked for as the socket's receive buffer; Linux doubles them for its own bookkeeping, and accounts
/// at least 768 for the smallest datagram: 2 × 384 KiB hold at most
/// [`DRAIN_MAX`](crate::DRAIN_MAX). The limit `net.core.rmem_max` may make it smaller.
const RECEIVE_BUFFER: usize = 384 * 1024;

/// A bound socket and the engine of its member.
pub struct Bound {
    /// Bound, not blocking, its receive buffer so large that it holds at most [`DRAIN_MAX`](crate::DRAIN_MAX).
    pub socket: UdpSocket,
    /// What it is bound to; never port 0.
    pub local_addr: SocketAddr,
    /// Began with the node.
    pub clock: Clock,
    /// A node that does what its settings say with the first turn.
    pub engine: Engine,
    /// What it does outside its loop; to be started.
    pub aside: Aside,
}

/// Binds a socket, and makes a node that sets its metadata, reads its known_peers and looks for its seeds.
///
/// # Errors
/// [`Error`] names what could not be done, and with which address.
pub fn bind(settings: &Settings) -> Result<Bound, Error> {
    let metadata = Metadata::new(&settings.metadata)?;
    let wildcard = settings.bind.ip().is_unspecified();
    if wildcard && settings.advertise.is_none() {
        return Err(Error::WildcardNeedsAdvertise { bind: settings.bind });
    }
    let failed = |source| Error::Bind { addr: settings.bind, source };
    let socket = open(settings.bind).map_err(failed)?;
    let local_addr = socket.local_addr().map_err(failed)?;
    let mut addr = settings.advertise.unwrap_or(local_addr);
    if addr.port() == 0 {
        addr.set_port(local_addr.port());
    }
    if !is_reachable_form(addr) {
        return Err(Error::Advertise { addr });
    }
    let unix_ms = unix_ms();
    let mut settings = settings.clone();
    let mut found = (None, None);
    if let Some(path) = &settings.state_file {
        found = state_file::read(path, settings.id);
    }
    let (former, trouble) = found;
    if let Some(former) = &former {
        settings.resume(former);
    }
    let settings = &settings;
    let me = Identity { id: settings.id, addr, epoch: settings.epoch(unix_ms) };
    let seed = seed(settings)?;
    let recorder = settings.recording.as_ref().map(|recording| record(recording, me, unix_ms)).transpose()?;
    let clock = Clock::start();
    let now = clock.now();
    let node = Node::new(settings.config.clone(), me, seed, now);
    let mut engine = Engine::new(node, now, settings.events_max);
    if let Some(recorder) = recorder {
        engine = engine.recorded(recorder, seed);
    }
    let state = match &settings.state_file {
        Some(path) => {
            let known_peers = former.map(|former| former.known_peers).unwrap_or_default();
            let first = State { id: me.id, epoch: me.epoch, known_peers };
            Some(StateFile::begin(path, first, u64::from_le_bytes(random()?), trouble))
        }
        None => None,
    };
    let seeds = Seeds::new(&settings.seeds);
    let addrs = seeds.addrs();
    let first = [
        (!settings.metadata.is_empty()).then_some(Command::SetMetadata(metadata)),
        (!settings.known_peers.is_empty()).then_some(Command::Restore { known_peers: &settings.known_peers }),
        (!addrs.is_empty()).then_some(Command::Join { seeds: &addrs }),
    ];
    for command in first.into_iter().flatten() {
        match engine.prepare(command) {
            // The first member of a cluster is often given its own address as the only seed: it waits to be found.
            Ok(_) | Err(Refusal::NoUsableAddress) => {}
            Err(refusal) => return Err(Error::Refused(refusal)),
        }
    }
    Ok(Bound { socket, local_addr, clock, engine, aside: Aside::new(seeds, state) })
}

fn record(recording: &Recording, me: Identity, unix_ms: u64) -> Result<Recorder<Ring>, Error> {
    let number = u64::from_le_bytes(random()?);
    let redactor = if recording.redact { Some(Redactor::new(random()?)) } else { None };
    let subject = Subject { me, unix_ms, recording: number, redactor };
    let failed = |source| Error::Record { path: recording.path.clone(), source };
    Recorder::create(recording, subject).map_err(failed)
}

fn open(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(addr))?;
    Ok(socket.into())
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn seed(settings: &Settings) -> Result<Seed, Error> {
    settings.random_seed.map_or_else(random, Ok).map(Seed)
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(bytes)
}

/// Time since the driver's start, on a clock that counts while the machine sleeps: a laptop that wakes up
/// must know that it slept.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: u64,
}

impl Clock {
    /// A clock that reads zero now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: boot_time() }
    }

    /// The time since [`Clock::start`].
    #[must_use]
    pub fn now(self) -> Instant {
        Instant::from_nanos(boot_time().saturating_sub(self.start))
    }
}

fn boot_time() -> u64 {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    // Counts while the machine sleeps on the Apple systems; elsewhere nothing better is at hand.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: ClockId = ClockId::Monotonic;
    let time = clock_gettime(CLOCK);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// One `recvfrom`: the length of a datagram (that of the buffer if it was cut) and its sender. `None`: an error
/// about an earlier send, which stands for no datagram.
///
/// # Errors
/// Only `WouldBlock`: the socket is empty, or reading from it fails, which is to wait for as well, or a driver
/// would turn without end. Tokio learns from it to wait for the next datagram; a driver that does not need that
/// takes it for [`Received::Empty`](crate::Received::Empty).
pub fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Option<(usize, SocketAddr)>> {
    match recvfrom(socket, buffer, RecvFlags::empty()) {
        // A sender without an address could not be answered.
        Ok((len, _, source)) => {
            Ok(source.and_then(|source| SocketAddr::try_from(source).ok()).map(|source| (len, source)))
        }
        // An earlier datagram did not arrive (ICMP), or a signal came: neither is about this read.
        Err(Errno::CONNREFUSED | Errno::CONNRESET | Errno::INTR) => Ok(None),
        Err(_) => Err(ErrorKind::WouldBlock.into()),
    }
}

/// One `sendto`, and a second if the first only reported the fate of an earlier datagram.
pub fn send(socket: &UdpSocket, target: SocketAddr, bytes: &[u8]) -> Delivery {
    for _ in 0..2 {
        match sendto(socket, bytes, SendFlags::empty(), &target) {
            Ok(_) => return Delivery::Sent,
            Err(Errno::WOULDBLOCK) => return Delivery::Blocked,
            Err(Errno::CONNREFUSED | Errno::INTR) => {}
            Err(_) => return Delivery::Refused,
        }
    }
    Delivery::Refused
}

#[cfg(test)]
mod tests {
    use swim_core::{Config, NodeId};

    use super::*;
    use crate::DRAIN_MAX;

    fn settings(bind: &str) -> Settings {
        Settings::new(Config::local(), NodeId(1), bind.parse().expect("a valid address"))
    }

    #[test]
    fn a_wildcard_needs_an_address_to_advertise() {
        let error = bind(&settings("0.0.0.0:0")).err().expect("refused");
        assert!(error.to_string().contains("0.0.0.0:0 is every address of this host; set `advertise`"));
    }

    #[test]
    fn an_advertised_port_zero_is_the_bound_port() {
        let mut settings = settings("0.0.0.0:0");
        settings.advertise = Some("192.0.2.1:0".parse().expect("a valid address"));
        let bound = bind(&settings).expect("bound");
        let me = bound.engine.node().me();
        assert_eq!(me.addr.port(), bound.local_addr.port());
        assert_ne!(me.addr.port(), 0);
    }

    #[test]
    fn a_group_cannot_be_advertised() {
        let mut settings = settings("127.0.0.1:0");
        settings.advertise = Some("224.0.0.1:9".parse().expect("a valid address"));
        let error = bind(&settings).err().expect("refused");
        assert!(error.to_string().starts_with("cannot advertise 224.0.0.1:9"), "{error}");
    }

    #[test]
    fn an_address_in_use_is_named() {
        let first = bind(&settings("127.0.0.1:0")).expect("bound");
        let addr = first.local_addr.to_string();
        let error = bind(&settings(&addr)).err().expect("in use");
        assert!(error.to_string().contains(&addr), "{error}");
    }

    #[test]
    fn a_socket_that_cannot_be_read_is_waited_for_like_an_empty_one() {
        // No datagram socket at all: every read of it fails.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let unreadable = UdpSocket::from(std::os::fd::OwnedFd::from(listener));
        let error = receive(&unreadable, &mut [0; 8]).expect_err("nothing to read");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn the_clock_does_not_go_backwards() {
        let clock = Clock::start();
        let first = clock.now();
        assert!(clock.now() >= first);
    }

    #[test]
    fn the_receive_buffer_holds_at_most_what_is_drained_before_a_tick() {
        let (a, b) = (bind(&settings("127.0.0.1:0")), bind(&settings("127.0.0.1:0")));
        let (a, b) = (a.expect("bound"), b.expect("bound"));
        for _ in 0..4 * DRAIN_MAX {
            assert_eq!(send(&a.socket, b.local_addr, &[0]), Delivery::Sent);
        }
        let mut buffer = [0; 8];
        let mut held = 0;
        while let Ok(Some(_)) = receive(&b.socket, &mut buffer) {
            held += 1;
        }
        assert!(held > 0 && held <= DRAIN_MAX, "{held} datagrams were held");
    }
}
