//! The binary `swim-sim`: whole clusters under every fault, from one seed.
#![forbid(unsafe_code)]

mod ablations;
mod args;
mod diff;
mod error;
mod exit;
mod layout;
mod merge;
mod mutants;
mod panics;
mod play;
mod recorded;
mod report;
mod scenarios;
mod shrink;
mod source;
mod step;
mod style;
mod summary;
mod sweep;
mod verdict;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Verb};

fn main() -> ExitCode {
    let args = Args::parse();
    panics::keep_quiet();
    let exit = match args.verb {
        Verb::Run(args) => play::run(&args),
        Verb::Replay(args) => play::replay(&args),
        Verb::Sweep(args) => sweep::sweep(&args),
        Verb::Shrink(args) => shrink::shrink(&args),
        Verb::Report(args) => report::report(&args),
        Verb::Diff(args) => diff::diff(&args),
        Verb::Mutants(args) => mutants::mutants(&args),
        Verb::Ablations(args) => ablations::run(&args),
        Verb::Merge(args) => merge::merge(&args),
        Verb::Scenario(args) => scenarios::scenario(&args),
    };
    exit.unwrap_or_else(|error| {
        anstream::eprintln!("{} {error}", style::paint(style::BAD, "error:"));
        error.exit()
    })
    .into()
}
