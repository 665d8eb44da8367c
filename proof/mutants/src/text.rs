//! Source text without its layout.
//!
//! An entry of the catalogue must still be found after `rustfmt` has broken a line elsewhere. So both sides are
//! compared without comments, without white space that separates nothing, and without the comma that `rustfmt`
//! puts before a closing bracket.

use std::collections::BTreeSet;
use std::ops::Range;

/// A text without its layout; each character knows where it stood.
pub(crate) struct Condensed {
    text: String,
    /// For each byte of `text`, where its character begins in the original.
    at: Vec<usize>,
}

impl Condensed {
    pub(crate) fn of(source: &str) -> Self {
        let mut condensed = Self { text: String::new(), at: Vec::new() };
        let mut rest = source.char_indices().peekable();
        let mut gap = false;
        while let Some((at, char)) = rest.next() {
            let ahead = &source[at..];
            if char.is_whitespace() {
                gap = true;
            } else if ahead.starts_with("//") {
                while rest.next_if(|(_, char)| *char != '\n').is_some() {}
                gap = true;
            } else {
                condensed.push(at, char, std::mem::take(&mut gap));
                if ahead.starts_with("'\"'") {
                    rest.by_ref().take(2).for_each(|(at, char)| condensed.push(at, char, false));
                } else if char == '"' {
                    let mut escaped = false;
                    for (at, char) in rest.by_ref() {
                        condensed.push(at, char, false);
                        if char == '"' && !escaped {
                            break;
                        }
                        escaped = char == '\\' && !escaped;
                    }
                }
            }
        }
        condensed
    }

    fn push(&mut self, at: usize, char: char, gap: bool) {
        let word = |char: char| char.is_alphanumeric() || char == '_';
        if gap && word(char) && self.text.ends_with(word) {
            self.text.push(' ');
            self.at.push(at);
        }
        if matches!(char, ')' | ']' | '}') && self.text.ends_with(',') {
            self.text.pop();
            self.at.pop();
        }
        self.text.push(char);
        self.at.resize(self.text.len(), at);
    }

    /// Where `part` stands in the original, each time. Overlapping finds are all counted.
    pub(crate) fn find(&self, part: &Self) -> Vec<usize> {
        let mut found = Vec::new();
        while let Some(at) = found
            .last()
            .map_or(Some(0), |at| self.next(*at))
            .and_then(|from| self.text[from..].find(&part.text).map(|at| from + at))
        {
            found.push(at);
        }
        found
    }

    fn next(&self, at: usize) -> Option<usize> {
        Some(at + self.text[at..].chars().next()?.len_utf8())
    }

    /// The bytes of the original that stand for `range` of the condensed text.
    pub(crate) fn original(&self, range: Range<usize>) -> Range<usize> {
        let begin = self.at[range.start];
        let Some(last) = self.text[range.clone()].chars().next_back() else { return begin..begin };
        begin..self.at[range.end - 1] + last.len_utf8()
    }

    pub(crate) const fn len(&self) -> usize {
        self.text.len()
    }
}

/// The line of `source` that has most words in common with `text`, with its number: what a renamed or rewritten
/// line looks like now.
pub(crate) fn closest_line<'a>(source: &'a str, text: &str) -> Option<(usize, &'a str, usize)> {
    let words = |text: &'a str| -> BTreeSet<&'a str> {
        text.split(not_a_word).filter(|word| !word.is_empty()).collect()
    };
    let wanted: BTreeSet<&str> = text.split(not_a_word).filter(|word| !word.is_empty()).collect();
    let common = |line: &'a str| {
        let words = words(line);
        // In thousandths, so that a short line with the same words beats a long one.
        2000 * words.intersection(&wanted).count() / (words.len() + wanted.len()).max(1)
    };
    let lines = (1..).zip(source.lines()).filter(|(_, line)| !line.trim_start().starts_with("//"));
    lines.map(|(number, line)| (number, line.trim(), common(line))).max_by_key(|(.., common)| *common)
}

fn not_a_word(char: char) -> bool {
    !char.is_alphanumeric() && char != '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str, part: &str) -> Vec<String> {
        let (source_text, part) = (source, Condensed::of(part));
        let source = Condensed::of(source_text);
        let ranges = source.find(&part).into_iter().map(|at| source.original(at..at + part.len()));
        ranges.map(|range| source_text[range].to_owned()).collect()
    }

    #[test]
    fn a_call_is_found_however_it_is_laid_out() {
        let source = "let a = call(\n    one, // why\n    two,\n);\nlet b = callone;";
        assert_eq!(found(source, "call(one, two)"), ["call(\n    one, // why\n    two,\n)"]);
        assert_eq!(found(source, "call one"), Vec::<String>::new());
    }

    #[test]
    fn texts_in_quotes_are_compared_as_they_are() {
        let source = "f(\"a  // b\"); let quote = '\"'; g(\"a // b\", \"\\\" \");";
        assert_eq!(found(source, "\"a // b\""), ["\"a // b\""]);
        assert_eq!(found(source, "\"\\\" \");"), ["\"\\\" \");"]);
    }

    #[test]
    fn every_occurrence_counts() {
        assert_eq!(found("x + x + xx", "x").len(), 4);
    }

    #[test]
    fn the_closest_line_is_the_one_with_most_words_in_common() {
        let source = "fn other() {}\n    if held.epoch < new.epoch {\n    // if held.epoch < said.epoch";
        let closest =
            closest_line(source, "if held.epoch < said.epoch").map(|(number, line, _)| (number, line));
        assert_eq!(closest, Some((2, "if held.epoch < new.epoch {")));
    }
}
