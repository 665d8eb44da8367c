//! A readable record: one line for each datagram and for each state change.
//!
//! Off until asked for, because formatting costs more than simulating. Hosts are called as their nodes
//! are by default, `#1` at 10.0.0.1:7946; other addresses are printed as they are.

use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::str;

use swim_core::{Event, Instant};
use swim_trace::describe;

use crate::host_id::HostId;
use crate::traffic::Fate;

/// The lines so far.
#[derive(Default)]
pub(crate) struct Transcript {
    pub(crate) on: bool,
    pub(crate) text: String,
    names: Vec<(SocketAddr, HostId)>,
}

impl Transcript {
    /// From now on `addr` is printed as the name of `host`.
    pub(crate) fn name(&mut self, addr: SocketAddr, host: HostId) {
        self.names.retain(|(held, _)| *held != addr);
        self.names.push((addr, host));
    }

    pub(crate) fn datagram(
        &mut self,
        now: Instant,
        source: SocketAddr,
        target: SocketAddr,
        bytes: &[u8],
        fate: Fate,
    ) {
        if self.on {
            self.write(now, source, target, bytes, fate);
        }
    }

    #[cold]
    fn write(&mut self, now: Instant, source: SocketAddr, target: SocketAddr, bytes: &[u8], fate: Fate) {
        let arrow = match fate {
            Fate::Sent => "->",
            Fate::Lost | Fate::Burst => "-?",
            Fate::Congested => "-=",
            Fate::TooLong => "-]",
            Fate::Corrupted => "-~",
            Fate::Cut => "-|",
            Fate::Dropped => "-x",
            Fate::Forged => "~>",
        };
        let (source, target) = (self.called(source), self.called(target));
        self.line(now, &format!("{source} {arrow} {target}  {}", describe(bytes)));
    }

    pub(crate) fn event(&mut self, now: Instant, host: HostId, event: &Event) {
        if self.on {
            self.line(now, &format!("{host:?} !  {}", Line(event)));
        }
    }

    pub(crate) fn action(&mut self, now: Instant, what: &fmt::Arguments<'_>) {
        if self.on {
            self.line(now, &format!("== {what}"));
        }
    }

    fn line(&mut self, now: Instant, text: &str) {
        let micros = now.as_nanos() / 1000;
        let written = writeln!(self.text, "{:>4}.{:06} {text}", micros / 1_000_000, micros % 1_000_000);
        written.expect("writing to a string cannot fail");
    }

    fn called(&self, addr: SocketAddr) -> String {
        match self.names.iter().find(|(held, _)| *held == addr) {
            Some((_, host)) => format!("{host:?}"),
            None => addr.to_string(),
        }
    }
}

/// Prints an event in the words of the protocol.
pub(crate) struct Line<'a>(pub(crate) &'a Event);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Event::Alive { id, addr, .. } => write!(f, "alive {id:?} at {addr}"),
            Event::Suspect { id, by, incarnation, timeout } => {
                write!(f, "suspect {id:?} i{} by {by:?}, dead in {timeout:?}", incarnation.0)
            }
            Event::Confirmed { id, by, accusers } => {
                write!(f, "confirmed {id:?} by {by:?}, {accusers} accusers")
            }
            Event::Refuted { id, incarnation, by } => {
                write!(f, "refuted {id:?} i{} accused by {by:?}", incarnation.0)
            }
            Event::Dead { id, by, accuser } => write!(f, "dead {id:?} by {by:?} accused by {accuser:?}"),
            Event::Left { id, by: None } => write!(f, "left {id:?}"),
            Event::Left { id, by: Some(by) } => write!(f, "left {id:?} removed by {by:?}"),
            Event::Updated { id, addr } => write!(f, "updated {id:?} at {addr}"),
            Event::Forgotten { id } => write!(f, "forgotten {id:?}"),
            Event::Accused { by, incarnation } => write!(f, "accused by {by:?}, now i{}", incarnation.0),
            Event::Conflict { id, rival, won } => {
                write!(f, "conflict {id:?} with {rival}, {}", if *won { "won" } else { "lost" })
            }
            Event::Joined { via, members } => write!(f, "joined via {via}, {members} members"),
            Event::Broadcast { origin, payload } => write!(f, "broadcast {origin:?} {}", Text(payload)),
            Event::BroadcastsMissed { origin, count } => write!(f, "missed {count} broadcasts of {origin:?}"),
            Event::Message { from, payload } => write!(f, "message {from:?} {}", Text(payload)),
            Event::Stalled { lost } => write!(f, "stalled {lost:?}"),
            Event::Isolated { isolated } => {
                write!(f, "{}", if *isolated { "isolated" } else { "not isolated any more" })
            }
            other => write!(f, "{other:?}"),
        }
    }
}

/// A payload: as text if it is text.
struct Text<'a>(&'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match str::from_utf8(self.0) {
            Ok(text) => write!(f, "{text:?}"),
            Err(_) => write!(f, "{} bytes", self.0.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use swim_core::{Incarnation, NodeId};

    use super::*;

    #[test]
    fn a_suspicion_names_its_accuser_and_its_time() {
        let event = Event::Suspect {
            id: NodeId(3),
            by: NodeId(1),
            incarnation: Incarnation(2),
            timeout: Duration::from_millis(24_500),
        };
        assert_eq!(Line(&event).to_string(), "suspect #3 i2 by #1, dead in 24.5s");
    }

    #[test]
    fn payloads_are_printed_as_text_where_they_are_text() {
        let of =
            |payload: &[u8]| Line(&Event::Message { from: NodeId(1), payload: payload.into() }).to_string();
        assert_eq!(of(b"hello"), "message #1 \"hello\"");
        assert_eq!(of(b"\xff\xfe"), "message #1 2 bytes");
    }
}
