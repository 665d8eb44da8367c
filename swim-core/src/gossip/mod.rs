//! Dissemination: what is told to others, how often, and in which order.
//!
//! Every datagram that leaves anyway carries news (SWIM section 4.1). [`updates`] holds what happened to
//! members, [`broadcasts`] what users want to tell everybody; both pick what was sent least, and each has
//! a place in every datagram that the other cannot take.

mod broadcasts;
mod least_sent;
mod updates;

pub(crate) use broadcasts::{Broadcasts, Novelty};
pub(crate) use least_sent::SENDS_MAX;
pub(crate) use updates::{News, Updates};
