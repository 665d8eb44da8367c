//! All laws over one run: the first that is broken ends it.

use std::sync::Arc;

use super::heeds::{Heeders, Heeds};
use super::{Case, Check, Invariant, Law, Measures, Violation, with_ledger};
use crate::World;
use crate::evidence::{Happening, Phase, Scene, Witness};
use crate::host::HostId;
use crate::invariants::accounts::accusations::Accusations;
use crate::invariants::accounts::measures::Ledger;
use crate::invariants::accounts::reading::Reading;
use crate::invariants::accounts::tables::Tables;

/// Watches a run with every law of [`standard`](super::standard).
pub struct Jury {
    invariants: Vec<Box<dyn Invariant>>,
    heeders: Heeders,
    tables: Tables,
    accusations: Accusations,
    ledger: Arc<Ledger>,
    violation: Option<Violation>,
}

impl Jury {
    /// For one run.
    #[must_use]
    pub fn new(case: &Case) -> Self {
        let ledger = Ledger::shared();
        Self { ledger: Arc::clone(&ledger), ..Self::of(with_ledger(case, &ledger)) }
    }

    /// With these laws only.
    pub(super) fn of(invariants: Vec<Box<dyn Invariant>>) -> Self {
        let heeds: Vec<Heeds> = invariants.iter().map(|invariant| invariant.heeds()).collect();
        let heeders = Heeders::of(&heeds);
        Self {
            invariants,
            heeders,
            tables: Tables::default(),
            accusations: Accusations::default(),
            ledger: Ledger::shared(),
            violation: None,
        }
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

    /// What the laws measured so far.
    #[must_use]
    pub fn measures(&self) -> Measures {
        self.ledger.read()
    }

    /// A part of the run is over.
    pub fn over(&mut self, world: &World, phase: Phase) {
        if self.violation.is_some() {
            return;
        }
        let Self { invariants, heeders, tables, violation, .. } = self;
        let all = heeders.get(None);
        for host in world.hosts() {
            let moves = tables.sweep(world, host);
            if !moves.is_empty() && violation.is_none() {
                judge(invariants, all, violation, &world.scene(), |law| law.moved(world, host, moves));
            }
        }
        if violation.is_none() {
            judge(invariants, all, violation, &world.scene(), |law| law.over(world, phase));
        }
    }
}

/// Asks those in these places, in this order, until one finds its law broken.
fn judge(
    invariants: &mut [Box<dyn Invariant>],
    places: &[usize],
    violation: &mut Option<Violation>,
    scene: &Scene<'_>,
    mut ask: impl FnMut(&mut dyn Invariant) -> Check,
) {
    for place in places {
        let invariant = &mut invariants[*place];
        if let Err(broken) = ask(invariant.as_mut()) {
            let (at, phase) = (scene.now(), scene.phase());
            *violation = Some(Violation { law: invariant.law(), at, phase, broken });
            return;
        }
    }
}

impl Witness for Jury {
    fn see(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        let Self { invariants, heeders, tables, accusations, violation, .. } = self;
        if violation.is_some() {
            return;
        }
        tables.see(what);
        accusations.see(scene, what);
        judge(invariants, heeders.get(Heeds::of(what)), violation, scene, |law| law.see(scene, what));
        let (Happening::Sent { bytes, .. }
        | Happening::Forged { bytes, .. }
        | Happening::Arrived { bytes, .. }) = what
        else {
            return;
        };
        if violation.is_some() {
            return;
        }
        // Once for all laws.
        if let Ok(said) = Reading::of(bytes) {
            tables.read(what, &said);
            accusations.read(scene, what, &said);
            let places = heeders.get(Heeds::of_reading(what));
            judge(invariants, places, violation, scene, |law| law.read(scene, what, &said));
        }
    }

    fn settled(&mut self, world: &World, host: HostId) {
        let Self { invariants, heeders, tables, accusations, violation, .. } = self;
        if violation.is_some() {
            return;
        }
        let (scene, all) = (world.scene(), heeders.get(None));
        if let Some(moves) = tables.settled(world, host) {
            judge(invariants, all, violation, &scene, |law| law.moved(world, host, moves));
        }
        for accusation in accusations.take(world, host) {
            if violation.is_none() {
                judge(invariants, all, violation, &scene, |law| law.accused(world, host, &accusation));
            }
        }
        if violation.is_none() {
            let places = heeders.get(Some(Heeds::SETTLED));
            judge(invariants, places, violation, &scene, |law| law.settled(world, host));
        }
    }
}
