//! B14: no more pings on behalf of others are open than `relayed_max`, and no more than four for one of them.
//!
//! Whoever sends ping-reqs can make a member send pings; this is all that he gets at once.

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::evidence::relaying::Relaying;
use crate::properties::{Broken, Case, Check, Monitor, declare};

/// Open at once for one origin.
const PER_ORIGIN_MAX: usize = 4;

/// B14.
pub(super) struct Relays {
    relaying: Relaying,
    max: usize,
    looked: u64,
}

impl Relays {
    pub(super) fn new(case: &Case) -> Self {
        let config = &case.config;
        let longest = config.period * (u32::from(config.health_max) + 1);
        Self { relaying: Relaying::new(longest), max: config.relayed_max.into(), looked: 0 }
    }
}

impl Monitor for Relays {
    declare! { "B14", "relays", ARRIVED | TICKED | REPORTED | READ | AFTER_INPUT,
    "no more pings for others are open than relayed_max, and than four for one of them" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        self.relaying.on_happening(what);
        Ok(())
    }

    fn on_datagram(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        self.relaying.on_datagram(what, said);
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        let (true, open, _) = self.relaying.after_input(world, host) else { return Ok(()) };
        let Some(origin) = open.last().map(|begun| begun.origin.0) else { return Ok(()) };
        self.looked += 1;
        let now = world.local(host);
        let open = || open.iter().filter(|relay| relay.at.after(relay.budget) > now);
        let (all, own) = (open().count(), open().filter(|relay| relay.origin.0 == origin).count());
        if own <= PER_ORIGIN_MAX && all <= self.max {
            return Ok(());
        }
        let why = format!("{host:?} has {all} pings for others open, {own} of them for {origin}");
        Err(Broken::by(&[host], why))
    }
}

#[cfg(test)]
mod tests {
    use swim_core::MessageKind;

    use super::*;
    use crate::properties::evidence::datagram::is_kind;
    use crate::properties::test_worlds;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = test_worlds::troubled(|case| Box::new(Relays::new(case)));
        assert_eq!(broken, None);
        assert!(looked > 5, "{looked}");
    }

    #[test]
    fn more_relays_than_the_bound_are_found() {
        let mut law = Relays::new(&test_worlds::case(8));
        law.max = 0;
        assert_eq!(test_worlds::doctored(Box::new(law), |_| true).0, Some("B14"));
    }

    #[test]
    fn a_fifth_relay_for_one_asker_is_found() {
        // The law does not see that any is answered, and takes each for a long one.
        let mut law = Relays::new(&test_worlds::case(8));
        law.relaying = Relaying::lasting(std::time::Duration::from_secs(1_000));
        let (broken, _) = test_worlds::doctored(
            Box::new(law),
            |what| !matches!(what, Happening::Arrived { bytes, .. } if is_kind(bytes, MessageKind::Ack)),
        );
        assert_eq!(broken, Some("B14"));
    }
}
