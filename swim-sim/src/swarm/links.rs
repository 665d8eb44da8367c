//! The link that a plan draws.

use super::Plan;
use crate::{Link, PER_CENT};

impl Plan {
    /// The link of every pair while there is trouble.
    #[must_use]
    pub(super) fn link(&self) -> Link {
        Link::lan().loss(self.loss * PER_CENT).duplication(self.duplication * PER_CENT)
    }
}
