//! Drives a `swim-core` member on raw epoll, through `mio`: one thread, one socket, and not one wake-up
//! while there is nothing to do.
//!
//! Two ways in. [`spawn`] gives the member a thread of its own and you a [`Handle`]; every method of the
//! handle may be called from any thread. [`Embedded`] is inside a `mio::Poll` that you run anyway; there
//! is no thread, and commands are plain method calls.
//!
//! ```no_run
//! use std::time::Duration;
//! use swim_mio::{Config, NodeId, Settings};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut settings = Settings::new(Config::lan(), NodeId::from_name("blue"), "10.0.0.1:7946".parse()?);
//! settings.metadata = b"role=db".to_vec();
//! let member = swim_mio::spawn(&settings)?;
//! member.join(&["10.0.0.2:7946".parse()?, "10.0.0.3:7946".parse()?])?;
//! while member.is_running() {
//!     if let Some(event) = member.next_event(Duration::from_secs(1)) {
//!         println!("{event:?}");
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Edge-triggered, done right
//!
//! The socket is registered once, for reading. An edge is remembered until a read found the socket empty;
//! writability is asked for only while a send is held, since on Linux every datagram that leaves the
//! buffer would otherwise be a wake-up. A wait ends at or after the deadline, never before it: by its timeout
//! (`mio` rounds up to a millisecond), or, while a spawned member is busy, by a `timerfd` that is set once
//! instead of a timeout for each wait. What a turn does is written once for all drivers, with the reasons:
//! [`swim_driver`].
//!
//! Sends and receives are one system call each: batches (`recvmmsg`, `sendmmsg`) save a busy loop an eighth, and
//! cost one that sleeps between datagrams, as a member does, a twelfth.
#![forbid(unsafe_code)]

mod embedded;
mod handle;
mod shared;
mod socket;
mod thread;
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "timer_timeout.rs")]
mod timer;

pub use embedded::Embedded;
pub use handle::{Handle, Subscription, spawn};
pub use swim_core::{
    Command, Config, Done, Epoch, Event, Identity, JoinFailure, Joined, KnownPeer, NodeId, Options, Refusal,
    Stats, Status,
};
pub use swim_driver::os::{BadState, Error, NotASeed, STATE_PEERS_MAX, SeedAddr, Settings, State};
pub use swim_driver::{
    CommandError, Outcome, OwnedCommand, OwnedMember, RecordError, Recording, RoundTrips, Snapshot, Start,
    Update,
};
