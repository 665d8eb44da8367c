//! Reading what others send, and sending as another member: raw sockets, which need root.

use std::io::Read as _;
use std::net::{SocketAddr, SocketAddrV4};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

/// A datagram on the loopback device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    pub(crate) source: SocketAddr,
    pub(crate) target: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

/// Collects datagrams until it is dropped.
pub(crate) struct Capture {
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
}

impl Capture {
    /// Begins to collect all that is `wanted`, `max` datagrams at most.
    pub(crate) fn start(max: usize, wanted: impl Fn(&Seen) -> bool + Send + 'static) -> Result<Self, String> {
        let open = || -> std::io::Result<Socket> {
            let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::UDP))?;
            socket.set_read_timeout(Some(Duration::from_millis(50)))?;
            socket.set_recv_buffer_size(8 << 20)?;
            Ok(socket)
        };
        let mut socket = open().map_err(|error| format!("a raw socket: {error}"))?;
        let capture = Self { seen: Arc::default(), stop: Arc::default() };
        let (seen, stop) = (Arc::clone(&capture.seen), Arc::clone(&capture.stop));
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while !stop.load(Ordering::Relaxed) {
                let Ok(len) = socket.read(&mut buffer) else { continue };
                if let Some(one) = parse(&buffer[..len]).filter(|one| wanted(one)) {
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    if seen.len() < max {
                        seen.push(one);
                    }
                }
            }
        });
        Ok(capture)
    }

    /// What was collected so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Sends datagrams under any source address.
pub(crate) struct Spoofer {
    socket: Socket,
}

impl Spoofer {
    pub(crate) fn new() -> Result<Self, String> {
        // IPPROTO_RAW: what is sent begins with the IP header.
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(255)));
        Ok(Self { socket: socket.map_err(|error| format!("a raw socket: {error}"))? })
    }

    pub(crate) fn send(&self, source: SocketAddr, target: SocketAddr, bytes: &[u8]) {
        let (SocketAddr::V4(from), SocketAddr::V4(to)) = (source, target) else { panic!("v4 only") };
        let packet = ip_packet(from, to, bytes);
        self.socket.send_to(&packet, &SockAddr::from(target)).expect("the loopback device takes it");
    }
}

fn ip_packet(from: SocketAddrV4, to: SocketAddrV4, bytes: &[u8]) -> Vec<u8> {
    let (udp_len, total) = (8 + bytes.len() as u16, 28 + bytes.len() as u16);
    // Version and length, TTL 64, protocol 17; the kernel fills in the checksum and the identification.
    let mut packet = vec![0x45, 0];
    packet.extend(total.to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    packet.extend(from.ip().octets());
    packet.extend(to.ip().octets());
    packet.extend(from.port().to_be_bytes());
    packet.extend(to.port().to_be_bytes());
    packet.extend(udp_len.to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(bytes);
    packet
}

fn parse(packet: &[u8]) -> Option<Seen> {
    let ip_len = usize::from(packet.first()? & 15) * 4;
    let udp = packet.get(ip_len..)?;
    let port = |at: usize| Some(u16::from_be_bytes([*udp.get(at)?, *udp.get(at + 1)?]));
    let host = |at: usize| -> Option<[u8; 4]> { packet.get(at..at + 4)?.try_into().ok() };
    Some(Seen {
        source: SocketAddr::from((host(12)?, port(0)?)),
        target: SocketAddr::from((host(16)?, port(2)?)),
        bytes: udp.get(8..)?.to_vec(),
    })
}
