//! The data of a page: the timeline in the fewest characters that a script still reads easily.
//!
//! All times are µs. Long lists are stored by columns, and times that only grow as differences.

use serde::Serialize;

use super::Facts;
use super::columns::{Beliefs, Datagrams};
use super::distribution::Distribution;
use crate::ground_truth::Phase;
use crate::ground_truth::Presence;
use crate::host::HostId;
use crate::timeline::{News, Timeline};

/// Everything.
#[derive(Serialize)]
pub(super) struct Data<'a> {
    facts: &'a Facts,
    end: u64,
    hosts: Vec<Host>,
    /// Name, and the first host that bears it or −1.
    subjects: Vec<(String, i64)>,
    phases: Vec<(u64, &'static str)>,
    /// Time, host, presence by its letter.
    truth: Vec<(u64, u32, char)>,
    bands: Vec<Band<'a>>,
    beliefs: Beliefs,
    /// Time, host, kind, text.
    marks: Vec<(u64, u32, &'static str, &'a str)>,
    datagrams: Datagrams,
    detection: Detection,
    spread: Vec<Spread>,
    load: Load,
    /// When, observer, who, by whose verdict, what the one who was called Dead really did.
    false_deaths: Vec<(u64, u32, String, String, char)>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Host {
    name: String,
    /// Its column.
    subject: u32,
    addr: String,
}

#[derive(Serialize)]
struct Band<'a> {
    class: &'a str,
    text: &'a str,
    hosts: &'a [u32],
    groups: &'a [Vec<u32>],
    from: u64,
    to: Option<u64>,
}

#[derive(Serialize)]
struct Detection {
    bound: Option<u64>,
    /// Victim, time, how many survivors noticed, how long the first and the last took, how many did not.
    cases: Vec<(u32, u64, usize, u64, u64, usize)>,
    missed: usize,
    took: Option<Distribution>,
}

#[derive(Serialize)]
struct Spread {
    news: &'static str,
    stories: u64,
    took: Option<Distribution>,
}

#[derive(Serialize)]
struct Load {
    slice: u64,
    /// By host: datagrams, bytes, most datagrams of one slice.
    members: Vec<(u64, u64, u32)>,
    /// By slice: least, middle and most datagrams and bytes of a member.
    datagrams: Vec<(u64, u64, u64)>,
    bytes: Vec<(u64, u64, u64)>,
}

impl<'a> Data<'a> {
    pub(super) fn new(timeline: &'a Timeline, facts: &'a Facts) -> Self {
        let names = &timeline.names;
        let host_of = |subject: u32| {
            let place = names.hosts().iter().position(|known| known.subject == subject);
            place.map_or(-1, |place| place as i64)
        };
        let columns = (0..).zip(names.subjects());
        Self {
            facts,
            end: micros(timeline.end),
            hosts: (0..)
                .map(HostId)
                .zip(names.hosts())
                .map(|(host, known)| Host {
                    name: format!("{host:?}"),
                    subject: known.subject,
                    addr: known.addr.to_string(),
                })
                .collect(),
            subjects: columns.map(|(subject, id)| (format!("{id:?}"), host_of(subject))).collect(),
            phases: timeline.phases.iter().map(|(at, phase)| (micros(*at), phase_name(*phase))).collect(),
            truth: timeline
                .truth
                .iter()
                .map(|truth| (micros(truth.at), truth.host, letter(truth.presence)))
                .collect(),
            bands: timeline.bands.all().iter().map(Band::new).collect(),
            beliefs: Beliefs::new(timeline),
            marks: timeline
                .marks
                .iter()
                .map(|mark| (micros(mark.at), mark.host, mark.kind, mark.text.as_str()))
                .collect(),
            datagrams: Datagrams::new(&timeline.datagrams.all()),
            detection: Detection::new(timeline),
            spread: News::ALL.into_iter().map(|news| Spread::new(timeline, news)).collect(),
            load: Load::new(timeline),
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

impl<'a> Band<'a> {
    fn new(band: &'a crate::timeline::Band) -> Self {
        Self {
            class: &band.class,
            text: &band.text,
            hosts: &band.hosts,
            groups: &band.groups,
            from: micros(band.from),
            to: band.to.map(micros),
        }
    }
}

impl Detection {
    fn new(timeline: &Timeline) -> Self {
        let cases = timeline.detection.cases();
        let took: Vec<u64> = cases.iter().flat_map(|case| case.took.iter().copied()).collect();
        let row = |case: &&crate::timeline::Case| {
            let first = case.took.iter().min().copied().unwrap_or(0);
            let last = case.took.iter().max().copied().unwrap_or(0);
            let missed = case.waiting.len();
            (case.host, micros(case.at), case.took.len(), micros(first), micros(last), missed)
        };
        Self {
            bound: timeline.bound.map(micros),
            missed: cases.iter().map(|case| case.waiting.len()).sum(),
            took: Distribution::of(&took, 0),
            cases: cases.iter().map(row).collect(),
        }
    }
}

impl Spread {
    fn new(timeline: &Timeline, news: News) -> Self {
        let (stories, samples) = timeline.spread.of(news);
        let took = samples.and_then(|samples| Distribution::of(&samples.values, samples.skipped));
        Self { news: news.name(), stories, took }
    }
}

impl Load {
    fn new(timeline: &Timeline) -> Self {
        let load = &timeline.load;
        let slices = (timeline.end / load.slice() + 1) as usize;
        let of = |host: usize, slice: usize| {
            let row = load.rows().get(host);
            row.and_then(|row| row.get(slice)).copied().unwrap_or_default()
        };
        let hosts = timeline.names.hosts().len();
        let members = (0..hosts).map(|host| {
            let row = load.rows().get(host).map_or(&[][..], Vec::as_slice);
            let datagrams = row.iter().map(|sent| u64::from(sent.datagrams)).sum();
            let bytes = row.iter().map(|sent| sent.bytes).sum();
            (datagrams, bytes, row.iter().map(|sent| sent.datagrams).max().unwrap_or(0))
        });
        let spread = |slice: usize, value: fn(crate::timeline::Sent) -> u64| {
            let mut values: Vec<u64> = (0..hosts).map(|host| value(of(host, slice))).collect();
            values.sort_unstable();
            let at = |place: usize| values.get(place).copied().unwrap_or(0);
            (at(0), at(hosts / 2), at(hosts.saturating_sub(1)))
        };
        Self {
            slice: micros(load.slice()),
            members: members.collect(),
            datagrams: (0..slices).map(|slice| spread(slice, |sent| u64::from(sent.datagrams))).collect(),
            bytes: (0..slices).map(|slice| spread(slice, |sent| sent.bytes)).collect(),
        }
    }
}

/// What is missing, a sentence each.
fn notes(timeline: &Timeline) -> Vec<String> {
    let missing = [
        (timeline.beliefs.folded(), "changes of belief are older than what the matrix can go back to"),
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

pub(super) const fn micros(nanos: u64) -> u64 {
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
