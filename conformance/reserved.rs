//! Addresses that a test gives to a member later. A test crate of a driver on real sockets includes this file with
//! `#[path]`.

use std::net::{SocketAddr, UdpSocket};

/// Addresses that no member has at present. A socket that is never read holds each of them, or the system could give it
/// to another test meanwhile.
#[derive(Default)]
pub(crate) struct Reserved(Vec<UdpSocket>);

impl Reserved {
    /// An address that is free now.
    pub(crate) fn any(&mut self) -> SocketAddr {
        self.hold(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Holds `addr`, which a member that has ended must have given back.
    pub(crate) fn hold(&mut self, addr: SocketAddr) -> SocketAddr {
        let socket = UdpSocket::bind(addr).expect("a free address");
        let addr = socket.local_addr().expect("bound");
        self.0.push(socket);
        addr
    }

    /// Gives `addr` back, if it is held, to the member that starts next.
    pub(crate) fn release(&mut self, addr: SocketAddr) {
        self.0.retain(|socket| socket.local_addr().expect("bound") != addr);
    }
}
