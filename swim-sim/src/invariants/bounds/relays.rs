//! B14: no more pings on behalf of others are open than `relayed_max`, and no more than four for one of them.
//!
//! Whoever sends ping-reqs can make a member send pings; this is all that he gets at once.

use crate::World;
use crate::evidence::{Happening, Scene};
use crate::host::HostId;
use crate::invariants::accounts::reading::Reading;
use crate::invariants::accounts::relaying::Relaying;
use crate::invariants::{Broken, Case, Check, Heeds, Invariant, Law};

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

impl Invariant for Relays {
    fn law(&self) -> Law {
        Law {
            number: "B14",
            name: "relays",
            says: "no more pings for others are open than relayed_max, and than four for one of them",
        }
    }

    fn looked(&self) -> u64 {
        self.looked
    }

    fn heeds(&self) -> Heeds {
        Heeds::ARRIVED | Heeds::TICKED | Heeds::REPORTED | Heeds::READ | Heeds::SETTLED
    }

    fn see(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        self.relaying.see(what);
        Ok(())
    }

    fn read(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        self.relaying.read(what, said);
        Ok(())
    }

    fn settled(&mut self, world: &World, host: HostId) -> Check {
        let (true, open, _) = self.relaying.settled(world, host) else { return Ok(()) };
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
    use crate::invariants::accounts::reading::is_kind;
    use crate::invariants::bench;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = bench::troubled(|case| Box::new(Relays::new(case)));
        assert_eq!(broken, None);
        assert!(looked > 5, "{looked}");
    }

    #[test]
    fn more_relays_than_the_bound_are_found() {
        let mut law = Relays::new(&bench::case(8));
        law.max = 0;
        assert_eq!(bench::doctored(Box::new(law), |_| true).0, Some("B14"));
    }

    #[test]
    fn a_fifth_relay_for_one_asker_is_found() {
        // The law does not see that any is answered, and takes each for a long one.
        let mut law = Relays::new(&bench::case(8));
        law.relaying = Relaying::lasting(std::time::Duration::from_secs(1_000));
        let (broken, _) = bench::doctored(
            Box::new(law),
            |what| !matches!(what, Happening::Arrived { bytes, .. } if is_kind(bytes, MessageKind::Ack)),
        );
        assert_eq!(broken, Some("B14"));
    }
}
