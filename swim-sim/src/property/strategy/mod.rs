//! Scenarios, drawn by proptest, so that what fails also shrinks.
//!
//! A scenario is drawn as a list of faults, each with what ends it, so that leaving one out leaves no other half
//! of it behind. Shrinking first takes faults away, then makes those that are left plainer (the first class of
//! the shape), earlier, shorter, and about hosts of lower numbers; then hosts go, and what is special about their
//! network. The seed stays: it means nothing, and another one would be another run.

mod drawn;
mod fault;
mod links;
mod shape;
mod topology;

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::scenario::{Scenario, Step};

pub use drawn::Drawn;
use fault::{Fault, UNIT, faults};
pub use shape::Shape;
pub use topology::{Topology, topologies};

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

#[cfg(test)]
mod tests;
