//! What every driver of `swim-core` is made of, short of waiting.
//!
//! A driver owns a socket, a clock and a place to sleep. What it does with them is the same on raw epoll, on
//! tokio and under the simulator's virtual clock, so it is written once, here: [`Engine`] is a
//! [`Node`](swim_core::Node) with the loop around it, and [`Host`] is the little that the loop asks of its
//! surroundings. Neither touches the operating system. The feature `os` adds the module `os`: a bound socket,
//! one read, one send, the time, and the settings of a member on a real machine. [`View`] is what
//! callers elsewhere read. What is left to a driver is how it and its callers wait.
//!
//! This crate is for authors of drivers. Users of a driver find what they need of it in `swim_mio` or
//! `swim_tokio`. Start at [`Engine::turn`].
//!
//! # The contract
//!
//! 1. Wait until the socket is readable, or writable *while a send is blocked*, or a command has come, or
//!    the deadline has. Wake up for nothing else.
//! 2. Read until the socket is empty or [`DRAIN_MAX`] datagrams were read. Each goes through
//!    `Node::handle`, and what comes out is sent at once.
//! 3. Past the deadline, *first* do 2, *then* tick. What had arrived by the deadline has then been read
//!    (the socket's buffer is chosen so that it cannot hold more than `DRAIN_MAX`), so an ack that was not
//!    read yet never becomes an accusation; and because `DRAIN_MAX` is a bound, a flood cannot keep the
//!    detector from its work.
//! 4. When a send would block, keep that one datagram, stop polling, ask for writability, go on reading.
//! 5. When the operating system refuses a send, say `Undelivered`: the node excuses a probe of which nothing left, for a
//!    bounded time.
//! 6. Nothing that a user does blocks 1 to 5. Events go into a bounded queue, and a consumer that was
//!    too slow learns how many it missed ([`Event::Lost`](swim_core::Event::Lost)). Commands wait in a
//!    bounded queue, are handled in order and return their results; [`Callers`] wait for the end of a join
//!    or of a leave, and for room for a broadcast.
//!
//! 2 to 6 are [`Engine::turn`]; a driver is a loop of *wait* and *turn*.
//!
//! If the member is [recorded](Engine::recorded), the engine does it: it writes once in every turn
//! in which something happened, and once for each command. A write to a file may take long when the disk
//! does; it is the one thing here that can.
#![forbid(unsafe_code)]

mod callers;
mod engine;
mod events;
#[cfg(feature = "os")]
pub mod os;
mod round_trips;
mod snapshot;
mod subscriptions;
mod view;

pub use callers::{Callers, CommandError, Outcome, Reply};
pub use engine::{Delivery, Engine, Host, Ready, Received, Step, Turn};
pub use events::EventQueue;
pub use round_trips::RoundTrips;
pub use snapshot::{OwnedMember, Snapshot};
pub use subscriptions::{Inboxes, OWN, Start, Update, Waiting};
pub use swim_trace::{OwnedCommand, RecordError, Recording};
pub use view::View;

/// Datagrams read at most before a tick that is due, and between two looks at anything else.
pub const DRAIN_MAX: usize = 1024;

/// Bytes that a datagram is received into: one more than the longest that any member may send
/// ([`Options::datagram_max`](swim_core::Options::datagram_max) ≤ 9,000), so that a longer one is seen to be
/// too long instead of being cut to a length that looks right.
pub const RECEIVE_MAX: usize = 9001;

/// Commands that may wait for the driver. A caller beyond it waits until there is room.
pub const COMMANDS_MAX: usize = 64;
