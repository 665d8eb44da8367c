//! What monitors measure on the way, for statistics: how long detections and updates took, and what members
//! sent.
//!
//! The monitors write it down once; a sweep adds up what many runs measured, and a report draws it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Times, in the order in which they were measured.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Measures {
    /// From a crash in a healthy cluster until each survivor reported it, and the bound for it.
    pub detections: Vec<(Duration, Duration)>,
    /// From a change (of metadata, or a newcomer) in a healthy cluster until each other knew.
    pub news: Vec<Duration>,
    /// Datagrams of a thousand periods of a member at rest, in each stretch of it.
    pub rest_permille: Vec<u64>,
    /// The most datagrams that a member sent within one period.
    pub load_max: u64,
}

/// Where properties write down what they measure.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Measures>);

impl Ledger {
    pub(crate) fn shared() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn write(&self, what: impl FnOnce(&mut Measures)) {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn read(&self) -> Measures {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
