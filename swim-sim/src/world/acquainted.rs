//! A cluster that exists already when the world begins.
//!
//! Ten thousand members that join gossip a hundred million rows, and go on for minutes.
//! A run that is about what comes after that begins there.

use std::sync::Arc;

use swim_core::{Config, Identity};

use super::World;
use crate::host::{HostId, Spec};

impl World {
    /// Starts `n` hosts whose nodes know each other, as if they had joined long ago and all had been said.
    ///
    /// Properties that check what was sent know nothing of it: attach no checker.
    ///
    /// # Panics
    /// If processes are [recorded](World::record): a recording could not be replayed.
    pub fn start_acquainted(&mut self, n: usize, config: &Arc<Config>) -> Vec<HostId> {
        assert!(self.recorders.is_none(), "what a node assumes is in no recording");
        let hosts: Vec<HostId> = (0..n).map(|_| self.start(Spec::new(Arc::clone(config)))).collect();
        let all: Vec<Identity> =
            hosts.iter().filter_map(|host| self.node(*host)).map(|node| node.me()).collect();
        for id in &hosts {
            let host = &mut self.hosts[id.index()];
            if let Some(engine) = &mut host.engine {
                engine.node_mut().assume(all.iter().copied());
                host.revision = engine.node().revision();
            }
            self.note(&format_args!("{id:?} knows {n}"));
            self.rearm(*id);
        }
        self.stir += 1;
        hosts
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn acquainted_members_probe_each_other_and_have_nothing_to_gossip() {
        let mut world = World::new(1);
        let hosts = world.start_acquainted(20, &Arc::new(Config::lan()));
        assert!(world.converged());
        world.run_for(Duration::from_secs(100));
        assert!(world.converged());
        assert!(hosts.iter().all(|host| world.log(*host).is_empty()));
        let sent = world.traffic().sent.datagrams;
        assert!((3_900..4_100).contains(&sent), "a ping and an ack of each in each second: {sent}");
    }

    #[test]
    fn acquainted_members_notice_a_crash() {
        let mut world = World::new(2);
        let hosts = world.start_acquainted(10, &Arc::new(Config::lan()));
        world.run_for(Duration::from_secs(5));
        world.crash(hosts[9]);
        world
            .run_until(Duration::from_secs(60), |world| {
                world.all_believe(&hosts[..9], &hosts[9..], swim_core::Status::Dead)
            })
            .expect("a crash is detected");
    }
}
