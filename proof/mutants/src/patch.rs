//! From the sources and the catalogue to sources that have all of its entries in them, each behind a switch.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::catalogue::{Catalogue, Edit};
use crate::text::{Condensed, closest_line};

/// The texts of `swim-core/src`, by path.
pub(crate) type Sources = BTreeMap<String, String>;

/// What stands at one span of a file instead of its text: by the number of the entry.
type Choices<'a> = Vec<(usize, &'a str)>;

/// The sources with every edit in them.
///
/// # Errors
/// Every edit whose text does not occur exactly once, or overlaps another's.
pub(crate) fn apply(sources: &Sources, catalogue: &Catalogue) -> Result<Sources, Vec<String>> {
    let condensed = sources.iter().map(|(file, text)| (file.as_str(), Condensed::of(text))).collect();
    let mut spans: BTreeMap<(&str, usize, usize), Choices<'_>> = BTreeMap::new();
    let mut faults = catalogue.faults();
    for (number, name, edit) in catalogue.edits() {
        match locate(sources, &condensed, edit) {
            Ok(range) => {
                let key = (edit.file.as_str(), range.start, range.end);
                spans.entry(key).or_default().push((number, &edit.instead));
            }
            Err(fault) => faults.push(format!("{name}: {fault}")),
        }
    }
    for ((file, begin, end), (next, next_begin, _)) in spans.keys().zip(spans.keys().skip(1)) {
        if file == next && next_begin < end {
            let text = &sources[*file][*begin..*end];
            faults.push(format!("{file}: another edit lies within, or reaches into, `{text}`"));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut patched = sources.clone();
    // From the end of each file, so that what is still to be replaced stays where it is.
    for ((file, begin, end), choices) in spans.into_iter().rev() {
        let text = patched.get_mut(file).expect("the edit was placed in this file");
        let switched = switch(&text[begin..end], &choices);
        text.replace_range(begin..end, &switched);
    }
    Ok(patched)
}

/// The bytes of its file that `edit` replaces.
fn locate(
    sources: &Sources,
    condensed: &BTreeMap<&str, Condensed>,
    edit: &Edit,
) -> Result<Range<usize>, String> {
    let (before, rest) = edit.text.split_once('«').unwrap_or(("", &edit.text));
    let (marked, after) = rest.split_once('»').unwrap_or((rest, ""));
    // The comma after the last arm or argument has gone from the condensed file.
    let whole = Condensed::of(&[before, marked, after.trim_end().trim_end_matches(',')].concat());
    let Some(file) = condensed.get(edit.file.as_str()) else {
        return Err(format!("there is no file {}{}", edit.file, elsewhere(sources, condensed, edit, &whole)));
    };
    match file.find(&whole)[..] {
        [at] => {
            let begin = at + Condensed::of(before).len();
            let end = at + Condensed::of(&[before, marked].concat()).len();
            Ok(file.original(begin..end))
        }
        [] => Err(format!(
            "`{}` does not occur in {}{}",
            edit.text.trim(),
            edit.file,
            elsewhere(sources, condensed, edit, &whole)
        )),
        ref found => Err(format!("`{}` occurs {} times in {}", edit.text.trim(), found.len(), edit.file)),
    }
}

/// Where the text went: another file that has it, or the line most like it.
fn elsewhere(
    sources: &Sources,
    condensed: &BTreeMap<&str, Condensed>,
    edit: &Edit,
    whole: &Condensed,
) -> String {
    if let Some((file, _)) = condensed.iter().find(|(_, text)| text.find(whole).len() == 1) {
        return format!("; it is in {file}");
    }
    let closest = sources.iter().filter_map(|(file, text)| {
        let (number, line, common) = closest_line(text, &edit.text)?;
        // Of two lines that are equally close, the one in the entry's file.
        Some(((common, *file == edit.file), format!("; closest: {file}:{number}: `{line}`")))
    });
    closest.max_by_key(|(rank, _)| *rank).map(|(_, line)| line).unwrap_or_default()
}

/// `original`, unless one of the entries is on.
fn switch(original: &str, choices: &[(usize, &str)]) -> String {
    let branches = choices
        .iter()
        .map(|(number, instead)| format!("if crate::mutant::is({number}) {{ {instead} }} else "));
    let branches: String = branches.collect();
    let statements = original.is_empty() || original.ends_with([';', '}']);
    let (open, close) = if statements { ("", "") } else { ("(", ")") };
    // A new line: the text may end in a comment.
    format!("{open}{branches}{{ {original}\n}}{close} ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Mutant;

    fn patched(source: &str, edits: &[(&str, &str)]) -> Result<String, String> {
        let edit = |(text, instead): &(&str, &str)| Edit {
            file: "a.rs".to_owned(),
            text: (*text).to_owned(),
            instead: (*instead).to_owned(),
        };
        let mutants = edits.iter().zip('a'..).map(|(one, name)| Mutant {
            name: name.to_string(),
            mistake: "A mistake.".to_owned(),
            noticed_by: vec!["S1".to_owned()],
            edits: vec![edit(one)],
        });
        let catalogue = Catalogue { mutants: mutants.collect(), ablations: Vec::new() };
        let sources = Sources::from([
            ("a.rs".to_owned(), source.to_owned()),
            ("b.rs".to_owned(), "fn elsewhere() { b(); }".to_owned()),
        ]);
        let mut patched = apply(&sources, &catalogue).map_err(|faults| faults.join("\n"))?;
        let text = patched.remove("a.rs").expect("it is among the sources");
        Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn an_expression_a_statement_and_an_insertion_each_get_their_switch() {
        let source = "fn f() { if a < b { g(); } }";
        let text = patched(source, &[("if «a < b» {", "a > b"), ("g();", ""), ("fn f() { «» if", "return;")]);
        let expected = "fn f() { if crate::mutant::is(3) { return; } else { } \
                        if (if crate::mutant::is(1) { a > b } else { a < b }) \
                        { if crate::mutant::is(2) { } else { g(); } } }";
        assert_eq!(text.as_deref(), Ok(expected));
    }

    #[test]
    fn two_entries_with_one_text_are_two_branches() {
        let text = patched("let a = b;", &[("= «b»;", "0"), ("let a = «b»", "1")]);
        let expected =
            "let a = (if crate::mutant::is(1) { 0 } else if crate::mutant::is(2) { 1 } else { b }) ;";
        assert_eq!(text.as_deref(), Ok(expected));
    }

    #[test]
    fn an_edit_that_does_not_fit_its_file_is_named_with_what_is_there_now() {
        let fault =
            |edit| patched("let new_name = value(1);\nlet other = other;", &[edit]).expect_err("refused");
        assert_eq!(
            fault(("let old_name = value(1);", "")),
            "a: `let old_name = value(1);` does not occur in a.rs; closest: a.rs:1: `let new_name = value(1);`"
        );
        assert_eq!(fault(("let", "")), "a: `let` occurs 2 times in a.rs");
        assert_eq!(fault(("b();", "")), "a: `b();` does not occur in a.rs; it is in b.rs");
    }

    #[test]
    fn edits_that_overlap_are_refused() {
        let fault = patched("a(b, c);", &[("a(b, c)", "d"), ("«c»)", "e")]).expect_err("refused");
        assert_eq!(fault, "a.rs: another edit lies within, or reaches into, `a(b, c)`");
    }
}
