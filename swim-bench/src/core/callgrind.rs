//! Instructions: this program under valgrind's callgrind, which counts them and is not disturbed by other programs.
//!
//! The child is this very program. It performs one operation after the other; callgrind counts what happens
//! within `meter::collected`, and writes what it has counted to a file whenever `meter::finished` is left.
//! So one child measures everything of one side at one size, and building the table costs nothing but time.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::{Parser, ValueEnum};

use super::foca::Peer;
use super::meter::{Instructions, Nothing, finished};
use super::operation::{Operation, Side};
use super::swim::Swim;
use crate::foca_name::{Lean, Usual};
use crate::scratch::Scratch;

/// Whose instructions are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Who {
    Swim,
    Usual,
    Lean,
}

/// What the child is asked to do.
#[derive(Debug, Parser)]
pub(crate) struct Child {
    #[arg(long)]
    who: Who,
    #[arg(long)]
    members: u32,
    /// A saved node of ours: filling a large table takes long under callgrind.
    #[arg(long)]
    state: Option<PathBuf>,
    #[arg(required = true)]
    operations: Vec<String>,
}

/// Instructions of one operation, once.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Count {
    pub(crate) operation: Operation,
    pub(crate) instructions: f64,
}

/// Whether there is a valgrind.
pub(crate) fn is_here() -> bool {
    Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Counts the instructions of these operations. Newcomers come to a table, and to queues, that nothing has been
/// done with: what was done before decides which of them has to grow.
pub(crate) fn count(
    who: Who,
    members: u32,
    state: Option<&[u8]>,
    operations: &[Operation],
) -> Result<Vec<Count>, Box<dyn Error>> {
    let folder = Scratch::new(&format!("{members}-{who:?}"))?;
    let (newcomers, others): (Vec<_>, Vec<_>) =
        operations.iter().partition(|operation| **operation == Operation::Newcomer);
    let mut counts = Vec::new();
    for some in [others, newcomers].iter().filter(|some| !some.is_empty()) {
        counts.extend(count_in(&folder.0, who, members, state, some)?);
    }
    Ok(counts)
}

fn count_in(
    folder: &Path,
    who: Who,
    members: u32,
    state: Option<&[u8]>,
    operations: &[Operation],
) -> Result<Vec<Count>, Box<dyn Error>> {
    let out = folder.join("out");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*meter*collected*"])
        .arg("--dump-after=swim_bench::core::meter::finished")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args(["callgrind-child", "--who", who.to_possible_value().ok_or("no such side")?.get_name()])
        .args(["--members", &members.to_string()]);
    if let Some(state) = state {
        let file = folder.join("state");
        fs::write(&file, state)?;
        valgrind.arg("--state").arg(file);
    }
    valgrind.args(operations.iter().map(|operation| operation.name()));
    let child = valgrind.output()?;
    if !child.status.success() {
        return Err(format!("callgrind: {}", String::from_utf8_lossy(&child.stderr)).into());
    }
    let said = String::from_utf8(child.stdout)?;
    let mut counts = Vec::new();
    for (index, line) in (1..).zip(said.lines()) {
        let (name, units) = line.split_once(' ').ok_or("the child says something else")?;
        let operation = Operation::named(name).ok_or("the child measures something else")?;
        let total = total_of(&fs::read_to_string(folder.join(format!("out.{index}")))?)?;
        counts.push(Count { operation, instructions: total as f64 / units.parse::<f64>()? });
    }
    Ok(counts)
}

/// What a file of callgrind's counts in all.
fn total_of(file: &str) -> Result<u64, Box<dyn Error>> {
    let line = file.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    Ok(line.ok_or("callgrind has written no sum")?.trim().parse()?)
}

impl Child {
    /// Performs the operations, and says for how many each counts.
    pub(crate) fn run(&self) -> Result<(), Box<dyn Error>> {
        let named =
            |name: &String| Operation::named(name).ok_or_else(|| format!("no such operation: {name}"));
        let operations = self.operations.iter().map(named).collect::<Result<Vec<_>, _>>()?;
        match self.who {
            Who::Swim => match &self.state {
                Some(file) => perform(&mut Swim::load(&fs::read(file)?)?, &operations),
                None => perform(&mut Swim::at_rest(self.members), &operations),
            },
            Who::Usual => perform(&mut Peer::<Usual>::at_rest(self.members), &operations),
            Who::Lean => perform(&mut Peer::<Lean>::at_rest(self.members), &operations),
        }
        Ok(())
    }
}

fn perform<S: Side>(side: &mut S, operations: &[Operation]) {
    for operation in operations.iter().copied().filter(|operation| S::can(*operation)) {
        let times = match operation {
            Operation::Newcomer => 2,
            Operation::Known | Operation::KnownAny | Operation::Changed => 64,
            _ => 256,
        };
        // Once over, so that nothing is counted that happens only the first time.
        side.perform(operation, times, &mut Nothing);
        let units = side.perform(operation, times, &mut Instructions);
        finished();
        println!("{} {units}", operation.name());
    }
}

#[cfg(test)]
mod tests {
    use super::total_of;

    #[test]
    fn the_sum_of_a_file_is_found() {
        let file = "version: 1\nevents: Ir\nfn=(1) x\n1 5\n\ntotals: 1234\n";
        assert_eq!(total_of(file).expect("a sum"), 1234);
        assert!(total_of("events: Ir\n").is_err());
    }
}
