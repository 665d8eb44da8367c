//! A command that owns its data, so that it can cross a channel to the driver.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::identity::NodeId;
use crate::input::{Command, Hint};
use crate::output::CommandKind;
use crate::payload::{Metadata, Payload, TooLong};

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

    /// Which command it is.
    #[must_use]
    pub const fn kind(&self) -> CommandKind {
        match self {
            Self::Join { .. } => CommandKind::Join,
            Self::CancelJoin => CommandKind::CancelJoin,
            Self::Leave => CommandKind::Leave,
            Self::SetMetadata(_) => CommandKind::SetMetadata,
            Self::SetAddress(_) => CommandKind::SetAddress,
            Self::Broadcast(_) => CommandKind::Broadcast,
            Self::Send { .. } => CommandKind::Send,
            Self::Remove { .. } => CommandKind::Remove,
            Self::Restore { .. } => CommandKind::Restore,
        }
    }
}
