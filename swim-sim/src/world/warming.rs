//! Looking ahead, so that memory is asked for many things at once.
//!
//! Every event is for another host, and with thousands of hosts nothing that it needs is in any cache: it costs as
//! many cache lines as it touches, each of which is asked for when the one before has come. But it is known whose
//! timer fires next, whom that node is about to probe, and that the two will then hear of each other. So some
//! probes are looked at together, in rounds: all their hosts, all their nodes, all their targets, and so on.
//! Within a round nothing depends on anything, and the lines come together. Nothing is decided by what is seen,
//! and a target that turns out to be another one costs time and nothing else.

use std::hint::black_box;

use swim_core::NodeId;

use super::World;
use crate::host::{Host, HostId};
use crate::net::Fabric;

/// Probes that are looked at together.
const TOGETHER: usize = 32;
/// Hosts below which all that is needed stays in cache.
const HOSTS_MIN: usize = 200;

/// Who will do something soon.
pub(super) struct Ahead {
    /// In worlds of so many hosts or more.
    hosts_min: usize,
    waking: Vec<HostId>,
    /// Who probes, and the host that it will probe.
    probes: Vec<(NodeId, HostId)>,
}

impl Default for Ahead {
    fn default() -> Self {
        Self { hosts_min: HOSTS_MIN, waking: Vec::new(), probes: Vec::new() }
    }
}

impl World {
    /// Before the next event.
    pub(super) fn warm(&mut self) {
        if self.hosts.len() < self.ahead.hosts_min {
            return;
        }
        let Self { fabric, hosts, ahead: Ahead { waking, probes, .. }, .. } = self;
        fabric.ahead(TOGETHER, waking);
        if waking.is_empty() {
            return;
        }
        look_at_hosts(fabric, hosts, waking.iter().copied());
        look_at_nodes(hosts, waking.iter().copied());
        probes.clear();
        probes.extend(waking.iter().filter_map(|by| {
            let host = &hosts[by.index()];
            let target = host.engine.as_ref()?.node().warm_target()?;
            Some((host.id, fabric.directory.host_at(target)?))
        }));
        look_at_hosts(fabric, hosts, probes.iter().map(|(_, target)| *target));
        look_at_nodes(hosts, probes.iter().map(|(_, target)| *target));
        for (prober, target) in &*probes {
            if let Some(engine) = &hosts[target.index()].engine {
                engine.node().warm_sender(*prober);
            }
        }
    }
}

fn look_at_hosts(fabric: &Fabric, hosts: &[Host], ids: impl Iterator<Item = HostId>) {
    for id in ids {
        black_box(hosts[id.index()].warm());
        fabric.warm(id);
    }
}

fn look_at_nodes(hosts: &mut [Host], ids: impl Iterator<Item = HostId>) {
    for id in ids {
        if let Some(engine) = &mut hosts[id.index()].engine {
            engine.node_mut().warm();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use swim_core::Config;

    use super::*;
    use crate::{Link, PER_CENT, Setup, Spec};

    /// A cluster that joins, loses datagrams, a member and its links, and goes on.
    fn run(hosts_min: usize, seed: u64) -> (crate::Fingerprint, crate::Traffic) {
        let mut world = World::with(Setup::new(seed).link(Link::lan().loss(5 * PER_CENT)));
        world.ahead.hosts_min = hosts_min;
        let config = Arc::new(Config::lan());
        let hosts: Vec<HostId> = (0..40).map(|_| world.start(Spec::new(Arc::clone(&config)))).collect();
        for host in &hosts[1..] {
            world.join(*host, &hosts[..1]);
        }
        world.run_for(Duration::from_secs(30));
        world.crash(hosts[7]);
        world.perform(&crate::Action::Unplug(hosts[8]));
        world.run_for(Duration::from_secs(60));
        (world.fingerprint(), *world.traffic())
    }

    #[test]
    fn looking_ahead_changes_nothing() {
        for seed in 1..4 {
            assert_eq!(run(0, seed), run(usize::MAX, seed));
        }
    }
}
