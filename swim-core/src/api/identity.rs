//! What identifies a member: a lasting id, an address that may change, an epoch that grows with every start.
//!
//! SWIM orders claims about a member by an incarnation number that only the member raises. A process
//! that restarts has lost that number, so claims about its predecessor would supersede its own until it
//! learns how high the number was. Therefore every start has an *epoch*, Unix milliseconds: the later
//! epoch wins at once, and incarnations start again at zero.

use core::fmt;
use core::net::{IpAddr, SocketAddr, SocketAddrV6};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A member's lasting name, chosen by the user: random, or derived from a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u64);

impl NodeId {
    /// Derives an id from a name, the same one on every machine and in every version: the first eight bytes of the
    /// name's SHA-256, read as a little-endian number.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(Sha256::digest(name));
        Self(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:x}", self.0)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One run of a node: Unix milliseconds at its start, raised above the epoch of every earlier run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The largest epoch that can be held: 48 bits, the year 10889.
    pub const MAX: Self = Self((1 << 48) - 1);

    /// The smallest epoch of the next run, at most [`Epoch::MAX`].
    #[must_use]
    pub const fn next(self) -> Self {
        if self.0 >= Self::MAX.0 { Self::MAX } else { Self(self.0 + 1) }
    }
}

/// How often a member has refuted or updated itself within one epoch. Only the member raises its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Incarnation(pub u32);

/// What a node is started with: its name, the address at which others reach it, and its epoch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// The lasting name.
    pub id: NodeId,
    /// Where the other members send datagrams to: the *advertised* address, never `0.0.0.0`.
    #[serde(with = "crate::collections::serial::addr")]
    pub addr: SocketAddr,
    /// The epoch of this run; Unix milliseconds now, but never below a persisted epoch + 1.
    pub epoch: Epoch,
}

/// The one form of an address that the core compares and stores: a v4-mapped v6 address becomes v4,
/// flow information is dropped, a scope id is kept only where it means something (link-local).
#[inline]
#[must_use]
pub fn canonical(addr: SocketAddr) -> SocketAddr {
    match addr {
        SocketAddr::V4(_) => addr,
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(v4) => SocketAddr::new(IpAddr::V4(v4), v6.port()),
            None => {
                let scope = if v6.ip().is_unicast_link_local() { v6.scope_id() } else { 0 };
                SocketAddr::V6(SocketAddrV6::new(*v6.ip(), v6.port(), 0, scope))
            }
        },
    }
}

/// Whether a datagram can be sent to `addr` and mean one member: a port, and a unicast host.
#[inline]
#[must_use]
pub fn is_reachable_form(addr: SocketAddr) -> bool {
    let ip = addr.ip();
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    addr.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !broadcast
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_the_same_id_for_ever() {
        assert_eq!(NodeId::from_name(""), NodeId(0x141c_fc98_42c4_b0e3));
        assert_eq!(NodeId::from_name("node-1"), NodeId(0x4a02_bbe9_e61b_9735));
    }

    #[test]
    fn v4_mapped_addresses_are_v4_addresses() {
        let mapped: SocketAddr = "[::ffff:10.0.0.1]:7946".parse().expect("a valid address");
        let plain: SocketAddr = "10.0.0.1:7946".parse().expect("a valid address");
        assert_eq!(canonical(mapped), plain);
        assert_eq!(canonical(plain), plain);
    }

    #[test]
    fn scope_ids_survive_only_on_link_local_addresses() {
        let scoped = |ip: &str, scope| {
            SocketAddr::V6(SocketAddrV6::new(ip.parse().expect("a valid address"), 7946, 9, scope))
        };
        assert_eq!(canonical(scoped("fe80::1", 3)), scoped_plain("fe80::1", 3));
        assert_eq!(canonical(scoped("2001:db8::1", 3)), scoped_plain("2001:db8::1", 0));
    }

    fn scoped_plain(ip: &str, scope: u32) -> SocketAddr {
        SocketAddr::V6(SocketAddrV6::new(ip.parse().expect("a valid address"), 7946, 0, scope))
    }

    #[test]
    fn wildcards_multicast_groups_and_port_zero_are_not_reachable_addresses() {
        for addr in ["0.0.0.0:1", "[::]:1", "224.0.0.1:1", "255.255.255.255:1", "10.0.0.1:0"] {
            assert!(!is_reachable_form(addr.parse().expect("a valid address")), "{addr}");
        }
        assert!(is_reachable_form("127.0.0.1:1".parse().expect("a valid address")));
    }
}
