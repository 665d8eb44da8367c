//! How well.

mod detection;
mod dissemination;
mod load;
mod probing;
mod rest;
#[cfg(test)]
mod tests;

use super::{Case, Monitor};

/// The monitors.
pub(super) fn monitors(case: &Case) -> Vec<Box<dyn Monitor>> {
    let mut all: Vec<Box<dyn Monitor>> = vec![
        Box::new(detection::Detection::new(case)),
        Box::new(probing::Fairness::default()),
        Box::new(rest::Rest::new(rest::Part::Load, case)),
        Box::new(rest::Rest::new(rest::Part::Pages, case)),
        Box::new(rest::Storms::new(case)),
        Box::new(dissemination::Broadcasts::new(case)),
        Box::new(dissemination::Dissemination::new(case)),
        Box::new(probing::Health::new(case)),
    ];
    if !case.scenario.flips_bits() {
        all.push(Box::new(load::Load::new(case)));
    }
    all
}
