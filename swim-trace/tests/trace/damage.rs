//! What a killed process leaves, and what a bad disk does to it.

use swim_trace::{Damage, ReadError, Reader, ReplayOptions, replay};

use crate::cluster::{frames, reader, short};

/// Where the frames of `trace` end, the head's and the birth's first.
fn ends(trace: &[u8]) -> Vec<usize> {
    frames(trace).map(|frame| frame.end).collect()
}

#[test]
fn a_trace_that_was_cut_anywhere_is_used_up_to_there() {
    let trace = short(1, 20);
    let ends = ends(&trace);
    let birth = ends[1];
    for len in 0..trace.len() {
        let cut = Reader::new("cut", trace[..len].to_vec());
        if len < birth {
            assert!(matches!(cut, Err(ReadError::NoBeginning { .. })), "{len}: {cut:?}");
            continue;
        }
        let cut = cut.unwrap_or_else(|error| panic!("{len}: {error}"));
        let whole = ends.iter().rev().find(|end| **end <= len).expect("the birth is whole");
        match cut.tail() {
            None => assert_eq!(*whole, len),
            Some(tail) => {
                assert_eq!((tail.at as usize, tail.bytes as usize), (*whole, len - whole));
                assert_eq!(tail.damage, Damage::CutShort, "{len}");
            }
        }
        let replayed = replay(&cut, ReplayOptions::default());
        let replayed = replayed.unwrap_or_else(|error| panic!("{len}: {error}"));
        assert_eq!(replayed.records, cut.len(), "{len}");
        assert_eq!(replayed.tail, cut.tail());
    }
}

#[test]
fn a_bit_that_was_flipped_anywhere_is_noticed() {
    let trace = short(1, 20);
    let ends = ends(&trace);
    for at in 0..trace.len() {
        let mut bent = trace.clone();
        bent[at] ^= 1 << (at % 8);
        match Reader::new("bent", bent) {
            Err(_) => assert!(at < ends[1], "byte {at} is behind the birth"),
            Ok(bent) => {
                let tail = bent.tail().unwrap_or_else(|| panic!("byte {at} was not noticed"));
                let start = ends.iter().rev().find(|end| **end <= at).expect("behind the birth");
                assert_eq!(tail.at as usize, *start, "byte {at}");
                assert_eq!(tail.at + tail.bytes, trace.len() as u64);
            }
        }
    }
}

#[test]
fn zeros_at_the_end_are_no_records() {
    let mut trace = short(1, 20);
    let len = trace.len() as u64;
    trace.extend([0; 4096]);
    let tail = reader(trace).tail().expect("noticed");
    assert_eq!((tail.at, tail.bytes, tail.damage), (len, 4096, Damage::Checksum));
    let text = tail.to_string();
    assert!(text.contains(&format!("byte {len}")) && text.contains("4096"), "{text}");
}

#[test]
fn what_is_no_trace_or_of_another_version_is_named_with_its_file() {
    let error = Reader::new("notes.txt", b"hello, world".to_vec()).expect_err("no trace");
    assert_eq!(error.to_string(), "notes.txt is no trace: it does not begin with `SWIMTRC1`");
    let mut trace = short(1, 20);
    for version in [1, 9] {
        trace[8] = version;
        let error = Reader::new("a.swim", trace.clone()).expect_err("of another version").to_string();
        let expected = format!(
            "a.swim, byte 8: written in version {version} of the format; this program reads version 2"
        );
        assert_eq!(error, expected);
    }
    let error = Reader::open("/no/such.swim").expect_err("missing");
    assert!(error.is_missing() && error.to_string().contains("/no/such.swim"), "{error}");
}
