//! How far it is, on a terminal.

use std::io::{self, IsTerminal as _, Write as _};

/// One line on standard error that is written over and over; nothing if that is no terminal.
pub(crate) struct Progress {
    terminal: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { terminal: io::stderr().is_terminal() }
    }

    /// What is being done.
    pub(crate) fn show(&mut self, what: &str) {
        if self.terminal {
            eprint!("\r\x1b[K{what} …");
            let _ = io::stderr().flush();
        }
    }

    /// Leaves the line empty.
    pub(crate) fn clear(&mut self) {
        if self.terminal {
            eprint!("\r\x1b[K");
            let _ = io::stderr().flush();
        }
    }
}
