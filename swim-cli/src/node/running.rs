//! A running member, whatever drives it.
//!
//! The two drivers' handles have the same methods; the tokio one's are `async`. Here they become one type
//! with blocking methods, because a program that reads lines and prints lines needs no more.

use std::net::SocketAddr;

use swim_core::{Event, Identity, Incarnation, NodeId, Stats};
use swim_mio::{CommandError, RoundTrips, SeedAddr, Settings, Snapshot};

use crate::args::DriverKind;

#[derive(thiserror::Error, Debug)]
pub(crate) enum StartError {
    /// Either of them.
    #[error(transparent)]
    Driver(#[from] swim_mio::Error),
    #[error("cannot start the tokio runtime: {0}")]
    Runtime(#[source] std::io::Error),
}

/// A running member. Dropping it, or ending the process, stops it without a goodbye.
pub(crate) enum Running {
    /// On swim-mio.
    Mio(swim_mio::Handle),
    /// On swim-tokio, and the runtime that it runs on.
    Tokio(swim_tokio::Handle, tokio::runtime::Runtime),
}

/// Calls the same method of either handle, and waits if it is the async one.
macro_rules! either {
    ($self:expr, $handle:ident => $call:expr) => {
        match $self {
            Running::Mio($handle) => $call,
            Running::Tokio($handle, runtime) => runtime.block_on($call),
        }
    };
}

impl Running {
    pub(crate) fn start(driver: DriverKind, settings: &Settings) -> Result<Self, StartError> {
        match driver {
            DriverKind::Mio => Ok(Self::Mio(swim_mio::spawn(settings)?)),
            DriverKind::Tokio => {
                // One worker for the member; everything else in this program are threads that block.
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(1)
                    .enable_all()
                    .build()
                    .map_err(StartError::Runtime)?;
                let handle = runtime.block_on(async { swim_tokio::spawn(settings) })?;
                Ok(Self::Tokio(handle, runtime))
            }
        }
    }

    pub(crate) fn me(&self) -> Identity {
        match self {
            Self::Mio(handle) => handle.me(),
            Self::Tokio(handle, _) => handle.me(),
        }
    }

    /// The member table; once stopped, the last one.
    pub(crate) fn members(&self) -> Snapshot {
        either!(self, handle => handle.members())
    }

    /// Counters; once stopped, the last ones.
    pub(crate) fn stats(&self) -> Stats {
        match self {
            Self::Mio(handle) => handle.stats(),
            Self::Tokio(handle, _) => handle.stats(),
        }
    }

    /// Round-trip times of direct pings.
    pub(crate) fn round_trips(&self) -> RoundTrips {
        match self {
            Self::Mio(handle) => handle.round_trips(),
            Self::Tokio(handle, _) => handle.round_trips(),
        }
    }

    /// Waits for the next event; `None` once stopped, after the last one.
    pub(crate) fn next_event(&self) -> Option<Event> {
        match self {
            Self::Mio(handle) => handle.events().next(),
            Self::Tokio(handle, runtime) => runtime.block_on(handle.next_event()),
        }
    }

    /// Looks for the cluster, for as long as it takes.
    pub(crate) fn join(&self, seeds: &[SocketAddr]) -> Result<(), CommandError> {
        either!(self, handle => handle.join(seeds)).map(|_| ())
    }

    /// Replaces the seeds.
    pub(crate) fn set_seeds(&self, seeds: &[SeedAddr]) -> Result<(), CommandError> {
        either!(self, handle => handle.set_seeds(seeds))
    }

    /// The addresses that are its seeds now.
    pub(crate) fn seeds(&self) -> Vec<SocketAddr> {
        match self {
            Self::Mio(handle) => handle.seeds(),
            Self::Tokio(handle, _) => handle.seeds(),
        }
    }

    /// Replaces the metadata. Returns the incarnation that carries it.
    pub(crate) fn set_metadata(&self, metadata: &[u8]) -> Result<Incarnation, CommandError> {
        either!(self, handle => handle.set_metadata(metadata))
    }

    /// Sends to every member. Returns the broadcast's number.
    pub(crate) fn broadcast(&self, text: &[u8]) -> Result<u32, CommandError> {
        either!(self, handle => handle.broadcast(text))
    }

    pub(crate) fn send(&self, to: NodeId, text: &[u8]) -> Result<(), CommandError> {
        either!(self, handle => handle.send(to, text))
    }

    /// Says goodbye to the others, and stops. Blocks until it has been said.
    pub(crate) fn leave(&self) -> Result<(), CommandError> {
        either!(self, handle => handle.leave()).map(|_| ())
    }
}
