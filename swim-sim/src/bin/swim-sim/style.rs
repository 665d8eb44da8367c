//! Colours. Text is always painted; the stream takes the paint off when it is not a terminal, or when
//! `NO_COLOR` is set.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

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
