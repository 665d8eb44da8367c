//! What a member costs in memory: all that a node holds, divided by its members.

use std::error::Error;

use clap::Parser;

use super::foca::{PEER_MAX, Peer};
use super::meter::live_bytes;
use super::swim::Swim;
use crate::foca_name::{Address as _, Lean, Usual};
use crate::measure::{Claim, Measure};
use crate::table::Presenter;

/// At how many members the claims are made.
const CLAIMED_AT: u32 = 100_000;
/// Bytes of a member, with its share of every index and list.
const AT_REST_MAX: f64 = 64.0;
/// The same while every member is gossiped about.
const QUEUED_MAX: f64 = 128.0;

/// What a member takes in memory, in bytes that are allocated and not given back.
#[derive(Debug, Parser)]
pub(crate) struct Memory {
    /// Members of the table, the node itself included.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000,1000000")]
    members: Vec<u32>,
}

impl Memory {
    pub(crate) fn run(&self, presenter: &mut Presenter) -> Result<(), Box<dyn Error>> {
        presenter.heading("live bytes for each member, metadata apart")?;
        for members in self.members.iter().copied() {
            let each = |bytes: i64| bytes as f64 / f64::from(members);
            let claim = |limit| (members == CLAIMED_AT).then_some(Claim::AtMost(limit));
            let ours = each(held_by(|| Swim::at_rest(members)));
            let (size, limit) = (Some(members.into()), claim(AT_REST_MAX));
            let measure = Measure::new("at rest", size, "B", ours).claiming(limit);
            let theirs = (members <= PEER_MAX).then(|| {
                let (usual, lean) =
                    (held_by(|| Peer::<Usual>::at_rest(members)), held_by(|| Peer::<Lean>::at_rest(members)));
                [(Usual::WHAT, each(usual), limit), (Lean::WHAT, each(lean), None)]
            });
            presenter.show_beside(&measure, theirs.into_iter().flatten())?;
            let queued = each(held_by(|| Swim::gossiping_of(members)));
            let measure = Measure::new("all of them to be gossiped about", size, "B", queued);
            presenter.show(measure.claiming(claim(QUEUED_MAX)))?;
        }
        Ok(())
    }
}

/// Bytes that are still held when something has been made.
fn held_by<T>(make: impl FnOnce() -> T) -> i64 {
    let before = live_bytes();
    let made = make();
    let held = live_bytes() - before;
    drop(made);
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_counted_and_what_was_given_back_is_not() {
        let held = held_by(|| {
            drop(std::hint::black_box(vec![0_u8; 5_000]));
            std::hint::black_box(vec![0_u8; 1_000])
        });
        assert_eq!(held, 1_000);
    }

    #[test]
    fn a_table_of_a_hundred_thousand_meets_the_claims() {
        assert!(held_by(|| Swim::gossiping_of(CLAIMED_AT)) as f64 / f64::from(CLAIMED_AT) <= QUEUED_MAX);
    }
}
