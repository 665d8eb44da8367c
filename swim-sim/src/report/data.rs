//! The data of a page: the timeline in the fewest characters that a script still reads easily.
//!
//! All times are µs. Long lists are stored by columns, and times that only grow as differences.

use serde::Serialize;
use serde_json::{Value, json};
use swim_trace::describe;

use super::Facts;
use crate::ground_truth::{Fate, Phase, Presence};
use crate::host_id::HostId;
use crate::timeline::{Band, Detected, NO_MEMBER, News, OUTSIDE, Sending, Timeline, code};
use crate::traffic::{Count, kind_of};

/// Everything.
#[derive(Serialize)]
pub(super) struct Data<'a> {
    facts: &'a Facts,
    end: u64,
    /// Each with its `name`, its column as `subject`, and its `addr`.
    hosts: Vec<Value>,
    /// Name, and the first host that bears it or −1.
    subjects: Vec<(String, i64)>,
    phases: Vec<(u64, &'static str)>,
    /// Time, host, presence by its letter.
    truth: Vec<(u64, u32, char)>,
    bands: Vec<Value>,
    held: HeldColumns,
    /// Time, host, kind, text.
    marks: Vec<(u64, u32, &'static str, &'a str)>,
    datagrams: Datagrams,
    detection: Value,
    spread: Vec<Value>,
    load: Value,
    /// When, observer, who, by whose outcome, what the one who was called Dead really did.
    false_deaths: Vec<(u64, u32, String, String, char)>,
    notes: Vec<String>,
}

impl<'a> Data<'a> {
    pub(super) fn new(timeline: &'a Timeline, facts: &'a Facts) -> Self {
        let names = &timeline.names;
        let host_of = |subject: u32| {
            let index = names.hosts().iter().position(|known| known.subject == subject);
            index.map_or(-1, |index| index as i64)
        };
        let columns = (0..).zip(names.subjects());
        Self {
            facts,
            end: micros(timeline.end),
            hosts: (0..)
                .map(HostId)
                .zip(names.hosts())
                .map(|(host, known)| json!({ "name": format!("{host:?}"), "subject": known.subject, "addr": known.addr }))
                .collect(),
            subjects: columns.map(|(subject, id)| (format!("{id:?}"), host_of(subject))).collect(),
            phases: timeline.phases.iter().map(|(at, phase)| (micros(*at), phase_name(*phase))).collect(),
            truth: timeline
                .truth
                .iter()
                .map(|truth| (micros(truth.at), truth.host, letter(truth.presence)))
                .collect(),
            bands: timeline.bands.all.iter().map(band).collect(),
            held: HeldColumns::new(timeline),
            marks: timeline
                .marks
                .iter()
                .map(|mark| (micros(mark.at), mark.host, mark.kind, mark.text.as_str()))
                .collect(),
            datagrams: Datagrams::new(&timeline.datagrams.all()),
            detection: detection(timeline),
            spread: News::ALL.into_iter().map(|news| spread(timeline, news)).collect(),
            load: load(timeline),
            false_deaths: timeline
                .false_deaths
                .iter()
                .map(|death| {
                    let (subject, by) = (format!("{:?}", death.subject), format!("{:?}", death.by));
                    let truth = death.truth.map_or('-', letter);
                    (micros(death.at.as_nanos()), death.observer.0, subject, by, truth)
                })
                .collect(),
            notes: notes(timeline),
        }
    }
}

fn band(band: &Band) -> Value {
    let Band { class, text, hosts, groups, from, to } = band;
    json!({
        "class": class, "text": text, "hosts": hosts, "groups": groups,
        "from": micros(*from), "to": to.map(micros),
    })
}

