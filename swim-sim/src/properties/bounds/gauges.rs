//! B7, B9, B12: tables and queues that a node's own gauges show, looked at after every few inputs.
//!
//! One check for three bounds. The gauges are counted by the tables themselves as they change; that they agree with
//! what the tables hold is a matter of the core's own tests.

use swim_core::{Config, Stats};

use crate::World;
use crate::host::HostId;
use crate::properties::monitor::AFTER_INPUT;
use crate::properties::{Broken, Case, Check, Interest, Monitor, Property};

/// Inputs of all hosts between two looks: what is too full stays so for a while, and a prime number meets every
/// host.
const LOOK_EVERY: u64 = 7;

/// What is held, and at most how much.
type Reading = fn(&Stats, &Config) -> (u32, u32);

/// One bound.
pub(super) struct Gauge {
    property: Property,
    case: Case,
    read: Reading,
    inputs: u64,
    looked: u64,
}

impl Gauge {
    /// All of them.
    pub(super) fn all(case: &Case) -> [Self; 3] {
        let gauge = |id, name, claim, read: Reading| Self {
            property: Property { id, name, claim },
            case: case.clone(),
            read,
            inputs: 0,
            looked: 0,
        };
        [
            gauge(
                "B7",
                "members",
                "no table holds more than members_max Alive and Suspect members",
                |stats, config| (stats.alive + stats.suspect, config.members_max),
            ),
            gauge("B9", "updates", "no more updates wait than members are known", |stats, _| {
                (stats.updates_queued, stats.alive + stats.suspect + stats.dead + stats.left)
            }),
            gauge(
                "B12",
                "broadcasts-queued",
                "no more broadcasts wait than broadcasts_max",
                |stats, config| (stats.broadcasts_queued, config.broadcasts_max.into()),
            ),
        ]
    }
}

impl Monitor for Gauge {
    fn property(&self) -> Property {
        self.property
    }

    fn looked(&self) -> u64 {
        self.looked
    }

    fn interest(&self) -> Interest {
        AFTER_INPUT
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        self.inputs += 1;
        if !self.inputs.is_multiple_of(LOOK_EVERY) {
            return Ok(());
        }
        let Some(node) = world.node(host) else { return Ok(()) };
        self.looked += 1;
        let (held, max) = (self.read)(&node.stats(), &self.case.config);
        if held <= max {
            return Ok(());
        }
        Err(Broken::by(&[host], format!("{host:?} holds {held}; at most {max}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_gauge_reads_its_own_bound() {
        let case = Case::of(&crate::scenario::Scenario::calm(1, 3)).expect("a valid scenario");
        let stats = Stats::default();
        let mut full = stats;
        (full.alive, full.suspect, full.dead, full.left) = (7, 20, 300, 4000);
        (full.updates_queued, full.broadcasts_queued) = (50_000, 600_000);
        let read = Gauge::all(&case).map(|gauge| (gauge.read)(&full, &case.config));
        assert_eq!(read, [(27, 100_000), (50_000, 4327), (600_000, 256)]);
    }

    #[test]
    fn more_than_the_bound_is_found() {
        let (world, hosts) = crate::properties::test_worlds::calm(2);
        let [mut members, ..] = Gauge::all(&crate::properties::test_worlds::case(2));
        let look = |gauge: &mut Gauge| (0..LOOK_EVERY).try_for_each(|_| gauge.after_input(&world, hosts[0]));
        assert_eq!(look(&mut members), Ok(()));
        members.read = |stats, _| (stats.alive, 1);
        assert!(look(&mut members).is_err());
    }
}
