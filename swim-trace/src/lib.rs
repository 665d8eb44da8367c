//! Traces: what happened to a node, written down so exactly that it can happen again.
//!
//! The core does the same for the same inputs at the same times. So a list of everything that was handed to
//! a node, from its start on, *is* what the node does: run the same core on it, and every datagram and every event
//! comes out again, bit for bit. A [`Recorder`] writes that list while a node runs, in production or in a
//! simulation; a [`Reader`] reads it, and [`replay`] runs it and stops where something else comes out.
//!
//! ```text
//!   Head · Born · Input Transmit* Event* Settled · Input … · KeyFrame · Input …
//! ```
//!
//! A [`Record`] is one of these. Outputs stand where they were polled, so a socket that was full, and delayed
//! the polls, delays them again. `Settled` says that nothing more came out, and when the node wanted to be
//! woken. A key frame is the whole node, as it was there: what is before it can be dropped, and a replay can
//! begin at it.
//!
//! The format, what it guarantees and what it costs are in `docs/trace-format.md`.
#![forbid(unsafe_code)]

mod bytes;
mod command;
mod describe;
mod digest;
mod error;
mod frame;
mod inspect;
mod reader;
mod record;
mod recorder;
mod recording;
mod redact;
mod replay;
mod ring;
mod sink;

pub use command::OwnedCommand;
pub use describe::describe;
pub use error::{ReadError, RecordError};
pub use frame::{Damage, Tail};
pub use inspect::{Inspection, Said, SaidMember, inspect};
pub use reader::{Entry, Reader};
pub use record::{Born, Core, Head, KeyFrame, Record};
pub use recorder::{Recorder, Subject};
pub use recording::Recording;
pub use redact::Redactor;
pub use replay::{Divergence, ReplayError, ReplayOptions, Replayed, Step, Watcher, replay};
pub use ring::{Ring, older};
pub use sink::{Plain, Sink};

/// What a trace of any version begins with.
pub const MAGIC: [u8; 8] = *b"SWIMTRC1";
/// The version of the format that this crate writes, and the only one that it reads. Further kinds of records and
/// further fields at the end of one need no other version.
pub const FORMAT: u32 = 2;
