//! The run as a trace in the Chrome trace-event format, for Perfetto or `chrome://tracing`.
//!
//! Every host is a process. Its tracks are its process (up, stopped), what it sends and receives, the probes
//! that it has under way, the members that it suspects, and the faults that it is under; datagrams are
//! arrows from the one who sends to the one who receives.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use swim_core::{MessageKind, Status};
use swim_trace::{describe, inspect};

use super::Facts;
use crate::Timeline;
use crate::ground_truth::Presence;
use crate::host_id::HostId;
use crate::properties::is_kind;
use crate::timeline::{OUTSIDE, Sending, Turn};

/// Tracks of a host, by their numbers.
const TRACKS: [(u32, &str); 3] = [(PROCESS, "process"), (DATAGRAMS, "datagrams"), (EVENTS, "events")];
const PROCESS: u32 = 1;
const DATAGRAMS: u32 = 2;
const EVENTS: u32 = 3;

/// Spans of suspicions at most: a partition of a thousand members makes more than any viewer likes.
const SUSPICIONS_MAX: usize = 50_000;

/// The trace of a run: one JSON object with `traceEvents`, times in µs. It holds the datagrams that the
/// timeline kept, and at most the last 50,000 suspicions.
#[must_use]
pub fn perfetto(timeline: &Timeline, facts: &Facts) -> String {
    let mut trace = Trace { events: Vec::new(), end: timeline.end };
    trace.hosts(timeline);
    trace.processes(timeline);
    trace.datagrams(timeline);
    trace.probes(timeline);
    trace.suspicions(timeline);
    trace.faults(timeline);
    trace.instants(timeline, facts);
    json!({ "displayTimeUnit": "ms", "otherData": facts, "traceEvents": trace.events }).to_string()
}

struct Trace {
    events: Vec<Value>,
    end: u64,
}

impl Trace {
    /// One event at `at` ns on a track of a host, with further fields.
    fn push(&mut self, phase: &str, host: u32, track: u32, at: u64, rest: Value) {
        let mut event = Map::new();
        event.insert("ph".into(), phase.into());
        event.insert("pid".into(), (host + 1).into());
        event.insert("tid".into(), track.into());
        event.insert("ts".into(), micros(at));
        if let Value::Object(rest) = rest {
            event.extend(rest);
        }
        self.events.push(Value::Object(event));
    }

    /// A span that may overlap others of its kind.
    fn span(&mut self, kind: &str, name: &str, host: u32, from: u64, to: u64, args: Value) {
        let id = format!("{kind}-{}", self.events.len());
        self.push("b", host, EVENTS, from, json!({ "cat": kind, "id": id, "name": name, "args": args }));
        self.push("e", host, EVENTS, to.max(from), json!({ "cat": kind, "id": id, "name": name }));
    }

    fn hosts(&mut self, timeline: &Timeline) {
        for (number, known) in (0..).zip(timeline.names.hosts()) {
            let name = format!("{:?} {}", HostId(number), known.addr);
            self.push("M", number, 0, 0, json!({ "name": "process_name", "args": { "name": name } }));
            let index = json!({ "name": "process_sort_index", "args": { "sort_index": number } });
            self.push("M", number, 0, 0, index);
            for (track, name) in TRACKS {
                self.push("M", number, track, 0, json!({ "name": "thread_name", "args": { "name": name } }));
            }
        }
    }

    fn processes(&mut self, timeline: &Timeline) {
        let mut now = BTreeMap::<u32, (u64, Presence)>::new();
        let mut spans = Vec::new();
        for truth in &timeline.truth {
            if let Some((from, presence)) = now.insert(truth.host, (truth.at, truth.presence)) {
                spans.push((truth.host, from, truth.at, presence));
            }
        }
        spans.extend(now.into_iter().map(|(host, (from, presence))| (host, from, self.end, presence)));
        for (host, from, to, presence) in spans {
            let name = match presence {
                Presence::Up => "up",
                Presence::Paused => "stopped",
                Presence::Crashed => "crashed",
                Presence::Gone => "gone",
            };
            let dur = micros(to.saturating_sub(from));
            self.push("X", host, PROCESS, from, json!({ "cat": "process", "name": name, "dur": dur }));
        }
    }

    fn datagrams(&mut self, timeline: &Timeline) {
        for (number, sending) in timeline.datagrams.all().into_iter().enumerate() {
            let text = describe(&sending.bytes).to_string();
            let name = text.split(' ').next().unwrap_or_default().to_owned();
            let args = json!({ "says": text, "fate": format!("{:?}", sending.fate) });
            let slice = |args| json!({ "cat": "datagram", "name": name, "dur": 1, "args": args });
            let flow = json!({ "cat": "datagram", "name": name, "id": number });
            let mut end = flow.clone();
            end["bp"] = "e".into();
            let between = sending.source != OUTSIDE && sending.target != OUTSIDE;
            if sending.source != OUTSIDE && !sending.copy {
                self.push("X", sending.source, DATAGRAMS, sending.sent, slice(args.clone()));
            }
            if let Some(arrived) = sending.arrived.filter(|_| sending.target != OUTSIDE) {
                self.push("X", sending.target, DATAGRAMS, arrived, slice(args));
                if between {
                    self.push("s", sending.source, DATAGRAMS, sending.sent, flow);
                    self.push("f", sending.target, DATAGRAMS, arrived, end);
                }
            }
        }
    }

