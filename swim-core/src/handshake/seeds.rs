//! The addresses to ask for the cluster: seeds, and known peers of an earlier epoch.

use alloc::vec::Vec;
use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::api::{NodeId, Refusal, canonical, is_reachable_form};
use crate::{KNOWN_PEERS_MAX, SEEDS_MAX};

/// A seed, and which member it turned out to be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct SeedAt {
    #[serde(with = "crate::collections::serial::addr")]
    addr: SocketAddr,
    id: Option<NodeId>,
}

/// All of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Seeds {
    seeds: Vec<SeedAt>,
    #[serde(with = "crate::collections::serial::addrs")]
    known_peers: Vec<SocketAddr>,
}

impl Seeds {
    /// With these seeds too, as far as a node at `me` can ask them.
    pub(super) fn with(mut self, seeds: &[SocketAddr], me: SocketAddr) -> Result<Self, Refusal> {
        for addr in seeds.iter().map(|seed| canonical(*seed)) {
            if !is_reachable_form(addr) || addr == me || self.contains(addr) {
                continue;
            }
            if self.seeds.len() >= SEEDS_MAX {
                return Err(Refusal::TooManySeeds { limit: SEEDS_MAX as u32 });
            }
            self.seeds.push(SeedAt { addr, id: None });
        }
        debug_assert!(self.seeds.len() <= SEEDS_MAX, "seeds are bounded");
        Ok(self)
    }

    /// Forgets all but these.
    pub(super) fn retain(&mut self, kept: impl Fn(SocketAddr) -> bool) {
        self.seeds.retain(|seed| kept(seed.addr));
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = SocketAddr> {
        self.seeds.iter().map(|seed| seed.addr)
    }

    /// Remembers a known peer; `false` if there are as many as there may be.
    pub(super) fn add_known_peer(&mut self, addr: SocketAddr) -> bool {
        let known = self.known_peers.contains(&addr);
        if !known && self.known_peers.len() < KNOWN_PEERS_MAX {
            self.known_peers.push(addr);
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
        }
    }

    /// Seeds that are not known to be a member that is met.
    pub(super) fn unmet(&self, is_met: impl Fn(NodeId) -> bool) -> impl Iterator<Item = SocketAddr> {
        self.seeds.iter().filter(move |seed| !seed.id.is_some_and(&is_met)).map(|seed| seed.addr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_addresses_is_bounded() {
        let addr = |last: usize| SocketAddr::from(([10, 0, (last / 256) as u8, last as u8], 7946));
        let all: Vec<_> = (0..SEEDS_MAX).chain(0..SEEDS_MAX).map(addr).collect();
        let mut seeds = Seeds::default().with(&all, addr(999)).expect("a known one takes no room");
        assert_eq!(seeds.len(), SEEDS_MAX);
        let refused = seeds.clone().with(&[addr(998)], addr(999)).expect_err("all are taken");
        assert_eq!(refused, Refusal::TooManySeeds { limit: SEEDS_MAX as u32 });
        for last in 0..KNOWN_PEERS_MAX {
            assert!(seeds.add_known_peer(addr(last)));
        }
        assert!(!seeds.add_known_peer(addr(999)) && seeds.add_known_peer(addr(0)));
    }
}
