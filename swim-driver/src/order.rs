//! A command that owns its data, so that it can cross a channel to the driver.

use std::net::SocketAddr;

use swim_core::{Command, Hint, Metadata, NodeId, Payload, TooLong};

/// An owned [`Command`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "one variant for each command, under the same name and with its fields")]
pub enum Order {
    Join { seeds: Vec<SocketAddr> },
    CancelJoin,
    Leave,
    SetMetadata(Box<[u8]>),
    SetAddress(SocketAddr),
    Broadcast(Box<[u8]>),
    Send { target: NodeId, payload: Box<[u8]> },
    Remove { target: NodeId },
    Restore { hints: Vec<Hint> },
}

impl Order {
    /// The command, borrowed.
    ///
    /// # Errors
    /// [`TooLong`] if metadata or a payload is longer than it may be.
    pub fn command(&self) -> Result<Command<'_>, TooLong> {
        Ok(match self {
            Self::Join { seeds } => Command::Join { seeds },
            Self::CancelJoin => Command::CancelJoin,
            Self::Leave => Command::Leave,
            Self::SetMetadata(bytes) => Command::SetMetadata(Metadata::new(bytes)?),
            Self::SetAddress(addr) => Command::SetAddress(*addr),
            Self::Broadcast(bytes) => Command::Broadcast(Payload::new(bytes)?),
            Self::Send { target, payload } => {
                Command::Send { target: *target, payload: Payload::new(payload)? }
            }
            Self::Remove { target } => Command::Remove { target: *target },
            Self::Restore { hints } => Command::Restore { hints },
        })
    }
}
