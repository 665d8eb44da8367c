//! Swarm testing: the seed first draws which faults a run knows at all, and only then the faults themselves.
//!
//! A run with every fault at once seldom gets far enough to show anything, and it never shows what needs one
//! fault a hundred times and no other. So a [`Plan`] of a few dozen dials is drawn: how many hosts, which of
//! the faults exist, how bad, how often. Each dial has a stream of its own, so setting one by hand leaves all
//! others as they were drawn; all of them are plain values that are printed, and overridden by name. The
//! plan then draws the steps of a [`Scenario`](crate::scenario::Scenario), and that is what is carried out.

mod dials;
mod expand;
mod links;
mod steps;

pub use dials::{Dial, Plan, PlanError};
