//! All laws over one run: the first that is broken ends it.

use crate::World;
use crate::evidence::{Happening, Phase, Scene, Witness};
use crate::host::HostId;

use super::{Case, Check, Invariant, Law, Violation, standard};

/// Watches a run with every law of [`standard`].
pub struct Jury {
    invariants: Vec<Box<dyn Invariant>>,
    violation: Option<Violation>,
}

impl Jury {
    /// For one run.
    #[must_use]
    pub fn new(case: &Case) -> Self {
        Self { invariants: standard(case), violation: None }
    }

    /// The first broken law.
    #[must_use]
    pub const fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// How often each law had something to judge.
    #[must_use]
    pub fn looked(&self) -> Vec<(Law, u64)> {
        self.invariants.iter().map(|invariant| (invariant.law(), invariant.looked())).collect()
    }

    /// A part of the run is over.
    pub fn over(&mut self, world: &World, phase: Phase) {
        self.judge(&world.scene(), |invariant| invariant.over(world, phase));
    }

    fn judge(&mut self, scene: &Scene<'_>, mut ask: impl FnMut(&mut dyn Invariant) -> Check) {
        if self.violation.is_some() {
            return;
        }
        for invariant in &mut self.invariants {
            if let Err(broken) = ask(invariant.as_mut()) {
                let (at, phase) = (scene.now(), scene.phase());
                self.violation = Some(Violation { law: invariant.law(), at, phase, broken });
                return;
            }
        }
    }
}

impl Witness for Jury {
    fn see(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        self.judge(scene, |invariant| invariant.see(scene, what));
    }

    fn settled(&mut self, world: &World, host: HostId) {
        self.judge(&world.scene(), |invariant| invariant.settled(world, host));
    }
}
