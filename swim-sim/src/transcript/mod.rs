//! A readable record: one line for each datagram and for each state change.
//!
//! Off until asked for, because formatting costs more than simulating. Hosts are called as their nodes
//! are by default, `#1` at 10.0.0.1:7946; other addresses are printed as they are.

mod event;

use std::fmt::{self, Write as _};
use std::net::SocketAddr;

use swim_core::{Event, Instant, describe};

use crate::ground_truth::Fate;
use crate::host::HostId;

pub(crate) use event::Line;

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
        if !self.on {
            return;
        }
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
            self.line(now, &format!("{host:?} !  {}", event::Line(event)));
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
