//! What somebody could send who is no node: the wire written by hand.
//!
//! Nothing here uses the core's own encoder, which could not be made to lie: the bytes are put together from
//! `docs/wire.md`, as an attacker would who has read it and knows the cluster's label. [`Voice`] is whom a
//! datagram claims to come from; [`Claim`] is what it claims about somebody. Whether they are believed is for
//! the nodes to say.

mod bytes;
mod claim;
mod tape;
mod voice;

pub(crate) use bytes::{garbage, mutate};
pub use claim::{Claim, Says};
pub(crate) use tape::Tape;
pub use voice::Voice;
