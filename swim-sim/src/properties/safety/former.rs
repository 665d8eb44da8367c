//! S20: a probe of an earlier life, or of an earlier address, accuses nobody.
//!
//! Whoever began another life while it was asked, or moved away from where it was asked, cannot have answered.
//! So an accusation is of the very life that the first ping of the failed probe named, at the very address that
//! it went to.

use crate::World;
use crate::host::HostId;
use crate::properties::{Accusation, Broken, Check, Monitor, declare};

/// S20.
#[derive(Default)]
pub(super) struct Former {
    looked: u64,
}

impl Monitor for Former {
    declare! { "S20", "former", NONE,
    "a probe of an earlier life, or of an earlier address, accuses nobody" }

    fn on_accusation(&mut self, world: &World, host: HostId, accusation: &Accusation) -> Check {
        let held = world.node(host).and_then(|node| node.member(accusation.subject));
        let asked = accusation.probe.as_ref().and_then(|probe| probe.asked);
        let (Some(held), Some((addr, epoch))) = (held, asked) else { return Ok(()) };
        self.looked += 1;
        if held.epoch == epoch && held.addr == addr {
            return Ok(());
        }
        let why = format!(
            "{host:?} accuses {:?} in {:?} at {}; it had asked for {:?} at {}",
            accusation.subject, held.epoch, held.addr, epoch, addr
        );
        let about = world.scene().host_named(accusation.subject);
        Err(Broken::by(&[Some(host), about].into_iter().flatten().collect::<Vec<_>>(), why))
    }
}

#[cfg(test)]
mod tests {
    use swim_core::Epoch;

    use super::*;
    use crate::properties::evidence::probes::Probe;
    use crate::properties::test_worlds;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = test_worlds::troubled(|_| Box::new(Former::default()));
        assert_eq!(broken, None);
        assert!(looked > 5, "{looked}");
    }

    #[test]
    fn an_accusation_of_another_life_or_elsewhere_is_found() {
        let (world, hosts) = test_worlds::calm(3);
        let (subject, row) = (world.id(hosts[1]), test_worlds::row(&world, hosts[0], hosts[1]));
        let judge = |epoch, addr| {
            let probe = Probe::unanswered(subject, Some((addr, epoch)), world.now());
            let accusation = Accusation { subject, probe: Some(probe) };
            Former::default().on_accusation(&world, hosts[0], &accusation).is_ok()
        };
        assert!(judge(row.claim.epoch, row.addr));
        assert!(!judge(Epoch(row.claim.epoch.0 - 1), row.addr));
        assert!(!judge(row.claim.epoch, world.addr(hosts[2])));
    }
}
