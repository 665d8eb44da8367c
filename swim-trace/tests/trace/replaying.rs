//! What is recorded is what happens again.

use std::collections::BTreeSet;

use swim_core::Instant;
use swim_trace::{Entry, Record, Recorder, ReplayError, ReplayOptions, replay};

use crate::cluster::{Cluster, eventful, frames, reader, reseal, seal, short};

#[test]
fn a_recording_happens_again_bit_for_bit() {
    for seed in 0..8 {
        let trace = reader(eventful(seed, None));
        let replayed = replay(&trace, ReplayOptions::default());
        let replayed = replayed.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!((replayed.first, replayed.records, replayed.tail), (0, trace.len(), None), "seed {seed}");
        assert!(replayed.records > 800, "seed {seed}: {}", replayed.records);
    }
}

#[test]
fn every_kind_of_record_and_input_occurs() {
    let trace = reader(eventful(1, None));
    let first = |text: String| text.split([' ', ':', '(', '{']).next().unwrap_or_default().to_owned();
    let mut kinds = BTreeSet::new();
    for entry in trace.records() {
        let record = entry.expect("good").record;
        kinds.insert(match &record {
            Record::Input { .. } | Record::Command { .. } => {
                let text = record.to_string();
                first(text.strip_prefix("command ").unwrap_or(&text).to_owned())
            }
            other => first(format!("{other:?}")),
        });
    }
    for kind in
        ["Born", "Result", "Transmit", "Event", "Settled", "datagram", "tick", "undelivered", "Join", "Leave"]
    {
        assert!(kinds.contains(kind), "{kind}: {kinds:?}");
    }
    for kind in
        ["CancelJoin", "SetMetadata", "SetAddress", "SetSeeds", "Broadcast", "Send", "Remove", "Restore"]
    {
        assert!(kinds.contains(kind), "{kind}: {kinds:?}");
    }
}

#[test]
fn the_same_part_of_a_trace_has_the_same_digest_and_another_part_has_not() {
    let trace = reader(eventful(2, None));
    let until = |ms| {
        let options = ReplayOptions { until: Some(Instant::from_millis(ms)), ..ReplayOptions::default() };
        replay(&trace, options).expect("as recorded")
    };
    assert_eq!(until(2000), until(2000));
    assert_ne!(until(2000).digest, until(3000).digest);
    assert!(until(2000).until <= Instant::from_millis(2000));
}

#[test]
fn every_record_is_shown_before_it_is_replayed() {
    let trace = reader(eventful(3, None));
    let mut numbers = Vec::new();
    let mut watch = |step: &swim_trace::Step<'_>| numbers.push(step.number);
    let options = ReplayOptions { on_step: Some(&mut watch), ..ReplayOptions::default() };
    replay(&trace, options).expect("as recorded");
    assert_eq!(numbers, (0..trace.len()).collect::<Vec<_>>());
}

#[test]
fn key_frames_on_the_way_are_compared_and_can_be_begun_at() {
    let recorder = |subject| Recorder::to(Vec::new(), subject).key_frame_every(30_000);
    let mut cluster = Cluster::new(3, 6, recorder, None);
    cluster.run(2000);
    let trace = reader(cluster.trace(0));
    let is_key_frame = |entry: &Entry<'_>| matches!(entry.record, Record::KeyFrame(_));
    let key_frames = trace.records().filter_map(Result::ok).filter(is_key_frame).count();
    assert!(key_frames >= 2, "{key_frames}");
    let run = |skip| replay(&trace, ReplayOptions { skip, ..ReplayOptions::default() }).expect("as recorded");
    let (whole, short) = (run(false), run(true));
    assert_eq!((whole.first, whole.records), (0, trace.len()));
    assert_eq!(short.first + short.records, trace.len());
    assert!(short.first > trace.len() / 2);
}

