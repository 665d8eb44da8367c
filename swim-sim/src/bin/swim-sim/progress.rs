//! How far a command has come: a bar on a terminal, and a line of text now and then where there is none.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use anstream::eprintln;
use indicatif::{ProgressBar, ProgressStyle};

use crate::layout::{number, time};

/// How often a line is written where there is no terminal.
const EVERY: Duration = Duration::from_secs(3);

/// What is shown on standard error while a command works.
pub(crate) struct Progress {
    bar: ProgressBar,
    what: &'static str,
    began: Instant,
    /// When the next line is due.
    due: Instant,
    failed: u64,
}

impl Progress {
    /// Of so many of `what`.
    pub(crate) fn of(len: u64, what: &'static str) -> Self {
        let style = ProgressStyle::with_template("{bar:32} {pos}/{len} {msg}, {per_sec}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Self::new(ProgressBar::new(len).with_style(style).with_message(what), what)
    }

    /// Of something whose end is not known.
    pub(crate) fn open() -> Self {
        Self::new(ProgressBar::new_spinner(), "")
    }

    /// The bar hides by itself where standard error is no terminal.
    fn new(bar: ProgressBar, what: &'static str) -> Self {
        let began = Instant::now();
        Self { bar, what, began, due: began + EVERY, failed: 0 }
    }

    /// One more is done, and passed or not.
    pub(crate) fn done(&mut self, passed: bool) {
        self.bar.inc(1);
        self.failed += u64::from(!passed);
        if self.is_due() {
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
            let left = self.began.elapsed().as_secs_f64() / done as f64 * all.saturating_sub(done) as f64;
            let left = Duration::try_from_secs_f64(left).map_or("an unknown time".to_owned(), time);
            let [done, all, failed] = [done, all, self.failed].map(number);
            eprintln!("{done} of {all} {}, {failed} failed, {left} left", self.what);
        }
    }

    /// This is how far it has come.
    pub(crate) fn is_at(&mut self, message: String) {
        if self.is_due() {
            eprintln!("{message}");
        }
        self.bar.set_message(message);
        self.bar.tick();
    }

    /// Writes a line that stays.
    pub(crate) fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn is_due(&mut self) -> bool {
        let due = Instant::now() >= self.due && !std::io::stderr().is_terminal();
        if due {
            self.due = Instant::now() + EVERY;
        }
        due
    }
}
