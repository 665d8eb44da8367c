//! `swim-bench all`: every comparison, each in a process of its own, and what came of each.

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Instant;

use crate::rest::swim_binary;
use crate::table::{BAD, BOLD, GOOD, paint};

/// The commands of this program that compare something.
const PARTS: [&[&str]; 6] =
    [&["instructions"], &["core"], &["memory"], &["simulator"], &["simulator", "join"], &["rest"]];

/// Runs all of them, and `swim bench drivers`. Whether every claim of all was met.
pub(crate) fn run(json: bool) -> Result<bool, Box<dyn Error>> {
    let bench = std::env::current_exe()?;
    let swim = swim_binary()?;
    let mut done = Vec::new();
    let parts = PARTS.iter().map(|words| (&bench, *words));
    for (program, words) in parts.chain([(&swim, ["bench", "drivers"].as_slice())]) {
        done.push(part(program, words, json)?);
    }
    anstream::eprintln!("\n{}", paint(BOLD, "All comparisons"));
    for (name, outcome, minutes) in &done {
        let (style, word) = match outcome {
            Outcome::Met => (GOOD, "every claim met"),
            Outcome::Missed => (BAD, "a claim missed, see above"),
            Outcome::Unmeasured => (BAD, "not measured, see above"),
        };
        anstream::eprintln!("{name:<24} {minutes:>5.1} min  {}", paint(style, word));
    }
    if done.iter().any(|(_, outcome, _)| *outcome == Outcome::Unmeasured) {
        return Err("something could not be measured".into());
    }
    Ok(done.iter().all(|(_, outcome, _)| *outcome == Outcome::Met))
}

/// What came of one comparison, by its exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    Met,
    Missed,
    Unmeasured,
}

impl Outcome {
    fn of(status: ExitStatus) -> Self {
        match status.code() {
            Some(0) => Self::Met,
            Some(1) => Self::Missed,
            _ => Self::Unmeasured,
        }
    }
}

fn part(program: &PathBuf, words: &[&str], json: bool) -> Result<(String, Outcome, f64), Box<dyn Error>> {
    let began = Instant::now();
    let mut command = Command::new(program);
    command.args(words);
    if json {
        command.arg("--json");
    }
    let name = match program.file_name().map(|name| name.to_string_lossy()) {
        Some(name) => format!("{name} {}", words.join(" ")),
        None => words.join(" "),
    };
    if !json {
        anstream::println!("\n{}", paint(BOLD, format_args!("== {name}")));
    }
    let status = command.status().map_err(|error| format!("{name}: {error}"))?;
    Ok((name, Outcome::of(status), began.elapsed().as_secs_f64() / 60.0))
}
