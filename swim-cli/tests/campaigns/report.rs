//! Figures as they are measured, and the verdict at the end.

use std::fmt::Display;
use std::io::Write as _;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

/// What one campaign found.
pub(crate) struct Report {
    name: String,
    began: Instant,
    failures: Vec<String>,
    /// Every limit in time is stretched by this.
    slack: u32,
    _turn: Turn,
}

/// For the short forms, which run on machines that are busy with other tests.
const SLACK: u32 = 3;

/// Short campaigns mostly wait and may do so beside each other. What loads the machine or runs for minutes is
/// alone: it would measure the others.
static TURNS: RwLock<()> = RwLock::new(());

#[expect(dead_code, reason = "held, not read")]
enum Turn {
    Beside(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

impl Report {
    /// Begins a short campaign, which may run beside others.
    pub(crate) fn beside(name: &str) -> Self {
        Self::new(name, SLACK, Turn::Beside(TURNS.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Begins a short campaign that loads the machine.
    pub(crate) fn briefly_alone(name: &str) -> Self {
        Self { slack: SLACK, ..Self::alone(name) }
    }

    /// Begins a campaign when no other one runs.
    pub(crate) fn alone(name: &str) -> Self {
        Self::new(name, 1, Turn::Alone(TURNS.write().unwrap_or_else(PoisonError::into_inner)))
    }

    fn new(name: &str, slack: u32, turn: Turn) -> Self {
        let (began, failures) = (Instant::now(), Vec::new());
        let report = Self { name: name.to_owned(), began, failures, slack, _turn: turn };
        report.figure(format!("begins; load {}", load()));
        report
    }

    /// Ends a campaign that cannot run here.
    pub(crate) fn skipped(self, why: impl Display) {
        self.figure(format!("SKIPPED: {why}"));
    }

    /// Something measured.
    pub(crate) fn figure(&self, text: impl Display) {
        tell(&format!("{}: {text}", self.name));
    }

    /// Something that must hold.
    pub(crate) fn must(&mut self, holds: bool, what: impl Display) {
        if !holds {
            self.failures.push(what.to_string());
        }
        self.figure(format!("{} {what}", if holds { "ok  " } else { "FAIL" }));
    }

    /// A time that must not be exceeded, and that something must have happened at all.
    pub(crate) fn within(&mut self, what: &str, took: Option<Duration>, limit: Duration) {
        let limit = limit * self.slack;
        let text = took.map_or("never".to_owned(), |took| format!("{} ms", took.as_millis()));
        self.must(
            took.is_some_and(|took| took <= limit),
            format!("{what}: {text} (at most {} ms)", limit.as_millis()),
        );
    }

    /// Ends the campaign.
    ///
    /// # Panics
    /// If anything that must hold did not.
    pub(crate) fn verdict(self) {
        let seconds = self.began.elapsed().as_secs_f64();
        let word = if self.failures.is_empty() { "OK" } else { "FAILED" };
        self.figure(format!("VERDICT {word} after {seconds:.1} s; load {}", load()));
        assert!(self.failures.is_empty(), "{}: {:#?}", self.name, self.failures);
    }
}

/// Straight to standard error, which the test harness does not swallow.
fn tell(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}
