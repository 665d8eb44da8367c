//! What the world tells those who watch it.

use super::World;
use crate::evidence::{Happening, Phase, Scene, Witness};
use crate::host::HostId;

impl World {
    /// Lets `witness` see everything from now on. Wrap it in `Arc<Mutex<_>>` to keep it.
    pub fn attach(&mut self, witness: impl Witness + 'static) {
        self.witnesses.0.push(Box::new(witness));
    }

    /// Says which part of the run begins; witnesses judge by it.
    pub fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.testify(&Happening::Entered { phase });
    }

    /// The truth as it is now.
    #[must_use]
    pub const fn scene(&self) -> Scene<'_> {
        Scene { now: self.fabric.now, phase: self.phase, census: &self.census, network: &self.fabric.network }
    }

    pub(super) fn testify(&mut self, what: &Happening<'_>) {
        if self.witnesses.is_empty() {
            return;
        }
        let scene = Scene {
            now: self.fabric.now,
            phase: self.phase,
            census: &self.census,
            network: &self.fabric.network,
        };
        self.witnesses.see(&scene, what);
    }

    /// Everything that one input caused is over. Witnesses look at the whole world, so they are taken out
    /// of it meanwhile.
    pub(super) fn settled(&mut self, host: HostId) {
        if self.witnesses.is_empty() {
            return;
        }
        let mut witnesses = std::mem::take(&mut self.witnesses);
        for witness in &mut witnesses.0 {
            witness.settled(self, host);
        }
        self.witnesses = witnesses;
    }
}
