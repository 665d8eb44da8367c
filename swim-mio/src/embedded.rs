//! A member inside a `mio::Poll` that its user runs.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use swim_core::{Command, Done, Event, Identity, Refusal, Stats};
use swim_driver::os::{self, Aside, Bound, Error, SeedAddr, Settings, Wake};
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
///     let timeout = member.turn();
///     while let Some(event) = member.next_event() {
///         println!("{event:?}");
///     }
///     poll.poll(&mut ready, timeout)?; // or less, if your own work is due earlier
///     for event in ready.iter().filter(|event| event.token() == SWIM) {
///         member.ready(event);
///     }
/// }
/// # }
/// ```
///
/// Turn it before *every* wait, whatever it was that ended the one before: the turn does what is due, and how long the
/// wait may last is its result. There is no other way to learn it, so a loop cannot wait for a member that it has not
/// turned.
pub struct Embedded {
    engine: Engine,
    socket: Socket,
    aside: Aside,
    /// Readable when a thread of `aside` has news: it shares the token.
    _news: UnixStream,
    local_addr: SocketAddr,
}

impl Embedded {
    /// Binds a socket as `settings` say and registers it with `registry` under `token`.
    ///
    /// # Errors
    /// [`Error`] names what could not be done, and with which address.
    pub fn new(settings: &Settings, registry: &Registry, token: Token) -> Result<Self, Error> {
        let Bound { socket, local_addr, clock, mut engine, mut aside } = os::bind(settings)?;
        let socket = Socket::new(socket, clock, registry, token).map_err(Error::Start)?;
        let (news, wake) = waker(registry, token).map_err(Error::Start)?;
        aside.start(&mut engine, wake);
        Ok(Self { engine, socket, aside, _news: news, local_addr })
    }

    /// Takes note of an event for this member's token.
    pub fn ready(&mut self, event: &mio::event::Event) {
        self.socket.ready(event);
    }

    /// Reads, sends and ticks whatever is due. Returns how long `Poll::poll` may wait at most; `None`: as long as it likes.
    #[must_use = "a wait that is longer than this misses a deadline"]
    pub fn turn(&mut self) -> Option<Duration> {
        self.socket.turn(&mut self.engine);
        if self.aside.turn(&mut self.engine) || self.socket.turns_again() {
            return Some(Duration::ZERO);
        }
        let deadline = self.engine.deadline()?;
        Some(deadline.since(self.socket.now()))
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

    /// Replaces all seeds, those of a join too, as [`Handle::set_seeds`](crate::Handle::set_seeds) does.
    ///
    /// # Errors
    /// Refused if they are more than [`swim_core::SEEDS_MAX`], or the member has left.
    pub fn set_seeds(&mut self, seeds: &[SeedAddr]) -> Result<(), Refusal> {
        self.aside.set_seeds(&mut self.engine, seeds.to_vec()).map(drop)
    }

    /// Carries out a command. A join and a leave have only begun then: `Joined` or `JoinFailed` ends the one,
    /// [`Embedded::is_finished`] the other. A broadcast that is refused because the queue is full may be tried again after
    /// the next turn.
    ///
    /// # Errors
    /// [`Refusal`] says why; nothing has changed.
    pub fn command(&mut self, command: Command<'_>) -> Result<Done, Refusal> {
        let result = self.engine.command(&mut self.socket, command);
        self.socket.give_back(&self.engine);
        result
    }
}

/// What has changed is written to the state file.
impl Drop for Embedded {
    fn drop(&mut self) {
        self.aside.finish(&mut self.engine);
    }
}

/// Wakes a wait from another thread. A `Poll` has room for one `mio::Waker`, which may be its user's; and a byte that is
/// never read makes an edge all the same.
fn waker(registry: &Registry, token: Token) -> io::Result<(UnixStream, Wake)> {
    let (news, wakes) = UnixStream::pair()?;
    wakes.set_nonblocking(true)?;
    registry.register(&mut SourceFd(&news.as_raw_fd()), token, Interest::READABLE)?;
    // A buffer that is full has been an edge already.
    Ok((news, Arc::new(move || drop((&wakes).write(&[0])))))
}
