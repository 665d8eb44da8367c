//! The guard: how many instructions each operation takes, in a table that is kept with the sources.
//!
//! A change that makes an operation more than a little dearer has to say so by changing the table. Instructions
//! are counted, not time, so the answer is the same on a busy machine; it depends on the compiler, a little
//! on the C library (its `memcpy`) and on valgrind, so the table names the compiler it was made with. With
//! another one a difference is shown, and is no failure.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;
use std::{fs, io};

use clap::Parser;
use serde::{Deserialize, Serialize};

use super::callgrind::{self, Who};
use super::operation::Operation;
use super::swim::Swim;
use crate::table::{BAD, GOOD, paint};

/// Counts the instructions of every operation, and compares them with the table.
///
/// Exit codes: 0 nothing has grown by more than 3 %, or another compiler made this program; 1 something has;
/// 2 it could not be measured. Without valgrind it says that it is skipped, and ends with 0.
#[derive(Debug, Parser)]
pub(crate) struct Instructions {
    /// Write the table instead of comparing with it.
    #[arg(long)]
    write: bool,
    /// The table; the one that is kept with the sources if none is named.
    #[arg(long)]
    table: Option<PathBuf>,
}

/// By how much a count may grow or shrink.
const TOLERANCE: f64 = 0.03;
/// The tables that operations are counted in.
const SIZES: [u32; 3] = [10, 1_000, 100_000];

/// What is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Table {
    /// `rustc --version` of the build that wrote it.
    compiler: String,
    /// Instructions by operation, then by members.
    instructions: BTreeMap<String, BTreeMap<u32, u64>>,
}

impl Instructions {
    /// `true` unless something has grown.
    pub(crate) fn run(&self, json: bool) -> Result<bool, Box<dyn Error>> {
        if !callgrind::is_here() {
            println!("SKIPPED: valgrind is not installed");
            return Ok(true);
        }
        let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.toml");
        let file = self.table.clone().unwrap_or_else(|| kept.into());
        let counted = count()?;
        if self.write {
            fs::write(&file, written(&counted)?)?;
            println!("written: {}", file.display());
            return Ok(true);
        }
        let table = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let table: Table = toml::from_str(&table)?;
        let rows = compare(&table, &counted);
        let is_same_compiler = table.compiler == counted.compiler;
        if json {
            rows.iter().for_each(|row| println!("{}", row.json()));
        } else {
            show(&rows);
            if !is_same_compiler {
                println!(
                    "the table was written with {}, this is {}: shown, not checked",
                    table.compiler, counted.compiler
                );
            }
        }
        Ok(!is_same_compiler || rows.iter().all(Row::is_met))
    }
}

/// Counts everything.
fn count() -> Result<Table, Box<dyn Error>> {
    let mut table = Table { compiler: compiler()?, instructions: BTreeMap::new() };
    for members in SIZES {
        let state = Swim::at_rest(members).save();
        for count in callgrind::count(Who::Swim, members, Some(&state), &Operation::ALL)? {
            let of_operation = table.instructions.entry(count.operation.name().to_owned()).or_default();
            of_operation.insert(members, count.instructions.round() as u64);
        }
    }
    Ok(table)
}

/// The compiler that is found here, which is the one that made this program a moment ago.
fn compiler() -> io::Result<String> {
    let version = Command::new("rustc").arg("--version").output()?;
    Ok(String::from_utf8_lossy(&version.stdout).trim().to_owned())
}

fn written(table: &Table) -> Result<String, Box<dyn Error>> {
    let comment = "# Instructions of each operation of swim-core, by the number of members. Compared by\n\
                   # `swim-bench instructions`, written by `swim-bench instructions --write`.\n";
    Ok(format!("{comment}{}", toml::to_string(table)?))
}

struct Row<'a> {
    operation: &'a str,
    members: u32,
    then: Option<u64>,
    now: u64,
}

impl Row<'_> {
    /// By how much it has grown, relatively; `None`: the table does not know it.
    fn growth(&self) -> Option<f64> {
        self.then.map(|then| self.now as f64 / then.max(1) as f64 - 1.0)
    }

    fn is_met(&self) -> bool {
        self.growth().is_some_and(|by| by <= TOLERANCE)
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "what": self.operation,
            "size": self.members,
            "unit": "instructions",
            "before": self.then,
            "ours": self.now,
            "ratio": self.then.map(|then| self.now as f64 / then.max(1) as f64),
            "met": self.is_met(),
        })
    }

    /// What has changed, for people.
    fn text(&self) -> Option<String> {
        let what = format!("{} at {} members", self.operation, self.members);
        let (Some(by), Some(then)) = (self.growth(), self.then) else {
            return Some(format!("{what}: {}, not in the table", self.now));
        };
        let style = if by > 0.0 { BAD } else { GOOD };
        let line = format!("{what}: {then} → {}, {:+.1} %", self.now, by * 100.0);
        (by.abs() > TOLERANCE).then(|| paint(style, line))
    }
}

/// Every count beside what the table says.
fn compare<'a>(table: &Table, counted: &'a Table) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for (operation, sizes) in &counted.instructions {
        for (members, now) in sizes {
            let then = table.instructions.get(operation).and_then(|sizes| sizes.get(members)).copied();
            rows.push(Row { operation, members: *members, then, now: *now });
        }
    }
    rows
}

/// Shows people what has changed.
fn show(rows: &[Row<'_>]) {
    let changed: Vec<String> = rows.iter().filter_map(Row::text).collect();
    changed.iter().for_each(|line| anstream::println!("{line}"));
    if changed.is_empty() {
        println!("every operation takes what it took, within {} %", TOLERANCE * 100.0);
    } else {
        println!("if that is meant: cargo run --profile dist -p swim-bench -- instructions --write");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_percent_are_borne_and_what_has_grown_more_or_is_unknown_is_refused() {
        let row = |then, now| Row { operation: "ping", members: 10, then, now };
        for (then, now, is_met, is_shown) in [
            (Some(1000), 1029, true, false),
            (Some(1000), 971, true, false),
            (Some(1000), 1031, false, true),
            (Some(1000), 969, true, true),
            (None, 1, false, true),
        ] {
            let row = row(then, now);
            assert_eq!((row.is_met(), row.text().is_some()), (is_met, is_shown), "{then:?} {now}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let instructions = BTreeMap::from([("ping".to_owned(), BTreeMap::from([(10, 77)]))]);
        let text = written(&Table { compiler: "rustc 1".to_owned(), instructions }).expect("a table");
        let read: Table = toml::from_str(&text).expect("a table");
        assert_eq!((read.compiler.as_str(), read.instructions["ping"][&10]), ("rustc 1", 77));
    }

    #[test]
    fn the_table_that_is_kept_names_every_operation() {
        let kept: Table = toml::from_str(include_str!("../../instructions.toml")).expect("a table");
        let named: Vec<_> = kept.instructions.keys().map(String::as_str).collect();
        let mut all: Vec<_> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        all.sort_unstable();
        assert_eq!(named, all);
        assert!(kept.instructions.values().all(|sizes| sizes.keys().copied().eq(SIZES)));
    }
}
