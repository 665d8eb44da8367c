//! S12: of two nodes with one id one remains, the same everywhere, and it does not flap.
//!
//! An id is given up only to another: a host that has it runs, or did so lately. When peace is over at most
//! one of an id's hosts runs, and in rest there is no more conflict about it. Where no two hosts have an id,
//! no node sees a rival.
//!
//! Excused are rivals that were forged, or garbled on the way: a datagram asked to be let in under that id
//! from where no host of it is.

use std::collections::BTreeSet;

use swim_core::{Config, Event, Instant, MessageKind, NodeId};

use crate::Presence;
use crate::World;
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;
use crate::properties::evidence::datagram::Reading;
use crate::properties::{Broken, Check, Monitor, declare};

/// Periods for which a rival that is gone may still be known of: the loser may have been stopped meanwhile, or
/// the news been on its way.
const LATELY_PERIODS: u32 = 60;

/// S12.
#[derive(Default)]
pub(super) struct Rivals {
    lately: std::time::Duration,
    /// When each host's process ended, unless by losing its name.
    ended: PerHost<Option<Instant>>,
    /// Hosts that lost their ids, in their present epochs.
    lost: PerHost<bool>,
    /// Ids that others have claimed.
    claimed: BTreeSet<NodeId>,
    looked: u64,
}

impl Rivals {
    pub(super) fn new(config: &Config) -> Self {
        Self { lately: config.period * LATELY_PERIODS, ..Self::default() }
    }

    fn conflict(&mut self, scene: &Scene<'_>, host: HostId, id: NodeId, won: bool) -> Check {
        self.looked += 1;
        let holders = scene.hosts_named(id);
        if self.claimed.contains(&id) {
            return Ok(());
        }
        if holders.len() < 2 {
            let why = format!("{host:?} sees a rival of {id:?}, and no other host ever had that id");
            return Err(Broken::by(&[host], why));
        }
        if won {
            return Ok(());
        }
        *self.lost.of(host) = true;
        let now = scene.now();
        let beaten_by = |other: &&HostId| {
            **other != host
                && (matches!(scene.presence(**other), Presence::Up | Presence::Paused)
                    || self.ended.of(**other).is_some_and(|at| now <= at.after(self.lately)))
        };
        if holders.iter().find(beaten_by).is_some() {
            return Ok(());
        }
        Err(Broken::by(holders, format!("{host:?} gives the id {id:?} up, and no other host has it now")))
    }

    fn dispute(&self, scene: &Scene<'_>, host: HostId) -> Check {
        let id = scene.identity(host).id;
        if scene.phase() != Phase::Rest || scene.hosts_named(id).len() < 2 {
            return Ok(());
        }
        Err(Broken::by(scene.hosts_named(id), format!("{host:?} still disputes the id {id:?}")))
    }
}

impl Monitor for Rivals {
    declare! { "S12", "rivals", REPORTED | READ_ARRIVED,
    "of two nodes with one id one remains, the same everywhere, and it does not flap" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Began { host, .. } => {
                (*self.lost.of(*host), *self.ended.of(*host)) = (false, None);
            }
            Happening::Ended { host, .. } => {
                let lost = *self.lost.of(*host);
                *self.ended.of(*host) = (!lost).then_some(scene.now());
            }
            Happening::Reported { host, event: Event::Conflict { id, won, .. } } => {
                self.conflict(scene, *host, *id, *won)?;
                self.dispute(scene, *host)?;
            }
            Happening::Reported { host, event: Event::EpochRaised { .. } } => self.dispute(scene, *host)?,
            _ => {}
        }
        Ok(())
    }

    fn on_datagram(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        if let Happening::Arrived { source, .. } = what
            && matches!(said.kind, MessageKind::Join | MessageKind::Announce)
        {
            let home = |host: &HostId| scene.identity(*host).addr == *source;
            if !scene.hosts_named(said.sender).iter().any(home) {
                self.claimed.insert(said.sender);
            }
        }
        Ok(())
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        if !matches!(phase, Phase::Peace | Phase::Rest) {
            return Ok(());
        }
        let scene = world.scene();
        for host in world.hosts() {
            let holders = scene.hosts_named(world.id(host));
            let up = |host: &&HostId| scene.presence(**host) == Presence::Up;
            let running: Vec<HostId> = holders.iter().filter(up).copied().collect();
            if holders.len() > 1 {
                self.looked += 1;
            }
            if running.len() > 1 {
                let why = format!("{} hosts have the id {:?} for good", running.len(), world.id(host));
                return Err(Broken::by(&running, why));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;
    use crate::Action;
    use crate::properties::Checker;
    use crate::properties::tests::worlds;

    fn monitor() -> Rivals {
        Rivals::new(&worlds::case(3).config)
    }

    #[test]
    fn it_is_silent_when_one_of_two_holders_gives_way() {
        let (mut world, hosts) = worlds::calm(5);
        let checker = Arc::new(Mutex::new(Checker::of(vec![Box::new(monitor())])));
        world.attach(Arc::clone(&checker));
        world.perform(&Action::Twin { of: hosts[3], seeds: vec![world.addr(hosts[0])] });
        world.run_for(Duration::from_secs(60));
        let mut checker = checker.lock().expect("no test panics");
        checker.after_phase(&world, Phase::Peace);
        assert_eq!(checker.violation(), None);
        assert!(checker.looked()[0].1 > 1, "there was a conflict");
    }

    fn lost(world: &World, host: HostId) -> Check {
        let rival = world.addr(host);
        let event = Event::Conflict { id: world.id(host), rival, won: false };
        monitor().on_happening(&world.scene(), &Happening::Reported { host, event: &event })
    }

    #[test]
    fn a_rival_that_no_host_is_or_that_is_long_gone_is_found() {
        let (mut world, hosts) = worlds::calm(3);
        assert!(lost(&world, hosts[1]).is_err(), "no other host has the id");
        world.perform(&Action::Twin { of: hosts[1], seeds: Vec::new() });
        assert!(lost(&world, hosts[1]).is_ok());
        world.crash(HostId(3));
        assert!(lost(&world, hosts[1]).is_err(), "the twin is gone");
    }

    #[test]
    fn two_holders_at_the_end_and_a_dispute_in_rest_are_found() {
        let (mut world, hosts) = worlds::calm(3);
        assert!(monitor().after_phase(&world, Phase::Peace).is_ok());
        // They never meet.
        world.perform(&Action::Twin { of: hosts[1], seeds: Vec::new() });
        assert!(monitor().after_phase(&world, Phase::Peace).is_err());
        world.enter(Phase::Rest);
        let event = Event::EpochRaised { epoch: swim_core::Epoch(1) };
        let raised =
            |host| monitor().on_happening(&world.scene(), &Happening::Reported { host, event: &event });
        assert!(raised(hosts[1]).is_err());
        assert!(raised(hosts[0]).is_ok(), "no other host has its id");
    }
}
