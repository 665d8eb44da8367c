//! The network between the hosts: what may be sent, what gets lost, and when the rest arrives.

mod channel;
mod directory;
mod fabric;
mod link;
mod network;

pub(crate) use directory::Directory;
pub(crate) use fabric::Fabric;
pub use fabric::{Arrival, Datagram, Handling};
pub use link::{Burst, Latency, Link, PER_CENT, Rate};
pub use network::{Directions, Network};
