//! The wire format: the bytes of the datagrams that members exchange.
//!
//! A datagram is a fixed header, then the *head*: the few fields that make a ping a ping. Then come *parts* with
//! piggybacked data: updates about members, the users' broadcasts, one direct message. Parts and records have a length
//! in front, so a reader skips what it does not know, and what is new may be appended: to a record, or as a whole part.
//!
//! ```text
//! ┌───────────────┬──────────────┬─────────────────┬────────────────────┬─────────────────┐
//! │ header, 27 B  │ head         │ updates         │ broadcasts         │ payload         │
//! │ who, of which │ the kind's   │ tag len record… │ tag len record…    │ tag len bytes   │
//! │ cluster, kind │ fields       │                 │                    │                 │
//! └───────────────┴──────────────┴─────────────────┴────────────────────┴─────────────────┘
//! ```
//!
//! All integers are little-endian and of fixed width: equal messages have equal lengths, whatever their
//! numbers, so a sender knows beforehand what fits. Reading borrows and never allocates; writing
//! appends to a buffer that the caller has reserved. No input makes a reader panic or loop longer than
//! the datagram has bytes. `docs/wire.md` has the tables.
//!
//! What reads is public, for programs that watch a cluster: a watcher sees a datagram as the node does that acts on
//! it. It changes with the version of the format.
//!
//! ```
//! use swim_core::{DropReason, wire};
//!
//! assert_eq!(wire::read_header(b"hello", None).err(), Some(DropReason::Length));
//! ```

mod accusers;
mod body;
mod fixed;
mod header;
mod marks;
mod message;
mod payloads;
mod records;
#[cfg(test)]
mod tests;
mod update;
mod writer;

#[cfg(test)]
pub(crate) use accusers::ACCUSERS_MAX;
pub use accusers::Accusers;
pub(crate) use body::Datagram;
pub use body::{Body, read_body};
pub(crate) use header::{HEADER_LEN, VERSION};
pub use header::{Header, Kind, read_header};
pub use marks::Mark;
pub(crate) use marks::RANGES_MAX;
pub use message::{
    Ack, Announce, Challenge, Join, JoinOutcome, Message, Nack, Ping, PingReq, RelayedAck, SyncPage,
    SyncPull, Welcome,
};
pub use payloads::payload_ranges;
pub(crate) use records::broadcast_len;
pub use records::{BroadcastRecord, Broadcasts, Marks, Updates};
pub use update::{About, Update};
pub(crate) use update::{Plain, SUSPECT_LEN_MAX, update_len};
pub(crate) use writer::Writer;

/// Longest datagram that is looked at, in bytes.
pub(crate) const DATAGRAM_MAX: usize = 9000;

/// Bytes that a sealed datagram is longer by: 24 in the clear, 24 of a header and a tag of 16 instead of the header.
/// Always subtracted from the room for a datagram, so that sealing changes no packing.
pub(crate) const SEAL_ROOM: usize = 24 + 24 + 16 - HEADER_LEN;

/// Bytes in front of every part: its tag and its length.
pub(crate) const PART_LEN: usize = 3;
