//! Hosts by number and by address, and by id every member that was ever named.
//!
//! Rows of the matrix are hosts, columns are ids. Mostly they are the same, but an id may move to another
//! host, two hosts may claim one, and a hostile sender invents some that no host ever had.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use swim_core::{Identity, NodeId};

use crate::ground_truth::Presence;
use crate::host::HostId;

/// What is known of a host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// Its id, as a subject's number.
    pub(crate) subject: u32,
    pub(crate) addr: SocketAddr,
    pub(crate) presence: Presence,
    /// When its present epoch began, in ns.
    pub(crate) began: u64,
    /// The revision of its node's table when that was last looked at.
    pub(crate) revision: u64,
}

/// Hosts and ids.
#[derive(Default)]
pub(crate) struct Names {
    hosts: Vec<Known>,
    subjects: Vec<NodeId>,
    by_id: BTreeMap<NodeId, u32>,
    by_addr: BTreeMap<SocketAddr, u32>,
    pub(crate) phantoms: usize,
}

impl Names {
    /// The next host, or what is true of one that is known already.
    pub(crate) fn enter(&mut self, host: HostId, me: Identity, presence: Presence, began: u64) {
        let subject = self.subject_of_host(me.id);
        let known = Known { subject, addr: me.addr, presence, began, revision: u64::MAX };
        if host.index() < self.hosts.len() {
            self.hosts[host.index()] = known;
        } else {
            self.hosts.push(known);
        }
        self.by_addr.insert(me.addr, host.0);
    }

    pub(crate) fn host_mut(&mut self, host: HostId) -> Option<&mut Known> {
        self.hosts.get_mut(host.index())
    }

    /// The host is at another address from now on.
    pub(crate) fn moved(&mut self, host: HostId, addr: SocketAddr) {
        self.hosts[host.index()].addr = addr;
        self.by_addr.insert(addr, host.0);
    }

    /// The number of an id; `None`: no host has it, and there are too many of those.
    pub(crate) fn subject(&mut self, id: NodeId, phantoms_max: usize) -> Option<u32> {
        if let Some(subject) = self.by_id.get(&id) {
            return Some(*subject);
        }
        if self.phantoms >= phantoms_max {
            return None;
        }
        self.phantoms += 1;
        Some(self.subject_of_host(id))
    }

    /// The number of an id that was seen before.
    pub(crate) fn known(&self, id: NodeId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// The last host that was seen at this address.
    pub(crate) fn host_at(&self, addr: SocketAddr) -> Option<u32> {
        self.by_addr.get(&addr).copied()
    }

    pub(crate) fn host(&self, host: HostId) -> &Known {
        &self.hosts[host.index()]
    }

    pub(crate) fn hosts(&self) -> &[Known] {
        &self.hosts
    }

    pub(crate) fn subjects(&self) -> &[NodeId] {
        &self.subjects
    }

    fn subject_of_host(&mut self, id: NodeId) -> u32 {
        let next = u32::try_from(self.subjects.len()).expect("fewer names than 2^32");
        let subject = *self.by_id.entry(id).or_insert(next);
        if subject == next {
            self.subjects.push(id);
        }
        subject
    }
}
