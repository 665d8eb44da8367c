//! What to say when something did not happen in time: who believes what that is not so.

use std::fmt;
use std::time::Duration;

use swim_core::Instant;

use super::World;

/// Wrong beliefs that are printed; more are only counted.
const PRINTED_MAX: usize = 30;

/// A condition was not met in time.
#[derive(Clone, PartialEq, Eq)]
pub struct Timeout {
    seed: u64,
    limit: Duration,
    at: Instant,
    beliefs: String,
}

impl Timeout {
    pub(super) fn new(world: &World, limit: Duration) -> Self {
        use fmt::Write as _;
        let mut beliefs = String::new();
        let discords = world.discords();
        for discord in discords.iter().take(PRINTED_MAX) {
            let _ = writeln!(beliefs, "  {discord}");
        }
        if discords.is_empty() {
            beliefs.push_str("  every member's view is right\n");
        } else if discords.len() > PRINTED_MAX {
            let _ = writeln!(beliefs, "  … and {} more", discords.len() - PRINTED_MAX);
        }
        Self { seed: world.setup.seed, limit, at: world.fabric.now, beliefs }
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "not within {:?} (seed {}, now {:?}). Wrong views:", self.limit, self.seed, self.at)?;
        f.write_str(&self.beliefs)
    }
}

/// As it is displayed, so that `expect` prints it readably.
impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for Timeout {}
