//! What to say when something did not happen in time: who believes what that is not so.

use std::fmt;
use std::time::Duration;

use swim_core::Instant;

use super::World;
use super::convergence::Discord;
use crate::host::HostId;

/// Wrong views that are printed; more are only counted.
const PRINTED_MAX: usize = 30;

/// A condition was not met in time.
#[derive(Clone, PartialEq, Eq)]
pub struct Timeout {
    seed: u64,
    limit: Duration,
    at: Instant,
    views: String,
}

impl Timeout {
    pub(super) fn new(world: &World, limit: Duration) -> Self {
        let (_, views) = world.wrong_views();
        Self { seed: world.setup.seed, limit, at: world.fabric.now, views }
    }
}

impl World {
    /// Who believes what that is not so, in text, and whose views those are.
    #[must_use]
    pub fn wrong_views(&self) -> (Vec<HostId>, String) {
        let discords = self.discords();
        let mut hosts: Vec<HostId> = discords.iter().map(Discord::observer).collect();
        hosts.dedup();
        let mut text: String = discords.iter().take(PRINTED_MAX).map(|d| format!("  {d}\n")).collect();
        if discords.is_empty() {
            text.push_str("  every member's view is right\n");
        } else if discords.len() > PRINTED_MAX {
            let more = discords.len() - PRINTED_MAX;
            text.push_str(&format!("  … and {more} more\n"));
        }
        (hosts, text)
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "not within {:?} (seed {}, now {:?}). Wrong views:", self.limit, self.seed, self.at)?;
        f.write_str(&self.views)
    }
}

/// As it is displayed, so that `expect` prints it readably.
impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for Timeout {}
