//! SWIM with Lifeguard as a deterministic state machine.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod claim;
mod config;
mod hash;
mod identity;
mod input;
mod member;
mod node;
mod output;
mod payload;
mod random;
mod rtt;
mod scale;
mod stats;
mod time;

pub use claim::{Claim, Status, supersedes};
pub use config::{Config, ConfigError, Options};
pub use identity::{Epoch, Identity, Incarnation, NodeId, canonical, is_reachable_form};
pub use input::{Command, Hint, Input};
pub use member::Member;
pub use node::{Node, Seed};
pub use output::{CommandKind, Event, JoinFailure, Output, Refusal, Transmit};
pub use payload::{METADATA_MAX, Metadata, PAYLOAD_MAX, Payload, TooLong};
pub use rtt::RttHistogram;
pub use stats::{DropReason, Stats};
pub use time::Instant;

/// Seeds that a node remembers.
pub const SEEDS_MAX: usize = 64;
/// Hints that one `Restore` looks at.
pub const HINTS_MAX: usize = 256;
