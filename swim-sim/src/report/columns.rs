//! The two long lists of a page, column by column: changes of belief, and datagrams.
//!
//! There are hundreds of thousands of them; a list of numbers costs a third of what a list of objects does,
//! and times that only grow are short as differences.

use serde::Serialize;
use swim_core::describe;

use super::data::micros;
use crate::ground_truth::Fate;
use crate::timeline::{NOBODY, OUTSIDE, Sending, Timeline};
use crate::traffic::kind_of;

/// Characters of one datagram's description at most.
const DESCRIPTION_MAX: usize = 400;
/// Characters of all descriptions at most; the oldest go without.
const DESCRIPTIONS_MAX: usize = 5_000_000;

/// Columns: differences of time, observer, subject, turn, by.
#[derive(Default, Serialize)]
pub(super) struct Beliefs {
    first_at: u64,
    /// A row for each observer: each digit a belief, each followed by how often it is repeated in base 36
    /// and a comma.
    first: Vec<String>,
    t: Vec<u64>,
    o: Vec<u32>,
    s: Vec<u32>,
    k: Vec<u8>,
    by: Vec<i64>,
}

/// Columns: differences of time, time under way or −1, source, target, kind, fate, description.
#[derive(Default, Serialize)]
pub(super) struct Datagrams {
    t: Vec<u64>,
    took: Vec<i64>,
    a: Vec<i64>,
    b: Vec<i64>,
    kind: Vec<u8>,
    fate: String,
    text: Vec<String>,
}

impl Beliefs {
    pub(super) fn new(timeline: &Timeline) -> Self {
        let (first_at, first) = timeline.beliefs.first();
        let rows = first.rows().iter().map(|row| {
            let runs = row.chunk_by(|a, b| a == b);
            runs.map(|run| format!("{}{},", run[0] as u8, base_36(run.len()))).collect()
        });
        let mut beliefs = Self { first_at: micros(first_at), first: rows.collect(), ..Self::default() };
        let mut last = 0;
        for change in timeline.beliefs.changes() {
            let at = micros(change.at);
            beliefs.t.push(at - last);
            beliefs.o.push(change.observer);
            beliefs.s.push(change.subject);
            beliefs.k.push(change.turn.code());
            beliefs.by.push(if change.by == NOBODY { -1 } else { i64::from(change.by) });
            last = at;
        }
        beliefs
    }
}

impl Datagrams {
    pub(super) fn new(all: &[&Sending]) -> Self {
        let mut datagrams = Self::default();
        let (mut last, mut left) = (0, DESCRIPTIONS_MAX);
        let place = |host: u32| if host == OUTSIDE { -1 } else { i64::from(host) };
        for sending in all {
            let at = micros(sending.sent);
            datagrams.t.push(at - last);
            last = at;
            datagrams.took.push(sending.arrived.map_or(-1, |arrived| micros(arrived) as i64 - at as i64));
            datagrams.a.push(place(sending.source));
            datagrams.b.push(place(sending.target));
            datagrams.kind.push(kind_of(&sending.bytes) as u8);
            datagrams.fate.push(fate(sending));
        }
        // From the newest: it is they that somebody looks at when there are too many.
        for sending in all.iter().rev() {
            let mut text = if left == 0 { String::new() } else { describe(&sending.bytes).to_string() };
            if text.len() > DESCRIPTION_MAX {
                text = text.chars().take(DESCRIPTION_MAX).chain("…".chars()).collect();
            }
            left = left.saturating_sub(text.len());
            datagrams.text.push(text);
        }
        datagrams.text.reverse();
        datagrams
    }
}

/// What became of a datagram, by its letter.
const fn fate(sending: &Sending) -> char {
    match (sending.fate, sending.arrived) {
        _ if sending.copy => 'd',
        (Fate::Forged, _) => 'f',
        (Fate::Lost, _) => 'l',
        (Fate::Burst, _) => 'b',
        (Fate::Congested, _) => 'q',
        (Fate::TooLong, _) => 'm',
        (Fate::Cut, _) => 'c',
        (Fate::Dropped, _) => 'x',
        (_, None) => 'n',
        (Fate::Corrupted, Some(_)) => 'g',
        (Fate::Sent, Some(_)) => 'a',
    }
}

fn base_36(number: usize) -> String {
    let digits = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut text = Vec::new();
    let mut rest = number;
    while rest > 0 || text.is_empty() {
        text.push(digits[rest % 36]);
        rest /= 36;
    }
    text.iter().rev().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_lengths_are_written_as_a_script_reads_them() {
        for (number, text) in [(0, "0"), (35, "z"), (36, "10"), (1000, "rs")] {
            assert_eq!(base_36(number), text);
        }
    }
}
