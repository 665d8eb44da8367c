//! What the watchers of a world are shown.

use std::sync::{Arc, Mutex, PoisonError};

use super::World;
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;

/// Watches a run.
pub trait Watcher: Send {
    /// Something happened.
    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>);

    /// One input of the node of `host`, and all that it caused, is over: its node may be looked at.
    fn after_input(&mut self, world: &World, host: HostId) {
        let _ = (world, host);
    }
}

/// So that a test that attached a watcher still has it after the run.
impl<W: Watcher> Watcher for Arc<Mutex<W>> {
    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        self.lock().unwrap_or_else(PoisonError::into_inner).on_happening(scene, what);
    }

    fn after_input(&mut self, world: &World, host: HostId) {
        self.lock().unwrap_or_else(PoisonError::into_inner).after_input(world, host);
    }
}

/// All watchers.
#[derive(Default)]
pub(crate) struct Watchers(pub(crate) Vec<Box<dyn Watcher>>);

impl Watchers {
    pub(crate) fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        for watcher in &mut self.0 {
            watcher.on_happening(scene, what);
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl World {
    /// Lets `watcher` see everything from now on. Wrap it in `Arc<Mutex<_>>` to keep it.
    pub fn attach(&mut self, watcher: impl Watcher + 'static) {
        self.watchers.0.push(Box::new(watcher));
    }

    /// Says which part of the run begins; properties depend on it.
    pub fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.notify(&Happening::Entered { phase });
    }

    /// The truth as it is now.
    #[must_use]
    pub const fn scene(&self) -> Scene<'_> {
        Scene {
            now: self.fabric.now,
            phase: self.phase,
            ticking: self.ticking,
            ground_truth: &self.ground_truth,
            network: &self.fabric.network,
        }
    }

    pub(super) fn notify(&mut self, what: &Happening<'_>) {
        if !self.watchers.is_empty() {
            self.show(|watcher, world| watcher.on_happening(&world.scene(), what));
        }
    }

    /// Everything that one input caused is over.
    pub(super) fn settled(&mut self, host: HostId) {
        if !self.watchers.is_empty() {
            self.show(|watcher, world| watcher.after_input(world, host));
        }
    }

    /// Watchers look at the whole world, so they are taken out of it meanwhile. Every step asks whether there are
    /// any: what they are shown stays out of line.
    #[inline(never)]
    fn show(&mut self, show: impl Fn(&mut dyn Watcher, &Self)) {
        let mut watchers = std::mem::take(&mut self.watchers);
        watchers.0.iter_mut().for_each(|watcher| show(&mut **watcher, self));
        self.watchers = watchers;
    }
}
