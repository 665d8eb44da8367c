//! One thing after the other, at the reader's pace.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

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
        let written = anstream::stdout().lock().write_all(text.as_bytes());
        if written.is_err() {
            // Whoever read this has seen enough.
            std::process::exit(0);
        }
        if self.waits {
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            self.waits = read.is_ok_and(|read| read > 0) && !line.starts_with('q');
        }
    }
}
