//! SWIM with Lifeguard as a deterministic state machine: who is in the group, and who is gone.
//!
//! The rule of this crate: *the same inputs at the same times give the same outputs.* It has no clock, no
//! socket, no thread, no randomness of its own, no floats and no order of a hash map; lints refuse them. So
//! a cluster can be run under a virtual clock, a run can be repeated from its seed, and what a node did follows
//! from what it was given.
//!
//! A [`Node`] has two ways in, one way out, and one deadline:
//!
//! ```text
//!   datagram, Tick ──▶ Node::handle(now, Input)               what happens to the node
//!   command ──▶ Node::command(now, Command) ──▶ Done | Refusal  what its user asks for; nothing else changes it
//!   Node::poll() ──▶ Transmit | Event                         until None; it only pops
//!   Node::deadline() ──▶ hand in Input::Tick no later than this
//! ```
//!
//! The example at [`Node`] is a whole driver. Those for real sockets are `swim-mio` and `swim-tokio`;
//! `swim-sim` drives clusters. Begin with [`Options`] (or [`Config::lan`]), [`Identity`] and [`Command`];
//! what comes out is [`Event`] for the user and [`Transmit`] for the socket, [`Member`] is one row of the
//! table, [`Stats`] counts everything, each [`DropReason`] by itself.
#![no_std]
#![forbid(unsafe_code)]
// What clippy.toml lists, and what it cannot list: no clock, thread, socket, float or order of a hash
// map comes in here. The build without tests is the one that is checked; tests may compare with floats
// and with naive models.
#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_types,
        clippy::disallowed_methods,
        clippy::default_numeric_fallback,
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        clippy::iter_over_hash_type,
        clippy::std_instead_of_core,
        clippy::std_instead_of_alloc,
        clippy::alloc_instead_of_core,
        clippy::unwrap_used
    )
)]
#![cfg_attr(test, expect(clippy::disallowed_types, reason = "tests compare with floats"))]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod anti_entropy;
mod api;
mod collections;
mod context;
mod detector;
mod group;
mod handshake;
mod leave;
mod node;
mod reconnect;
mod snapshot;
mod timers;
pub mod wire;

pub use api::{
    Claim, Command, Config, ConfigError, Done, DropReason, Epoch, Event, Identity, Incarnation, Input,
    Instant, JoinFailure, Joined, KnownPeer, METADATA_MAX, Member, Metadata, NodeId, Options, Output,
    PAYLOAD_MAX, Payload, Refusal, Stats, Status, TooLong, Transmit, canonical, is_reachable_form,
    supersedes,
};
pub use context::Seed;
pub use node::Node;
pub use snapshot::{SOURCE, StateError, VERSION};
pub use wire::{JoinOutcome, Kind as MessageKind, payload_ranges};

/// Seeds that a node remembers.
pub const SEEDS_MAX: usize = 64;
/// Known peers that one `Restore` looks at.
pub const KNOWN_PEERS_MAX: usize = 256;
