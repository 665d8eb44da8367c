//! The body: everything after the header. That is the head, and then what is piggybacked, part by part.
//!
//! Parts may come in any order. One of a tag that this version does not know is skipped and counted; a
//! known one that comes twice, or one that overruns the datagram, spoils all of it.

use core::net::SocketAddr;

use super::PART_LEN;
use super::header::{Header, Kind};
use super::message::Message;
use super::records::{Broadcasts, Marks, Updates};
use crate::api::{DropReason, PAYLOAD_MAX};

pub(super) const TAG_UPDATES: u8 = 2;
pub(super) const TAG_BROADCASTS: u8 = 3;
pub(super) const TAG_PAYLOAD: u8 = 4;
pub(super) const TAG_MARKS: u8 = 5;

/// A datagram as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Datagram<'a> {
    /// Where the socket says that it came from.
    pub(crate) source: SocketAddr,
    pub(crate) header: Header,
    pub(crate) body: Body<'a>,
    /// Bytes of all of it.
    pub(crate) len: usize,
}

/// A datagram's body as it was read. Updates and broadcasts are decoded as they are iterated.
#[derive(Clone, Debug)]
pub struct Body<'a> {
    /// The kind with its fields.
    pub message: Message,
    /// Piggybacked claims.
    pub updates: Updates<'a>,
    /// Piggybacked broadcasts.
    pub broadcasts: Broadcasts<'a>,
    /// Which broadcasts the sender keeps.
    pub marks: Marks<'a>,
    /// The user's bytes, at most [`PAYLOAD_MAX`]; always there in a `User` message.
    pub payload: Option<&'a [u8]>,
    /// How many parts were skipped.
    pub unknown_parts: u32,
}

impl Body<'_> {
    /// Whether neither claims nor broadcasts nor marks are piggybacked.
    #[inline]
    pub(crate) const fn is_bare(&self) -> bool {
        self.updates.is_empty() && self.broadcasts.is_empty() && self.marks.is_empty()
    }
}

/// Reads what follows the header of a datagram of this kind.
///
/// # Errors
/// `TrailingBytes` if the parts do not end where the datagram does; `Malformed` if a known part comes
/// twice, or the head is too short, or holds what no node can mean, or a `User` message has no
/// payload, or a payload is too long.
pub fn read_body(kind: Kind, bytes: &[u8]) -> Result<Body<'_>, DropReason> {
    let mut body = Body::EMPTY;
    body.read(kind, bytes).map(|()| body)
}

impl<'a> Body<'a> {
    /// Of a datagram that says nothing.
    pub(crate) const EMPTY: Self = Self {
        message: Message::Gossip,
        updates: Updates::new(&[]),
        broadcasts: Broadcasts::new(&[]),
        marks: Marks::new(&[]),
        payload: None,
        unknown_parts: 0,
    };

    /// [`read_body`] into an empty one, which need not be moved then.
    #[inline]
    pub(crate) fn read(&mut self, kind: Kind, mut bytes: &'a [u8]) -> Result<(), DropReason> {
        self.message = Message::take(kind, &mut bytes).ok_or(DropReason::Malformed)?;
        // Nearly always nothing is piggybacked.
        if !bytes.is_empty() {
            self.read_parts(bytes)?;
        }
        if kind == Kind::User && self.payload.is_none() { Err(DropReason::Malformed) } else { Ok(()) }
    }

    fn read_parts(&mut self, mut rest: &'a [u8]) -> Result<(), DropReason> {
        let mut known = [None; 4];
        while !rest.is_empty() {
            let (tag, part, after) = split_part(rest).ok_or(DropReason::TrailingBytes)?;
            match tag {
                TAG_UPDATES..=TAG_MARKS => {
                    if known[usize::from(tag - TAG_UPDATES)].replace(part).is_some() {
                        return Err(DropReason::Malformed);
                    }
                }
                _ => self.unknown_parts += 1,
            }
            rest = after;
        }
        let [updates, broadcasts, payload, marks] = known;
        if payload.is_some_and(|payload| payload.len() > PAYLOAD_MAX) {
            return Err(DropReason::Malformed);
        }
        self.updates = Updates::new(updates.unwrap_or_default());
        self.broadcasts = Broadcasts::new(broadcasts.unwrap_or_default());
        self.marks = Marks::new(marks.unwrap_or_default());
        self.payload = payload;
        Ok(())
    }
}

/// The first part's tag and bytes, and what follows it.
#[inline]
pub(super) fn split_part(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, l0, l1], after) = bytes.split_first_chunk::<PART_LEN>()?;
    let (part, rest) = after.split_at_checked(usize::from(u16::from_le_bytes([l0, l1])))?;
    Some((tag, part, rest))
}
