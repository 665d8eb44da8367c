//! Colours. Text is always painted; the stream takes the paint off when it is not a terminal, or when
//! `NO_COLOR` is set.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// Alive, and everything that went well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Suspect.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
/// Dead, and everything that did not go well.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// What a member said, and what the demo does to a member.
pub(crate) const NEWS: Style = AnsiColor::Cyan.on_default();
/// What can be overlooked.
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();

pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}
