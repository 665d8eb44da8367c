//! B2: no datagram is sent that is longer than `datagram_max`, less what sealing will need.

use crate::evidence::{Happening, Scene};
use crate::invariants::accounts::reading::SEAL_ROOM;
use crate::invariants::{Broken, Case, Check, Heeds, Invariant, Law};

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

impl Invariant for Lengths {
    fn law(&self) -> Law {
        Law {
            number: "B2",
            name: "lengths",
            says: "no datagram is longer than datagram_max, less what sealing will need",
        }
    }

    fn looked(&self) -> u64 {
        self.looked
    }

    fn heeds(&self) -> Heeds {
        Heeds::SENT
    }

    fn see(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
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
