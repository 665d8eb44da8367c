//! The demo's standard output: objects for programs, text for people, and on a terminal a panel below the
//! text that shows at every moment what each member believes.
//!
//! The panel is drawn, erased and drawn again with three escape sequences and no state in the terminal: if
//! the demo is killed, nothing has to be put right.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;

use crate::style::printable;

/// Between two drawings of the panel.
const FRAME: Duration = Duration::from_millis(80);
/// Terminals that are smaller get plain text.
const COLUMNS_MIN: usize = 72;

/// Writes what the demo has to say.
pub(crate) struct Presenter {
    out: AutoStream<io::Stdout>,
    form: Form,
    /// What stands below the text now.
    panel: String,
    drawn: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Objects,
    Text,
    TextAndPanel { columns: usize },
}

impl Presenter {
    /// A presenter of objects, or of text; of text with a panel if `may_draw` and the terminal allows it.
    pub(crate) fn new(json: bool, may_draw: bool) -> Self {
        let stdout = io::stdout();
        let colours = AutoStream::choice(&stdout) != ColorChoice::Never;
        let form = match columns() {
            _ if json => Form::Objects,
            Some(columns) if may_draw && colours && stdout.is_terminal() && columns >= COLUMNS_MIN => {
                Form::TextAndPanel { columns }
            }
            _ => Form::Text,
        };
        Self { out: AutoStream::auto(stdout), form, panel: String::new(), drawn: None }
    }

    /// How often the panel wants to be drawn, if there is one.
    pub(crate) const fn frame(&self) -> Option<Duration> {
        match self.form {
            Form::TextAndPanel { .. } => Some(FRAME),
            Form::Objects | Form::Text => None,
        }
    }

    /// For people: a line, or several.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        if self.form == Form::Objects {
            return Ok(());
        }
        let all = format!("{}{text}\n{}", erase(&self.panel), self.panel);
        self.write(&all)
    }

    /// For programs: one object, one line.
    pub(crate) fn object(&mut self, object: &impl Serialize) -> io::Result<()> {
        if self.form != Form::Objects {
            return Ok(());
        }
        let line = printable(&serde_json::to_string(object).map_err(io::Error::other)?);
        self.write(&format!("{line}\n"))
    }

    /// Draws what `panel` makes for so many columns, if there is a panel and it is time.
    pub(crate) fn draw(&mut self, panel: impl FnOnce(usize) -> String) -> io::Result<()> {
        let Form::TextAndPanel { columns } = self.form else { return Ok(()) };
        if self.drawn.is_some_and(|drawn| drawn.elapsed() < FRAME) {
            return Ok(());
        }
        self.drawn = Some(Instant::now());
        let panel = format!("\n{}\n", panel(columns));
        if panel == self.panel {
            return Ok(());
        }
        let all = format!("{}{panel}", erase(&self.panel));
        self.panel = panel;
        self.write(&all)
    }

    /// Takes the panel away.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        let erased = erase(&std::mem::take(&mut self.panel));
        self.write(&erased)
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

/// Up to the panel's first line, and everything below away.
fn erase(panel: &str) -> String {
    match panel.matches('\n').count() {
        0 => String::new(),
        lines => format!("\r\x1b[{lines}A\x1b[J"),
    }
}

fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_is_erased_from_its_first_line_on() {
        assert_eq!(erase(""), "");
        assert_eq!(erase("\none\ntwo\n"), "\r\x1b[3A\x1b[J");
    }
}
