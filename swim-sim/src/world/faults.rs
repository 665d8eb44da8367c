//! What tests do to the hosts and to the network, by name.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use swim_core::{Config, Epoch};

use super::World;
use crate::action::{Action, Inbox};
use crate::ground_truth::{Fate, Happening};
use crate::ground_truth::{HostTruth, Presence};
use crate::host::{Host, HostId, Spec};
use crate::net::{Arrival, Datagram, Handling, Network};
use crate::random::{Random, purpose};

impl World {
    /// Starts a host. Its node knows only itself until it is asked to join.
    ///
    /// # Panics
    /// If its address is in use.
    pub fn start(&mut self, spec: Spec) -> HostId {
        let number = HostId(u32::try_from(self.hosts.len()).expect("fewer hosts than 2^32"));
        let late = Random::new(self.setup.seed, purpose::LATE, u64::from(number.0));
        let host = Host::new(number, &spec, late);
        let (id, addr) = (host.id, host.addr);
        let fact = HostTruth { id, addr, epoch: Epoch(0), presence: Presence::Crashed, holds_sends: false };
        self.ground_truth.enter(fact);
        self.hosts.push(host);
        self.note(&format_args!("start {number:?}"));
        self.begin_process(number);
        number
    }

    /// Starts `n` hosts with the defaults and this configuration.
    pub fn start_many(&mut self, n: usize, config: &Arc<Config>) -> Vec<HostId> {
        (0..n).map(|_| self.start(Spec::new(Arc::clone(config)))).collect()
    }

    /// The process of `host` dies without a goodbye. `false`: there is none.
    pub fn crash(&mut self, host: HostId) -> bool {
        self.perform(&Action::Crash(host))
    }

    /// Starts a process on `host` again, at the same address. `false`: there is one, or its address is
    /// taken.
    pub fn restart(&mut self, host: HostId) -> bool {
        self.perform(&Action::Restart(host))
    }

    /// Starts a process on `host` again, at another address. `false`: there is one, or the address is
    /// taken.
    pub fn restart_at(&mut self, host: HostId, addr: SocketAddr) -> bool {
        if self.hosts[host.index()].engine.is_none() && self.fabric.directory.host_at(addr).is_none() {
            self.hosts[host.index()].addr = addr;
        }
        self.hosts[host.index()].addr == addr && self.restart(host)
    }

    /// Stops the process of `host`; its socket goes on collecting. `false`: it does not run.
    pub fn pause(&mut self, host: HostId) -> bool {
        self.perform(&Action::Pause { host, inbox: Inbox::Kept })
    }

    /// Lets a stopped process go on. `false`: it is not stopped.
    pub fn resume(&mut self, host: HostId) -> bool {
        self.perform(&Action::Resume(host))
    }

    /// Gives `host` another address, and its node learns of it. `false`: it does not run, or the address is
    /// taken.
    pub fn move_to(&mut self, host: HostId, addr: SocketAddr) -> bool {
        self.perform(&Action::Move { host, addr })
    }

    /// Sets how far the host's wall clock is ahead, in ms; its next epoch follows it.
    pub fn set_wall_clock_ms(&mut self, host: HostId, ahead: i64) {
        self.hosts[host.index()].wall_clock_ms = ahead;
    }

    /// The links, the partition and the cuts, to be changed.
    pub fn network(&mut self) -> &mut Network {
        &mut self.fabric.network
    }

    /// Splits the hosts into groups that do not hear each other; those not named are one more group.
    pub fn partition(&mut self, groups: &[&[HostId]]) {
        self.perform(&Action::Partition(groups.iter().map(|group| group.to_vec()).collect()));
    }

    /// Ends every partition and cut.
    pub fn heal(&mut self) {
        self.perform(&Action::Heal);
    }

    /// Lets `hook` see every datagram that a host sends, and decide what becomes of it. Replaces an
    /// earlier hook.
    pub fn set_hook(&mut self, hook: impl FnMut(Datagram<'_>) -> Handling + Send + 'static) {
        self.fabric.hook = Some(Box::new(hook));
    }

    /// Takes the hook away.
    pub fn clear_hook(&mut self) {
        self.fabric.hook = None;
    }

    /// A stranger sends a datagram that seems to come from `source`: no link, no loss, it arrives at once.
    pub fn inject(&mut self, source: SocketAddr, target: SocketAddr, bytes: &[u8]) {
        self.inject_after(Duration::ZERO, source, target, bytes);
    }

    /// The same, but it arrives after `delay`.
    pub fn inject_after(&mut self, delay: Duration, source: SocketAddr, target: SocketAddr, bytes: &[u8]) {
        self.fabric.transcript.datagram(self.fabric.now, source, target, bytes, Fate::Forged);
        self.notify(&Happening::Forged { source, target, bytes });
        self.fabric.traffic.forged.add(bytes.len());
        self.fabric.launch(source, target, bytes, delay);
    }

    /// Collects what arrives at an address where no host is; see [`World::heard`].
    pub fn listen(&mut self, addr: SocketAddr) {
        self.fabric.outside.entry(addr).or_default();
    }

    /// What arrived at an address that is listened to.
    #[must_use]
    pub fn heard(&self, addr: SocketAddr) -> &[Arrival] {
        self.fabric.outside.get(&addr).map_or(&[], Vec::as_slice)
    }
}

impl World {
    /// The address that a host with this number is born at: 10.0.0.1:7946 for host 0.
    #[must_use]
    pub fn birthplace(host: HostId) -> SocketAddr {
        host.birthplace()
    }
}
