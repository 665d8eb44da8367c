//! Q10: who fails becomes more patient.
//!
//! A probe that fails, and of which no relay said that it listens at least, may be the prober's own fault: its local
//! health is not at its best right after that. (That it is again in the end is a part of Q5.)

use swim_core::MessageKind;

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::evidence::per_host::PerHost;
use crate::properties::{Broken, Case, Check, Monitor, declare};

/// Q10.
pub(super) struct Health {
    /// Whether health can become worse at all.
    enabled: bool,
    hosts: PerHost<Seen>,
    looked: u64,
}

#[derive(Default)]
struct Seen {
    /// Probes that had failed.
    failed: u64,
    /// Probes that had begun.
    begun: u64,
    /// A relay has said no since the last one began.
    nacked: bool,
}

impl Health {
    pub(super) fn new(case: &Case) -> Self {
        Self { enabled: case.config.health_max > 0, hosts: PerHost::default(), looked: 0 }
    }

    fn judge(&mut self, host: HostId, (begun, failed): (u64, u64), health: u8) -> Check {
        let seen = self.hosts.of(host);
        let fails = std::mem::replace(&mut seen.failed, failed) < failed;
        let nacked = seen.nacked;
        // A probe ends where the next begins.
        seen.nacked &= std::mem::replace(&mut seen.begun, begun) == begun;
        if !fails {
            return Ok(());
        }
        self.looked += 1;
        if nacked || health > 0 {
            return Ok(());
        }
        let why =
            format!("a probe of {host:?} failed without any word of a relay, and it is as impatient as ever");
        Err(Broken::by(&[host], why))
    }
}

impl Monitor for Health {
    declare! { "Q10", "health", READ_ARRIVED | AFTER_INPUT,
    "whose probe fails without any word of a relay becomes more patient" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        if let Happening::Began { host, .. } = what {
            *self.hosts.of(*host) = Seen::default();
        }
        Ok(())
    }

    fn on_datagram(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        if let (Happening::Arrived { host, .. }, MessageKind::Nack) = (what, said.kind) {
            self.hosts.of(*host).nacked = true;
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        let Some(node) = world.node(host).filter(|_| self.enabled) else { return Ok(()) };
        let stats = node.stats();
        self.judge(host, (stats.probes, stats.probes_failed), node.health())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::test_worlds;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, _) = test_worlds::troubled(|case| Box::new(Health::new(case)));
        assert_eq!(broken, None);
    }

    #[test]
    fn who_fails_and_is_as_impatient_as_ever_is_found() {
        let mut law = Health::new(&test_worlds::case(3));
        let host = HostId(0);
        assert!(law.judge(host, (1, 1), 2).is_ok());
        assert!(law.judge(host, (2, 1), 0).is_ok(), "nothing has failed since");
        law.hosts.of(host).nacked = true;
        assert!(law.judge(host, (3, 2), 0).is_ok(), "its relays listen");
        assert!(law.judge(host, (4, 3), 0).is_err(), "they have not said so again");
    }
}
