//! The layout of the sources, checked by their imports, which are read as text: no folder of a crate imports,
//! through however many others, one that imports it, and the layers of `swim-core` import only downwards.
//!
//! A folder is a module at the root of a crate, be it a file or a directory, or a directory within another.
//! Only code counts: comments, strings and unit tests may name anything. The root of a crate (`lib.rs`,
//! `main.rs`, the programs in `bin`) stands above all folders; a name that it exports again counts as an
//! import from the folder that has it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers of the core, lowest first. A folder imports from layers below its own, and from its own layer
/// only where that is no layer of `APART`.
const LAYERS: [&[&str]; 6] = [
    &["collections"],
    &["api", "wire"],
    &["context", "timers"],
    &["group"],
    &["detector", "handshake", "anti_entropy", "reconnect", "leave"],
    &["node", "snapshot"],
];

/// The layer of the mechanisms: none of them knows another.
const APART: usize = 4;

const CRATES: [&str; 9] = [
    "swim-core",
    "swim-craft",
    "swim-driver",
    "swim-mio",
    "swim-tokio",
    "swim-trace",
    "swim-sim",
    "swim-cli",
    "swim-bench",
];

type Module = Vec<String>;

/// Who imports whom in one crate, and from which file.
#[derive(Default)]
struct Imports(BTreeMap<(Module, Module), String>);

impl Imports {
    /// Reads a crate: its files by their names below its root, without the extension.
    fn of<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)> + Clone) -> Self {
        let modules: BTreeSet<Module> = sources.clone().into_iter().map(|(name, _)| module(name)).collect();
        let mut exported = BTreeMap::new();
        for (name, source) in sources.clone() {
            if module(name).is_empty() {
                for mut path in used(&code(source)) {
                    path.retain(|name| name != "crate" && name != "self");
                    if let Some(name) = path.pop() {
                        exported.insert(name, path);
                    }
                }
            }
        }
        let mut found = BTreeMap::new();
        for (name, source) in sources {
            let from = module(name);
            for mut to in absolute(&code(source), &from) {
                if let Some(origin) = to.first().and_then(|first| exported.get(first))
                    && !modules.contains(&to[..1])
                {
                    to = origin.clone();
                }
                while !to.is_empty() && !modules.contains(&to) {
                    to.pop();
                }
                if !from.is_empty() && !to.is_empty() {
                    found.entry((from.clone(), to)).or_insert_with(|| name.to_owned());
                }
            }
        }
        Self(found)
    }

    /// The arrows between the folders within `parent`: from, to, and a file that draws it.
    fn between_folders(&self, parent: &[String]) -> BTreeMap<(&str, &str), &str> {
        let depth = parent.len();
        let modules = self.0.keys().flat_map(|(from, to)| [from, to]);
        let holds_files = |module: &&Module| module.len() > depth + 1 && module.starts_with(parent);
        let folders: BTreeSet<&str> =
            modules.filter(holds_files).map(|module| module[depth].as_str()).collect();
        let is_in_folder = |module: &Module| {
            module.len() > depth
                && module.starts_with(parent)
                && (depth == 0 || folders.contains(module[depth].as_str()))
        };
        let mut arrows = BTreeMap::new();
        for ((from, to), file) in &self.0 {
            if is_in_folder(from) && is_in_folder(to) && from[depth] != to[depth] {
                arrows.insert((from[depth].as_str(), to[depth].as_str()), file.as_str());
            }
        }
        arrows
    }

    /// Every circle: folders that reach each other, with the arrows between them, one for each parent.
    fn circles(&self) -> Vec<String> {
        let parents: BTreeSet<&[String]> =
            self.0.keys().flat_map(|(from, _)| (0..from.len()).map(|depth| &from[..depth])).collect();
        parents.into_iter().filter_map(|parent| circles(parent, &self.between_folders(parent))).collect()
    }

    /// Every arrow of the core that does not point downwards.
    fn upwards(&self) -> Vec<String> {
        let layer = |folder| LAYERS.iter().position(|layer| layer.contains(&folder));
        let arrows = self.between_folders(&[]);
        let wrong = arrows.iter().filter(|((from, to), _)| match (layer(from), layer(to)) {
            (Some(from), Some(to)) => from < to || (from == to && from == APART),
            _ => false,
        });
        wrong.map(|((from, to), file)| format!("{from} -> {to} ({file})")).collect()
    }
}

