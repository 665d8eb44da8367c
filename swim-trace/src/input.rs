//! Inputs: what was handed to the node, with everything in it.
//!
//! An [`Input`] borrows its data. One that was read has lists that must live somewhere: that is [`Given`].

use std::fmt;
use std::net::SocketAddr;

use swim_core::{Command, Epoch, Hint, Incarnation, Input, Metadata, NodeId, Payload};

use crate::bytes::{Malformed, Take, put_addr, put_bytes, put_u32, put_u64};
use crate::redact::Redactor;

/// An input that was read from a trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Given<'a> {
    /// One whose data is in the trace itself.
    Plain(Input<'a>),
    /// `Command::Join`, with its seeds.
    Join(Vec<SocketAddr>),
    /// `Command::Restore`, with its hints.
    Restore(Vec<Hint>),
}

impl Given<'_> {
    /// What the node is to be handed.
    #[must_use]
    pub fn input(&self) -> Input<'_> {
        match self {
            Self::Plain(input) => *input,
            Self::Join(seeds) => Input::Command(Command::Join { seeds }),
            Self::Restore(hints) => Input::Command(Command::Restore { hints }),
        }
    }
}

impl fmt::Display for Given<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.input() {
            Input::Datagram { source, bytes } => {
                write!(f, "datagram from {source}: {}", swim_core::describe(bytes))
            }
            Input::Tick => f.write_str("tick"),
            Input::Undelivered { target } => write!(f, "undelivered to {target}"),
            Input::Command(Command::SetMetadata(metadata)) => {
                write!(f, "command SetMetadata of {} bytes", metadata.as_bytes().len())
            }
            Input::Command(Command::Broadcast(payload)) => {
                write!(f, "command Broadcast of {} bytes", payload.as_bytes().len())
            }
            Input::Command(Command::Send { target, payload }) => {
                write!(f, "command Send of {} bytes to {target:?}", payload.as_bytes().len())
            }
            Input::Command(command) => write!(f, "command {command:?}"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// Appends `input`. What the user says in it goes through `redactor`.
///
/// # Errors
/// The name of what this format cannot say.
pub(crate) fn put(out: &mut Vec<u8>, input: &Input<'_>, redactor: Option<&Redactor>) -> Result<(), String> {
    match *input {
        Input::Datagram { source, bytes } => {
            out.push(DATAGRAM);
            put_addr(out, source);
            put_datagram(out, bytes, redactor);
        }
        Input::Tick => out.push(TICK),
        Input::Undelivered { target } => {
            out.push(UNDELIVERED);
            put_addr(out, target);
        }
        Input::Command(command) => return put_command(out, &command, redactor),
        ref other => return Err(format!("{other:?}")),
    }
    Ok(())
}

/// Appends a datagram, the user's part of it redacted.
pub(crate) fn put_datagram(out: &mut Vec<u8>, bytes: &[u8], redactor: Option<&Redactor>) {
    put_bytes(out, bytes);
    let start = out.len() - bytes.len();
    if let (Some(redactor), Some(datagram)) = (redactor, out.get_mut(start..)) {
        redactor.datagram(datagram);
    }
}

fn put_payload(out: &mut Vec<u8>, bytes: &[u8], redactor: Option<&Redactor>) {
    put_bytes(out, bytes);
    let start = out.len() - bytes.len();
    if let (Some(redactor), Some(payload)) = (redactor, out.get_mut(start..)) {
        redactor.payload(payload);
    }
}

fn put_command(out: &mut Vec<u8>, command: &Command<'_>, redactor: Option<&Redactor>) -> Result<(), String> {
    match *command {
        Command::Join { seeds } => {
            out.push(JOIN);
            put_u32(out, u32::try_from(seeds.len()).unwrap_or(u32::MAX));
            seeds.iter().for_each(|seed| put_addr(out, *seed));
        }
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
        Command::Restore { hints } => {
            out.push(RESTORE);
            put_u32(out, u32::try_from(hints.len()).unwrap_or(u32::MAX));
            hints.iter().for_each(|hint| put_hint(out, hint));
        }
        ref other => return Err(format!("{:?}", other.kind())),
    }
    Ok(())
}

fn put_hint(out: &mut Vec<u8>, hint: &Hint) {
    put_u64(out, hint.id.0);
    put_addr(out, hint.addr);
    put_u64(out, hint.epoch.0);
    put_u32(out, hint.incarnation.0);
}

pub(crate) fn take<'a>(from: &mut Take<'a>) -> Result<Given<'a>, Malformed> {
    let command = |command| Given::Plain(Input::Command(command));
    Ok(match from.u8()? {
        DATAGRAM => Given::Plain(Input::Datagram { source: from.addr()?, bytes: from.bytes()? }),
        TICK => Given::Plain(Input::Tick),
        UNDELIVERED => Given::Plain(Input::Undelivered { target: from.addr()? }),
        JOIN => Given::Join(from.list(Take::addr)?),
        CANCEL_JOIN => command(Command::CancelJoin),
        LEAVE => command(Command::Leave),
        SET_METADATA => {
            let metadata = Metadata::new(from.bytes()?);
            command(Command::SetMetadata(metadata.map_err(|_| Malformed("has metadata that is too long"))?))
        }
        SET_ADDRESS => command(Command::SetAddress(from.addr()?)),
        BROADCAST => command(Command::Broadcast(take_payload(from)?)),
        SEND => command(Command::Send { target: NodeId(from.u64()?), payload: take_payload(from)? }),
        REMOVE => command(Command::Remove { target: NodeId(from.u64()?) }),
        RESTORE => Given::Restore(from.list(take_hint)?),
        _ => return Err(Malformed("is an input of no known kind")),
    })
}

fn take_payload<'a>(from: &mut Take<'a>) -> Result<Payload<'a>, Malformed> {
    Payload::new(from.bytes()?).map_err(|_| Malformed("has a payload that is too long"))
}

fn take_hint(from: &mut Take<'_>) -> Result<Hint, Malformed> {
    let (id, addr) = (NodeId(from.u64()?), from.addr()?);
    Ok(Hint { id, addr, epoch: Epoch(from.u64()?), incarnation: Incarnation(from.u32()?) })
}

const DATAGRAM: u8 = 1;
const TICK: u8 = 2;
const UNDELIVERED: u8 = 3;
const JOIN: u8 = 16;
const CANCEL_JOIN: u8 = 17;
const LEAVE: u8 = 18;
const SET_METADATA: u8 = 19;
const SET_ADDRESS: u8 = 20;
const BROADCAST: u8 = 21;
const SEND: u8 = 22;
const REMOVE: u8 = 23;
const RESTORE: u8 = 24;
