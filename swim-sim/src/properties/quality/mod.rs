//! How well.

mod broadcasts;
mod detection;
mod dissemination;
mod fairness;
mod health;
mod load;
mod rest;
mod storms;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::evidence::measures::Ledger;
use super::{Case, Monitor};

/// The laws; what they measure is written into `ledger`.
pub(super) fn monitors(case: &Case, ledger: &Arc<Ledger>) -> Vec<Box<dyn Monitor>> {
    let mut laws: Vec<Box<dyn Monitor>> = vec![
        Box::new(detection::Detection::new(case, Arc::clone(ledger))),
        Box::new(fairness::Fairness::default()),
        Box::new(rest::Rest::new(rest::Part::Load, case, Arc::clone(ledger))),
        Box::new(rest::Rest::new(rest::Part::Pages, case, Arc::clone(ledger))),
        Box::new(storms::Storms::new(case)),
        Box::new(broadcasts::Broadcasts::new(case)),
        Box::new(dissemination::Dissemination::new(case, Arc::clone(ledger))),
        Box::new(health::Health::new(case)),
    ];
    if !case.scenario.flips_bits() {
        laws.push(Box::new(load::Load::new(case, Arc::clone(ledger))));
    }
    laws
}
