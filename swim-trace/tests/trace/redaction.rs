//! A redacted trace replays, and says nothing of what users said.

use std::collections::BTreeMap;

use swim_core::Event;
use swim_trace::{Reader, Record, Redactor, ReplayOptions, replay};

use crate::cluster::{eventful, reader};

fn says(trace: &[u8], text: &str) -> bool {
    trace.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_redacted_trace_holds_nothing_that_users_said_and_replays() {
    for seed in 0..4 {
        assert!(says(&eventful(seed, None), "secret"), "seed {seed}: it was said");
        let redacted = eventful(seed, Some(&Redactor::new([9; 16])));
        assert!(!says(&redacted, "secret") && !says(&redacted, "number "), "seed {seed}");
        let trace = reader(redacted);
        assert!(trace.head().redacted);
        let replayed = replay(&trace, ReplayOptions::default());
        assert_eq!(replayed.unwrap_or_else(|error| panic!("seed {seed}: {error}")).records, trace.len());
    }
}

#[test]
fn redaction_changes_nothing_but_what_users_said() {
    let (plain, redacted) = (eventful(3, None), eventful(3, Some(&Redactor::new([9; 16]))));
    assert_eq!(plain.len(), redacted.len());
    let kinds = |trace: &Reader| -> Vec<String> {
        let entries = trace.records().map(|entry| entry.expect("good").record);
        entries.map(|record| kind(&record)).collect()
    };
    assert_eq!(kinds(&reader(plain)), kinds(&reader(redacted)));
}

/// What a record says, but for payloads.
fn kind(record: &Record<'_>) -> String {
    match record {
        Record::Event(Event::Broadcast { origin, payload }) => format!("{origin:?} {}", payload.len()),
        Record::Event(Event::Message { from, payload }) => format!("{from:?} {}", payload.len()),
        other => other.to_string(),
    }
}

#[test]
fn what_was_said_twice_is_seen_to_be_the_same_and_nothing_else_is() {
    let payloads = |trace: &[u8]| -> Vec<Vec<u8>> {
        let trace = reader(trace.to_vec());
        let events = trace.records().filter_map(|entry| match entry.expect("good").record {
            Record::Event(Event::Broadcast { payload, .. } | Event::Message { payload, .. }) => {
                Some(payload.into_vec())
            }
            _ => None,
        });
        events.collect()
    };
    let (plain, redacted) = (eventful(5, None), eventful(5, Some(&Redactor::new([9; 16]))));
    let (plain, redacted) = (payloads(&plain), payloads(&redacted));
    assert!(plain.len() > 10, "{}", plain.len());
    let pairs: BTreeMap<_, _> = plain.iter().zip(&redacted).collect();
    let back: BTreeMap<_, _> = redacted.iter().zip(&plain).collect();
    assert!(
        plain
            .iter()
            .zip(&redacted)
            .all(|(plain, redacted)| pairs[plain] == redacted && back[redacted] == plain)
    );
}