/// The arrows that lie on a circle, and the folders between which they lie.
fn circles(parent: &[String], arrows: &BTreeMap<(&str, &str), &str>) -> Option<String> {
    let mut left = arrows.clone();
    let mut before = usize::MAX;
    // What only imports, or is only imported, lies on none.
    while left.len() < before {
        before = left.len();
        let (from, to): (BTreeSet<&str>, BTreeSet<&str>) = left.keys().copied().unzip();
        left.retain(|(one, other), _| to.contains(one) && from.contains(other));
    }
    let parent: String = parent.iter().map(|name| format!("{name}/")).collect();
    let folders: BTreeSet<&str> = left.keys().map(|(from, _)| *from).collect();
    let folders: Vec<&str> = folders.into_iter().collect();
    let arrows: Vec<String> =
        left.iter().map(|((from, to), file)| format!("{from} -> {to} ({file})")).collect();
    (!left.is_empty()).then(|| format!("{parent}{{{}}}: {}", folders.join(", "), arrows.join("; ")))
}

/// The module that a file is: `a/mod` and `a` are one, `lib` and `main` are the root.
fn module(name: &str) -> Module {
    let mut module: Module = name.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod") || ["lib", "main"].contains(&name) {
        module.pop();
    }
    module
}

/// The paths in `code` that begin with `crate`, `super` or `self`, from the crate's root.
fn absolute(code: &str, module: &Module) -> Vec<Module> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let fresh = !code[..at].ends_with(|c: char| c.is_alphanumeric() || "_:$".contains(c));
            if fresh {
                tree(&code[at..], &[], &mut found);
            }
        }
    }
    let resolve = |path: Module| {
        let up = path.iter().take_while(|name| *name == "super").count();
        let base = if path[0] == "crate" { &[][..] } else { &module[..module.len().saturating_sub(up)] };
        let rest = path.iter().skip_while(|name| ["crate", "super", "self"].contains(&name.as_str()));
        base.iter().chain(rest).cloned().collect()
    };
    found.into_iter().map(resolve).collect()
}

/// The paths of all `use` items in `code`, as they are written.
fn used(code: &str) -> Vec<Module> {
    let mut found = Vec::new();
    for (at, item) in code.match_indices("use ") {
        if code[..at].ends_with([' ', '\n']) || at == 0 {
            tree(&code[at + item.len()..], &[], &mut found);
        }
    }
    found
}

/// Reads a path, or several in braces. Returns what follows.
fn tree<'a>(text: &'a str, before: &[String], found: &mut Vec<Module>) -> &'a str {
    let mut path = before.to_vec();
    let mut rest = text;
    loop {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        if end > 0 {
            path.push(rest[..end].to_owned());
        }
        rest = &rest[end..];
        let Some(next) = rest.strip_prefix("::") else { break };
        rest = next;
        if let Some(mut inner) = rest.strip_prefix('{') {
            loop {
                inner = tree(inner.trim_start(), &path, found);
                let Some(end) = inner.find([',', '}']) else { return inner };
                let last = inner[end..].starts_with('}');
                inner = inner[end + 1..].trim_start();
                if last || inner.starts_with('}') {
                    return inner.strip_prefix('}').filter(|_| !last).unwrap_or(inner);
                }
            }
        }
    }
    found.push(path);
    rest
}

/// A source without its unit tests, comments and strings.
fn code(source: &str) -> String {
    let source = source.split("\nmod tests {").next().unwrap_or_default();
    let mut kept = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find(['/', '"', '\'']) {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with('"') {
            string(rest, kept.bytes().rev().take_while(|b| *b == b'#').count())
        } else if rest.starts_with("'\"'") || rest.starts_with("'/'") {
            3
        } else {
            kept.push_str(&rest[..1]);
            1
        };
        rest = &rest[length..];
    }
    kept + rest
}

/// The length of a string in its source; `hashes` of them stand before it.
fn string(text: &str, hashes: usize) -> usize {
    if hashes > 0 {
        let end = format!("\"{}", "#".repeat(hashes));
        return text[1..].find(&end).map_or(text.len(), |at| 1 + at + end.len());
    }
    let mut escaped = false;
    let end = text[1..].find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |at| at + 2)
}

/// The sources of every crate and program of the workspace: its folder, and its files by name.
fn workspace() -> Vec<(String, Vec<(String, String)>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut crates = Vec::new();
    for name in CRATES {
        let src = root.join(name).join("src");
        let files = sources(&src, &src);
        let (programs, own): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|(file, _)| file.starts_with("bin/"));
        assert!(!own.is_empty(), "{name} has no sources?");
        crates.push((name.to_owned(), own));
        let folders: BTreeSet<String> =
            programs.iter().filter_map(|(file, _)| file.split('/').nth(1)).map(str::to_owned).collect();
        for folder in folders {
            let prefix = format!("bin/{folder}/");
            let files = programs.iter().filter_map(|(file, source)| {
                file.strip_prefix(&prefix).map(|file| (file.to_owned(), source.clone()))
            });
            crates.push((format!("{name}/src/bin/{folder}"), files.collect()));
        }
    }
    crates
}

