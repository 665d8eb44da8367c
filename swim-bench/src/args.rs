//! What can be compared.

use std::error::Error;

use clap::{Parser, Subcommand};

use crate::all;
use crate::core::{Child, Core, Instructions, Memory};
use crate::rest::{BareArgs, RestArgs, TiedArgs};
use crate::simulator::Simulator;
use crate::table::Presenter;

/// Compares swim with its peers, each side in the same run.
///
/// Exit codes: 0 every claim was met, 1 a claim was missed, 2 something could not be measured.
#[derive(Debug, Parser)]
#[command(name = "swim-bench", version, max_term_width = 100)]
pub(crate) struct Args {
    /// One JSON object a line.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything below and the drivers, one after the other: about twenty minutes, best on an idle machine
    All,
    /// What a datagram costs the core, beside foca: in time and in instructions
    Core(Core),
    /// How many instructions the core takes, beside what it took before
    Instructions(Instructions),
    /// What a member takes in memory
    Memory(Memory),
    /// How fast whole clusters are simulated
    Simulator(Simulator),
    /// What clusters cost at rest: wake-ups, processor time, memory
    Rest(RestArgs),
    /// What callgrind runs
    #[command(hide = true)]
    CallgrindChild(Child),
    /// Pings and answers, and nothing else
    #[command(hide = true)]
    Bare(BareArgs),
    /// Becomes another program that dies with its parent
    #[command(hide = true)]
    Tied(TiedArgs),
}

impl Args {
    pub(crate) fn run(self) -> Result<bool, Box<dyn Error>> {
        let mut presenter = Presenter::new(self.json);
        match self.command {
            Command::All => return all::run(self.json),
            Command::Core(core) => core.run(&mut presenter)?,
            Command::Instructions(instructions) => return instructions.run(self.json),
            Command::Memory(memory) => memory.run(&mut presenter)?,
            Command::Simulator(simulator) => simulator.run(&mut presenter)?,
            Command::Rest(args) => args.run(&mut presenter)?,
            Command::CallgrindChild(child) => child.run()?,
            Command::Bare(args) => args.run()?,
            Command::Tied(args) => return Err(args.become_it().into()),
        }
        Ok(presenter.conclude())
    }
}
