//! The binary `swim-sim`: whole clusters under every fault, from one seed.
#![forbid(unsafe_code)]

mod ablations;
mod args;
mod diff;
mod exit;
mod layout;
mod mutants;
mod oracle;
mod outcome;
mod progress;
mod recording;
mod report;
mod run;
mod shrink;
mod source;
mod sweep;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Verb};

fn main() -> ExitCode {
    let args = Args::parse();
    outcome::keep_panics_quiet();
    let exit = match args.verb {
        Verb::Run(args) => run::run(&args),
        Verb::Replay(args) => run::replay(&args),
        Verb::Sweep(args) => sweep::sweep(&args),
        Verb::Shrink(args) => shrink::shrink(&args),
        Verb::Report(args) => report::report(&args),
        Verb::Diff(args) => diff::diff(&args),
        Verb::Mutants(args) => mutants::mutants(&args),
        Verb::Ablations(args) => ablations::run(&args),
        Verb::Oracle(args) => oracle::oracle(&args),
        Verb::Merge(args) => sweep::merge(&args),
        Verb::Scenario(args) => run::scenario(&args),
    };
    exit.unwrap_or_else(|error| {
        anstream::eprintln!("{} {error}", layout::paint(layout::BAD, "error:"));
        error.exit()
    })
    .into()
}
