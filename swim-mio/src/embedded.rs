//! A member inside a `mio::Poll` that its user runs.

use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use swim_core::{Command, Done, Event, Identity, Instant, Node, Refusal, Stats};
use swim_driver::os::{self, Bound, Buffer, Clock, Error, Settings};
use swim_driver::{Callers, Delivery, Engine, Host, OwnedCommand, Ready, Received, Snapshot, Viewed};

use crate::thread::Waiter;

/// A member in your event loop.
///
/// ```no_run
/// use mio::{Events, Poll, Token};
/// use swim_mio::{Config, Embedded, NodeId, Settings};
///
/// const SWIM: Token = Token(7);
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (mut poll, mut ready) = (Poll::new()?, Events::with_capacity(64));
/// let mut settings = Settings::new(Config::lan(), NodeId::from_name("blue"), "10.0.0.1:7946".parse()?);
/// settings.seeds = vec!["10.0.0.2:7946".parse()?];
/// let mut member = Embedded::new(&settings, poll.registry(), SWIM)?;
/// loop {
///     poll.poll(&mut ready, member.timeout())?; // or less, if your own work is due earlier
///     for event in ready.iter().filter(|event| event.token() == SWIM) {
///         member.ready(event);
///     }
///     member.turn();
///     while let Some(event) = member.next_event() {
///         println!("{event:?}");
///     }
/// }
/// # }
/// ```
///
/// Turn it after *every* wait, whatever it was that ended it.
pub struct Embedded {
    engine: Engine,
    socket: UdpSocket,
    clock: Clock,
    registry: Registry,
    token: Token,
    local_addr: SocketAddr,
    ready: Ready,
    /// The last turn reached a bound: the next wait must not wait, since no new edge will come.
    again: bool,
    /// Whether writability is asked for.
    watches_writes: bool,
}

impl Embedded {
    /// Binds a socket as `settings` say and registers it with `registry` under `token`.
    ///
    /// # Errors
    /// [`Error`] names what could not be done, and with which address.
    pub fn new(settings: &Settings, registry: &Registry, token: Token) -> Result<Self, Error> {
        let registry = registry.try_clone().map_err(Error::Start)?;
        let Bound { socket, local_addr, clock, engine } = os::bind(settings)?;
        registry
            .register(&mut SourceFd(&socket.as_raw_fd()), token, Interest::READABLE)
            .map_err(Error::Start)?;
        let ready = Ready::default();
        // The first turn sends what `settings` asked for.
        let again = true;
        Ok(Self { engine, socket, clock, registry, token, local_addr, ready, again, watches_writes: false })
    }

    /// Takes note of an event for this member's token.
    pub fn ready(&mut self, event: &mio::event::Event) {
        self.ready.readable |= event.is_readable();
        self.ready.writable |= event.is_writable();
    }

    /// How long `Poll::poll` may wait at most; `None` as long as it likes.
    #[must_use]
    pub fn timeout(&mut self) -> Option<Duration> {
        if self.again {
            return Some(Duration::ZERO);
        }
        let deadline = self.engine.deadline()?;
        Some(deadline.since(self.clock.now()))
    }

    /// Reads, sends and ticks whatever is due.
    pub fn turn(&mut self) {
        let more = self.engine.turn(&mut Os::of(&self.socket, self.clock), self.ready);
        self.again = more;
        // The edge is used up unless the socket was left before it was empty.
        self.ready = Ready { readable: self.ready.readable && more, writable: false };
        self.watch_writes();
    }

    /// The next event, if there is one.
    pub fn next_event(&mut self) -> Option<Event> {
        self.engine.next_event()
    }

    /// The bound address.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Who this member is.
    #[must_use]
    pub fn me(&self) -> Identity {
        self.engine.node().me()
    }

    /// The member table, copied if it has changed.
    pub fn members(&mut self) -> Snapshot {
        self.engine.snapshot(self.clock.now())
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.engine.node().stats()
    }

    /// Whether the goodbye has left, or the id was lost to a rival: there is nothing more to turn.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.engine.is_finished()
    }

    /// Carries out a command. A join and a leave have only begun then: `Joined` or `JoinFailed` ends the one,
    /// [`Embedded::is_finished`] the other.
    ///
    /// # Errors
    /// [`Refusal`] says why; nothing has changed.
    pub fn command(&mut self, command: Command<'_>) -> Result<Done, Refusal> {
        let result = self.engine.command(&mut Os::of(&self.socket, self.clock), command);
        self.watch_writes();
        result
    }

    pub(crate) fn call(&mut self, callers: &mut Callers<Waiter>, command: &OwnedCommand, waiter: Waiter) {
        callers.command(&mut self.engine, &mut Os::of(&self.socket, self.clock), command, waiter);
        self.watch_writes();
    }

    pub(crate) const fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) const fn takes_commands(&self) -> bool {
        !self.engine.is_blocked()
    }

    /// Whether the next wait must not wait.
    pub(crate) const fn turns_again(&self) -> bool {
        self.again
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.engine.deadline()
    }

    pub(crate) fn has_events(&self) -> bool {
        self.engine.has_events()
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Asks for writability while a send is held, and only then.
    fn watch_writes(&mut self) {
        let wanted = self.engine.is_blocked();
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

impl Viewed for Embedded {
    fn node(&self) -> &Node {
        self.engine.node()
    }

    fn copied(&self) -> Option<&Snapshot> {
        self.engine.copied()
    }

    fn last_now(&self) -> Instant {
        self.engine.last_now()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // Closing the socket ends the registration anyway.
        let _ = self.registry.deregister(&mut SourceFd(&self.socket.as_raw_fd()));
    }
}

/// The socket and the clock, for as long as something is done with them.
struct Os<'a> {
    socket: &'a UdpSocket,
    clock: Clock,
    buffer: Buffer,
}

impl<'a> Os<'a> {
    fn of(socket: &'a UdpSocket, clock: Clock) -> Self {
        Self { socket, clock, buffer: Buffer::default() }
    }
}

impl Host for Os<'_> {
    fn now(&mut self) -> Instant {
        self.clock.now()
    }

    fn receive(&mut self) -> Received<'_> {
        match os::receive(self.socket, self.buffer.bytes()) {
            Ok(read) => self.buffer.lend(read),
            Err(_) => Received::Empty,
        }
    }

    fn send(&mut self, target: SocketAddr, bytes: &[u8]) -> Delivery {
        os::send(self.socket, target, bytes)
    }
}
