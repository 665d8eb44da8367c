//! What the world lends to those who let applications run on its hosts.
//!
//! It knows nothing of applications: their host looks after each step, and runs their timers by the
//! world's clock in between.

use swim_core::Instant;

use super::World;
use crate::host::HostId;

impl World {
    /// Grows whenever a view or a log may have changed.
    pub(crate) const fn stirred(&self) -> u64 {
        self.stir
    }

    /// How many processes `host` has had.
    pub(crate) fn starts(&self, host: HostId) -> u32 {
        self.hosts[host.index()].starts
    }

    /// Whether the process of `host` runs: it is there, and is not stopped.
    pub(crate) fn is_running(&self, host: HostId) -> bool {
        self.hosts[host.index()].is_running()
    }

    /// When, by the world's clock, a timer of the process of `host` fires that is set to `local` by its own;
    /// as late as those of its node. `None`: not as long as it does not run.
    pub(crate) fn fires_at(&self, host: HostId, local: Instant) -> Option<Instant> {
        let host = &self.hosts[host.index()];
        let at = host.clock.when(local).after(host.slowness.late()).max(host.slowness.busy_until());
        host.is_running().then(|| at.max(self.fabric.now))
    }

    /// Lets time pass in which nothing happens, and writes down that a timer of an application on `host` fires.
    pub(crate) fn fire(&mut self, at: Instant, host: HostId) {
        debug_assert!(self.next_at().is_none_or(|next| next >= at), "nothing is passed over");
        self.fabric.now = self.fabric.now.max(at);
        self.fabric.fingerprint.fired(self.fabric.now, host);
    }
}
