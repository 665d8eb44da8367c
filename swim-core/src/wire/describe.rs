//! A datagram in one line, for transcripts and for the curious.

use core::fmt;

use super::body::{Body, read_body};
use super::broadcast::BroadcastRecord;
use super::header::{Header, read};
use super::message::{JoinOutcome, Message};
use super::update::{About, Update};
use crate::api::{Claim, DropReason};

/// Shows a datagram in one line: the kind, its sender as `#id@epoch.incarnation`, the fields of its head,
/// then each update, broadcast and payload after a ` | `. Works on any bytes, of any cluster; what is
/// not understood is named by its [`DropReason`].
///
/// ```
/// assert_eq!(swim_core::describe(b"hello").to_string(), "5 bytes, Length");
/// ```
pub fn describe(bytes: &[u8]) -> impl fmt::Display + '_ {
    fmt::from_fn(move |f| match read(bytes, None) {
        Ok((header, parts)) => show(f, &header, parts),
        Err(reason) => write!(f, "{} bytes, {reason:?}", bytes.len()),
    })
}

fn show(f: &mut fmt::Formatter<'_>, header: &Header, parts: &[u8]) -> fmt::Result {
    let sender = About { id: header.sender, epoch: header.epoch, incarnation: header.incarnation };
    write!(f, "{:?} from {sender}", header.kind)?;
    match read_body(header.kind, parts) {
        Ok(body) => show_body(f, body),
        Err(reason) => write!(f, ", {} bytes of parts, {reason:?}", parts.len()),
    }
}

fn show_body(f: &mut fmt::Formatter<'_>, body: Body<'_>) -> fmt::Result {
    write!(f, "{}", body.message)?;
    for update in body.updates {
        show_or_reason(f, update)?;
    }
    for broadcast in body.broadcasts {
        show_or_reason(f, broadcast)?;
    }
    if let Some(payload) = body.payload {
        write!(f, " | payload of {} bytes", payload.len())?;
    }
    if body.unknown_parts > 0 {
        write!(f, " | {} unknown parts", body.unknown_parts)?;
    }
    Ok(())
}

fn show_or_reason(f: &mut fmt::Formatter<'_>, record: Result<impl fmt::Display, DropReason>) -> fmt::Result {
    match record {
        Ok(record) => write!(f, " | {record}"),
        Err(reason) => write!(f, " | {reason:?}"),
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ping(head) => write!(
                f,
                " target={:?}@{}.{} believed={} number={:x} root={:x}",
                head.target,
                head.target_epoch.0,
                head.target_incarnation.0,
                head.target_status.name(),
                head.number,
                head.root
            ),
            Self::Ack(head) => {
                write!(f, " number={:x}", head.number)?;
                if let Some(root) = head.root {
                    write!(f, " root={root:x}")?;
                }
                if let Some(Claim { epoch, incarnation, status }) = head.held_claim {
                    write!(f, " held={}@{}.{}", status.name(), epoch.0, incarnation.0)?;
                }
                if head.stranger { write!(f, " stranger") } else { Ok(()) }
            }
            Self::PingReq(head) => {
                write!(f, " target={:?} number={:x} budget={}us", head.target, head.number, head.budget_us)
            }
            Self::Nack(head) => write!(f, " number={:x}", head.number),
            Self::RelayedAck(head) => write!(f, " target={:?} number={:x}", head.target, head.number),
            Self::Join(head) => write!(f, " nonce={:x} token={:x}", head.nonce, head.token),
            Self::Challenge(head) => write!(f, " nonce={:x} token={:x}", head.nonce, head.token),
            Self::Welcome(head) => {
                let outcome = match head.outcome {
                    JoinOutcome::Admitted => "admitted",
                    JoinOutcome::IdTaken => "id-taken",
                    JoinOutcome::Refused => "refused",
                };
                write!(
                    f,
                    " nonce={:x} outcome={outcome} held={}.{} clock={} members={}",
                    head.nonce, head.held_epoch.0, head.held_incarnation.0, head.clock.0, head.members
                )
            }
            Self::Announce(head) => write!(f, " token={:x} number={:x}", head.token, head.number),
            Self::SyncPull(head) => {
                write!(f, " number={:x} prefix={:08x}/{} hashes=", head.number, head.prefix, head.depth)?;
                for (i, hash) in head.hashes.iter().enumerate() {
                    write!(f, "{}{hash:x}", if i == 0 { "" } else { "," })?;
                }
                Ok(())
            }
            Self::SyncPage(head) => write!(
                f,
                " number={:x} prefix={:08x}/{} more={:04x}",
                head.number, head.prefix, head.depth, head.more
            ),
            Self::Gossip | Self::User => Ok(()),
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{}.{}", self.id, self.epoch.0, self.incarnation.0)
    }
}

impl fmt::Display for Update<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alive { about, addr, versions, metadata } => {
                write!(f, "alive {about} at {addr} speaks {}-{}", versions.0, versions.1)?;
                if metadata.is_empty() { Ok(()) } else { write!(f, " metadata of {} bytes", metadata.len()) }
            }
            Self::Suspect { about, accusers } => {
                write!(f, "suspect {about} by")?;
                accusers.iter().try_for_each(|id| write!(f, " {id:?}"))
            }
            Self::Dead { about, by, accuser } => write!(f, "dead {about} by {by:?}, accused by {accuser:?}"),
            Self::Left { about, by } if *by == about.id => write!(f, "left {about}"),
            Self::Left { about, by } => write!(f, "left {about}, removed by {by:?}"),
        }
    }
}

impl fmt::Display for BroadcastRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, epoch, sequence, payload } = self;
        write!(f, "broadcast {origin:?}@{} no. {sequence} of {} bytes", epoch.0, payload.len())
    }
}