#[test]
fn another_node_diverges_and_both_sides_are_in_the_error() {
    let trace = short(4, 100);
    // The seed stands behind head and identity; another one draws other numbers for its pings.
    let seed = trace.windows(32).position(|bytes| bytes == [1; 32]).expect("the seed");
    let mut other = trace.clone();
    other[seed] ^= 1;
    reseal(&mut other, seed);
    let error = replay(&reader(other), ReplayOptions::default()).expect_err("other numbers");
    let ReplayError::Diverged(divergence) = &error else { panic!("{error}") };
    assert!(divergence.recorded.contains("number=") || divergence.recorded.contains("nonce="), "{error}");
    assert_ne!(divergence.recorded, divergence.replayed);
    let text = error.to_string();
    for part in ["diverges at record", "recorded: ", "replayed: ", &divergence.input] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_datagram_that_was_not_recorded_is_missed() {
    let trace = short(4, 50);
    let transmit = reader(trace.clone())
        .records()
        .filter_map(Result::ok)
        .find(|entry| matches!(entry.record, Record::Transmit { .. }))
        .expect("it says something")
        .at as usize;
    let frame = frames(&trace).find(|frame| frame.start == transmit).expect("an entry is a frame");
    let without = [&trace[..frame.start], &trace[frame.end..]].concat();
    let error = replay(&reader(without), ReplayOptions::default()).expect_err("one more comes out");
    assert!(error.to_string().contains("replayed: datagram to"), "{error}");
}

#[test]
fn a_trace_of_another_core_that_begins_at_its_birth_is_tried_and_says_so() {
    let mut trace = short(4, 50);
    let source = swim_core::SOURCE.to_le_bytes();
    let at = trace.windows(8).position(|bytes| bytes == source).expect("in the head");
    trace[at] ^= 1;
    reseal(&mut trace, at);
    let replayed = replay(&reader(trace), ReplayOptions::default()).expect("it is the same core after all");
    assert_eq!(replayed.other_core.expect("it is named").source, swim_core::SOURCE ^ 1);
}

#[test]
fn a_command_that_returned_something_else_is_a_difference() {
    let mut trace = short(4, 50);
    let results = reader(trace.clone());
    let results = results.records().filter_map(Result::ok);
    let result = results.into_iter().find(|entry| matches!(entry.record, Record::Result(Ok(_))));
    // Behind the header of the frame and the kind: 0 is done, 1 is refused.
    let at = result.expect("its metadata was set").at as usize + 8 + 1;
    trace[at] ^= 1;
    reseal(&mut trace, at);
    let error = replay(&reader(trace), ReplayOptions::default()).expect_err("it was done").to_string();
    assert!(
        error.contains("recorded: refused: ") && error.contains("replayed: done: MetadataSet"),
        "{error}"
    );
}

fn framed(record: &[u8]) -> Vec<u8> {
    let len = u32::try_from(record.len()).expect("short").to_le_bytes();
    let mut frame = [&len[..], &[0; 4], record].concat();
    seal(&mut frame);
    frame
}

/// Inserts a record behind the birth.
fn insert(trace: &[u8], record: &[u8]) -> Vec<u8> {
    let birth = frames(trace).nth(1).expect("a birth");
    [&trace[..birth.end], &framed(record), &trace[birth.end..]].concat()
}

#[test]
fn a_record_of_a_later_version_is_passed_over_and_counted() {
    let trace = short(4, 50);
    let records = reader(trace.clone()).len();
    for (kind, counts) in [(9, false), (77, true)] {
        let later = reader(insert(&trace, &[kind, 1, 2, 3]));
        let unknown = later.records().filter_map(Result::ok);
        let unknown: Vec<_> =
            unknown.filter(|entry| matches!(entry.record, Record::Unknown { .. })).collect();
        assert_eq!(unknown.len(), 1);
        assert_eq!(unknown[0].record, Record::Unknown { kind });
        let replayed = replay(&later, ReplayOptions::default()).expect("nothing that matters is unknown");
        assert_eq!((replayed.unknown, replayed.records), (1, records + u64::from(counts)));
    }
}

#[test]
fn fields_that_a_later_version_appends_are_not_read() {
    let trace = short(4, 50);
    let mut longer = trace[..12].to_vec();
    for frame in frames(&trace) {
        longer.extend(framed(&[&trace[frame.start + 8..frame.end], &[0xab; 3]].concat()));
    }
    let (plain, longer) = (reader(trace), reader(longer));
    let run = |trace| replay(trace, ReplayOptions::default()).expect("as recorded");
    assert_eq!(run(&plain), run(&longer));
}