/// The cases: victim, time, how many survivors noticed, how long the first and the last took, how many did not.
fn detection(timeline: &Timeline) -> Value {
    let cases = timeline.detection.cases();
    let took: Vec<u64> = cases.iter().flat_map(|case| case.took.iter().copied()).collect();
    let row = |case: &&Detected| {
        let first = case.took.iter().min().copied().unwrap_or(0);
        let last = case.took.iter().max().copied().unwrap_or(0);
        json!([case.host, micros(case.at), case.took.len(), micros(first), micros(last), case.waiting.len()])
    };
    json!({
        "bound": timeline.bound.map(micros),
        "cases": cases.iter().map(row).collect::<Vec<_>>(),
        "missed": cases.iter().map(|case| case.waiting.len()).sum::<usize>(),
        "took": Distribution::of(&took, 0),
    })
}

fn spread(timeline: &Timeline, news: News) -> Value {
    let (stories, samples) = timeline.spread.of(news);
    let took = samples.and_then(|samples| Distribution::of(&samples.values, samples.skipped));
    json!({ "news": news.name(), "stories": stories, "took": took })
}

/// By host: datagrams, bytes, most datagrams of one slice. By slice: least, middle and most datagrams and bytes
/// of a member.
fn load(timeline: &Timeline) -> Value {
    let load = &timeline.load;
    let slices = (timeline.end / load.slice + 1) as usize;
    let hosts = timeline.names.hosts().len();
    let row = |host: usize| load.rows.get(host).map_or(&[][..], Vec::as_slice);
    let members = (0..hosts).map(row).map(|row| {
        let datagrams: u64 = row.iter().map(|sent| sent.datagrams).sum();
        let bytes: u64 = row.iter().map(|sent| sent.bytes).sum();
        (datagrams, bytes, row.iter().map(|sent| sent.datagrams).max().unwrap_or(0))
    });
    let spread = |value: fn(Count) -> u64| {
        let of_slice = |slice: usize| {
            let of = |host: usize| value(row(host).get(slice).copied().unwrap_or_default());
            let mut values: Vec<u64> = (0..hosts).map(of).collect();
            values.sort_unstable();
            [0, hosts / 2, hosts.saturating_sub(1)].map(|index| values.get(index).copied().unwrap_or(0))
        };
        (0..slices).map(of_slice).collect::<Vec<_>>()
    };
    json!({
        "slice": micros(load.slice),
        "members": members.collect::<Vec<_>>(),
        "datagrams": spread(|sent| sent.datagrams),
        "bytes": spread(|sent| sent.bytes),
    })
}

/// What is missing, a sentence each.
fn notes(timeline: &Timeline) -> Vec<String> {
    let missing = [
        (timeline.views.folded, "changes of status are older than what the matrix can go back to"),
        (
            timeline.datagrams.forgotten,
            "datagrams are not in the diagram: only the newest and those around the failure are kept",
        ),
        (timeline.marks_skipped, "events have no mark on the timeline"),
        (timeline.bands.skipped, "faults have no band on the timeline"),
    ];
    let some = missing.into_iter().filter(|(count, _)| *count > 0);
    some.map(|(count, what)| format!("{count} {what}.")).collect()
}

const fn micros(nanos: u64) -> u64 {
    nanos / 1000
}

const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Gathering => "gathering",
        Phase::Trouble => "trouble",
        Phase::Peace => "peace",
        Phase::Rest => "rest",
    }
}

const fn letter(presence: Presence) -> char {
    match presence {
        Presence::Up => 'u',
        Presence::Paused => 'p',
        Presence::Crashed => 'c',
        Presence::Gone => 'g',
    }
}

/// Characters of one datagram's description at most.
const DESCRIPTION_MAX: usize = 400;
/// Characters of all descriptions at most; the oldest go without.
const DESCRIPTIONS_MAX: usize = 5_000_000;

