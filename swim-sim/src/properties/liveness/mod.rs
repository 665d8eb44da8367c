//! What comes true once the network lets it.

mod agreement;
mod attachments;
mod crashes;
mod farewells;
mod promises;
mod returns;
#[cfg(test)]
mod tests;

use super::{Case, Monitor};

/// The laws.
pub(super) fn monitors(case: &Case) -> Vec<Box<dyn Monitor>> {
    let mut laws: Vec<Box<dyn Monitor>> = vec![
        Box::new(agreement::Agreement::default()),
        Box::new(crashes::Crashes::new(case)),
        Box::new(returns::Returns::new(returns::Way::First, case)),
        Box::new(returns::Returns::new(returns::Way::Again, case)),
        Box::new(returns::Returns::new(returns::Way::Resumed, case)),
        Box::new(farewells::Farewells::new(case)),
        Box::new(promises::Promises::default()),
    ];
    if !case.scenario.flips_bits() {
        laws.push(Box::new(attachments::Attachments::new(case)));
    }
    laws
}