    /// From a ping to the ack that answers it, straight or through a relay.
    fn probes(&mut self, timeline: &Timeline) {
        let all = timeline.datagrams.all();
        let mut answered = BTreeMap::<(u32, u64), u64>::new();
        let answers = all.iter().filter(|sending| {
            is_kind(&sending.bytes, MessageKind::Ack) || is_kind(&sending.bytes, MessageKind::RelayedAck)
        });
        for answer in answers {
            if let (Some(arrived), Some(number)) = (answer.arrived, number_of(answer)) {
                answered.entry((answer.target, number)).or_insert(arrived);
            }
        }
        for ping in all
            .iter()
            .filter(|sending| is_kind(&sending.bytes, MessageKind::Ping) && sending.source != OUTSIDE)
        {
            let Some(number) = number_of(ping) else { continue };
            let target =
                if ping.target == OUTSIDE { "?".into() } else { format!("{:?}", HostId(ping.target)) };
            if let Some(arrived) = answered.get(&(ping.source, number)) {
                let name = format!("probe {target}");
                self.span("probe", &name, ping.source, ping.sent, *arrived, json!({ "answered": true }));
            } else {
                let name = format!("probe {target} unanswered");
                let probe = json!({ "cat": "probe", "name": name, "s": "t" });
                self.push("i", ping.source, EVENTS, ping.sent, probe);
            }
        }
    }

    fn suspicions(&mut self, timeline: &Timeline) {
        let name = |subject: u32| format!("{:?}", timeline.names.subjects()[subject as usize]);
        let mut open = BTreeMap::<(u32, u32), u64>::new();
        let mut spans = Vec::new();
        for change in &timeline.views.changes {
            let pair = (change.observer, change.subject);
            let ended = match change.turn {
                Turn::Confirmed => continue,
                Turn::Emptied => {
                    let row = (change.observer, 0)..=(change.observer, u32::MAX);
                    let mine: Vec<_> = open.range(row).map(|(pair, from)| (*pair, *from)).collect();
                    for (pair, from) in mine {
                        open.remove(&pair);
                        spans.push((pair, from, change.at, "forgotten"));
                    }
                    continue;
                }
                Turn::Becomes(Some(Status::Suspect)) => {
                    open.entry(pair).or_insert(change.at);
                    continue;
                }
                Turn::Refuted => "refuted",
                Turn::Becomes(None) => "forgotten",
                Turn::Becomes(Some(status)) => status.name(),
            };
            if let Some(from) = open.remove(&pair) {
                spans.push((pair, from, change.at, ended));
            }
        }
        spans.extend(open.into_iter().map(|(pair, from)| (pair, from, self.end, "open")));
        let skipped = spans.len().saturating_sub(SUSPICIONS_MAX);
        for ((observer, subject), from, to, ended) in spans.into_iter().skip(skipped) {
            let name = format!("suspects {}", name(subject));
            self.span("suspicion", &name, observer, from, to, json!({ "ended": ended }));
        }
    }

    fn faults(&mut self, timeline: &Timeline) {
        let hosts = timeline.names.hosts().len() as u32;
        for band in &timeline.bands.all {
            let all: Vec<u32> = (0..hosts).collect();
            let under = if band.hosts.is_empty() { &all } else { &band.hosts };
            for host in under.iter().filter(|host| **host < hosts) {
                let to = band.to.unwrap_or(self.end);
                self.span("fault", &band.class, *host, band.from, to, json!({ "what": band.text }));
            }
        }
    }

    fn instants(&mut self, timeline: &Timeline, facts: &Facts) {
        for mark in &timeline.marks {
            let event = json!({ "cat": "event", "name": mark.kind, "s": "t", "args": { "text": mark.text } });
            self.push("i", mark.host, EVENTS, mark.at, event);
        }
        if let Some(at) = facts.failed_at_ns {
            self.push("i", 0, EVENTS, at, json!({ "cat": "verdict", "name": facts.sentence, "s": "g" }));
        }
    }
}

/// The number that ties an answer to its question.
fn number_of(sending: &Sending) -> Option<u64> {
    inspect(&sending.bytes).ok()?.number
}

/// ns as µs, to the nanosecond.
fn micros(nanos: u64) -> Value {
    if nanos.is_multiple_of(1000) { (nanos / 1000).into() } else { (nanos as f64 / 1000.0).into() }
}
