//! The behaviour of whole clusters: a file for each topic, one binary for all.
//!
//! `SWIM_SEEDS=100` runs every test that takes seeds with a hundred of them; `SWIM_SEED=7` with that one.

mod anything_goes;
mod broadcasts;
mod clocks;
mod common;
mod detection;
mod dissemination;
mod hostile;
mod identity;
mod joining;
mod leave;
mod partition;
mod transcripts;
mod world;
