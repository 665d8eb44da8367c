//! What several laws keep an account of: who asked whom, what was promised, how the weather was.

pub(super) mod accusations;
pub(super) mod awaited;
pub(super) mod awake;
pub(super) mod measures;
pub(super) mod pairs;
pub(super) mod per_host;
pub(super) mod probes;
pub(super) mod reading;
pub(super) mod relaying;
pub(super) mod tables;
pub(super) mod tokens;
pub(super) mod weather;
