//! What reaches a terminal. Text is always painted; the stream takes the paint off when it is not a terminal, or when
//! `NO_COLOR` is set. Text of other members goes through [`printable`] first: it must not paint, move the cursor, or
//! change its order.

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

/// `text` with what a terminal would obey (control characters, line separators, marks of direction) escaped as in JSON, for
/// example `\u001b`: so a line of JSON keeps its meaning.
pub(crate) fn printable(text: &str) -> String {
    let is_obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        match is_obeyed(c) {
            true => printable.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => printable.push(c),
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_written_out_and_the_rest_is_kept() {
        assert_eq!(printable("a\x1b[2J\r\u{9b}\u{202e}\x7f"), "a\\u001b[2J\\u000d\\u009b\\u202e\\u007f");
        for kept in ["böblingen", "👩\u{200d}🚀", "C:\\dir \"x\""] {
            assert_eq!(printable(kept), kept);
        }
        let json = serde_json::to_string("\u{9b}\u{2028}\x1b").expect("serialises");
        assert_eq!(serde_json::from_str::<String>(&printable(&json)).expect("reads"), "\u{9b}\u{2028}\x1b");
    }
}
