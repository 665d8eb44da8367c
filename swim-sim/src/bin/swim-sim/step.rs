//! One thing after the other, at the reader's pace.

use std::io::{BufRead as _, IsTerminal as _};

/// Prints what happened, and waits for Enter if somebody watches; `q` goes on without.
pub(crate) struct Stepper {
    waits: bool,
}

impl Stepper {
    pub(crate) fn new() -> Self {
        Self { waits: std::io::stdin().is_terminal() && std::io::stdout().is_terminal() }
    }

    pub(crate) fn show(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        anstream::print!("{text}");
        if self.waits {
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            self.waits = read.is_ok_and(|read| read > 0) && !line.starts_with('q');
        }
    }
}
