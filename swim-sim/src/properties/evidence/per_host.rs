//! One value for each host, made when it is first asked for.

use crate::host::HostId;

/// One `T` for each host.
#[derive(Debug)]
pub(in crate::properties) struct PerHost<T>(Vec<T>);

impl<T> Default for PerHost<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Default> PerHost<T> {
    /// That of `host`.
    pub(in crate::properties) fn of(&mut self, host: HostId) -> &mut T {
        if self.0.len() <= host.index() {
            self.0.resize_with(host.index() + 1, T::default);
        }
        &mut self.0[host.index()]
    }
}
