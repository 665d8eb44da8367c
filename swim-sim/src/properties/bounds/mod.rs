//! How much, at most.

mod deadlines;
mod gauges;
mod lengths;
mod pages_per_second;
mod quantum;
mod relays;
mod repeats;
#[cfg(test)]
mod tests;
mod tombstones;

use super::{Case, Monitor};

/// The laws.
pub(super) fn monitors(case: &Case) -> Vec<Box<dyn Monitor>> {
    let mut bounds: Vec<Box<dyn Monitor>> = vec![
        Box::new(lengths::Lengths::new(case)),
        Box::new(quantum::Quantum::default()),
        Box::new(tombstones::Tombstones::new(case)),
        Box::new(repeats::Repeats::new(case)),
        Box::new(relays::Relays::new(case)),
        Box::new(pages_per_second::PagesPerSecond::new(case)),
        Box::new(deadlines::Deadlines::new(case)),
    ];
    for gauge in gauges::Gauge::all(case) {
        bounds.push(Box::new(gauge));
    }
    bounds
}
