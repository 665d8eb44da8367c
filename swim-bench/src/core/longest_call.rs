//! The longest call: the course of a large table, and how long each call of `Node::handle` in it took.
//!
//! On a machine with other things to do the longest of a hundred thousand calls is one that was interrupted.
//! The core is deterministic: the same course makes the same calls. So it is repeated several times, of each call
//! the shortest time counts, and the longest of those is what the core itself can do.

use std::time::Instant as Clock;

use swim_core::{Input, Output};

use super::members;
use super::operation::{Dice, Side as _};
use super::swim::{Swim, options};
use crate::foca_name::Address as _;

/// Periods of a member that does nothing else.
const PERIODS: usize = 2_000;

/// One phase of the course, and its calls in nanoseconds.
struct Part {
    what: &'static str,
    nanos: Vec<u32>,
}

/// The longest call of each phase with `members` members, repeated `times` times, in microseconds.
pub(super) fn worst(members: u32, times: usize) -> Vec<(&'static str, f64)> {
    let mut best: Vec<Part> = Vec::new();
    for _ in 0..times {
        for (index, part) in live(members).into_iter().enumerate() {
            match best.get_mut(index) {
                None => best.push(part),
                Some(known) => {
                    assert_eq!(known.nanos.len(), part.nanos.len(), "the same course: {}", part.what);
                    for (known, nanos) in known.nanos.iter_mut().zip(part.nanos) {
                        *known = nanos.min(*known);
                    }
                }
            }
        }
    }
    best.iter()
        .map(|part| (part.what, f64::from(part.nanos.iter().copied().max().unwrap_or(0)) / 1e3))
        .collect()
}

fn live(members: u32) -> Vec<Part> {
    let mut options = options();
    options.tombstone_life = std::time::Duration::from_secs(60);
    let mut course = Course { swim: Swim::new(options), parts: Vec::new() };
    let some = members / 10;
    course.phase("filling the table");
    for datagram in course.swim.changes_of(2..members, 0) {
        course.hear(&datagram);
    }
    course.swim.played.members = members;
    course.phase("pings, with everything to gossip");
    let mut dice = Dice(3);
    for _ in 0..20_000 {
        let sender = 1 + dice.below(members - 1);
        let ping = course.swim.ping(sender);
        course.datagram(sender, &ping);
    }
    course.phase("changes");
    for datagram in course.swim.changes_of(2..some, 1) {
        course.hear(&datagram);
    }
    course.phase("a tenth suspected");
    for datagram in course.swim.suspicions_of(2..some, 1) {
        course.hear(&datagram);
    }
    course.phase("all of them refuted, the first last");
    let refutations: Vec<_> = course.swim.changes_of(2..some, 2);
    for datagram in refutations.iter().rev() {
        course.hear(datagram);
    }
    course.phase("a tenth of them gone");
    for datagram in course.swim.goodbyes_of(2..2 + some / 10, 2) {
        course.hear(&datagram);
    }
    course.phase("periods, the gone forgotten");
    for _ in 0..PERIODS {
        course.period();
    }
    course.parts
}

struct Course {
    swim: Swim,
    parts: Vec<Part>,
}

impl Course {
    fn phase(&mut self, what: &'static str) {
        self.parts.push(Part { what, nanos: Vec::new() });
    }

    fn hear(&mut self, datagram: &[u8]) {
        self.datagram(1, datagram);
    }

    fn datagram(&mut self, sender: u32, bytes: &[u8]) {
        self.handle(Input::Datagram { source: members::addr(sender), bytes });
    }

    /// Hands something in, at the time of the last, and answers pings.
    fn handle(&mut self, input: Input<'_>) {
        let now = self.swim.now;
        let began = Clock::now();
        self.swim.node.handle(now, input);
        let nanos = began.elapsed().as_nanos() as u32;
        self.parts.last_mut().expect("a part has begun").nanos.push(nanos);
        let label = self.swim.label();
        let mut pinged = Vec::new();
        while let Some(output) = self.swim.node.poll() {
            if let Output::Transmit(transmit) = output
                && let Some(number) = members::ping_number(transmit.bytes)
            {
                let target = transmit.destination;
                pinged.push((target, members::plain_ack(label, target.number(), number)));
            }
        }
        for (source, ack) in pinged {
            self.handle(Input::Datagram { source, bytes: &ack });
        }
    }

    fn period(&mut self) {
        self.swim.now = self.swim.now.max(self.swim.node.deadline().expect("a period is due"));
        self.handle(Input::Tick);
    }
}
