//! Files that were made on purpose: they are refused, and cost no more than they are long.

use proptest::prelude::*;
use swim_core::Input;
use swim_trace::{OwnedCommand, Reader, Record, ReplayOptions, replay};

use crate::cluster::{frames, reseal, short};

/// Reads all of it. What was read cannot be larger than what it was read from.
fn read(bytes: Vec<u8>) {
    let len = bytes.len();
    let Ok(trace) = Reader::new("hostile", bytes) else { return };
    let mut held = 0;
    for entry in trace.records().filter_map(Result::ok) {
        held += match entry.record {
            Record::Command { command: OwnedCommand::Join { seeds }, .. } => seeds.capacity() * 7 / 2,
            Record::Command { command: OwnedCommand::Restore { known_peers }, .. } => {
                known_peers.capacity() * 27 / 2
            }
            Record::Input { input: Input::Datagram { bytes, .. }, .. } => bytes.len(),
            Record::Transmit { bytes, .. } => bytes.len(),
            _ => 0,
        };
    }
    // A Vec that grows has room for twice what is in it, or for four.
    assert!(held <= len + 256, "{held} bytes from {len}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn garbage_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2000), dressed: bool) {
        let mut trace = Vec::new();
        if dressed {
            trace.extend(swim_trace::MAGIC);
            trace.extend(swim_trace::FORMAT.to_le_bytes());
        }
        trace.extend(bytes);
        read(trace);
    }

    #[test]
    fn changed_bytes_under_right_checksums_are_refused_or_diverge(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bent = short(9, 60);
        for (index, byte) in changes {
            let at = 12 + index.index(bent.len() - 12);
            // Lengths of frames stay, or there would be no frame to seal.
            if !is_header(&bent, at) {
                bent[at] = byte;
                reseal(&mut bent, at);
            }
        }
        read(bent.clone());
        if let Ok(reader) = Reader::new("hostile", bent) {
            let _ = replay(&reader, ReplayOptions::default());
        }
    }
}

#[test]
fn a_length_that_promises_more_than_there_is_is_refused() {
    let trace = short(9, 60);
    // Every byte in the second record, the birth: its options' length among them.
    for at in 12 + 8..400 {
        let mut bent = trace.clone();
        if !is_header(&bent, at) {
            bent[at] = 0xff;
            reseal(&mut bent, at);
            read(bent);
        }
    }
}

/// Whether `byte` belongs to the length or the checksum of a frame.
fn is_header(trace: &[u8], byte: usize) -> bool {
    frames(trace).any(|frame| (frame.start..frame.start + 8).contains(&byte))
}
