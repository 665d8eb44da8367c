//! How a run's end is shown.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::json;
use swim_sim::run::{Finished, Outcome};

use crate::layout::{BAD, DIM, GOOD, columns, moment, paint};
use crate::source::Chosen;

/// The outcome in a sentence or two.
pub(crate) fn sentence(finished: &Finished) -> String {
    match &finished.outcome {
        Outcome::Passed => format!("{} {}", paint(GOOD, "passed:"), finished.sentence()),
        Outcome::CutShort => format!("{} {}", paint(GOOD, "stopped:"), finished.sentence()),
        Outcome::Broken(violation) => {
            let hosts = &violation.broken.hosts;
            format!(
                "{} {} ({})\n  {}\n  at {}, {:?}, hosts {hosts:?}",
                paint(BAD, format!("{}:", finished.outcome.name())),
                violation.property,
                violation.property.claim,
                violation.broken.why.replace('\n', "\n  "),
                moment(violation.at),
                violation.phase,
            )
        }
        Outcome::Panicked(text) => {
            let location = panic_location().unwrap_or_default();
            format!("{} {text}\n  {location}, at {}", paint(BAD, "panic:"), moment(finished.ended))
        }
        other => format!("{} {}", paint(BAD, format!("{}:", other.name())), finished.sentence()),
    }
}

/// How often each property had something to check.
pub(crate) fn properties(finished: &Finished) -> String {
    let properties: Vec<(&str, u64)> = finished.looked().collect();
    paint(DIM, format!("properties, and how often each had something to check:\n{}", columns(&properties)))
}

/// Everything for scripts.
pub(crate) fn json(chosen: &Chosen, finished: &Finished) -> serde_json::Value {
    let violation = match &finished.outcome {
        Outcome::Broken(violation) => json!({
            "law": violation.property.id,
            "name": violation.property.name,
            "at_ns": violation.at.as_nanos(),
            "phase": format!("{:?}", violation.phase),
            "why": violation.broken.why,
            "hosts": violation.broken.hosts,
        }),
        Outcome::Panicked(text) => json!({ "why": text, "place": panic_location() }),
        _ => serde_json::Value::Null,
    };
    json!({
        "replay": chosen.replay,
        "seed": chosen.scenario.seed,
        "scenario": chosen.scenario,
        "verdict": finished.outcome.name(),
        "violation": violation,
        "ended_ns": finished.ended.as_nanos(),
        "agreed_ms": finished.agreed.map(|agreed| agreed.as_millis()),
        "laws": finished.looked().collect::<BTreeMap<_, _>>(),
        "sometimes": finished.sometimes,
        "digest": finished.digest.to_string(),
    })
}

thread_local! {
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Remembers where a panic was instead of printing it.
pub(crate) fn keep_panics_quiet() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::env::var_os("RUST_BACKTRACE").is_some() {
            loud(info);
        }
        let location = info.location().map(ToString::to_string);
        LOCATION.with(|held| *held.borrow_mut() = location);
    }));
}

/// Where this thread panicked last.
pub(crate) fn panic_location() -> Option<String> {
    LOCATION.with(|held| held.borrow_mut().take())
}
