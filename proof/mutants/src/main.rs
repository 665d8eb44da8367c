//! Makes a copy of the workspace whose core has every mistake and every ablation of the catalogue in it.
//!
//! A search that finds nothing proves little until it is known what it would have found. So each entry of
//! `mutants.toml` is a mistake that a person could make, as an edit of the core's sources, and the simulator must
//! notice it. An entry of `ablations.toml` takes one rule away, to measure what it is worth. The core itself knows
//! nothing of them:
//!
//! ```text
//!   swim-core/src ─┐
//!                  ├─▶ apply: text ⟶ if mutant::is(7) { instead } else { text } ─▶ target/mutants/workspace
//!   *.toml ────────┘
//! ```
//!
//! One build has all entries, and the simulator in it chooses one at run time. `proof/mutants/run` makes the copy,
//! builds it and runs the simulator.

mod catalogue;
mod patch;
mod text;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use catalogue::Catalogue;
use patch::Sources;

/// Where the core's sources are, below the workspace.
const CORE: &str = "swim-core/src";
/// The file of the simulator that says which entries its build has.
const BUILT_IN: &str = "swim-sim/src/mutants/built_in.rs";
/// The switches, in the copy.
const SWITCH: &str = r"//! Which entry of the catalogue is on, in the whole process.

use core::sync::atomic::{AtomicUsize, Ordering};

static CHOSEN: AtomicUsize = AtomicUsize::new(0);

/// Switches on the entry of this number, counted from 1, and all others off; 0: none is on.
pub fn choose(number: usize) {
    CHOSEN.store(number, Ordering::Relaxed);
}

pub(crate) fn is(number: usize) -> bool {
    CHOSEN.load(Ordering::Relaxed) == number
}
";

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    match copy(folder, &folder.join("../..")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes the copy, or brings it up to date: a file that has not changed is not touched, so that cargo builds only
/// what is new.
fn copy(folder: &Path, workspace: &Path) -> io::Result<()> {
    let catalogue = Catalogue::read(folder)?;
    let patched =
        patch::apply(&core(workspace)?, &catalogue).map_err(|faults| io::Error::other(faults.join("\n")))?;
    let target = workspace.join("target/mutants/workspace");
    let mut kept = BTreeSet::new();
    let mut put = |name: &str, bytes: &[u8]| {
        kept.insert(name.to_owned());
        write(&target.join(name), bytes)
    };
    for name in files(workspace)? {
        if name != BUILT_IN && !(name.starts_with(CORE) && name.ends_with(".rs")) {
            put(&name, &fs::read(workspace.join(&name))?)?;
        }
    }
    for (name, text) in patched {
        let text = if name == "lib.rs" { format!("{text}\npub mod mutant;\n") } else { text };
        put(&format!("{CORE}/{name}"), text.as_bytes())?;
    }
    put(&format!("{CORE}/mutant.rs"), SWITCH.as_bytes())?;
    put(BUILT_IN, built_in(&catalogue).as_bytes())?;
    for name in files(&target)?.into_iter().filter(|name| !kept.contains(name)) {
        fs::remove_file(target.join(name))?;
    }
    Ok(())
}

/// The sources of the core.
fn core(workspace: &Path) -> io::Result<Sources> {
    let folder = workspace.join(CORE);
    let names = files(&folder)?.into_iter().filter(|name| name.ends_with(".rs"));
    names.map(|name| fs::read_to_string(folder.join(&name)).map(|text| (name, text))).collect()
}

/// What the simulator of the copy knows of the entries.
fn built_in(catalogue: &Catalogue) -> String {
    let Catalogue { mutants, ablations } = catalogue;
    let mutants = mutants.iter().map(|entry| {
        let (name, mistake, noticed_by) = (&entry.name, &entry.mistake, &entry.noticed_by);
        format!("    Mutant {{ name: {name:?}, mistake: {mistake:?}, noticed_by: &{noticed_by:?} }},\n")
    });
    let ablations = ablations.iter().map(|entry| {
        let (name, without, options) = (&entry.name, &entry.without, &entry.options);
        format!("    Ablation {{ name: {name:?}, without: {without:?}, options: &{options:?} }},\n")
    });
    format!(
        "use super::{{Ablation, Mutant}};\n\n\
         pub(super) const MUTANTS: &[Mutant] = &[\n{}];\n\n\
         pub(super) const ABLATIONS: &[Ablation] = &[\n{}];\n\n\
         pub(super) fn choose(number: usize) {{\n    swim_core::mutant::choose(number);\n}}\n",
        mutants.collect::<String>(),
        ablations.collect::<String>()
    )
}

/// All files below `folder`, by their path from there, but what git and cargo keep for themselves.
fn files(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(folder.join(&below))? {
            let entry = entry?;
            let name = below.join(entry.file_name());
            if !entry.file_type()?.is_dir() {
                names.push(name.to_str().ok_or(ErrorKind::InvalidFilename)?.to_owned());
            } else if entry.file_name() != "target" && entry.file_name() != ".git" {
                folders.push(name);
            }
        }
    }
    Ok(names)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|held| held == bytes) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().ok_or(ErrorKind::InvalidFilename)?)?;
    fs::write(path, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each entry that no longer fits the core is printed with where its text went.
    #[test]
    fn every_text_of_the_catalogue_occurs_exactly_once_in_its_file() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let catalogue = Catalogue::read(folder).expect("the catalogue is read");
        let sources = core(&folder.join("../..")).expect("the sources are read");
        if let Err(faults) = patch::apply(&sources, &catalogue) {
            panic!("{}", faults.join("\n"));
        }
    }
}
