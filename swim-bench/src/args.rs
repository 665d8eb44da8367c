//! What can be compared.

use std::error::Error;

use clap::{Parser, Subcommand};

use crate::core::{Child, Core, Instructions};
use crate::table::Teller;

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
    Core(Core),
    Instructions(Instructions),
    /// What callgrind runs.
    #[command(hide = true)]
    CallgrindChild(Child),
}

impl Args {
    pub(crate) fn run(self) -> Result<bool, Box<dyn Error>> {
        let mut teller = Teller::new(self.json);
        match self.command {
            Command::Core(core) => core.run(&mut teller)?,
            Command::Instructions(instructions) => return instructions.run(),
            Command::CallgrindChild(child) => {
                child.run()?;
                return Ok(true);
            }
        }
        Ok(teller.conclude())
    }
}
