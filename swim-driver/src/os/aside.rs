//! What a member has done outside its loop because it may block: names are looked up, its state is written.
//!
//! The driver turns it after every turn of the engine, which costs next to nothing. The work is done by threads, which
//! wake the driver when there is news.

use std::sync::Arc;

use swim_core::{Done, Refusal};

use super::seeds::{SeedAddr, Seeds};
use crate::Engine;

/// Wakes a driver that waits. May be called from any thread, and does not block.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// The work beside one engine.
pub struct Aside {
    seeds: Seeds,
    wake: Wake,
    /// The engine was given a command since the last turn.
    commanded: bool,
}

impl Aside {
    pub(super) fn new(seeds: Seeds) -> Self {
        Self { seeds, wake: Arc::new(|| {}), commanded: false }
    }

    /// Starts the threads that there is work for.
    pub fn start(&mut self, engine: &mut Engine, wake: Wake) {
        self.wake = wake;
        self.seeds.start(engine, &self.wake);
    }

    /// After every turn of the engine. Returns whether it must be turned again without waiting.
    pub fn turn(&mut self, engine: &mut Engine) -> bool {
        let commanded = std::mem::take(&mut self.commanded);
        (self.seeds.turn(engine) || commanded) && !engine.is_blocked()
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