/// Columns: differences of time, observer, subject, turn, by.
#[derive(Default, Serialize)]
struct HeldColumns {
    first_at: u64,
    /// A row for each observer: each digit a status, each followed by how often it is repeated in base 36
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
struct Datagrams {
    t: Vec<u64>,
    took: Vec<i64>,
    a: Vec<i64>,
    b: Vec<i64>,
    kind: Vec<u8>,
    fate: String,
    text: Vec<String>,
}

impl HeldColumns {
    fn new(timeline: &Timeline) -> Self {
        let (first_at, first) = timeline.views.first();
        let rows = first.rows.iter().map(|row| {
            let runs = row.chunk_by(|a, b| a == b);
            runs.map(|run| format!("{}{},", code(run[0]), base_36(run.len()))).collect()
        });
        let mut columns = Self { first_at: micros(first_at), first: rows.collect(), ..Self::default() };
        let mut last = 0;
        for change in &timeline.views.changes {
            let at = micros(change.at);
            columns.t.push(at - last);
            columns.o.push(change.observer);
            columns.s.push(change.subject);
            columns.k.push(change.turn.code());
            columns.by.push(if change.by == NO_MEMBER { -1 } else { i64::from(change.by) });
            last = at;
        }
        columns
    }
}

impl Datagrams {
    fn new(all: &[&Sending]) -> Self {
        let mut datagrams = Self::default();
        let (mut last, mut left) = (0, DESCRIPTIONS_MAX);
        let index = |host: u32| if host == OUTSIDE { -1 } else { i64::from(host) };
        for sending in all {
            let at = micros(sending.sent);
            datagrams.t.push(at - last);
            last = at;
            datagrams.took.push(sending.arrived.map_or(-1, |arrived| micros(arrived) as i64 - at as i64));
            datagrams.a.push(index(sending.source));
            datagrams.b.push(index(sending.target));
            datagrams.kind.push(kind_of(&sending.bytes) as u8);
            datagrams.fate.push(fate(sending));
        }
        // From the newest: they are looked at when there are too many.
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

/// Points of a curve at most.
const POINTS_MAX: usize = 400;

/// Durations in µs.
#[derive(Serialize)]
struct Distribution {
    n: usize,
    /// How many more there were than could be kept.
    skipped: u64,
    p50: u64,
    p99: u64,
    max: u64,
    /// Quantiles at equal distances, the smallest and the largest included.
    points: Vec<u64>,
}

impl Distribution {
    /// Of durations in ns. `None`: there are none.
    fn of(samples: &[u64], skipped: u64) -> Option<Self> {
        let mut sorted: Vec<u64> = samples.iter().map(|nanos| nanos / 1000).collect();
        sorted.sort_unstable();
        let (n, max) = (sorted.len(), *sorted.last()?);
        // The smallest value that at least so many per cent do not exceed.
        let percentile = |percent: usize| sorted[(n * percent).div_ceil(100).max(1) - 1];
        let count = n.min(POINTS_MAX);
        let points = (0..count).map(|i| sorted[if count == 1 { 0 } else { i * (n - 1) / (count - 1) }]);
        Some(Self { n, skipped, p50: percentile(50), p99: percentile(99), max, points: points.collect() })
    }
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

    #[test]
    fn percentiles_are_values_that_occurred() {
        let samples: Vec<u64> = (1..=1000).rev().map(|millis| millis * 1_000_000).collect();
        let of = Distribution::of(&samples, 0).expect("there are samples");
        assert_eq!((of.n, of.p50, of.p99, of.max), (1000, 500_000, 990_000, 1_000_000));
        assert_eq!((of.points.len(), of.points[0], of.points[POINTS_MAX - 1]), (POINTS_MAX, 1000, 1_000_000));
    }

    #[test]
    fn one_sample_is_all_of_its_distribution_and_none_is_no_distribution() {
        let of = Distribution::of(&[7_000], 0).expect("there is one");
        assert_eq!((of.n, of.p50, of.p99, of.max, of.points), (1, 7, 7, 7, vec![7]));
        assert!(Distribution::of(&[], 0).is_none());
    }
}
