//! Q9: in trouble too, a member sends no more by itself than the protocol's clockwork makes it.
//!
//! What a node sends on a tick is counted by kind, in windows of one period. Two periods may begin in a
//! window that is closed at both ends, and each makes at most
//!
//! - 1 + `retries` pings at the target, and one to a dead member (healing);
//! - `relays` ping-reqs;
//! - `gossip_fanout` gossips for each gossip tick, and one with a handshake with a dead member; 16 in each 10 ms while
//!   broadcasts are pushed.
//!
//! A node that is asked to let in a newcomer whose id is taken asks its holder: so many pings for each join
//! that came lately, and a few for a rival of one's own id. Nacks and pages follow what others ask for, one
//! each. All that is a constant: it does not grow with the cluster, nor with the trouble.

use std::time::Duration;

use swim_core::{Instant, MessageKind};

use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;
use crate::properties::evidence::datagram::{carries_broadcasts, is_kind};
use crate::properties::{Broken, Case, Check, Monitor, declare};

/// Pings at the holder of an id, for each join that wants it; and at a rival.
const PINGS_FOR_JOIN: u64 = 10;
const PINGS_AT_RIVAL: u64 = 4;
/// Time between gossips while broadcasts are pushed, and how many there are then.
const BUSY: (Duration, u64) = (Duration::from_millis(10), 16);
/// Periods for which a join or a contested name explains pings.
const JOIN_LASTS_PERIODS: u32 = 3;

/// Q9.
pub(super) struct Load {
    case: Case,
    windows: PerHost<Option<Window>>,
    looked: u64,
}

/// One host's window.
#[derive(Clone, Copy)]
struct Window {
    began: Instant,
    pings: u64,
    requests: u64,
    gossips: u64,
    /// Broadcasts were pushed.
    pushes: bool,
    /// Joins, announcements and words about its own name that came lately, and when the last did.
    joins: u64,
    joined: Instant,
}

impl Load {
    pub(super) fn new(case: &Case) -> Self {
        Self { case: case.clone(), windows: PerHost::default(), looked: 0 }
    }

    /// At most: pings, ping-reqs, gossips.
    fn limits(&self, window: &Window) -> [u64; 3] {
        let config = &self.case.config;
        // A leave is gossiped on ticks even where nothing else is.
        let interval = config.gossip_interval.unwrap_or(config.period / 5);
        let (interval, fanout) = if window.pushes { BUSY } else { (interval, config.gossip_fanout.into()) };
        let ticks = (config.period.as_nanos() / interval.as_nanos().max(1)) as u64 + 2;
        let asked = window.joins * PINGS_FOR_JOIN;
        [
            2 * (2 + u64::from(config.retries)) + PINGS_AT_RIVAL + asked,
            2 * u64::from(config.relays),
            ticks * fanout + 2,
        ]
    }

    fn window(&mut self, now: Instant, host: HostId) -> &mut Window {
        let period = self.case.config.period;
        let fresh =
            Window { began: now, pings: 0, requests: 0, gossips: 0, pushes: false, joins: 0, joined: now };
        let window = self.windows.of(host).get_or_insert(fresh);
        if window.began.after(period) < now {
            let lasts = now <= window.joined.after(period * JOIN_LASTS_PERIODS);
            let joins = if lasts { window.joins } else { 0 };
            *window = Window { joins, joined: window.joined, ..fresh };
        }
        window
    }

    fn send(&mut self, scene: &Scene<'_>, host: HostId, bytes: &[u8]) -> Check {
        let window = self.window(scene.now(), host);
        if !scene.ticks(host) {
            return Ok(());
        }
        if is_kind(bytes, MessageKind::Ping) {
            window.pings += 1;
        } else if is_kind(bytes, MessageKind::PingReq) {
            window.requests += 1;
        } else if is_kind(bytes, MessageKind::Gossip) {
            window.gossips += 1;
            window.pushes |= carries_broadcasts(bytes);
        } else {
            return Ok(());
        }
        let window = *window;
        self.looked += 1;
        let limits = self.limits(&window);
        let sent = [window.pings, window.requests, window.gossips];
        if sent.iter().zip(limits).any(|(sent, limit)| *sent > limit) {
            let why = format!(
                "{host:?} sent {sent:?} pings, ping-reqs and gossips by itself since {:?}; at most {limits:?}",
                window.began
            );
            return Err(Broken::by(&[host], why));
        }
        Ok(())
    }
}

impl Monitor for Load {
    declare! { "Q9", "load", SENT | ARRIVED,
    "whatever happens, a member sends no more by itself than its clockwork makes it" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Sent { host, bytes, .. } => return self.send(scene, *host, bytes),
            Happening::Arrived { host, bytes, .. } => {
                let join = is_kind(bytes, MessageKind::Join) || is_kind(bytes, MessageKind::Announce);
                if join {
                    let now = scene.now();
                    let window = self.window(now, *host);
                    (window.joins, window.joined) = (window.joins + 1, now);
                }
            }
            Happening::Began { host, .. } => *self.windows.of(*host) = None,
            _ => {}
        }
        Ok(())
    }
}
