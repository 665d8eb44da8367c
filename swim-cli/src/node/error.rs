//! Why a member could not run.

use std::io;
use std::net::SocketAddr;

use swim_core::ConfigError;

use crate::address::AddressError;
use crate::exit::Exit;
use crate::naming::{MetaTooLong, NameError};
use crate::node::running::StartError;

/// Why a member could not run, or stopped running.
#[derive(thiserror::Error, Debug)]
pub(crate) enum NodeError {
    #[error("--bind: {0}")]
    Bind(#[source] AddressError),
    #[error("--advertise: {0}")]
    Advertise(#[source] AddressError),
    #[error(
        "--bind {0} listens on every address of this machine, but the others need to know one: \
             add --advertise ADDR, or bind to one address"
    )]
    Wildcard(SocketAddr),
    #[error("--name: {0}")]
    Name(#[from] NameError),
    /// The name leaves no room.
    #[error(transparent)]
    Meta(#[from] MetaTooLong),
    /// `--label`, mostly.
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot listen on {0}: {1}")]
    Port(SocketAddr, #[source] io::Error),
    /// The driver did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the operating system refused a thread or a signal handler: {0}")]
    System(#[source] io::Error),
    #[error("the reader of standard output has gone: the member leaves")]
    ReaderGone,
    #[error("the cluster has a living member called `{name}` at {rival}: choose another --name")]
    NameTaken { name: String, rival: SocketAddr },
}

impl NodeError {
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Bind(_)
            | Self::Advertise(_)
            | Self::Wildcard(_)
            | Self::Name(_)
            | Self::Meta(_)
            | Self::Config(_) => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}
