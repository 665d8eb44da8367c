//! The binary `swim`: a cluster to watch, and a member to run.
//!
//! `swim node` is one member in the foreground: a driver, a line of text or JSON for each of its events,
//! and a few commands on its standard input. `swim demo` starts several of them as processes of their own,
//! hurts them, and concludes from what they print alone whether the others noticed: the demo knows no more
//! of a cluster than any shell script could.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `args`, `address`, `naming`, `size` | what may be written on the command line, and what it means |
//! | `line`, `stats_row` | what a member prints, as types that are both written and read |
//! | `input`, `exit` | lines on standard input, signals and exit codes |
//! | `node` | `swim node` |
//! | `demo` | `swim demo` |
//! | `bench` | `swim bench`, on Linux |
#![forbid(unsafe_code)]

mod address;
mod args;
#[cfg(target_os = "linux")]
mod bench;
#[cfg(target_os = "linux")]
mod contestant;
mod demo;
mod exit;
mod input;
mod line;
mod naming;
mod node;
mod size;
mod stats_row;
mod style;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Verb};

/// Parses the command line, does what it says, and returns the exit code: 0 as asked, 1 something that was
/// to be shown did not happen (or a member could not run), 2 usage, 130 interrupted.
///
/// To be called from the main thread: on Linux a child process dies with the *thread* that started it.
#[must_use]
pub fn run() -> ExitCode {
    match Args::parse().verb {
        Verb::Demo(args) => demo::run(&args),
        Verb::Node(args) => node::run(&args),
        #[cfg(target_os = "linux")]
        Verb::Bench(args::BenchVerb::Drivers(args)) => bench::drivers(&args),
        #[cfg(target_os = "linux")]
        Verb::Bench(args::BenchVerb::Subject(args)) => bench::subject::run(&args),
    }
    .into()
}

/// Starts a thread. A thread of this program only waits for something, and is never waited for.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

/// The examples of the documents are compiled as tests, and run where that ends.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/in-your-service.md")]
    struct InYourService;
    #[doc = include_str!("../../swim-mio/README.md")]
    struct ReadmeOfMio;
    #[doc = include_str!("../../swim-tokio/README.md")]
    struct ReadmeOfTokio;
}
