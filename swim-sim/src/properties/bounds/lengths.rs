//! B2: no datagram is sent that is longer than `datagram_max`, less what sealing will need.

use crate::ground_truth::{Happening, Scene};
use crate::properties::evidence::datagram::SEAL_ROOM;
use crate::properties::{Broken, Case, Check, Monitor, declare};

/// B2.
pub(super) struct Lengths {
    max: usize,
    looked: u64,
}

impl Lengths {
    pub(super) fn new(case: &Case) -> Self {
        Self { max: usize::from(case.config.datagram_max) - SEAL_ROOM, looked: 0 }
    }
}

impl Monitor for Lengths {
    declare! { "B2", "lengths", SENT,
    "no datagram is longer than datagram_max, less what sealing will need" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        let Happening::Sent { host, bytes, .. } = what else { return Ok(()) };
        self.looked += 1;
        if bytes.len() <= self.max {
            return Ok(());
        }
        let said = swim_core::describe(bytes);
        let why = format!("{host:?} sent {} bytes of at most {}: {said}", bytes.len(), self.max);
        Err(Broken::by(&[*host], why))
    }
}
