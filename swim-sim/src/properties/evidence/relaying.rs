//! The book of relays: what each node pings on behalf of whom, by the datagrams alone.
//!
//! A ping-req that arrives, and a ping with the mark of a relayed one (1 in the lowest three bits of its number,
//! `swim-core/src/numbers.rs`) to the same member in the same input, are one relay that begins. It is over when
//! its target's ack arrives, or when the time is over that the asker gave it. All by the relay's own clock.

use std::net::SocketAddr;
use std::time::Duration;

use swim_core::{Event, Instant, MessageKind, NodeId};

use crate::World;
use crate::ground_truth::Happening;
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::evidence::per_host::PerHost;

/// What the lowest three bits of a relayed ping's number are.
const RELAYED: u64 = 1;

/// How exactly a timer is met: clocks are read in nanoseconds, and the wire has microseconds.
pub(in crate::properties) const ROUNDING: Duration = Duration::from_millis(1);

/// One ping on behalf of another member.
#[derive(Clone, Copy, Debug)]
pub(in crate::properties) struct Relay {
    /// Who asked, and with which number.
    pub(in crate::properties) origin: (SocketAddr, u64),
    /// When, by the relay's clock.
    pub(in crate::properties) at: Instant,
    /// How much time it was given.
    pub(in crate::properties) budget: Duration,
    /// Whether the origin was told that nothing was heard, or need not be told.
    pub(in crate::properties) told: bool,
    /// When it was told, by the relay's clock: known when the input is over.
    pub(in crate::properties) told_at: Option<Instant>,
    ping: u64,
    target: SocketAddr,
}

impl Relay {
    /// Its origin need not be told.
    pub(in crate::properties) fn excuse(&mut self) {
        (self.told, self.told_at) = (true, Some(Instant::ORIGIN));
    }
}

/// All relays that are open.
pub(in crate::properties) struct Relaying {
    hosts: PerHost<Vec<Relay>>,
    /// The ping-req of the present input: whose, its number, its target and its budget.
    asked: Option<(SocketAddr, u64, NodeId, Duration)>,
    /// What the present input began.
    begun: Option<Relay>,
    longest: Duration,
    shortest: Duration,
}

impl Relaying {
    /// Where a budget is cut to `longest`.
    pub(in crate::properties) fn new(longest: Duration) -> Self {
        Self { hosts: PerHost::default(), asked: None, begun: None, longest, shortest: Duration::ZERO }
    }

    /// Where every budget is taken for so long.
    #[cfg(test)]
    pub(in crate::properties) fn lasting(long: Duration) -> Self {
        Self { shortest: long, ..Self::new(long) }
    }

    pub(in crate::properties) fn on_happening(&mut self, what: &Happening<'_>) {
        match what {
            Happening::Began { host, .. }
            | Happening::Reported { host, event: Event::StartedOver { .. } } => {
                self.hosts.of(*host).clear();
            }
            Happening::Arrived { .. } | Happening::Ticked { .. } => self.asked = None,
            _ => {}
        }
    }

    pub(in crate::properties) fn on_datagram(&mut self, what: &Happening<'_>, said: &Reading<'_>) {
        let Some(number) = said.number else { return };
        match (what, said.kind) {
            (Happening::Arrived { source, .. }, MessageKind::PingReq) => {
                let budget = said.budget.unwrap_or_default().min(self.longest).max(self.shortest);
                self.asked = said.target.map(|target| (*source, number, target, budget));
            }
            (Happening::Arrived { host, source, .. }, MessageKind::Ack) => {
                let answers = |relay: &Relay| (relay.ping, relay.target) == (number, *source);
                self.hosts.of(*host).retain(|relay| !answers(relay));
            }
            (Happening::Sent { target, .. }, MessageKind::Ping) if number & 7 == RELAYED => {
                if let Some((origin, asked, about, budget)) = self.asked.take()
                    && said.target == Some(about)
                {
                    let at = Instant::ORIGIN;
                    let (origin, ping, target) = ((origin, asked), number, *target);
                    self.begun = Some(Relay { origin, at, budget, told: false, told_at: None, ping, target });
                }
            }
            (Happening::Sent { host, target, .. }, MessageKind::Nack | MessageKind::RelayedAck) => {
                // The same question may have come twice: who is told first is whose time is over first.
                let mine = |relay: &&mut Relay| relay.origin == (*target, number) && !relay.told;
                let open = self.hosts.of(*host).iter_mut().filter(mine);
                if let Some(relay) = open.min_by_key(|relay| relay.at.after(relay.budget * 4 / 5)) {
                    relay.told = true;
                }
            }
            _ => {}
        }
    }

    /// Nobody need be told of those that are open at `host`.
    pub(in crate::properties) fn excuse(&mut self, host: HostId) {
        self.hosts.of(host).iter_mut().for_each(Relay::excuse);
    }

    /// One input is over: whether it began a relay, all that are open, the one it began last, and those whose
    /// time is over.
    pub(in crate::properties) fn after_input(
        &mut self,
        world: &World,
        host: HostId,
    ) -> (bool, &mut [Relay], Vec<Relay>) {
        let (open, now) = (self.hosts.of(host), world.local(host));
        let begun = self.begun.take().map(|begun| Relay { at: now, ..begun });
        if open.is_empty() && begun.is_none() {
            return (false, &mut [], Vec::new());
        }
        for relay in open.iter_mut().filter(|relay| relay.told && relay.told_at.is_none()) {
            relay.told_at = Some(now);
        }
        let over = open.extract_if(.., |relay| relay.at.after(relay.budget + ROUNDING) < now).collect();
        open.extend(begun);
        (begun.is_some(), open, over)
    }
}
