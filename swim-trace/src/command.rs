//! A command that owns its data: it can be read from a trace, and cross a channel to a driver.

use std::fmt;
use std::net::SocketAddr;

use swim_core::{Command, Epoch, Incarnation, KnownPeer, Metadata, NodeId, Payload, TooLong};

use crate::bytes::{Malformed, Take, put_addr, put_u32, put_u64};
use crate::redact::{Redactor, put_payload};

/// An owned [`Command`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "one variant for each command, under the same name and with its fields")]
pub enum OwnedCommand {
    Join { seeds: Vec<SocketAddr> },
    CancelJoin,
    Leave,
    SetMetadata(Box<[u8]>),
    SetAddress(SocketAddr),
    Broadcast(Box<[u8]>),
    Send { target: NodeId, payload: Box<[u8]> },
    Remove { target: NodeId },
    Restore { known_peers: Vec<KnownPeer> },
    SetSeeds { seeds: Vec<SocketAddr> },
}

impl OwnedCommand {
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
            Self::Restore { known_peers } => Command::Restore { known_peers },
            Self::SetSeeds { seeds } => Command::SetSeeds { seeds },
        })
    }
}

/// What the user says in it is only counted.
impl fmt::Display for OwnedCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetMetadata(bytes) => write!(f, "SetMetadata of {} bytes", bytes.len()),
            Self::Broadcast(bytes) => write!(f, "Broadcast of {} bytes", bytes.len()),
            Self::Send { target, payload } => write!(f, "Send of {} bytes to {target:?}", payload.len()),
            other => write!(f, "{other:?}"),
        }
    }
}

/// Appends `command`. What the user says in it goes through `redactor`.
///
/// # Errors
/// The name of a command that this format does not have.
pub(crate) fn put(
    out: &mut Vec<u8>,
    command: &Command<'_>,
    redactor: Option<&Redactor>,
) -> Result<(), String> {
    match *command {
        Command::Join { seeds } => put_addrs(out, JOIN, seeds),
        Command::SetSeeds { seeds } => put_addrs(out, SET_SEEDS, seeds),
        Command::CancelJoin => out.push(CANCEL_JOIN),
        Command::Leave => out.push(LEAVE),
        Command::SetMetadata(metadata) => {
            out.push(SET_METADATA);
            put_payload(out, metadata.as_bytes(), redactor);
        }
        Command::SetAddress(addr) => {
            out.push(SET_ADDRESS);
            put_addr(out, addr);
        }
        Command::Broadcast(payload) => {
            out.push(BROADCAST);
            put_payload(out, payload.as_bytes(), redactor);
        }
        Command::Send { target, payload } => {
            out.push(SEND);
            put_u64(out, target.0);
            put_payload(out, payload.as_bytes(), redactor);
        }
        Command::Remove { target } => {
            out.push(REMOVE);
            put_u64(out, target.0);
        }
        Command::Restore { known_peers } => {
            out.push(RESTORE);
            put_u32(out, u32::try_from(known_peers.len()).unwrap_or(u32::MAX));
            known_peers.iter().for_each(|known_peer| put_known_peer(out, known_peer));
        }
        ref other => return Err(format!("{other:?}")),
    }
    Ok(())
}

fn put_addrs(out: &mut Vec<u8>, tag: u8, addrs: &[SocketAddr]) {
    out.push(tag);
    put_u32(out, u32::try_from(addrs.len()).unwrap_or(u32::MAX));
    addrs.iter().for_each(|addr| put_addr(out, *addr));
}

fn put_known_peer(out: &mut Vec<u8>, known_peer: &KnownPeer) {
    put_u64(out, known_peer.id.0);
    put_addr(out, known_peer.addr);
    put_u64(out, known_peer.epoch.0);
    put_u32(out, known_peer.incarnation.0);
}

/// `None`: a command of a later version.
pub(crate) fn take(from: &mut Take<'_>) -> Result<Option<OwnedCommand>, Malformed> {
    let command = match from.u8()? {
        JOIN => OwnedCommand::Join { seeds: from.list(Take::addr)? },
        CANCEL_JOIN => OwnedCommand::CancelJoin,
        LEAVE => OwnedCommand::Leave,
        SET_METADATA => OwnedCommand::SetMetadata(from.bytes()?.into()),
        SET_ADDRESS => OwnedCommand::SetAddress(from.addr()?),
        BROADCAST => OwnedCommand::Broadcast(from.bytes()?.into()),
        SEND => OwnedCommand::Send { target: NodeId(from.u64()?), payload: from.bytes()?.into() },
        REMOVE => OwnedCommand::Remove { target: NodeId(from.u64()?) },
        RESTORE => OwnedCommand::Restore { known_peers: from.list(take_known_peer)? },
        SET_SEEDS => OwnedCommand::SetSeeds { seeds: from.list(Take::addr)? },
        _ => return Ok(None),
    };
    command.command().map_err(|_| Malformed("says more than a command may"))?;
    Ok(Some(command))
}

fn take_known_peer(from: &mut Take<'_>) -> Result<KnownPeer, Malformed> {
    let (id, addr) = (NodeId(from.u64()?), from.addr()?);
    Ok(KnownPeer { id, addr, epoch: Epoch(from.u64()?), incarnation: Incarnation(from.u32()?) })
}

const JOIN: u8 = 1;
const CANCEL_JOIN: u8 = 2;
const LEAVE: u8 = 3;
const SET_METADATA: u8 = 4;
const SET_ADDRESS: u8 = 5;
const BROADCAST: u8 = 6;
const SEND: u8 = 7;
const REMOVE: u8 = 8;
const RESTORE: u8 = 9;
const SET_SEEDS: u8 = 10;
