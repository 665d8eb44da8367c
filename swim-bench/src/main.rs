//! Comparisons of swim with its peers, each side measured in the same run (`docs/decisions/0014`).
//!
//! Absolute times say little: they differ by half between two machines, and between two minutes of one. So
//! every claim is a ratio, or a count of instructions, bytes, system calls.

mod all;
mod args;
mod core;
mod foca_name;
mod measure;
mod rest;
mod scratch;
mod simulator;
mod table;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match args::Args::parse().run() {
        Ok(met) if met => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            anstream::eprintln!("{}: {error}", table::paint(table::BAD, "error"));
            ExitCode::from(2)
        }
    }
}
