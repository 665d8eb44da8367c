//! How a run's end is shown.

use std::cell::RefCell;
use std::time::Duration;

use serde_json::json;
use swim_sim::run::{Finished, Outcome};

use crate::layout::{BAD, DIM, GOOD, columns, moment, paint, time};
use crate::source::Chosen;

/// The outcome in a sentence or two.
pub(crate) fn sentence(finished: &Finished) -> String {
    match &finished.outcome {
        Outcome::Passed => {
            let agreed = match finished.agreed {
                None => String::new(),
                Some(Duration::ZERO) => ", all agreed as soon as there was peace".to_owned(),
                Some(agreed) => format!(", all agreed after {} of peace", time(agreed)),
            };
            format!("{} every law held for {}{agreed}", paint(GOOD, "passed:"), moment(finished.ended))
        }
        Outcome::CutShort => {
            format!("{} every law held until {}", paint(GOOD, "stopped:"), moment(finished.ended))
        }
        Outcome::Broken(violation) => {
            let hosts = &violation.broken.hosts;
            format!(
                "{} {} ({})\n  {}\n  at {}, {:?}, hosts {hosts:?}",
                paint(BAD, format!("{}:", finished.outcome.word())),
                violation.property,
                violation.property.claim,
                violation.broken.why.replace('\n', "\n  "),
                moment(violation.at),
                violation.phase,
            )
        }
        Outcome::Panicked(text) => {
            let place = panic_place().unwrap_or_default();
            format!("{} {text}\n  {place}, at {}", paint(BAD, "panic:"), moment(finished.ended))
        }
        Outcome::Nondeterministic { first, second } => {
            format!("{} the same scenario gave {first}, then {second}", paint(BAD, "nondeterminism:"))
        }
        other => format!("{other:?}"),
    }
}

/// How often each law had something to judge.
pub(crate) fn laws(finished: &Finished) -> String {
    let laws: Vec<(&str, u64)> = finished.properties.iter().map(|(law, looked)| (law.id, *looked)).collect();
    paint(DIM, format!("laws, and how often each had something to judge:\n{}", columns(&laws)))
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
        Outcome::Panicked(text) => json!({ "why": text, "place": panic_place() }),
        _ => serde_json::Value::Null,
    };
    let laws: serde_json::Map<_, _> =
        finished.properties.iter().map(|(law, looked)| (law.id.to_owned(), json!(looked))).collect();
    json!({
        "replay": chosen.replay,
        "seed": chosen.scenario.seed,
        "scenario": chosen.scenario,
        "verdict": finished.outcome.word(),
        "violation": violation,
        "ended_ns": finished.ended.as_nanos(),
        "agreed_ms": finished.agreed.map(|agreed| agreed.as_millis()),
        "laws": laws,
        "sometimes": finished.sometimes,
        "digest": finished.digest.to_string(),
    })
}

thread_local! {
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Remembers where a panic was instead of printing it.
pub(crate) fn keep_panics_quiet() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::env::var_os("RUST_BACKTRACE").is_some() {
            loud(info);
        }
        let place = info.location().map(ToString::to_string);
        PLACE.with(|held| *held.borrow_mut() = place);
    }));
}

/// Where this thread panicked last.
pub(crate) fn panic_place() -> Option<String> {
    PLACE.with(|held| held.borrow_mut().take())
}
