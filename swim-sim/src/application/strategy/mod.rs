//! Scenarios, drawn by proptest, so that what fails also shrinks.
//!
//! A scenario is drawn as a list of faults, each with what ends it, so that leaving one out leaves no other half
//! of it behind. Shrinking first takes faults away, then makes those that are left plainer (the first class of
//! the shape), earlier, shorter, and about hosts of lower numbers; then hosts go, and what is special about their
//! network. The seed stays: it means nothing, and another one would be another run.

mod fault;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::{Deref, RangeInclusive};
use std::time::Duration;

use fault::{Fault, UNIT, faults};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::Link;
use crate::action::FaultClass;
use crate::scenario::{Profile, Scenario, Step};

/// Scenarios of this shape. Each can be carried out, and written down for `swim-sim replay`: that is how a
/// failing one is printed.
///
/// # Panics
/// If one of the shape's ranges is empty, or it has no profile.
pub fn scenarios(shape: &Shape) -> impl Strategy<Value = Drawn> + use<> {
    let (most, horizon) = (*shape.hosts.end(), shape.horizon);
    let count = if shape.classes.is_empty() { 0..=0 } else { shape.faults.clone() };
    let classes = if shape.classes.is_empty() { Shape::default().classes } else { shape.classes.clone() };
    let faults = vec(faults(classes, most, units(horizon)), count);
    let seed = any::<u32>().no_shrink();
    (faults, topologies(shape), seed).prop_map(move |(faults, topology, seed)| {
        Drawn(assemble(&faults, &topology, seed.into(), units(horizon)))
    })
}

/// How often the unit of time that faults are drawn in fits in.
fn units(horizon: Duration) -> u32 {
    u32::try_from(horizon.as_nanos() / UNIT.as_nanos()).unwrap_or(u32::MAX).max(1)
}

fn assemble(faults: &[Fault], topology: &Topology, seed: u64, horizon: u32) -> Scenario {
    let mut scenario = topology.scenario(seed);
    let mut steps: Vec<Step> = faults.iter().flat_map(|fault| fault.steps(topology, horizon)).collect();
    steps.sort_by_key(|step| step.at);
    scenario.steps = steps;
    scenario
}

/// What a test wants to see: how many hosts, which faults, how many of them, in how much time.
///
/// ```
/// # use std::time::Duration;
/// # use swim_sim::{FaultClass, application::Shape};
/// let shape = Shape { hosts: 3..=5, classes: vec![FaultClass::Pause, FaultClass::Crash], ..Shape::default() };
/// assert_eq!(shape.faults, 0..=12);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    /// How many hosts there are. Default: 3 to 7.
    pub hosts: RangeInclusive<u32>,
    /// How many faults are drawn. Default: up to 12.
    pub faults: RangeInclusive<usize>,
    /// Of which kinds; failures are shown with the first ones where those do as well. Default: what happens to every
    /// cluster some day. Not among them: clocks that run wrong, names that are used twice, and datagrams that are
    /// damaged or hostile, none of which every application can withstand.
    pub classes: Vec<FaultClass>,
    /// All faults are over when the trouble has lasted so long. Default: a minute.
    pub horizon: Duration,
    /// Which defaults the members' options may have. Default: those of a local network.
    pub profiles: Vec<Profile>,
}

impl Default for Shape {
    fn default() -> Self {
        use FaultClass::{
            Crash, Duplication, LateTicks, Latency, Leave, Loss, Move, OneWayCut, Partition, Pause,
            Reordering, Restart, Slow, Spike, Unplug,
        };
        let classes = vec![
            Crash,
            Pause,
            Partition,
            OneWayCut,
            Loss,
            Latency,
            Restart,
            Leave,
            Unplug,
            Spike,
            Duplication,
            Reordering,
            Slow,
            LateTicks,
            Move,
        ];
        let horizon = Duration::from_secs(60);
        Self { hosts: 3..=7, faults: 0..=12, classes, horizon, profiles: vec![Profile::Lan] }
    }
}

/// Most seeds that are drawn; one host at least is none, if there are two.
const SEEDS_MAX: u32 = 3;
/// So many clusters are on good networks for each whose network is always bad in some way.
const GOOD_NETWORKS: u32 = 3;

/// How many hosts, which of them are seeds, and what is between them.
#[derive(Clone, PartialEq, Debug)]
pub struct Topology {
    /// Hosts at the beginning.
    pub hosts: u32,
    /// The first so many are the seeds of all hosts.
    pub seeds: u32,
    /// Which defaults the members' options have.
    pub profile: Profile,
    /// The link of every pair while there is trouble.
    pub link: Link,
}

impl Topology {
    /// A scenario in which nothing happens to it.
    #[must_use]
    pub fn scenario(&self, seed: u64) -> Scenario {
        Scenario {
            seeds: self.seeds,
            profile: self.profile,
            link: self.link,
            ..Scenario::calm(seed, self.hosts)
        }
    }
}

/// Topologies of this shape: its numbers of hosts, its profiles, and links with at most one of its classes.
///
/// # Panics
/// If the shape's range of hosts is empty, or it has no profile.
pub fn topologies(shape: &Shape) -> impl Strategy<Value = Topology> + use<> {
    let bad: Vec<FaultClass> = shape.classes.iter().copied().filter(|class| class.is_of_links()).collect();
    let always_good = bad.is_empty();
    let bad = if always_good { vec![FaultClass::Loss] } else { bad };
    let network = (0..GOOD_NETWORKS + 1, select(bad), 0..fault::MILD);
    let (hosts, profile) = (shape.hosts.clone(), select(shape.profiles.clone()));
    (hosts, 1..=SEEDS_MAX, profile, network).prop_map(
        move |(hosts, seeds, profile, (quality, class, dial))| {
            let good = always_good || quality < GOOD_NETWORKS;
            let link = if good { Link::lan() } else { fault::bad(Link::lan(), class, dial) };
            Topology { hosts, seeds: seeds.min(hosts.saturating_sub(1)).max(1), profile, link }
        },
    )
}

/// A scenario that was drawn. As `Debug` it is the text of a scenario file, because that is how proptest prints
/// the input that a test failed with: copied into a file, `swim-sim replay FILE` takes it.
#[derive(Clone, PartialEq)]
pub struct Drawn(pub Scenario);

impl Drawn {
    /// The text of a scenario file.
    #[must_use]
    pub fn toml(&self) -> String {
        toml::to_string(&self.0)
            .expect("scenarios can be written: they hold numbers, texts, lists and tables")
    }
}

impl Deref for Drawn {
    type Target = Scenario;

    fn deref(&self) -> &Scenario {
        &self.0
    }
}

impl fmt::Debug for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a scenario:\n\n{}", self.toml())
    }
}
