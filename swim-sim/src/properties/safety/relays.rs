//! S22: a relay that hears nothing says so when four fifths of its time are over.
//! B14: no more pings for others are open than `relayed_max`, and no more than four for one of them.
//!
//! A ping-req that arrives, and a ping with the mark of a relayed one (1 in the lowest three bits of its
//! number) to the same member in the same input, are one relay that begins. It is over when its target's ack
//! arrives, or when the time is over that the asker gave it. All by the relay's own clock, from the datagrams
//! alone.
//!
//! S22: the asker holds a silent relay against itself: it may be isolated. So a relay that was asked in time,
//! runs, and has not heard the target, must send a nack while the asker still listens. A relay that was
//! stopped, is slow, or whose timers are late has an excuse. B14: a sender of ping-reqs can make a member
//! send pings; this is all that it gets at once.

use std::net::SocketAddr;
use std::time::Duration;

use swim_core::{Config, Event, Instant, MessageKind, NodeId};

use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;
use crate::properties::evidence::datagram::Reading;
use crate::properties::{Broken, Case, Check, Monitor, declare};
use crate::{Action, ActionPhase, FaultClass, World};

/// What the lowest three bits of a relayed ping's number are.
const RELAYED: u64 = 1;

/// How exactly a timer is met: clocks are read in nanoseconds, and the wire has microseconds.
pub(crate) const ROUNDING: Duration = Duration::from_millis(1);

/// One ping on behalf of another member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relay {
    /// Who asked, and with which number.
    pub(crate) origin: (SocketAddr, u64),
    /// When, by the relay's clock.
    pub(crate) at: Instant,
    /// How much time it was given.
    pub(crate) budget: Duration,
    /// Whether the origin got a nack, or needs none.
    pub(crate) nacked: bool,
    /// When it did, by the relay's clock: known when the input is over.
    pub(crate) nacked_at: Option<Instant>,
    ping: u64,
    target: SocketAddr,
}

impl Relay {
    /// Its origin needs no nack.
    pub(crate) fn excuse(&mut self) {
        (self.nacked, self.nacked_at) = (true, Some(Instant::ORIGIN));
    }
}

/// All relays that are open.
pub(crate) struct Relaying {
    hosts: PerHost<Vec<Relay>>,
    /// The ping-req of the present input: whose, its number, its target and its budget.
    asked: Option<(SocketAddr, u64, NodeId, Duration)>,
    /// What the present input began.
    begun: Option<Relay>,
    longest: Duration,
    shortest: Duration,
}

impl Relaying {
    /// A budget is cut to the longest period.
    pub(crate) fn new(config: &Config) -> Self {
        let longest = config.period * (u32::from(config.health_max) + 1);
        Self { hosts: PerHost::default(), asked: None, begun: None, longest, shortest: Duration::ZERO }
    }

    /// Where every budget is taken for so long.
    #[cfg(test)]
    pub(crate) fn lasting(long: Duration) -> Self {
        Self { longest: long, shortest: long, ..Self::new(&Config::lan()) }
    }

    pub(crate) fn on_happening(&mut self, what: &Happening<'_>) {
        match what {
            Happening::Began { host, .. }
            | Happening::Reported { host, event: Event::StartedOver { .. } } => {
                self.hosts.of(*host).clear();
            }
            Happening::Arrived { .. } | Happening::Ticked { .. } => self.asked = None,
            _ => {}
        }
    }

    pub(crate) fn on_datagram(&mut self, what: &Happening<'_>, said: &Reading<'_>) {
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
                    self.begun =
                        Some(Relay { origin, at, budget, nacked: false, nacked_at: None, ping, target });
                }
            }
            (Happening::Sent { host, target, .. }, MessageKind::Nack | MessageKind::RelayedAck) => {
                // The same request may have come twice: the first nack is for the one whose time is over first.
                let mine = |relay: &&mut Relay| relay.origin == (*target, number) && !relay.nacked;
                let open = self.hosts.of(*host).iter_mut().filter(mine);
                if let Some(relay) = open.min_by_key(|relay| relay.at.after(relay.budget * 4 / 5)) {
                    relay.nacked = true;
                }
            }
            _ => {}
        }
    }

    /// No origin needs a nack for those that are open at `host`.
    pub(crate) fn excuse(&mut self, host: HostId) {
        self.hosts.of(host).iter_mut().for_each(Relay::excuse);
    }

    /// One input is over: whether it began a relay, all that are open, the one it began last, and those whose
    /// time is over.
    pub(crate) fn after_input(&mut self, world: &World, host: HostId) -> (bool, &mut [Relay], Vec<Relay>) {
        let (open, now) = (self.hosts.of(host), world.local(host));
        let begun = self.begun.take().map(|begun| Relay { at: now, ..begun });
        if open.is_empty() && begun.is_none() {
            return (false, &mut [], Vec::new());
        }
        for relay in open.iter_mut().filter(|relay| relay.nacked && relay.nacked_at.is_none()) {
            relay.nacked_at = Some(now);
        }
        let over = open.extract_if(.., |relay| relay.at.after(relay.budget + ROUNDING) < now).collect();
        open.extend(begun);
        (begun.is_some(), open, over)
    }
}

/// S22.
pub(super) struct Nacks {
    relaying: Relaying,
    /// What keeps each host from being punctual.
    lasting: PerHost<Vec<FaultClass>>,
    looked: u64,
}

