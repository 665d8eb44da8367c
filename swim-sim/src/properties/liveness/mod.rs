//! What comes true once the network lets it.

mod commands;
mod leaves;
mod members;
#[cfg(test)]
mod tests;

use super::{Case, Monitor};
use members::{Agreement, Soon, What};

/// The monitors.
pub(super) fn monitors(case: &Case) -> Vec<Box<dyn Monitor>> {
    let mut all: Vec<Box<dyn Monitor>> = vec![
        Box::new(Agreement::default()),
        Box::new(Soon::new(What::Crash, case)),
        Box::new(Soon::new(What::Start, case)),
        Box::new(Soon::new(What::Restart, case)),
        Box::new(Soon::new(What::Resume, case)),
        Box::new(leaves::Leaves::new(case)),
        Box::new(commands::Commands::default()),
    ];
    if !case.scenario.flips_bits() {
        all.push(Box::new(Soon::new(What::Metadata, case)));
    }
    all
}
