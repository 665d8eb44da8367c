//! How far a command has come, on standard error: on a terminal in one line that is written over and over,
//! elsewhere in a line every few seconds.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use anstream::{eprint, eprintln};

use crate::layout::{number, time};

/// How often it is shown, on a terminal and elsewhere.
const EVERY: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(3)];
/// Back to the beginning of the line, and clear it.
const CLEAR: &str = "\r\x1b[K";

/// What is shown while a command works.
pub(crate) struct Progress {
    terminal: bool,
    began: Instant,
    due: Instant,
    /// Runs that are done, have failed, and will be made.
    runs: [u64; 3],
    what: &'static str,
}

impl Progress {
    /// Of so many runs of `what`.
    pub(crate) fn of(runs: u64, what: &'static str) -> Self {
        let (began, terminal) = (Instant::now(), std::io::stderr().is_terminal());
        Self { terminal, began, due: began + EVERY[usize::from(!terminal)], runs: [0, 0, runs], what }
    }

    /// One more is done, and passed or not.
    pub(crate) fn done(&mut self, passed: bool) {
        self.runs[0] += 1;
        self.runs[1] += u64::from(!passed);
        let ([done, _, all], what) = (self.runs, self.what);
        let left = self.began.elapsed().as_secs_f64() / done as f64 * all.saturating_sub(done) as f64;
        let left = time(Duration::try_from_secs_f64(left).unwrap_or_default());
        let [done, failed, all] = self.runs.map(number);
        self.show(|| format!("{done} of {all} {what}, {failed} failed, {left} left"));
    }

    /// Shows a line if one is due.
    pub(crate) fn show(&mut self, line: impl FnOnce() -> String) {
        if Instant::now() < self.due {
            return;
        }
        self.due = Instant::now() + EVERY[usize::from(!self.terminal)];
        if self.terminal { eprint!("{CLEAR}{}", line()) } else { eprintln!("{}", line()) }
    }

    /// Writes a line that stays.
    pub(crate) fn say(&self, line: &str) {
        self.end();
        eprintln!("{line}");
    }

    /// Leaves nothing on a terminal.
    pub(crate) fn end(&self) {
        if self.terminal {
            eprint!("{CLEAR}");
        }
    }
}
