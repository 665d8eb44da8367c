//! How a run's end is shown.

use std::time::Duration;

use serde_json::json;
use swim_sim::run::{Outcome, Verdict};

use crate::layout::{columns, moment, time};
use crate::panics;
use crate::source::Chosen;
use crate::style::{BAD, DIM, GOOD, paint};

/// The verdict in a sentence or two.
pub(crate) fn sentence(outcome: &Outcome) -> String {
    match &outcome.verdict {
        Verdict::Passed => {
            let agreed = match outcome.agreed {
                None => String::new(),
                Some(Duration::ZERO) => ", all agreed as soon as there was peace".to_owned(),
                Some(agreed) => format!(", all agreed after {} of peace", time(agreed)),
            };
            format!("{} every law held for {}{agreed}", paint(GOOD, "passed:"), moment(outcome.ended))
        }
        Verdict::CutShort => {
            format!("{} every law held until {}", paint(GOOD, "stopped:"), moment(outcome.ended))
        }
        Verdict::Broken(violation) => {
            let hosts = &violation.broken.hosts;
            format!(
                "{} {} ({})\n  {}\n  at {}, {:?}, hosts {hosts:?}",
                paint(BAD, format!("{}:", outcome.verdict.word())),
                violation.property,
                violation.property.claim,
                violation.broken.why.replace('\n', "\n  "),
                moment(violation.at),
                violation.phase,
            )
        }
        Verdict::Panicked(text) => {
            let place = panics::place().unwrap_or_default();
            format!("{} {text}\n  {place}, at {}", paint(BAD, "panic:"), moment(outcome.ended))
        }
        Verdict::Nondeterministic { first, second } => {
            format!("{} the same scenario gave {first}, then {second}", paint(BAD, "nondeterminism:"))
        }
        other => format!("{other:?}"),
    }
}

/// How often each law had something to judge.
pub(crate) fn laws(outcome: &Outcome) -> String {
    let laws: Vec<(&str, u64)> = outcome.laws.iter().map(|(law, looked)| (law.id, *looked)).collect();
    paint(DIM, format!("laws, and how often each had something to judge:\n{}", columns(&laws)))
}

/// Everything for scripts.
pub(crate) fn json(chosen: &Chosen, outcome: &Outcome) -> serde_json::Value {
    let violation = match &outcome.verdict {
        Verdict::Broken(violation) => json!({
            "law": violation.property.id,
            "name": violation.property.name,
            "at_ns": violation.at.as_nanos(),
            "phase": format!("{:?}", violation.phase),
            "why": violation.broken.why,
            "hosts": violation.broken.hosts,
        }),
        Verdict::Panicked(text) => json!({ "why": text, "place": panics::place() }),
        _ => serde_json::Value::Null,
    };
    let laws: serde_json::Map<_, _> =
        outcome.laws.iter().map(|(law, looked)| (law.id.to_owned(), json!(looked))).collect();
    json!({
        "replay": chosen.replay,
        "seed": chosen.scenario.seed,
        "scenario": chosen.scenario,
        "verdict": outcome.verdict.word(),
        "violation": violation,
        "ended_ns": outcome.ended.as_nanos(),
        "agreed_ms": outcome.agreed.map(|agreed| agreed.as_millis()),
        "laws": laws,
        "sometimes": outcome.sometimes,
        "digest": outcome.digest.to_string(),
    })
}
