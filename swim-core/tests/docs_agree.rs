//! The documents name what there is: every path in them exists, and every name in code type is a word of
//! the source.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Files of the repository below `folder` with one of these endings.
fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("a readable entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are UTF-8");
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                files(&path, endings, found);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
}

/// The documents, by name.
fn documents() -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&root().join("docs"), &[".md"], &mut found);
    let read = |path: PathBuf| (path.display().to_string(), fs::read_to_string(&path).expect("UTF-8"));
    found.into_iter().map(read).collect()
}

/// What stands between single backticks, line by line; indented examples are left out.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines()
        .filter(move |line| {
            fenced ^= line.starts_with("```");
            !fenced && !line.starts_with("    ")
        })
        .flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Targets of links that are not on the web.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|link| !link.contains("://"))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

fn is_path(code: &str) -> bool {
    let plain = code.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    let ending = [".rs", ".md", ".txt", ".toml"].iter().any(|ending| code.ends_with(ending));
    plain && (ending || (code.contains('/') && !code.contains("..")))
}

#[test]
fn every_path_in_the_documents_exists() {
    let mut all = Vec::new();
    files(&root(), &[""], &mut all);
    let mut missing = BTreeSet::new();
    for (document, text) in documents() {
        for path in code(&text).filter(|code| is_path(code)) {
            // A bare file name stands for a file of the folder that the sentence is about.
            let exists = match path.contains('/') {
                true => root().join(path).exists(),
                false => all.iter().any(|file| file.ends_with(path)),
            };
            if !exists {
                missing.insert(format!("{document}: {path}"));
            }
        }
        let folder = Path::new(&document).parent().expect("a document is in a folder").to_owned();
        for link in links(&text) {
            let file = link.split('#').next().unwrap_or_default();
            if !file.is_empty() && !folder.join(file).exists() {
                missing.insert(format!("{document}: link to {link}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_name_in_the_documents_stands_in_the_source() {
    let mut sources = Vec::new();
    files(&root(), &[".rs"], &mut sources);
    let mut known = BTreeSet::new();
    for source in sources.iter().filter(|source| !source.ends_with("docs_agree.rs")) {
        let text = fs::read_to_string(source).expect("UTF-8");
        known.extend(words(&text).map(str::to_owned));
    }
    let mut unknown = BTreeSet::new();
    for (document, text) in documents() {
        for code in code(&text).filter(|code| !is_path(code)) {
            for word in words(code).filter(|word| word.chars().any(|c| c.is_ascii_alphabetic())) {
                let is_name = word.contains('_') || word.chars().any(|c| c.is_ascii_uppercase());
                if is_name && !known.contains(word) {
                    unknown.insert(format!("{document}: {word}"));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}
