//! The laws of `docs/invariants.md` that a run is judged by, one file each.
//!
//! Each is an [`Invariant`]: it hears of everything that happens in the world, in order, and may look at a
//! node after each of its inputs. It judges by evidence: whether an ack may count is told by the pings that
//! were sent, whether a member may be called Dead by what was done to its host. Files are named after their
//! laws; a number is part of every report and is never used again.

mod accusations;
mod acks;
mod agreement;
mod answers;
mod attachments;
mod awaited;
mod awake;
#[cfg(test)]
mod bench;
mod broadcasts;
mod buddies;
mod burials;
mod crashes;
mod deadlines;
mod detection;
mod dissemination;
mod expected;
mod fairness;
mod farewells;
mod former;
mod gauges;
mod goodbyes;
mod health;
mod heeds;
mod jury;
mod law;
mod lengths;
mod load;
mod measures;
mod nacks;
mod own_word;
mod pages_per_second;
mod pairs;
mod patience;
mod per_host;
mod probes;
mod promises;
mod quantum;
mod reading;
mod relaying;
mod relays;
mod repeats;
mod rest;
mod returns;
mod revivals;
mod rivals;
mod stalls;
mod storms;
mod strangers;
mod tables;
mod targets;
#[cfg(test)]
mod tests;
mod third_parties;
mod tokens;
mod tombstones;
mod unasked;
mod upwards;
mod verdicts;
mod weather;

use std::sync::Arc;

use measures::Ledger;

pub use accusations::Accusation;
pub use heeds::Heeds;
pub use jury::Jury;
pub use law::{Broken, Case, Check, Invariant, Kind, Law, Violation};
pub use measures::Measures;
pub use reading::Reading;
pub use tables::{Move, Row};

/// Every law, in the order in which they are asked.
#[must_use]
pub fn standard(case: &Case) -> Vec<Box<dyn Invariant>> {
    with_ledger(case, &Ledger::shared())
}

/// Every law; what they measure is written into `ledger`.
fn with_ledger(case: &Case, ledger: &Arc<Ledger>) -> Vec<Box<dyn Invariant>> {
    let mut laws = safe(case);
    laws.extend(lively(case));
    laws.extend(good(case, ledger));
    if !case.scenario.flips_bits() {
        laws.push(Box::new(attachments::Attachments::new(case)));
        laws.push(Box::new(load::Load::new(case, Arc::clone(ledger))));
    }
    laws.extend(bounds(case));
    if let Some(expected) = expected::Expected::new(case) {
        laws.push(Box::new(expected));
    }
    laws
}

/// What never happens.
fn safe(case: &Case) -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(upwards::Upwards::default()),
        Box::new(own_word::OwnWord::default()),
        Box::new(verdicts::Verdicts::new(case)),
        Box::new(burials::Burials::new(case)),
        Box::new(revivals::Revivals::new(case)),
        Box::new(goodbyes::Goodbyes::default()),
        Box::new(acks::Acks::new(case.config.accept_wrong_source)),
        Box::new(strangers::Strangers::new(case.config.accept_wrong_source)),
        Box::new(answers::Answers::new(case.config.accept_wrong_source)),
        Box::new(targets::Targets::new(case.config.accept_wrong_source)),
        Box::new(rivals::Rivals::new(&case.config)),
        Box::new(stalls::Stalls::new(&case.config)),
        Box::new(former::Former::default()),
        Box::new(unasked::Unasked::default()),
        Box::new(nacks::Nacks::new(case)),
        Box::new(third_parties::ThirdParties::default()),
        Box::new(buddies::Buddies::new(case)),
        Box::new(patience::Patience::new(case)),
    ]
}

/// What comes true.
fn lively(case: &Case) -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(agreement::Agreement::default()),
        Box::new(crashes::Crashes::new(case)),
        Box::new(returns::Returns::new(returns::Way::First, case)),
        Box::new(returns::Returns::new(returns::Way::Again, case)),
        Box::new(returns::Returns::new(returns::Way::Resumed, case)),
        Box::new(farewells::Farewells::new(case)),
        Box::new(promises::Promises::default()),
    ]
}

/// How well.
fn good(case: &Case, ledger: &Arc<Ledger>) -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(detection::Detection::new(case, Arc::clone(ledger))),
        Box::new(fairness::Fairness::default()),
        Box::new(rest::Rest::new(rest::Part::Load, case, Arc::clone(ledger))),
        Box::new(rest::Rest::new(rest::Part::Pages, case, Arc::clone(ledger))),
        Box::new(storms::Storms::new(case)),
        Box::new(broadcasts::Broadcasts::new(case)),
        Box::new(dissemination::Dissemination::new(case, Arc::clone(ledger))),
        Box::new(health::Health::new(case)),
    ]
}

/// How much, at most.
fn bounds(case: &Case) -> Vec<Box<dyn Invariant>> {
    let mut bounds: Vec<Box<dyn Invariant>> = vec![
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
