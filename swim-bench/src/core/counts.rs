//! Instructions of all operations, ours and theirs, and whether ours depend on the size of the table.

use std::error::Error;

use super::callgrind::{self, Count, Who};
use super::operation::{FULL, Operation};
use super::swim::Swim;
use crate::foca_name::{Address as _, Lean, Usual};
use crate::measure::{Claim, Measure};
use crate::table::Presenter;

/// The largest table that foca fills within a minute under callgrind.
const PEER_MAX: u32 = 10_000;

/// Counts all operations, or one, at all sizes.
pub(super) fn compare(
    presenter: &mut Presenter,
    sizes: &[u32],
    only: Option<&str>,
) -> Result<(), Box<dyn Error>> {
    let wanted = |operation: &Operation| only.is_none_or(|only| only == operation.name());
    let operations: Vec<_> = Operation::ALL.into_iter().filter(wanted).collect();
    if operations.is_empty() {
        return Ok(());
    }
    presenter.heading("instructions for each operation")?;
    if !callgrind::is_here() {
        presenter.remark("SKIPPED: valgrind is not installed");
        return Ok(());
    }
    let mut at: Vec<(u32, Vec<Count>)> = Vec::new();
    for members in sizes {
        let state = Swim::at_rest(*members).save();
        let ours = callgrind::count(Who::Swim, *members, Some(&state), &operations)?;
        let theirs = |who| match *members <= PEER_MAX {
            true => callgrind::count(who, *members, None, &operations),
            false => Ok(Vec::new()),
        };
        let (usual, lean) = (theirs(Who::Usual)?, theirs(Who::Lean)?);
        for Count { operation, instructions } in &ours {
            let peers =
                [(Usual::WHAT, &usual), (Lean::WHAT, &lean)].into_iter().filter_map(|(name, counts)| {
                    let theirs = counts.iter().find(|count| count.operation == *operation)?;
                    Some((name, theirs.instructions, None))
                });
            let size = Some((*members).into());
            let measure = Measure::new(operation.title(), size, "instructions", *instructions);
            presenter.show_beside(&measure, peers)?;
        }
        at.push((*members, ours));
    }
    let (Some((few, first)), Some((many, last))) = (at.first(), at.last()) else { return Ok(()) };
    if few == many {
        return Ok(());
    }
    presenter.heading(format!("instructions at {many} members beside those at {few}"))?;
    for (small, large) in first.iter().zip(last) {
        // A table that small has not news enough to fill a datagram.
        if small.operation == Operation::Gossiped && *few < FULL as u32 + 4 {
            continue;
        }
        let measure =
            Measure::new(small.operation.title(), Some((*many).into()), "instructions", large.instructions);
        let beside = measure.beside("itself, few members", small.instructions);
        presenter.show(beside.claiming(Claim::AtMostTimes(1.3)))?;
    }
    Ok(())
}
