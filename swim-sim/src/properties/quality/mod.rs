//! How well.

mod detection;
mod dissemination;
mod load;
mod probing;
mod rest;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::evidence::measures::Ledger;
use super::{Case, Monitor};

/// The monitors; what they measure is written into `ledger`.
pub(super) fn monitors(case: &Case, ledger: &Arc<Ledger>) -> Vec<Box<dyn Monitor>> {
    let mut all: Vec<Box<dyn Monitor>> = vec![
        Box::new(detection::Detection::new(case, Arc::clone(ledger))),
        Box::new(probing::Fairness::default()),
        Box::new(rest::Rest::new(rest::Part::Load, case, Arc::clone(ledger))),
        Box::new(rest::Rest::new(rest::Part::Pages, case, Arc::clone(ledger))),
        Box::new(rest::Storms::new(case)),
        Box::new(dissemination::Broadcasts::new(case)),
        Box::new(dissemination::Dissemination::new(case, Arc::clone(ledger))),
        Box::new(probing::Health::new(case)),
    ];
    if !case.scenario.flips_bits() {
        all.push(Box::new(load::Load::new(case, Arc::clone(ledger))));
    }
    all
}
