//! How much, at most.

mod datagrams;
mod deadlines;
mod repeats;
mod tables;
#[cfg(test)]
mod tests;

use super::{Case, Monitor};

/// The monitors.
pub(super) fn monitors(case: &Case) -> Vec<Box<dyn Monitor>> {
    let mut all: Vec<Box<dyn Monitor>> = vec![
        Box::new(datagrams::Lengths::new(case)),
        Box::new(datagrams::SendBudget::default()),
        Box::new(tables::Tombstones::new(case)),
        Box::new(repeats::Repeats::new(case)),
        Box::new(datagrams::PagesPerSecond::new(case)),
        Box::new(deadlines::Deadlines::new(case)),
    ];
    for gauge in tables::Gauge::all(case) {
        all.push(Box::new(gauge));
    }
    all
}
