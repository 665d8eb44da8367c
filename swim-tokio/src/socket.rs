//! The socket under tokio: registered for reading, and for writing only while a send is held.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};

use swim_core::Instant;
use swim_driver::os::{self, Buffer, Clock};
use swim_driver::{Delivery, Host, Received};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

pub(crate) struct Socket {
    reads: AsyncFd<UdpSocket>,
    /// The same socket again, while a send is held.
    writes: Option<AsyncFd<UdpSocket>>,
    clock: Clock,
    buffer: Buffer,
}

impl Socket {
    pub(crate) fn new(socket: UdpSocket, clock: Clock) -> io::Result<Self> {
        let reads = register(socket, Interest::READABLE)?;
        Ok(Self { reads, writes: None, clock, buffer: Buffer::default() })
    }

    /// A turn is over: other tasks on this thread use the buffer now.
    pub(crate) fn give_back(&mut self) {
        self.buffer = Buffer::default();
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Asks for writability while a send is held, and only then. If that fails, the held datagram is tried
    /// again with every deadline.
    pub(crate) fn watch_writes(&mut self, wanted: bool) {
        if !wanted {
            self.writes = None;
        } else if self.writes.is_none() {
            let again = self.reads.get_ref().try_clone();
            self.writes = again.and_then(|again| register(again, Interest::WRITABLE)).ok();
        }
    }

    /// Waits until there may be something to read. Does not forget it: a read that finds nothing does.
    pub(crate) async fn readable(&self) {
        if self.reads.readable().await.is_err() {
            runtime_is_gone().await;
        }
    }

    /// Waits until a held send may succeed; for ever while writability is not asked for.
    pub(crate) async fn writable(&self) {
        match &self.writes {
            None => std::future::pending().await,
            Some(writes) => match writes.writable().await {
                Ok(mut guard) => guard.clear_ready(),
                Err(_) => runtime_is_gone().await,
            },
        }
    }
}

/// Waiting fails only while the runtime shuts down. Then the task must not spin, but wait to be dropped.
pub(crate) async fn runtime_is_gone() {
    std::future::pending().await
}

impl Host for Socket {
    fn now(&mut self) -> Instant {
        self.clock.now()
    }

    fn receive(&mut self) -> Received<'_> {
        let mut asked = false;
        let through_tokio = self.reads.try_io(Interest::READABLE, |socket| {
            asked = true;
            os::receive(socket, self.buffer.bytes())
        });
        let read = match through_tokio {
            // Tokio does not know whether there is anything. The engine asks only when the socket is
            // readable or a tick is due, and then the kernel has the last word.
            Err(error) if !asked && error.kind() == ErrorKind::WouldBlock => {
                os::receive(self.reads.get_ref(), self.buffer.bytes())
            }
            read => read,
        };
        match read {
            Ok(read) => self.buffer.lend(read),
            Err(_) => Received::Empty,
        }
    }

    fn send(&mut self, target: SocketAddr, bytes: &[u8]) -> Delivery {
        os::send(self.reads.get_ref(), target, bytes)
    }
}

#[expect(
    deprecated,
    reason = "tokio's replacement is an unsafe function, for types that may close or change their descriptor; \
              these keep their own until they are dropped"
)]
pub(crate) fn register<T: AsFd + AsRawFd>(file: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(file, interest)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::runtime::Builder;
    use tokio::time::timeout;

    use super::*;

    fn bound() -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        socket.set_nonblocking(true).expect("switched");
        socket
    }

    #[test]
    fn a_read_finds_what_the_runtime_has_not_noticed_yet() {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let raw = bound();
            let target = raw.local_addr().expect("bound");
            let mut socket = Socket::new(raw, Clock::start()).expect("registered");
            // Nothing is awaited from here on, so the runtime has no chance to look at the socket.
            assert_eq!(os::send(&bound(), target, &[1, 2, 3]), Delivery::Sent);
            let received = socket.receive();
            assert!(matches!(received, Received::Datagram { bytes: [1, 2, 3], .. }), "{received:?}");
            assert_eq!(socket.receive(), Received::Empty);
        });
    }

    #[test]
    fn a_socket_that_cannot_be_read_is_waited_for() {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            // No datagram socket at all: a client connects, so it is readable, and every read of it fails.
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
            listener.set_nonblocking(true).expect("switched");
            let _knock =
                std::net::TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
            let unreadable = UdpSocket::from(std::os::fd::OwnedFd::from(listener));
            let mut socket = Socket::new(unreadable, Clock::start()).expect("registered");
            timeout(Duration::from_secs(30), socket.readable()).await.expect("a client connects");
            assert_eq!(socket.receive(), Received::Empty);
            let again = timeout(Duration::from_millis(20), socket.readable()).await;
            assert!(again.is_err(), "or the task would spin");
        });
    }

    #[test]
    fn writability_is_reported_only_while_it_is_asked_for() {
        const HOPELESS: Duration = Duration::from_secs(30);
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut socket = Socket::new(bound(), Clock::start()).expect("registered");
            socket.watch_writes(true);
            timeout(HOPELESS, socket.writable()).await.expect("an idle socket is writable");
            socket.watch_writes(false);
            let reported = timeout(Duration::from_millis(20), socket.writable()).await;
            assert!(reported.is_err(), "it was not asked for");
        });
    }
}
