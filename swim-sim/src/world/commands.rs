//! What users of nodes ask for. All return `false` if the host's process does not run.

use std::net::SocketAddr;

use swim_core::{Command, Done, Metadata, Payload, Refusal};

use super::World;
use crate::action::Action;
use crate::host::HostId;

impl World {
    /// Any command. `None`: the process of `host` does not run.
    pub fn command(&mut self, host: HostId, command: Command<'_>) -> Option<Result<Done, Refusal>> {
        self.stir += 1;
        self.note(&format_args!("{host:?} {command:?}"));
        self.give(host, command)
    }

    /// Lets `host` join through other hosts' present addresses.
    pub fn join(&mut self, host: HostId, seeds: &[HostId]) -> bool {
        let seeds = seeds.iter().map(|seed| self.hosts[seed.index()].addr).collect();
        self.perform(&Action::Join { host, seeds })
    }

    /// Lets `host` join through any addresses.
    pub fn join_at(&mut self, host: HostId, seeds: &[SocketAddr]) -> bool {
        self.perform(&Action::Join { host, seeds: seeds.to_vec() })
    }

    /// Lets `host` say goodbye; its process ends when that has been said.
    pub fn leave(&mut self, host: HostId) -> bool {
        self.perform(&Action::Leave(host))
    }

    /// Replaces the metadata of `host`.
    ///
    /// # Panics
    /// If it is too long.
    pub fn set_metadata(&mut self, host: HostId, bytes: &[u8]) -> bool {
        let metadata = Metadata::new(bytes).unwrap_or_else(|error| panic!("{error}"));
        self.command(host, Command::SetMetadata(metadata)).is_some()
    }

    /// Lets `host` broadcast something.
    ///
    /// # Panics
    /// If it is too long.
    pub fn broadcast(&mut self, host: HostId, bytes: &[u8]) -> bool {
        let payload = Payload::new(bytes).unwrap_or_else(|error| panic!("{error}"));
        self.command(host, Command::Broadcast(payload)).is_some()
    }

    /// Lets `host` send one member something.
    ///
    /// # Panics
    /// If it is too long.
    pub fn send(&mut self, host: HostId, target: HostId, bytes: &[u8]) -> bool {
        let payload = Payload::new(bytes).unwrap_or_else(|error| panic!("{error}"));
        self.command(host, Command::Send { target: self.id(target), payload }).is_some()
    }
}
