//! The guide shows what is really so: its files can be read, its tables are complete, and every command in it
//! prints what the guide says.
//!
//! `SWIM_WRITE_GUIDE=1 cargo test -p swim-sim --test guide` writes what is printed today into the guide, and
//! in the workspace that `proof/mutants/run` makes the part about the planted mistake.
#![cfg(all(unix, feature = "cli"))]

mod blocks;
mod console;
mod tables;

use std::path::PathBuf;

fn path() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/simulation.md"))
}

fn guide() -> String {
    std::fs::read_to_string(path()).expect("the guide is there")
}
