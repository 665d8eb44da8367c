//! Data structures that any program could use. They know nothing of members, of time or of datagrams.
//!
//! All of them keep their items at a number that the caller holds (an *index*), so that one record can be on several
//! lists, and take a bounded number of steps for each call, whatever they hold.

mod chunks;
pub(crate) mod hash;
mod heap;
mod index;
mod least_sent;
pub(crate) mod serial;
mod slab;

pub(crate) use chunks::Chunks;
pub(crate) use heap::Heap;
pub(crate) use index::Index;
pub(crate) use least_sent::{LeastSent, SENDS_MAX};
pub(crate) use slab::{NONE, Number, Slab};
