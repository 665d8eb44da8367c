//! What several laws keep an account of: who asked whom, what was promised, how the conditions was.

pub(super) mod accusations;
pub(super) mod conditions;
pub(super) mod datagram;
pub(super) mod due;
pub(super) mod measures;
pub(super) mod node_time;
pub(super) mod pairs;
pub(super) mod per_host;
pub(super) mod probes;
pub(super) mod relaying;
pub(super) mod tables;
pub(super) mod tokens;
