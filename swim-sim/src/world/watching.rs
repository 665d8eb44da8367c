//! What the watchers of a world are shown.

use super::World;
use crate::ground_truth::{Happening, Phase, Scene, Watcher};
use crate::host::HostId;

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
            ground_truth: &self.ground_truth,
            network: &self.fabric.network,
        }
    }

    pub(super) fn notify(&mut self, what: &Happening<'_>) {
        if self.watchers.is_empty() {
            return;
        }
        let scene = Scene {
            now: self.fabric.now,
            phase: self.phase,
            ground_truth: &self.ground_truth,
            network: &self.fabric.network,
        };
        self.watchers.on_happening(&scene, what);
    }

    /// Everything that one input caused is over. Watchers look at the whole world, so they are taken out
    /// of it meanwhile.
    pub(super) fn settled(&mut self, host: HostId) {
        if self.watchers.is_empty() {
            return;
        }
        let mut watchers = std::mem::take(&mut self.watchers);
        for watcher in &mut watchers.0 {
            watcher.after_input(self, host);
        }
        self.watchers = watchers;
    }
}
