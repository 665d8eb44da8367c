//! How much of a run a timeline keeps.
//!
//! A run may be long and its cluster large; what is kept of it must fit in memory, and what is shown of it
//! on one page. Whatever has a limit here is counted beyond it, and the page says what is missing.

use std::time::Duration;

/// Limits of one [`super::Timeline`]. The defaults keep a run of 20 members over minutes whole, and let
/// the page of 1,000 members stay below 15 MB.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Changes of belief; older ones are folded into the matrix that the page begins with. Default 250,000.
    pub changes_max: usize,
    /// Datagrams, the newest. Default 30,000.
    pub datagrams_max: usize,
    /// Datagrams around the failure that are kept besides. Default 10,000.
    pub spotlight_max: usize,
    /// How far the window around the failure reaches, to each side. Default 10 s.
    pub spotlight: Duration,
    /// Events that are no change of belief. Default 20,000.
    pub marks_max: usize,
    /// Faults. Default 5,000.
    pub bands_max: usize,
    /// Durations of one distribution. Default 500,000.
    pub samples_max: usize,
    /// Names that are not any host's: inventions of a hostile sender. Default 64.
    pub phantoms_max: usize,
    /// Slices of time that traffic is counted in; when they are used up, each becomes twice as long.
    /// Default 600, of one second at first.
    pub slices_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            changes_max: 250_000,
            datagrams_max: 30_000,
            spotlight_max: 10_000,
            spotlight: Duration::from_secs(10),
            marks_max: 20_000,
            bands_max: 5_000,
            samples_max: 500_000,
            phantoms_max: 64,
            slices_max: 600,
        }
    }
}
