//! Figures as they are measured, and what a campaign comes to.

use std::fmt::{Debug, Display};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// What one campaign finds.
pub(crate) struct Report {
    name: &'static str,
    began: Instant,
    took: Duration,
    failures: Vec<String>,
    skipped: Vec<String>,
    /// Every limit in time is stretched by this.
    slack: u32,
}

impl Report {
    /// Runs a campaign. A panic in it is a failure.
    pub(crate) fn run(name: &'static str, slack: u32, campaign: fn(&mut Self)) -> Self {
        let (failures, skipped) = (Vec::new(), Vec::new());
        let mut report = Self { name, began: Instant::now(), took: Duration::ZERO, failures, skipped, slack };
        report.figure(format!("begins; load {}", load()));
        if catch_unwind(AssertUnwindSafe(|| campaign(&mut report))).is_err() {
            report.must(false, "the campaign came to its end; the panic is above");
        }
        report.took = report.began.elapsed();
        report.figure(format!("{}; load {}", report.outcome(), load()));
        report
    }

    /// Something cannot be shown here: the whole campaign or a part of it.
    pub(crate) fn skip(&mut self, why: impl Display) {
        self.figure(format!("SKIPPED: {why}"));
        self.skipped.push(why.to_string());
    }

    /// Something measured.
    pub(crate) fn figure(&self, text: impl Display) {
        eprintln!("{}: {text}", self.name);
    }

    /// Something that must hold.
    pub(crate) fn must(&mut self, holds: bool, what: impl Display) {
        if !holds {
            self.failures.push(what.to_string());
        }
        self.figure(format!("{} {what}", if holds { "ok  " } else { "FAIL" }));
    }

    /// Something of which there must be none; of what there is, some is shown.
    pub(crate) fn none(&mut self, what: impl Display, found: &[impl Debug]) {
        let some = &found[..found.len().min(10)];
        self.must(found.is_empty(), format_args!("{what}: {} {some:?}", found.len()));
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

    /// Whether everything held that was looked at.
    pub(crate) const fn is_good(&self) -> bool {
        self.failures.is_empty()
    }

    /// The lines of the summary: the outcome, and each thing that failed or was skipped.
    pub(crate) fn summary(&self) -> Vec<String> {
        let mut lines = vec![format!("{:<12} {}", self.name, self.outcome())];
        lines.extend(self.failures.iter().map(|what| format!("FAILED {}: {what}", self.name)));
        lines.extend(self.skipped.iter().map(|why| format!("SKIPPED {}: {why}", self.name)));
        lines
    }

    fn outcome(&self) -> String {
        let outcome = match (self.is_good(), self.skipped.is_empty()) {
            (false, _) => "FAILED",
            (true, false) => "ok, but for what is skipped",
            (true, true) => "ok",
        };
        format!("{outcome} after {:.1} s", self.took.as_secs_f64())
    }
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}
