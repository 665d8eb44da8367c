//! What several monitors derive from the evidence: who probed whom, what every table said last, what was done
//! to the world lately.

pub(super) mod conditions;
pub(super) mod datagram;
pub(super) mod node_time;
pub(super) mod probes;
pub(super) mod tables;

use crate::host::HostId;

/// One `T` for each host.
#[derive(Debug)]
pub(crate) struct PerHost<T>(Vec<T>);

impl<T> Default for PerHost<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Default> PerHost<T> {
    /// That of `host`.
    pub(crate) fn of(&mut self, host: HostId) -> &mut T {
        if self.0.len() <= host.index() {
            self.0.resize_with(host.index() + 1, T::default);
        }
        &mut self.0[host.index()]
    }
}