fn sources(src: &Path, folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).expect("a folder of this workspace");
    let paths: BTreeSet<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    for path in paths {
        let name = path.strip_prefix(src).expect("below it").with_extension("").display().to_string();
        if name.ends_with("tests") {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(src, &path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((name, fs::read_to_string(&path).expect("a source")));
        }
    }
    found
}

fn imports(files: &[(String, String)]) -> Imports {
    Imports::of(files.iter().map(|(name, source)| (name.as_str(), source.as_str())))
}

#[test]
fn no_folder_imports_one_that_imports_it() {
    let mut found = Vec::new();
    for (name, files) in workspace() {
        found.extend(imports(&files).circles().into_iter().map(|circle| format!("{name}: {circle}")));
    }
    println!("{}", found.join("\n"));
    assert!(found.is_empty(), "{} circles:\n{}", found.len(), found.join("\n"));
}

#[test]
fn layers_of_the_core_import_only_downwards() {
    let core = workspace().swap_remove(0);
    assert_eq!(core.0, "swim-core");
    for (file, _) in core.1.iter().filter(|(file, _)| file != "lib") {
        let folder = file.split('/').next().unwrap_or_default();
        assert!(LAYERS.iter().any(|layer| layer.contains(&folder)), "{folder} is in no layer");
    }
    assert_eq!(imports(&core.1).upwards(), Vec::<String>::new());
}

#[test]
fn a_planted_circle_is_found() {
    let two = [("lib", "mod a;\nmod b;"), ("a", "use crate::b::B;"), ("b/mod", "use crate::a::A;")];
    assert_eq!(Imports::of(two).circles(), ["{a, b}: a -> b (a); b -> a (b/mod)"]);
    let three = [
        ("lib", "pub use c::C;"),
        ("a", "use crate::{b, x::Y};"),
        ("b/deep", "fn f(_: super::super::C) {}"),
        ("b/mod", ""),
        ("c", "use crate::{x, y::{Z, a}, a::{A, AA}};"),
    ];
    assert_eq!(Imports::of(three).circles(), ["{a, b, c}: a -> b (a); b -> c (b/deep); c -> a (c)"]);
    let nested = [
        ("lib", ""),
        ("a/mod", "mod one; mod two;"),
        ("a/one/mod", "use crate::a::two::x;"),
        ("a/one/more", ""),
        ("a/two/x", "use super::super::one::more::X;"),
    ];
    assert_eq!(Imports::of(nested).circles(), ["a/{one, two}: one -> two (a/one/mod); two -> one (a/two/x)"]);
}

#[test]
fn only_code_counts() {
    let quiet = [
        ("lib", "use a::A;\nuse b::B;"),
        ("a", "use crate::b::{B, C as D};\nuse core::fmt;\nfn f() { b::g() }"),
        (
            "b",
            "//! See [`crate::a`].\nfn f() -> &'static str { \"crate::a::A\" }\n// use crate::a;\nconst C: char = '\"';\n\
               const R: &str = r#\"\" crate::a \"#;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}",
        ),
    ];
    assert_eq!(Imports::of(quiet).circles(), Vec::<String>::new());
    assert_eq!(Imports::of(quiet).0.len(), 1);
}

#[test]
fn a_planted_arrow_upwards_or_between_mechanisms_is_found() {
    let core = [
        ("lib", "pub use node::Node;"),
        ("wire/mod", "use crate::api::NodeId; use crate::group::Group;"),
        ("api/mod", "use crate::collections::Slab;"),
        ("collections/mod", ""),
        ("group/mod", "use crate::api::Config; use crate::context::Context; use crate::Node;"),
        ("context", "use crate::timers::Timers;"),
        ("timers", ""),
        ("detector/mod", "use crate::group::Group;"),
        ("detector/relays", "fn f() { crate::handshake::tokens::draw() }"),
        ("handshake/tokens", "use crate::context::Context;"),
        ("node/mod", "use crate::{detector::Detector, group::Group};"),
    ];
    let wrong =
        ["detector -> handshake (detector/relays)", "group -> node (group/mod)", "wire -> group (wire/mod)"];
    assert_eq!(Imports::of(core).upwards(), wrong);
}
