//! What can be wrong with the start of a member, each with the value that is.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use swim_core::{Refusal, TooLong};

/// Why a member could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The socket could not be bound.
    #[error("cannot bind a UDP socket to {addr}: {source}")]
    Bind {
        /// [`Settings::bind`](super::Settings::bind).
        addr: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// Bound to a wildcard address, which no peer can send to.
    #[error("{bind} is every address of this host; set `advertise` to the one that the others reach it at")]
    WildcardNeedsAdvertise {
        /// [`Settings::bind`](super::Settings::bind).
        bind: SocketAddr,
    },
    /// An advertised address that a datagram cannot be sent to.
    #[error("cannot advertise {addr}: it is no unicast address that the others could send to")]
    Advertise {
        /// [`Settings::advertise`](super::Settings::advertise).
        addr: SocketAddr,
    },
    /// The metadata is too long.
    #[error(transparent)]
    Metadata(#[from] TooLong),
    /// The seeds cannot be asked.
    #[error("cannot look for the seeds: {0}")]
    Refused(Refusal),
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system ({0}); set `random_seed`")]
    Random(getrandom::Error),
    /// The file to record to could not be made.
    #[error("cannot record to {}: {source}", path.display())]
    Record {
        /// [`Recording::path`](swim_trace::Recording::path).
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The socket could not be registered, or the driver's thread or task not be started.
    #[error("cannot start the driver: {0}")]
    Start(io::Error),
}
