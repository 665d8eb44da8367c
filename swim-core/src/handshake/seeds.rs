//! The addresses to ask for the cluster: seeds, and known peers of an earlier epoch.

use alloc::vec::Vec;
use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::api::NodeId;
use crate::{KNOWN_PEERS_MAX, SEEDS_MAX};

/// A seed, and which member it turned out to be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct SeedAt {
    #[serde(with = "crate::collections::serial::addr")]
    addr: SocketAddr,
    id: Option<NodeId>,
}

/// All of them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Seeds {
    seeds: Vec<SeedAt>,
    #[serde(with = "crate::collections::serial::addrs")]
    known_peers: Vec<SocketAddr>,
    /// How many seeds are no active members, as of this revision of the table; see [`Seeds::unmet`].
    #[serde(skip)]
    counted: Option<(u64, u32)>,
}

impl Seeds {
    /// Remembers a seed. The caller has made sure that there is room.
    pub(super) fn add(&mut self, addr: SocketAddr) {
        if !self.contains(addr) {
            debug_assert!(self.seeds.len() < SEEDS_MAX, "the caller has made sure that there is room");
            self.seeds.push(SeedAt { addr, id: None });
            self.counted = None;
        }
    }

    /// Remembers a known peer; `false` if there are as many as there may be.
    pub(super) fn add_known_peer(&mut self, addr: SocketAddr) -> bool {
        let known = self.known_peers.contains(&addr);
        if !known && self.known_peers.len() < KNOWN_PEERS_MAX {
            self.known_peers.push(addr);
            debug_assert!(self.known_peers.len() <= KNOWN_PEERS_MAX, "known peers are bounded");
            return true;
        }
        known
    }

    pub(super) fn contains(&self, addr: SocketAddr) -> bool {
        self.seeds.iter().any(|seed| seed.addr == addr)
    }

    pub(super) const fn len(&self) -> usize {
        self.seeds.len()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.seeds.is_empty()
    }

    pub(super) fn addr(&self, nth: usize) -> SocketAddr {
        self.seeds[nth].addr
    }

    pub(super) fn known_peers(&self) -> &[SocketAddr] {
        &self.known_peers
    }

    /// Whether there is any address to ask.
    pub(super) const fn has_any_address(&self) -> bool {
        !self.seeds.is_empty() || !self.known_peers.is_empty()
    }

    /// A seed turned out to be this member.
    pub(super) fn identify(&mut self, addr: SocketAddr, id: NodeId) {
        if let Some(seed) = self.seeds.iter_mut().find(|seed| seed.addr == addr) {
            seed.id = Some(id);
            self.counted = None;
        }
    }

    /// How many seeds are no active members. While neither the table, whose `revision` this is, nor a seed changes, it
    /// is not counted again.
    pub(super) fn unmet(&mut self, revision: u64, is_met: impl Fn(NodeId) -> bool) -> u32 {
        if let Some((counted_at, unmet)) = self.counted
            && counted_at == revision
        {
            return unmet;
        }
        let unmet = self.seeds.iter().filter(|seed| !seed.id.is_some_and(&is_met)).count() as u32;
        debug_assert!(unmet as usize <= self.seeds.len(), "only a seed is an unmet seed");
        self.counted = Some((revision, unmet));
        unmet
    }

    /// The address of the nth of them.
    pub(super) fn nth_unmet(&self, nth: usize, is_met: impl Fn(NodeId) -> bool) -> Option<SocketAddr> {
        self.seeds.iter().filter(|seed| !seed.id.is_some_and(&is_met)).map(|seed| seed.addr).nth(nth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_addresses_is_bounded() {
        let addr = |last: usize| SocketAddr::from(([10, 0, (last / 256) as u8, last as u8], 7946));
        let mut seeds = Seeds::default();
        for last in 0..SEEDS_MAX {
            seeds.add(addr(last));
            seeds.add(addr(last));
        }
        assert_eq!(seeds.len(), SEEDS_MAX, "a known one takes no room");
        for last in 0..KNOWN_PEERS_MAX {
            assert!(seeds.add_known_peer(addr(last)));
        }
        assert!(!seeds.add_known_peer(addr(999)) && seeds.add_known_peer(addr(0)));
    }
}
