//! What comes true once the network lets it.

mod commands;
mod leaves;
mod members;
mod metadata;
#[cfg(test)]
mod tests;

use super::{Case, Monitor};

/// The monitors.
pub(super) fn monitors(case: &Case) -> Vec<Box<dyn Monitor>> {
    let mut all: Vec<Box<dyn Monitor>> = vec![
        Box::new(members::Agreement::default()),
        Box::new(members::Crashes::new(case)),
        Box::new(members::Returns::new(members::Way::First, case)),
        Box::new(members::Returns::new(members::Way::Again, case)),
        Box::new(members::Returns::new(members::Way::Resumed, case)),
        Box::new(leaves::Leaves::new(case)),
        Box::new(commands::Commands::default()),
    ];
    if !case.scenario.flips_bits() {
        all.push(Box::new(metadata::LastMetadata::new(case)));
    }
    all
}
