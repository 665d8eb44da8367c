//! The behaviour of whole clusters: one file for each, one binary for all.
//!
//! `SWIM_SEEDS=100` runs every test that takes seeds with a hundred of them; `SWIM_SEED=7` with that one.

mod address_change;
mod anything_goes;
mod broadcast;
mod clocks;
mod common;
mod conflict;
mod convergence;
mod cost;
mod crash;
mod determinism;
mod digest_sync;
mod hostility;
mod joining;
mod known_holes;
mod leave;
mod lies;
mod loss;
mod machines;
mod mass_join;
mod metadata;
mod partition;
mod pause;
mod restart;
mod script;
mod strangers;
mod transcripts;
mod world;
