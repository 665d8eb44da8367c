//! `swim-bench all`: every comparison, each in a process of its own, and what came of each.

use std::error::Error;
use std::process::Command;
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
    let parts = PARTS.iter().map(|words| (&bench, *words));
    let mut done = Vec::new();
    for (program, words) in parts.chain([(&swim, ["bench", "drivers"].as_slice())]) {
        let began = Instant::now();
        let file = program.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{file} {}", words.join(" "));
        if !json {
            anstream::println!("\n{}", paint(BOLD, format_args!("== {name}")));
        }
        let mut command = Command::new(program);
        command.args(words).args(json.then_some("--json"));
        let status = command.status().map_err(|error| format!("{name}: {error}"))?;
        done.push((name, status.code(), began.elapsed().as_secs_f64() / 60.0));
    }
    anstream::eprintln!("\n{}", paint(BOLD, "All comparisons"));
    for (name, code, minutes) in &done {
        let (style, word) = match code {
            Some(0) => (GOOD, "every claim met"),
            Some(1) => (BAD, "a claim missed, see above"),
            _ => (BAD, "not measured, see above"),
        };
        anstream::eprintln!("{name:<24} {minutes:>5.1} min  {}", paint(style, word));
    }
    if done.iter().any(|(_, code, _)| !matches!(code, Some(0 | 1))) {
        return Err("something could not be measured".into());
    }
    Ok(done.iter().all(|(_, code, _)| *code == Some(0)))
}
