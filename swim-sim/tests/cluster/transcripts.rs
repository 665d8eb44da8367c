//! Golden transcripts: short scripts, and exactly what they cause.
//!
//! The files in `tests/transcripts/` are for reading: from them one learns the protocol, and in a review
//! they show every drift. In a file, lines with `>` are commands (see `script.rs`), lines with `#` are
//! comments, and what is indented below a command is what it caused. After a change that is meant to
//! change them, `SWIM_BLESS=1 cargo test -p swim-sim transcripts` writes them anew.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::script::Stage;

fn check(name: &str) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "transcripts", name].iter().collect();
    let written = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let performed = perform(name, &written);
    if std::env::var_os("SWIM_BLESS").is_some() {
        std::fs::write(&path, &performed).unwrap_or_else(|error| panic!("{name}: {error}"));
        return;
    }
    let mut lines = (1..).zip(performed.lines().zip(written.lines()));
    if let Some((number, (now, before))) = lines.find(|(_, (now, before))| now != before) {
        panic!("{name}:{number}\nwas: {before}\nnow: {now}\nif this is meant: SWIM_BLESS=1");
    }
    let (now, before) = (performed.lines().count(), written.lines().count());
    assert_eq!(now, before, "{name}: {now} lines instead of {before}; if this is meant: SWIM_BLESS=1");
}

/// The file anew: its comments and commands as they are, their effects as they are now.
fn perform(name: &str, written: &str) -> String {
    let mut stage = Stage::new();
    let mut performed = String::new();
    for line in written.lines().filter(|line| !line.starts_with("    ")) {
        let _ = writeln!(performed, "{line}");
        if let Some(command) = line.strip_prefix("> ") {
            let caused = stage.perform(command).unwrap_or_else(|why| panic!("{name}: {why}"));
            for effect in caused.lines() {
                let _ = writeln!(performed, "    {effect}");
            }
        }
    }
    performed
}

macro_rules! transcripts {
    ($($name:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            check(concat!(stringify!($name), ".txt"));
        }
    )*

        #[test]
        fn every_transcript_is_checked() {
            let mut named = vec![$(concat!(stringify!($name), ".txt")),*];
            named.sort_unstable();
            let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "transcripts"].iter().collect();
            let entries = std::fs::read_dir(folder).expect("the folder is committed");
            let mut found: Vec<_> = entries.map(|entry| entry.expect("readable").file_name()).collect();
            found.sort_unstable();
            assert_eq!(found, named);
        }
    };
}

transcripts!(
    address_change,
    broadcast,
    buddy,
    digest_sync,
    failed_probe,
    join,
    late_seed,
    leave,
    partition_and_heal,
    pause,
    refutation,
    relays_and_nack,
    restart,
);
