//! Drives a `swim-core` member as one tokio task, on either flavour of the runtime.
//!
//! ```no_run
//! use swim_tokio::{Config, NodeId, Settings};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut settings = Settings::new(Config::lan(), NodeId::from_name("blue"), "10.0.0.1:7946".parse()?);
//! settings.metadata = b"role=db".to_vec();
//! let member = swim_tokio::spawn(&settings)?;
//! member.join(&["10.0.0.2:7946".parse()?, "10.0.0.3:7946".parse()?]).await?;
//! while let Some(event) = member.next_event().await {
//!     println!("{event:?}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What the task does and does not
//!
//! It waits in one `select!`, for the socket, for one timer that is set anew, and for commands; what it does
//! then is written once for all drivers, with the reasons: [`swim_driver`]. It never awaits a send:
//! a datagram that does not fit the socket's buffer is held, and the task goes on reading.
//!
//! The socket is registered for reading only, through `AsyncFd`. `tokio::net::UdpSocket` is always
//! registered for writing too, and on Linux every datagram that leaves the buffer would then wake the
//! runtime. And before a tick the socket itself is read, not tokio's memory of its readiness: on a busy
//! runtime that memory is older than the deadline, and the ack that it does not know of yet would become an
//! accusation.
#![forbid(unsafe_code)]

mod handle;
mod shared;
mod socket;
mod task;
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "timer_sleep.rs")]
mod timer;

pub use handle::{Handle, Subscription, spawn};
pub use swim_core::{
    Config, Done, Epoch, Event, Identity, JoinFailure, Joined, KnownPeer, NodeId, Options, Refusal, Stats,
    Status,
};
pub use swim_driver::os::{BadState, Error, NotASeed, STATE_PEERS_MAX, SeedAddr, Settings, State};
pub use swim_driver::{
    CommandError, Outcome, OwnedCommand, OwnedMember, RecordError, Recording, RoundTrips, Snapshot, Start,
    Update,
};
