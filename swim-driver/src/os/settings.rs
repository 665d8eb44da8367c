//! What a driver is started with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use swim_core::{Config, Epoch, KnownPeer, NodeId, SEEDS_MAX};
use swim_trace::Recording;

use super::{SeedAddr, State};

/// How to start one member. Begin with [`Settings::new`] and set the fields that differ.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The protocol's configuration.
    pub config: Arc<Config>,
    /// This member's lasting name.
    pub id: NodeId,
    /// The address to bind a UDP socket to. Port 0: any free one.
    ///
    /// Datagrams leave from this address. Bound to a wildcard on a host with several addresses, the kernel
    /// chooses one by its routes, and an answer may leave from another address than was asked at: members
    /// then see `WrongSource`. Bind to one address there.
    pub bind: SocketAddr,
    /// The address that others reach this member at. Default: the one it is bound to, which must then not
    /// be a wildcard. Port 0: the bound one.
    pub advertise: Option<SocketAddr>,
    /// Members to join through, as addresses or `host:port` names, at most [`SEEDS_MAX`](swim_core::SEEDS_MAX). All are
    /// asked until one answers. A name is looked up on a thread of its own, and again after 0.5 to 4 s as long as the
    /// member has not joined, or is alone; what it stands for now replaces what it stood for. Default: none, this member
    /// waits to be found.
    pub seeds: Vec<SeedAddr>,
    /// What this member attaches to itself, at most [`METADATA_MAX`](swim_core::METADATA_MAX) bytes. Default:
    /// empty.
    pub metadata: Vec<u8>,
    /// The latest epoch before this one, if it was kept: this one is above it even when the clock
    /// has been set back. Default: none; the cluster then says which it was.
    pub epoch_floor: Option<Epoch>,
    /// The wall clock at the start, in Unix milliseconds. Default: the operating system's. Only a test needs
    /// another: whether a clock that was set back does harm.
    pub unix_ms: Option<u64>,
    /// What everything random follows from, but not when packets arrive. Only a test needs one: reused by a second
    /// run, or known to another party, it makes request numbers and address tokens predictable
    /// ([`Seed`](swim_core::Seed)). Default: the operating system's randomness.
    pub random_seed: Option<[u8; 32]>,
    /// Members remembered from an earlier epoch ([`Snapshot::known_peers`](crate::Snapshot::known_peers)). Default:
    /// none.
    pub known_peers: Vec<KnownPeer>,
    /// Where this member keeps its epoch and some of its peers ([`State`](super::State)) for its next start: its epoch is
    /// then above the former one, and the peers are seeds beside [`seeds`](Self::seeds), as far as there is room. Written at
    /// the start and the end, and when it has changed, after pauses of 0.1 to 30 s, by a thread. A file of no use is renamed
    /// to `….bad`; that, and a write that fails, is an event
    /// ([`StateNotKept`](swim_core::Event::StateNotKept)). Each member needs a file of its own. Default: nowhere.
    pub state_file: Option<PathBuf>,
    /// Events kept for a slow consumer before some are lost, at least 1, and as many broadcasts. Default 4,096; an
    /// event takes up to about 1.1 KiB, most of them 64 bytes.
    pub events_max: usize,
    /// Where this epoch is recorded, to be replayed. Default: nowhere.
    pub recording: Option<Recording>,
}

impl Settings {
    /// A member named `id` on `bind`, with the defaults named at the fields.
    #[must_use]
    pub fn new(config: impl Into<Arc<Config>>, id: NodeId, bind: SocketAddr) -> Self {
        Self {
            config: config.into(),
            id,
            bind,
            advertise: None,
            seeds: Vec::new(),
            metadata: Vec::new(),
            epoch_floor: None,
            unix_ms: None,
            random_seed: None,
            known_peers: Vec::new(),
            state_file: None,
            events_max: 4096,
            recording: None,
        }
    }

    /// Starts from a state that its user has stored: the epoch is above that one, and its peers are asked.
    pub fn resume(&mut self, state: &State) {
        self.epoch_floor = self.epoch_floor.max(Some(state.epoch));
        let mut seeds: Vec<SeedAddr> = state.known_peers.iter().map(|peer| peer.addr.into()).collect();
        seeds.retain(|seed| !self.seeds.contains(seed));
        seeds.truncate(SEEDS_MAX.saturating_sub(self.seeds.len()));
        self.seeds.append(&mut seeds);
    }

    /// The epoch of a member that starts when the operating system's clock reads `unix_ms`: never below the
    /// floor + 1.
    #[must_use]
    pub fn epoch(&self, unix_ms: u64) -> Epoch {
        let clock = Epoch(self.unix_ms.unwrap_or(unix_ms).min(Epoch::MAX.0));
        self.epoch_floor.map_or(clock, |floor| clock.max(floor.next()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new(Config::lan(), NodeId(1), "127.0.0.1:0".parse().expect("a valid address"))
    }

    #[test]
    fn an_epoch_is_above_the_earlier_one_even_with_the_clock_set_back() {
        let settings = Settings { epoch_floor: Some(Epoch(1000)), ..settings() };
        assert_eq!(settings.epoch(10), Epoch(1001));
        assert_eq!(settings.epoch(2000), Epoch(2000));
    }

    #[test]
    fn a_clock_that_is_given_replaces_the_operating_systems() {
        let settings = Settings { unix_ms: Some(7), ..settings() };
        assert_eq!(settings.epoch(2000), Epoch(7));
    }

    #[test]
    fn an_epoch_never_exceeds_what_can_be_held() {
        assert_eq!(settings().epoch(u64::MAX), Epoch::MAX);
    }
}
