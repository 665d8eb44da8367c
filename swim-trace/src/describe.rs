//! A datagram in one line, for transcripts and for the curious.

use core::fmt;

use swim_core::wire::{
    About, Body, BroadcastRecord, Header, JoinOutcome, Mark, Message, Update, read_body, read_header,
};
use swim_core::{Claim, DropReason};

/// Shows a datagram in one line: the kind, its sender as `#id@epoch.incarnation`, the fields of its head,
/// then each update, broadcast and payload after a ` | `. Works on any bytes, of any cluster; what is
/// not understood is named by its [`DropReason`].
///
/// ```
/// assert_eq!(swim_trace::describe(b"hello").to_string(), "5 bytes, Length");
/// ```
pub fn describe(bytes: &[u8]) -> impl fmt::Display + '_ {
    Described(bytes)
}

struct Described<'a>(&'a [u8]);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match read_header(self.0, None) {
            Ok((header, body)) => show(f, &header, body),
            Err(reason) => write!(f, "{} bytes, {reason:?}", self.0.len()),
        }
    }
}

fn show(f: &mut fmt::Formatter<'_>, header: &Header, bytes: &[u8]) -> fmt::Result {
    let sender = About { id: header.sender, epoch: header.epoch, incarnation: header.incarnation };
    write!(f, "{:?} from {}", header.kind, Shown(&sender))?;
    match read_body(header.kind, bytes) {
        Ok(body) => show_body(f, body),
        Err(reason) => write!(f, ", {} bytes of body, {reason:?}", bytes.len()),
    }
}

fn show_body(f: &mut fmt::Formatter<'_>, body: Body<'_>) -> fmt::Result {
    write!(f, "{}", Shown(&body.message))?;
    for update in body.updates {
        show_or_reason(f, update)?;
    }
    for broadcast in body.broadcasts {
        show_or_reason(f, broadcast)?;
    }
    for mark in body.marks {
        show_or_reason(f, mark)?;
    }
    if let Some(payload) = body.payload {
        write!(f, " | payload of {} bytes", payload.len())?;
    }
    if body.unknown_parts > 0 {
        write!(f, " | {} unknown parts", body.unknown_parts)?;
    }
    Ok(())
}

/// A part of a datagram in its place in the line.
struct Shown<'a, T>(&'a T);

fn show_or_reason<T>(f: &mut fmt::Formatter<'_>, record: Result<T, DropReason>) -> fmt::Result
where
    for<'a> Shown<'a, T>: fmt::Display,
{
    match record {
        Ok(record) => write!(f, " | {}", Shown(&record)),
        Err(reason) => write!(f, " | {reason:?}"),
    }
}

impl fmt::Display for Shown<'_, Message> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Message::Ping(head) => {
                write!(f, " target={:?} number={:x} root={:x}", head.target, head.number, head.root)?;
                held(f, head.held_claim)
            }
            Message::Ack(head) => {
                write!(f, " number={:x}", head.number)?;
                if let Some(root) = head.root {
                    write!(f, " root={root:x}")?;
                }
                held(f, head.held_claim)?;
                if head.stranger { write!(f, " stranger") } else { Ok(()) }
            }
            Message::PingReq(head) => {
                write!(f, " target={:?} number={:x} budget={}us", head.target, head.number, head.budget_us)
            }
            Message::Nack(head) => write!(f, " number={:x}", head.number),
            Message::RelayedAck(head) => write!(f, " target={:?} number={:x}", head.target, head.number),
            Message::Join(head) => write!(f, " nonce={:x} token={:x}", head.nonce, head.token),
            Message::Challenge(head) => write!(f, " nonce={:x} token={:x}", head.nonce, head.token),
            Message::Welcome(head) => {
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
            Message::Announce(head) => write!(f, " token={:x} number={:x}", head.token, head.number),
            Message::SyncPull(head) => {
                write!(f, " number={:x} prefix={:08x}/{} hashes=", head.number, head.prefix, head.depth)?;
                for (i, hash) in head.hashes.iter().enumerate() {
                    write!(f, "{}{hash:x}", if i == 0 { "" } else { "," })?;
                }
                Ok(())
            }
            Message::SyncPage(head) => write!(
                f,
                " number={:x} prefix={:08x}/{} more={:04x}",
                head.number, head.prefix, head.depth, head.more
            ),
            Message::Gossip | Message::User | Message::BroadcastPull => Ok(()),
        }
    }
}

impl fmt::Display for Shown<'_, Mark> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mark { origin, epoch, lowest, highest } = self.0;
        write!(f, "keeps {origin:?}@{} {lowest}..={highest}", epoch.0)
    }
}

fn held(f: &mut fmt::Formatter<'_>, claim: Option<Claim>) -> fmt::Result {
    let Some(Claim { epoch, incarnation, status }) = claim else { return Ok(()) };
    write!(f, " held={}@{}.{}", status.name(), epoch.0, incarnation.0)
}

impl fmt::Display for Shown<'_, About> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{}.{}", self.0.id, self.0.epoch.0, self.0.incarnation.0)
    }
}

impl fmt::Display for Shown<'_, Update<'_>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Update::Alive { about, addr, versions, metadata } => {
                write!(f, "alive {} at {addr} speaks {}-{}", Shown(about), versions.0, versions.1)?;
                if metadata.is_empty() { Ok(()) } else { write!(f, " metadata of {} bytes", metadata.len()) }
            }
            Update::Suspect { about, accusers } => {
                write!(f, "suspect {} by", Shown(about))?;
                accusers.iter().try_for_each(|id| write!(f, " {id:?}"))
            }
            Update::Dead { about, by, accuser } => {
                write!(f, "dead {} by {by:?}, accused by {accuser:?}", Shown(about))
            }
            Update::Left { about, by } if *by == about.id => write!(f, "left {}", Shown(about)),
            Update::Left { about, by } => write!(f, "left {}, removed by {by:?}", Shown(about)),
        }
    }
}

impl fmt::Display for Shown<'_, BroadcastRecord<'_>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BroadcastRecord { origin, epoch, sequence, payload } = self.0;
        write!(f, "broadcast {origin:?}@{} no. {sequence} of {} bytes", epoch.0, payload.len())
    }
}
