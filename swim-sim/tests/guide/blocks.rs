//! The fenced blocks of a document.

use std::path::Path;

/// One block: its language, and what is in it with the last line's end.
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
    /// Where `text` is in the document.
    pub(crate) at: std::ops::Range<usize>,
}

impl Block {
    /// The name of the file that it shows: a TOML file whose first line is `# NAME.toml` and nothing else.
    pub(crate) fn file_name(&self) -> Option<&str> {
        let name = self.text.lines().next()?.strip_prefix("# ")?;
        (self.language == "toml" && name.ends_with(".toml") && !name.contains(' ')).then_some(name)
    }
}

/// All of them, in order.
pub(crate) fn blocks(document: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<(String, usize)> = None;
    let mut at = 0;
    for line in document.split_inclusive('\n') {
        let fence = line.trim_end().strip_prefix("```");
        match (&open, fence) {
            (None, Some(language)) => open = Some((language.to_owned(), at + line.len())),
            (Some((language, begin)), Some(_)) => {
                let (language, at) = (language.clone(), *begin..at);
                found.push(Block { language, text: document[at.clone()].to_owned(), at });
                open = None;
            }
            (_, None) => {}
        }
        at += line.len();
    }
    assert!(open.is_none(), "a block without an end");
    found
}

/// Writes the files that the document shows into `folder`.
pub(crate) fn write_files(document: &str, folder: &Path) {
    for block in blocks(document) {
        if let Some(name) = block.file_name() {
            std::fs::write(folder.join(name), &block.text).expect("a folder for tests can be written to");
        }
    }
}
