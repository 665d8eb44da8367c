//! The socket under mio, and the clock: registered for reading, and for writing only while a send is held.

use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use swim_core::Instant;
use swim_driver::os::{self, Buffer, Clock};
use swim_driver::{Delivery, Engine, Host, Ready, Received};

pub(crate) struct Socket {
    socket: UdpSocket,
    clock: Clock,
    buffer: Buffer,
    registry: Registry,
    token: Token,
    ready: Ready,
    /// The last turn reached a bound: the next wait must not wait, since no new edge will come.
    again: bool,
    /// Whether writability is asked for.
    watches_writes: bool,
}

impl Socket {
    pub(crate) fn new(
        socket: UdpSocket,
        clock: Clock,
        registry: &Registry,
        token: Token,
    ) -> std::io::Result<Self> {
        let registry = registry.try_clone()?;
        registry.register(&mut SourceFd(&socket.as_raw_fd()), token, Interest::READABLE)?;
        let (buffer, ready) = (Buffer::default(), Ready::default());
        // The first turn sends what the settings asked for.
        let again = true;
        Ok(Self { socket, clock, buffer, registry, token, ready, again, watches_writes: false })
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Takes note of an event for this socket.
    pub(crate) fn ready(&mut self, event: &mio::event::Event) {
        self.ready.readable |= event.is_readable();
        self.ready.writable |= event.is_writable();
    }

    /// Whether the next wait must not wait.
    pub(crate) const fn turns_again(&self) -> bool {
        self.again
    }

    /// Reads, sends and ticks whatever is due.
    pub(crate) fn turn(&mut self, engine: &mut Engine) {
        let ready = self.ready;
        self.again = engine.turn(self, ready);
        // The edge is used up unless the socket was left before it was empty.
        self.ready = Ready { readable: ready.readable && self.again, writable: false };
        self.give_back(engine);
    }

    /// Something was done with the engine: the thread's buffer is for others now, and writability is asked for while a
    /// send is held, and only then.
    pub(crate) fn give_back(&mut self, engine: &Engine) {
        self.buffer = Buffer::default();
        let wanted = engine.is_blocked();
        if wanted == self.watches_writes {
            return;
        }
        let interest = if wanted { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        let fd = self.socket.as_raw_fd();
        // Registering again reports what is ready now, so no edge is lost in between. If it fails, the
        // held datagram is tried again with every deadline.
        if self.registry.reregister(&mut SourceFd(&fd), self.token, interest).is_ok() {
            self.watches_writes = wanted;
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Closing the socket ends the registration anyway.
        let _ = self.registry.deregister(&mut SourceFd(&self.socket.as_raw_fd()));
    }
}

impl Host for Socket {
    fn now(&mut self) -> Instant {
        self.clock.now()
    }

    fn receive(&mut self) -> Received<'_> {
        match os::receive(&self.socket, self.buffer.bytes()) {
            Ok(read) => self.buffer.lend(read),
            Err(_) => Received::Empty,
        }
    }

    fn send(&mut self, target: SocketAddr, bytes: &[u8]) -> Delivery {
        os::send(&self.socket, target, bytes)
    }
}
