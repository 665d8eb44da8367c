//! A member inside a `mio::Poll` that its user runs.

use std::net::SocketAddr;
use std::time::Duration;

use mio::{Registry, Token};
use swim_core::{Command, Done, Event, Identity, Refusal, Stats};
use swim_driver::os::{self, Bound, Error, Settings};
use swim_driver::{Engine, RoundTrips, Snapshot};

use crate::socket::Socket;

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
    socket: Socket,
    local_addr: SocketAddr,
}

impl Embedded {
    /// Binds a socket as `settings` say and registers it with `registry` under `token`.
    ///
    /// # Errors
    /// [`Error`] names what could not be done, and with which address.
    pub fn new(settings: &Settings, registry: &Registry, token: Token) -> Result<Self, Error> {
        let Bound { socket, local_addr, clock, engine } = os::bind(settings)?;
        let socket = Socket::new(socket, clock, registry, token).map_err(Error::Start)?;
        Ok(Self { engine, socket, local_addr })
    }

    /// Takes note of an event for this member's token.
    pub fn ready(&mut self, event: &mio::event::Event) {
        self.socket.ready(event);
    }

    /// How long `Poll::poll` may wait at most; `None` as long as it likes.
    #[must_use]
    pub fn timeout(&mut self) -> Option<Duration> {
        if self.socket.turns_again() {
            return Some(Duration::ZERO);
        }
        let deadline = self.engine.deadline()?;
        Some(deadline.since(self.socket.now()))
    }

    /// Reads, sends and ticks whatever is due.
    pub fn turn(&mut self) {
        self.socket.turn(&mut self.engine);
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
        self.engine.snapshot(self.socket.now())
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.engine.node().stats()
    }

    /// Round-trip times of direct pings.
    #[must_use]
    pub const fn round_trips(&self) -> &RoundTrips {
        self.engine.round_trips()
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
        let result = self.engine.command(&mut self.socket, command);
        self.socket.give_back(&self.engine);
        result
    }
}
