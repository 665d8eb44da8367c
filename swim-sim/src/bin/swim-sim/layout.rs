//! How lists, numbers and times are laid out so that eyes can take them in: no line longer than a terminal is
//! wide, no digit that means nothing.

use std::fmt::{Display, Write as _};
use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
pub(crate) use swim_sim::report::{moment, number, time};

/// Characters in a line.
const WIDTH: usize = 100;
/// Before each line of a list.
const INDENT: usize = 2;
/// Between two columns.
const GAP: usize = 3;

/// A title, and words that go on in as many lines as they need.
pub(crate) fn words(title: &str, words: impl IntoIterator<Item = (String, Style)>) -> String {
    let mut text = title.to_owned();
    let mut column = title.chars().count();
    for (word, style) in words {
        let len = word.chars().count();
        if column + 1 + len > WIDTH {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', INDENT));
            column = INDENT;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(&paint(style, word));
        column += len;
    }
    text
}

/// Names and numbers, in as many columns as fit.
pub(crate) fn columns(cells: &[(&str, u64)]) -> String {
    let cells: Vec<(&str, String)> = cells.iter().map(|(name, value)| (*name, number(*value))).collect();
    let widest = |len: fn(&(&str, String)) -> usize| cells.iter().map(len).max().unwrap_or_default();
    let (names, numbers) = (widest(|cell| cell.0.len()), widest(|cell| cell.1.len()));
    let cell_width = names + 1 + numbers + GAP;
    let in_a_line = ((WIDTH - INDENT + GAP) / cell_width).max(1);
    // Read from top to bottom, as a list is.
    let lines = cells.len().div_ceil(in_a_line);
    let mut text = String::new();
    for line in 0..lines {
        let mut shown = " ".repeat(INDENT);
        for (name, value) in cells.iter().skip(line).step_by(lines) {
            let _ = write!(shown, "{name:names$} {value:>numbers$}{:GAP$}", "");
        }
        text.push_str(shown.trim_end());
        if line + 1 < lines {
            text.push('\n');
        }
    }
    text
}

/// What held.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What did not.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// What can be overlooked.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Titles.
pub(crate) const BOLD: Style = Style::new().bold();

/// `text` in `style`.
pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints what happened, and waits for Enter on a terminal; `q` goes on without.
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
            // The reader has seen enough.
            std::process::exit(0);
        }
        if self.waits {
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            self.waits = read.is_ok_and(|read| read > 0) && !line.starts_with('q');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_longer_than_the_page_and_nothing_is_lost() {
        let many = (0..90).map(|n| (format!("dial{n}={n}"), Style::new()));
        let text = words("dials:", many);
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert_eq!(text.split_whitespace().count(), 91);
        let names: Vec<String> = (0..90).map(|n| format!("event-{n}")).collect();
        let cells: Vec<(&str, u64)> =
            names.iter().zip(0..).map(|(name, n)| (name.as_str(), n * n * n)).collect();
        let text = columns(&cells);
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert_eq!(text.split_whitespace().count(), 180);
        assert_eq!(columns(&[]), "");
    }
}
