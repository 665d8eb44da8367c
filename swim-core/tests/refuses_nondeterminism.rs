//! Plants a clock, a thread, a socket, floats, iteration over hash tables and more in a copy of this
//! crate, and looks on as each is refused by the lint that is there to refuse it.
//!
//! A lint that has silently stopped working looks exactly like a clean crate. So the copy is checked
//! three times: clean it must pass; with `planted/offences.rs` in it every marked line must fail, with
//! the lint that its mark names; and `use std::…` by itself does not even get past the compiler.
//!
//! It is one test because all runs share one copy and one target directory, where cargo distinguishes fresh from
//! stale by the time of a file's last change.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const OFFENCES: &str = include_str!("planted/offences.rs");
const MARK: &str = "// refused by ";

#[test]
fn what_must_not_enter_the_core_is_refused_by_the_lint_that_its_mark_names() {
    let Some(copy) = Copy::of_this_crate() else { return };

    let clean = copy.clippy();
    assert!(clean.status.success(), "the clean copy is refused:\n{}", text(&clean));

    copy.plant(OFFENCES);
    let refused = copy.clippy();
    assert!(!refused.status.success(), "the planted copy passed:\n{}", text(&refused));
    let diagnostics = String::from_utf8_lossy(&refused.stdout);
    let errors: Vec<&str> = diagnostics.lines().filter(|d| d.contains("\"level\":\"error\"")).collect();
    let mut passed = Vec::new();
    for (line, source, lint) in marks() {
        // Where the diagnostic points to, and what it is called, in cargo's JSON.
        let location = format!("planted.rs:{line}:");
        let code = format!("\"code\":\"{lint}\"");
        if !errors.iter().any(|error| error.contains(&location) && error.contains(&code)) {
            passed.push(format!("{lint} let this pass: {}", source.trim()));
        }
    }
    assert!(passed.is_empty(), "{}\n{}", passed.join("\n"), errors.join("\n"));

    copy.plant("pub use std::collections::BTreeMap;\n");
    let unlinked = copy.clippy();
    assert!(!unlinked.status.success() && text(&unlinked).contains("E0433"), "{}", text(&unlinked));
}

/// The lints are worth nothing where a file excuses itself.
#[test]
fn no_file_is_excused_from_what_keeps_runs_the_same() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in rust_files(&src) {
        let source = fs::read_to_string(&file).expect("a source of this crate");
        let code = source.split("\nmod tests {").next().unwrap_or_default();
        let excused = code.contains("expect(clippy::disallowed") && !file.ends_with("src/lib.rs");
        assert!(!excused, "{} excuses itself", file.display());
    }
}

/// Line number, text and lint of every marked line.
fn marks() -> Vec<(usize, &'static str, &'static str)> {
    let marked = |(index, line): (usize, &'static str)| {
        line.split_once(MARK).map(|(source, lint)| (index + 1, source, lint.trim()))
    };
    let marks: Vec<_> = OFFENCES.lines().enumerate().filter_map(marked).collect();
    assert!(marks.len() > 20, "the marks are not recognised: {marks:?}");
    marks
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A copy of this crate in a workspace of its own.
struct Copy {
    root: PathBuf,
}

impl Copy {
    /// `None`, and a line that says so, where it cannot be checked.
    fn of_this_crate() -> Option<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let Ok(manifest) = fs::read_to_string(here.join("../Cargo.toml")) else {
            return skip("this crate is not in its workspace");
        };
        if !Command::new(env!("CARGO"))
            .args(["clippy", "--version"])
            .output()
            .is_ok_and(|o| o.status.success())
        {
            return skip("clippy is not installed");
        }
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refuses/copy");
        if root.exists() {
            fs::remove_dir_all(&root).expect("the last run's copy can be removed");
        }
        copy_dir(&here.join("src"), &root.join("swim-core/src"));
        for file in ["Cargo.toml", "build.rs", "clippy.toml"] {
            fs::copy(here.join(file), root.join("swim-core").join(file)).expect("a file of this crate");
        }
        // A dependency of the tests, which cargo wants to see although it is not built.
        let craft = here.join("../swim-craft");
        copy_dir(&craft.join("src"), &root.join("swim-craft/src"));
        fs::copy(craft.join("Cargo.toml"), root.join("swim-craft/Cargo.toml")).expect("a file of swim-craft");
        fs::copy(here.join("../Cargo.lock"), root.join("Cargo.lock")).expect("the workspace's lock file");
        let alone: Vec<&str> = manifest.lines().map(only_this_member).collect();
        fs::write(root.join("Cargo.toml"), alone.join("\n")).expect("the copy's workspace");
        Some(Self { root })
    }

    /// Adds a module, or replaces the one that was added before.
    fn plant(&self, module: &str) {
        const DECLARATION: &str = "\n/// Planted.\npub mod planted;\n";
        let lib = self.root.join("swim-core/src/lib.rs");
        let source = fs::read_to_string(&lib).expect("the copy's lib.rs");
        if !source.ends_with(DECLARATION) {
            fs::write(&lib, source + DECLARATION).expect("the copy can be written");
        }
        fs::write(self.root.join("swim-core/src/planted.rs"), module).expect("the copy can be written");
    }

    /// The target directory is kept between runs: only the first one compiles the dependencies.
    fn clippy(&self) -> Output {
        Command::new(env!("CARGO"))
            .args(["clippy", "--offline", "--package", "swim-core", "--lib", "--message-format", "json"])
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("refuses/target"))
            .env_remove("RUSTFLAGS")
            .output()
            .expect("cargo can be run: it runs this test")
    }
}

fn only_this_member(line: &str) -> &str {
    if line.starts_with("members = ") { "members = [\"swim-core\", \"swim-craft\"]" } else { line }
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(dir).expect("a directory of this crate").map(|e| e.expect("a readable entry").path());
    let (dirs, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
    files.into_iter().chain(dirs.iter().flat_map(|dir| rust_files(dir))).collect()
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(from).expect("a directory of this crate") {
        let entry = entry.expect("a readable entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file of this crate");
        }
    }
}

fn skip<T>(why: &str) -> Option<T> {
    // Not `eprintln!`, which is swallowed where a test passes.
    let _ = writeln!(std::io::stderr(), "SKIPPED what lints refuse in the core: {why}");
    None
}
