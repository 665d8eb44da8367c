//! What users see: options, inputs and commands, outputs and events, members, counters, identities, time.

pub(crate) mod claim;
pub(crate) mod config;
pub(crate) mod identity;
pub(crate) mod input;
pub(crate) mod member;
pub(crate) mod output;
pub(crate) mod payload;
pub(crate) mod rtt;
pub(crate) mod stats;
pub(crate) mod time;
