//! The two workloads: many pings in flight, and one.

use std::io::{self, ErrorKind};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::bench::peer::Peer;

/// How many pings are in flight.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Workload {
    /// The contestant always has something to read.
    BusyEcho,
    /// The contestant sleeps before every ping.
    PingPong,
}

/// What came of a workload.
pub(crate) struct Answers {
    /// Pings sent.
    pub(crate) asked: u64,
    /// Pings answered.
    pub(crate) answered: u64,
    /// Time from a ping to its answer, ns.
    pub(crate) rtt_ns: Histogram<u64>,
}

impl Workload {
    pub(crate) const ALL: [Self; 2] = [Self::BusyEcho, Self::PingPong];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BusyEcho => "busy echo",
            Self::PingPong => "ping-pong",
        }
    }

    /// As it is called above a table.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::BusyEcho => "Busy echo: 32 pings in flight",
            Self::PingPong => "Ping-pong: one ping in flight",
        }
    }

    const fn in_flight(self) -> usize {
        match self {
            Self::BusyEcho => 32,
            Self::PingPong => 1,
        }
    }

    /// Keeps `peer` asking for `time`, then waits for the last answers. A ping-pong begins anew after `pause`,
    /// so that a contestant that is slowed down by a tracer sleeps before every ping as well.
    pub(crate) fn run(self, peer: &mut Peer, time: Duration, pause: Duration) -> io::Result<Answers> {
        let mut asking = Asking {
            peer,
            workload: self,
            pause,
            sent_at: vec![None; SLOTS],
            next: 0,
            answers: Answers { asked: 0, answered: 0, rtt_ns: histogram() },
        };
        let start = Instant::now();
        let mut now = start;
        for _ in 0..self.in_flight() {
            asking.ask(now)?;
        }
        while now.duration_since(start) < time {
            now = asking.hear(true)?;
        }
        let mut silent = 0;
        while asking.in_flight() > 0 && silent < 4 {
            let before = asking.answers.answered;
            asking.hear(false)?;
            silent = if asking.answers.answered == before { silent + 1 } else { 0 };
        }
        Ok(asking.answers)
    }
}

struct Asking<'a> {
    peer: &'a mut Peer,
    workload: Workload,
    pause: Duration,
    /// When the ping of each number was sent.
    sent_at: Vec<Option<Instant>>,
    next: u32,
    answers: Answers,
}

/// More than ever are in flight.
const SLOTS: usize = 1024;

impl Asking<'_> {
    fn ask(&mut self, now: Instant) -> io::Result<()> {
        self.sent_at[self.next as usize % SLOTS] = Some(now);
        self.peer.ask(self.next)?;
        self.next = self.next.wrapping_add(1);
        self.answers.asked += 1;
        if self.next.is_multiple_of(64) {
            self.peer.tick()?;
        }
        Ok(())
    }

    /// The next ping after an answer.
    fn again(&mut self, now: Instant) -> io::Result<()> {
        if self.workload == Workload::BusyEcho {
            return self.ask(now);
        }
        // The contestant shall be asleep: on the same core it gets there now.
        if self.pause.is_zero() {
            thread::yield_now()
        } else {
            thread::sleep(self.pause)
        }
        self.ask(Instant::now())
    }

    fn in_flight(&self) -> usize {
        self.sent_at.iter().flatten().count()
    }

    /// Waits for an answer, and asks `again`. Whatever was lost is replaced after a while of silence.
    fn hear(&mut self, again: bool) -> io::Result<Instant> {
        let number = match self.peer.answer() {
            Err(error) if error.kind() != ErrorKind::ConnectionRefused => return Err(error),
            heard => heard.unwrap_or(None),
        };
        let now = Instant::now();
        match number {
            Some(number) => {
                if let Some(sent) = self.sent_at[number as usize % SLOTS].take() {
                    let rtt = now.duration_since(sent).as_nanos();
                    self.answers.rtt_ns.saturating_record(u64::try_from(rtt).unwrap_or(u64::MAX));
                    self.answers.answered += 1;
                    if again {
                        self.again(now)?;
                    }
                }
            }
            None if again => {
                let lost = |sent: &Instant| now.duration_since(*sent) > LOST_AFTER;
                for sent in &mut self.sent_at {
                    sent.take_if(|sent| lost(sent));
                }
                for _ in self.in_flight()..self.workload.in_flight() {
                    self.ask(now)?;
                }
            }
            None => {}
        }
        Ok(now)
    }
}

/// Nothing takes so long on the loopback interface.
const LOST_AFTER: Duration = Duration::from_millis(500);

/// For times of 100 ns to 10 s, with three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(100, 10_000_000_000, 3).expect("bounds that make sense")
}