impl Nacks {
    pub(super) fn new(case: &Case) -> Self {
        Self { relaying: Relaying::new(&case.config), lasting: PerHost::default(), looked: 0 }
    }

    fn note(&mut self, action: &Action) {
        use FaultClass::{Drift, Jump, LateTicks, Pause, Slow, Unplug};
        let unpunctual =
            |class: &FaultClass| matches!(class, Pause | Slow | Jump | LateTicks | Drift | Unplug);
        let Some(class) = action.fault_class().filter(unpunctual) else { return };
        for host in action.hosts() {
            self.relaying.excuse(host);
            let lasting = self.lasting.of(host);
            match action.phase() {
                ActionPhase::Begins => lasting.push(class),
                ActionPhase::Ends => lasting.retain(|begun| *begun != class),
                ActionPhase::Once => {}
            }
        }
    }

    /// By when the nack had to be sent, at the latest.
    fn due(relay: &Relay) -> swim_core::Instant {
        relay.at.after(relay.budget * 4 / 5 + ROUNDING)
    }
}

impl Monitor for Nacks {
    declare! { "S22", "nacks", ARRIVED | TICKED | REPORTED | READ | AFTER_INPUT,
    "a relay that hears nothing says so when four fifths of its time are over" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        self.relaying.on_happening(what);
        match what {
            Happening::Acted { action: Action::Peace, .. } | Happening::Entered { phase: Phase::Peace } => {
                for host in scene.hosts() {
                    self.relaying.excuse(host);
                    self.lasting.of(host).clear();
                }
            }
            Happening::Acted { action, done: true } => self.note(action),
            // A process that stood still was not punctual.
            Happening::Began { host, .. } => {
                self.lasting.of(*host).retain(|class| *class != FaultClass::Pause)
            }
            _ => {}
        }
        Ok(())
    }

    fn on_datagram(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        self.relaying.on_datagram(what, said);
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        let excused = !self.lasting.of(host).is_empty() || world.scene().holds_sends(host);
        let now = world.local(host);
        let (_, open, over) = self.relaying.after_input(world, host);
        if excused {
            open.iter_mut().for_each(Relay::excuse);
            return Ok(());
        }
        let late = |relay: &&Relay| match relay.nacked_at {
            Some(nacked_at) => nacked_at == now && nacked_at > Self::due(relay),
            None => !relay.nacked && now > Self::due(relay),
        };
        let never = over.iter().find(|relay| !relay.nacked);
        self.looked += over.len() as u64;
        let Some(relay) = open.iter().find(late).or(never) else { return Ok(()) };
        let why = format!(
            "{host:?} was asked at {:?} to ping a member for {} within {:?}, heard nothing, and did not say so in time",
            relay.at, relay.origin.0, relay.budget
        );
        Err(Broken::by(&[host], why))
    }
}

/// Open at once for one origin.
const PER_ORIGIN_MAX: usize = 4;

/// B14.
pub(super) struct Relays {
    relaying: Relaying,
    max: usize,
    looked: u64,
}

impl Relays {
    pub(super) fn new(case: &Case) -> Self {
        let max = case.config.relayed_max.into();
        Self { relaying: Relaying::new(&case.config), max, looked: 0 }
    }
}

impl Monitor for Relays {
    declare! { "B14", "relays", ARRIVED | TICKED | REPORTED | READ | AFTER_INPUT,
    "no more pings for others are open than relayed_max, and than four for one of them" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        self.relaying.on_happening(what);
        Ok(())
    }

    fn on_datagram(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        self.relaying.on_datagram(what, said);
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        let (true, open, _) = self.relaying.after_input(world, host) else { return Ok(()) };
        let Some(origin) = open.last().map(|begun| begun.origin.0) else { return Ok(()) };
        self.looked += 1;
        let now = world.local(host);
        let open = || open.iter().filter(|relay| relay.at.after(relay.budget) > now);
        let (all, own) = (open().count(), open().filter(|relay| relay.origin.0 == origin).count());
        if own <= PER_ORIGIN_MAX && all <= self.max {
            return Ok(());
        }
        let why = format!("{host:?} has {all} pings for others open, {own} of them for {origin}");
        Err(Broken::by(&[host], why))
    }
}

#[cfg(test)]
mod tests {
    use swim_core::MessageKind;

    use super::*;
    use crate::properties::evidence::datagram::is_kind;
    use crate::properties::tests::worlds;

    #[test]
    fn a_relay_that_never_says_no_is_found() {
        let (broken, _) = worlds::doctored(
            Box::new(Nacks::new(&worlds::case(8))),
            |what| !matches!(what, Happening::Sent { bytes, .. } if is_kind(bytes, MessageKind::Nack)),
        );
        assert_eq!(broken, Some("S22"));
    }

    #[test]
    fn more_relays_than_the_bound_are_found() {
        let mut monitor = Relays::new(&worlds::case(8));
        monitor.max = 0;
        assert_eq!(worlds::doctored(Box::new(monitor), |_| true).0, Some("B14"));
    }

    #[test]
    fn a_fifth_relay_for_one_asker_is_found() {
        // The property does not see that any is answered, and takes each for a long one.
        let mut monitor = Relays::new(&worlds::case(8));
        monitor.relaying = Relaying::lasting(std::time::Duration::from_secs(1_000));
        let (broken, _) = worlds::doctored(
            Box::new(monitor),
            |what| !matches!(what, Happening::Arrived { bytes, .. } if is_kind(bytes, MessageKind::Ack)),
        );
        assert_eq!(broken, Some("B14"));
    }
}
