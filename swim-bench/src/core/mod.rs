//! swim-core beside foca 2, operation by operation.

mod callgrind;
mod counts;
mod extremes;
mod foca;
mod guard;
mod longest_call;
mod members;
mod memory;
mod meter;
mod operation;
mod swim;
#[cfg(test)]
mod tests;
mod times;

use std::error::Error;

use clap::Parser;

use crate::table::Presenter;

pub(crate) use callgrind::Child;
pub(crate) use guard::Instructions;
pub(crate) use memory::Memory;

/// What a member costs: swim-core beside foca 2, operation by operation, in time and in instructions.
#[derive(Debug, Parser)]
pub(crate) struct Core {
    /// Members of the table, the node itself included.
    #[arg(long, value_delimiter = ',', default_value = "10,1000,10000,100000,1000000")]
    members: Vec<u32>,
    /// Only this comparison.
    #[arg(long)]
    only: Option<String>,
}

impl Core {
    pub(crate) fn run(&self, presenter: &mut Presenter) -> Result<(), Box<dyn Error>> {
        times::compare(presenter, &self.members, self.only.as_deref())?;
        extremes::compare(presenter, &self.members, self.only.as_deref())?;
        counts::compare(presenter, &self.members, self.only.as_deref())
    }
}
