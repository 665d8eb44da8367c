//! The properties of `docs/invariants.md` that every run is checked against, in a folder for each kind of
//! them.
//!
//! Each has a [`Monitor`]. The [`Checker`] hands it everything that happens in the world, in order, and it
//! may look at a node after each of its inputs. It decides by evidence: whether an ack may count shows in
//! the pings that were sent, whether a member may be called Dead in what was done to its host. A property
//! never asks the core whether the core is right; the papers' formulas are in `formulas.rs`. An id is part of
//! every report and is never used again.

mod bounds;
mod checker;
mod evidence;
mod expected;
mod formulas;
mod liveness;
mod monitor;
mod quality;
mod safety;
#[cfg(test)]
mod tests;

use monitor::declare;

pub use checker::Checker;
pub use evidence::datagram::Reading;
pub(crate) use evidence::datagram::is_kind;
pub use evidence::probes::Accusation;
pub use evidence::tables::{Row, RowChange};
pub use monitor::{Broken, Case, Check, Interest, Kind, Monitor, Property, Violation};

/// A monitor for every property, in the order in which they are asked.
#[must_use]
pub fn standard(case: &Case) -> Vec<Box<dyn Monitor>> {
    let mut all = safety::monitors(case);
    all.extend(liveness::monitors(case));
    all.extend(quality::monitors(case));
    all.extend(bounds::monitors(case));
    if let Some(expected) = expected::Expected::new(case) {
        all.push(Box::new(expected));
    }
    all
}
