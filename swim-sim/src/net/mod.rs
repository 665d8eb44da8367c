//! The network between the hosts: what may be sent, what gets lost, and when the rest arrives.

mod channel;
mod dice;
mod directory;
mod fabric;
mod hook;
mod latency;
mod link;
mod network;
mod packets;
mod throws;

pub(crate) use directory::{Directory, born_at};
pub(crate) use fabric::Fabric;
pub(crate) use hook::Hook;
pub use hook::{Datagram, Verdict};
pub use latency::Latency;
pub use link::{Burst, Link, PER_CENT, Rate};
pub use network::{Directions, Network};
pub use packets::Arrival;
pub(crate) use packets::Packets;
