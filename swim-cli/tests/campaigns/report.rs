//! Figures as they are measured, and the verdict at the end.

use std::fmt::Display;
use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What one campaign found.
pub(crate) struct Report {
    name: String,
    began: Instant,
    failures: Vec<String>,
    /// Campaigns measure; two at once would measure each other.
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::new(());

impl Report {
    /// Begins a campaign, when the one before it has ended.
    pub(crate) fn new(name: &str) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let report =
            Self { name: name.to_owned(), began: Instant::now(), failures: Vec::new(), _alone: alone };
        report.figure(format!("begins; load {}", load()));
        report
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

/// Says that a campaign cannot run here.
pub(crate) fn skipped(name: &str, why: impl Display) {
    tell(&format!("{name}: SKIPPED: {why}"));
}

/// Straight to standard error, which the test harness does not swallow.
fn tell(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}
