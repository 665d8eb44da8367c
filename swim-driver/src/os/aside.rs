//! What a member has done outside its loop because it may block: names are looked up, its state is written.
//!
//! The driver turns it after every turn of the engine, which costs next to nothing. The work is done by threads, which
//! wake the driver when there is news.

use std::sync::Arc;

use swim_core::{Done, Refusal};

use super::seeds::{SeedAddr, Seeds};
use super::state_file::StateFile;
use crate::Engine;

/// Wakes a driver that waits. May be called from any thread, and does not block.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// The work beside one engine.
pub struct Aside {
    seeds: Seeds,
    state: Option<StateFile>,
    wake: Wake,
    /// The engine was given a command since the last turn.
    commanded: bool,
}

impl Aside {
    pub(super) fn new(seeds: Seeds, state: Option<StateFile>) -> Self {
        Self { seeds, state, wake: Arc::new(|| {}), commanded: false }
    }

    /// Starts the threads that there is work for.
    pub fn start(&mut self, engine: &mut Engine, wake: Wake) {
        self.wake = wake;
        self.seeds.start(engine, &self.wake);
        if let Some(state) = &mut self.state {
            state.start(engine, &self.wake);
        }
    }

    /// After every turn of the engine. Returns whether it must be turned again without waiting.
    pub fn turn(&mut self, engine: &mut Engine) -> bool {
        if let Some(state) = &mut self.state {
            state.turn(engine);
        }
        let commanded = std::mem::take(&mut self.commanded);
        (self.seeds.turn(engine) || commanded) && !engine.is_blocked()
    }

    /// The member has ended: what has changed is written, which may take a moment.
    pub fn finish(&mut self, engine: &mut Engine) {
        if let Some(state) = &mut self.state {
            state.finish(engine);
        }
    }

    /// Replaces all seeds, those of joins too; the next turn asks them.
    ///
    /// # Errors
    /// More than [`SEEDS_MAX`](swim_core::SEEDS_MAX), or the member has left.
    pub fn set_seeds(&mut self, engine: &mut Engine, seeds: Vec<SeedAddr>) -> Result<Done, Refusal> {
        self.seeds.set(engine, seeds, &self.wake)?;
        self.commanded = true;
        Ok(Done::SeedsSet)
    }
}
