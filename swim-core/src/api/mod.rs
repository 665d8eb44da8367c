//! What users see: options, inputs and commands, outputs and events, members, counters, identities, time.

pub(crate) mod claim;
mod config;
mod identity;
mod input;
mod member;
mod output;
mod payload;
mod stats;
mod time;

pub use claim::{Claim, Status, supersedes};
pub use config::{Config, ConfigError, Options};
pub(crate) use config::{LARGEST_TABLE, as_options};
pub use identity::{Epoch, Identity, Incarnation, NodeId, canonical, is_reachable_form};
pub use input::{Command, Input, KnownPeer};
pub use member::Member;
pub use output::{Done, Event, JoinFailure, Joined, Output, Refusal, Transmit};
pub use payload::{METADATA_MAX, Metadata, PAYLOAD_MAX, Payload, TooLong};
pub use stats::{DropReason, Stats};
pub use time::Instant;
pub(crate) use time::nanos;

/// What became of a datagram, or of a part of one; an error says why it was not used.
pub(crate) type Handled<T = ()> = Result<T, DropReason>;
