//! The laws of `docs/invariants.md` that a run is judged by, one file each.
//!
//! Each is an [`Invariant`]: it hears of everything that happens in the world, in order, and may look at a
//! node after each of its inputs. It judges by evidence: whether an ack may count is told by the pings that
//! were sent, whether a member may be called Dead by what was done to its host. Files are named after their
//! laws; a number is part of every report and is never used again.

mod acks;
mod agreement;
mod awake;
#[cfg(test)]
mod bench;
mod burials;
mod goodbyes;
mod jury;
mod law;
mod own_word;
mod pairs;
mod per_host;
mod probes;
mod revivals;
mod tables;
mod upwards;
mod verdicts;

pub use jury::Jury;
pub use law::{Broken, Case, Check, Invariant, Kind, Law, Violation};
pub use tables::{Move, Row};

/// Every law, in the order in which they are asked.
#[must_use]
pub fn standard(case: &Case) -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(upwards::Upwards::default()),
        Box::new(own_word::OwnWord::default()),
        Box::new(verdicts::Verdicts::new(case)),
        Box::new(burials::Burials::new(case)),
        Box::new(revivals::Revivals::new(case)),
        Box::new(goodbyes::Goodbyes::default()),
        Box::new(acks::Acks::new(case.config.accept_wrong_source)),
        Box::new(agreement::Agreement::default()),
    ]
}
