//! B36: a node that has a member to probe wants to be woken again within one period, stretched by its local
//! health, and gets somewhere each time.
//!
//! Health that has just become better shortens only the period after this one, so the worst health of the
//! last longest period counts. What is due at one instant is done in portions: so many ticks in a row that
//! none of them can be the same again.

use swim_core::Instant;

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;
use crate::properties::{Broken, Case, Check, Monitor, declare};

/// Ticks at one instant: 80 handshake attempts, 64 nacks, and as many expiries as a simulated cluster has members, 16 or 64
/// at once.
const TICKS_MAX: u32 = 1_000;

/// B36.
pub(super) struct Deadlines {
    case: Case,
    /// The worst health lately, and when it was seen.
    worst: PerHost<Option<(u8, Instant)>>,
    ticks: PerHost<Option<(Instant, u32)>>,
    looked: u64,
}

impl Deadlines {
    pub(super) fn new(case: &Case) -> Self {
        Self { case: case.clone(), worst: PerHost::default(), ticks: PerHost::default(), looked: 0 }
    }
}

impl Monitor for Deadlines {
    declare! { "B36", "deadlines", TICKED | AFTER_INPUT,
    "a node that has a member to probe wakes within a period, and every wake-up gets somewhere" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        if let Happening::Began { host, .. } = what {
            *self.worst.of(*host) = None;
        }
        let Happening::Ticked { host } = what else { return Ok(()) };
        let now = scene.now();
        let (at, times) = self.ticks.of(*host).get_or_insert((now, 0));
        *times = if *at == now { *times + 1 } else { 1 };
        *at = now;
        if *times <= TICKS_MAX {
            return Ok(());
        }
        Err(Broken::by(&[*host], format!("{host:?} ticked {times} times at {at:?} and still has a tick due")))
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        let Some(node) = world.node(host).filter(|node| node.is_running()) else { return Ok(()) };
        // By the process's own clock, which may run fast or slow.
        let now = world.local(host);
        let config = &self.case.config;
        let longest = config.period * (u32::from(config.health_max) + 1);
        let health = node.health();
        let (worst, at) = self.worst.of(host).get_or_insert((health, now));
        if health >= *worst || at.after(longest) < now {
            (*worst, *at) = (health, now);
        }
        self.looked += 1;
        let latest = now.after(config.period * (u32::from(*worst) + 1));
        match node.deadline() {
            Some(deadline) if deadline <= latest => Ok(()),
            _ if node.members().filter(|row| row.status.is_active()).count() < 2 => Ok(()),
            other => {
                let why = format!(
                    "{host:?} wants to be woken at {other:?}, it is {now:?}: no later than {latest:?}"
                );
                Err(Broken::by(&[host], why))
            }
        }
    }
}
