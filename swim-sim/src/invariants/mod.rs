//! The laws of `docs/invariants.md` that a run is judged by, one file each, in a folder for each kind of them.
//!
//! Each is an [`Invariant`]: it hears of everything that happens in the world, in order, and may look at a
//! node after each of its inputs. It judges by evidence: whether an ack may count is told by the pings that
//! were sent, whether a member may be called Dead by what was done to its host. Files are named after their
//! laws; a number is part of every report and is never used again.

mod accounts;
#[cfg(test)]
mod bench;
mod bounds;
mod expected;
mod heeds;
mod jury;
mod law;
mod liveness;
mod quality;
mod safety;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use accounts::measures::Ledger;

pub use accounts::accusations::Accusation;
pub use accounts::measures::Measures;
pub use accounts::reading::Reading;
pub use accounts::tables::{Move, Row};
pub use heeds::Heeds;
pub use jury::Jury;
pub use law::{Broken, Case, Check, Invariant, Kind, Law, Violation};

/// Every law, in the order in which they are asked.
#[must_use]
pub fn standard(case: &Case) -> Vec<Box<dyn Invariant>> {
    with_ledger(case, &Ledger::shared())
}

/// Every law; what they measure is written into `ledger`.
fn with_ledger(case: &Case, ledger: &Arc<Ledger>) -> Vec<Box<dyn Invariant>> {
    let mut laws = safety::laws(case);
    laws.extend(liveness::laws(case));
    laws.extend(quality::laws(case, ledger));
    laws.extend(bounds::laws(case));
    if let Some(expected) = expected::Expected::new(case) {
        laws.push(Box::new(expected));
    }
    laws
}
