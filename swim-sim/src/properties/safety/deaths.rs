//! S4: a living member is not called Dead.
//!
//! A Dead is checked against what the world did, not against what others hold: the subject's process runs,
//! was not in trouble of its own lately, and nothing kept members apart lately. What loss may do is a matter
//! of chance; above a bearable loss no node is blamed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use swim_core::{Event, Instant, NodeId};

use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::net::Link;
use crate::properties::{Broken, Case, Check, Monitor, declare};
use crate::{Action, ActionPhase, FaultClass, PER_CENT, Presence};

/// At 40 % loss a probe of a living member fails in every fifth case, and so does its refutation.
const BEARABLE_LOSS_PPM: u32 = 25 * PER_CENT;
/// Where all gossip piggybacks on pings and acks, a refutation takes as long as a short suspicion.
const BEARABLE_LOSS_PIGGYBACK_PPM: u32 = 10 * PER_CENT;

/// What bursts add to the loss: more than any bearable one, while they last.
const BURST_PPM: u32 = 30 * PER_CENT;

/// S4.
#[derive(Default)]
pub(super) struct FalseDeaths {
    bearable_ppm: u32,
    /// How long a fault explains a death after its end: the longest suspicion, half as long again where the
    /// observer stalls itself, and a few periods of waiting.
    explained: Duration,
    /// The links lose more than is bearable.
    unbearable: bool,
    /// Members are kept apart.
    apart: bool,
    /// When members were last kept apart, or lost too much.
    torn: Option<Instant>,
    /// When each host was last in trouble of its own.
    troubled: BTreeMap<HostId, Instant>,
    /// What troubles which host now.
    lasting: BTreeSet<(HostId, FaultClass)>,
    /// Whether each host's own links are unbearable, and since when they are so, or not.
    shut_in: BTreeMap<HostId, (bool, Instant)>,
    /// Whether each host seems to be elsewhere, and since when it does, or not.
    masked: BTreeMap<HostId, (bool, Instant)>,
    /// Nodes accept datagrams from other addresses than their senders are held at.
    any_source: bool,
    looked: u64,
}

impl FalseDeaths {
    pub(super) fn new(case: &Case) -> Self {
        let config = &case.config;
        let n = f64::from(case.scenario.hosts.max(10));
        let longest = config.period.mul_f64(f64::from(config.alpha) * n.log10()) * config.beta.into();
        let piggyback = config.gossip_interval.is_none();
        Self {
            bearable_ppm: if piggyback { BEARABLE_LOSS_PIGGYBACK_PPM } else { BEARABLE_LOSS_PPM },
            explained: longest * 3 / 2 + config.period * 10,
            any_source: config.accept_wrong_source,
            ..Self::default()
        }
    }

    /// Flipped bits are forgeries: they say of members what no node said.
    fn is_bearable(&self, link: &Link) -> bool {
        let lost = link.loss_ppm + link.spike_ppm + if link.burst.is_some() { BURST_PPM } else { 0 };
        lost <= self.bearable_ppm && link.corrupt_ppm == 0 && link.rate.is_none() && link.mtu.is_none()
    }

    fn note(&mut self, now: Instant, action: &Action) {
        match action {
            Action::Partition(_) | Action::Cut { .. } => self.apart = true,
            Action::Heal => {
                if std::mem::take(&mut self.apart) {
                    self.torn = Some(now);
                }
            }
            Action::SetDefaultLink(link) => {
                let unbearable = !self.is_bearable(link);
                if std::mem::replace(&mut self.unbearable, unbearable) {
                    self.torn = Some(now);
                }
            }
            Action::SetLinksOf { host, link, .. } => {
                self.shut_in.insert(*host, (!self.is_bearable(link), now));
                self.trouble(now, action);
            }
            Action::ResetLinksOf(host) => {
                self.shut_in.insert(*host, (false, now));
                self.lasting.retain(|(troubled, class)| troubled != host || !class.is_of_links());
                self.troubled.insert(*host, now);
            }
            Action::Unplug(host) | Action::Plug(host) => {
                self.shut_in.insert(*host, (matches!(action, Action::Unplug(_)), now));
                self.trouble(now, action);
            }
            Action::Mask { host, .. } | Action::Unmask(host) => {
                self.masked.insert(*host, (matches!(action, Action::Mask { .. }), now));
                self.trouble(now, action);
            }
            other => self.trouble(now, other),
        }
    }

    fn trouble(&mut self, now: Instant, action: &Action) {
        for host in action.hosts() {
            self.troubled.insert(host, now);
            if let Some(class) = action.fault_class() {
                match action.phase() {
                    ActionPhase::Begins => drop(self.lasting.insert((host, class))),
                    ActionPhase::Ends => drop(self.lasting.remove(&(host, class))),
                    ActionPhase::Once => {}
                }
            }
        }
    }

    /// Whether what `host` sends or hears is lost or refused now, or was lately, or comes from an address that is not its own: it
    /// counts itself as isolated only for a while, so in the end it calls others Dead, which hear none of its
    /// suspicions. They need not believe it.
    fn is_shut_in(&self, scene: &Scene<'_>, host: HostId) -> bool {
        let is_or_was = |books: &BTreeMap<HostId, (bool, Instant)>| {
            books.get(&host).is_some_and(|(now, since)| *now || scene.now() <= since.after(self.explained))
        };
        is_or_was(&self.shut_in) || (is_or_was(&self.masked) && !self.any_source)
    }

    fn is_explained(&self, scene: &Scene<'_>, observer: HostId, subject: HostId, by: NodeId) -> bool {
        let recent = |since: &Instant| scene.now() <= since.after(self.explained);
        let own = scene.identity(observer).id == by;
        (own && self.is_shut_in(scene, observer))
            || self.apart
            || self.unbearable
            || self.torn.as_ref().is_some_and(recent)
            || self.lasting.iter().any(|(host, class)| *host == subject && *class != FaultClass::Crash)
            || self.troubled.get(&subject).is_some_and(recent)
            || scene.presence(subject) != Presence::Up
            || !scene.connected(observer, subject)
    }

    fn check(&mut self, scene: &Scene<'_>, observer: HostId, subject: NodeId, by: NodeId) -> Check {
        self.looked += 1;
        let Some(called) = scene.host_named(subject) else { return Ok(()) };
        if self.is_explained(scene, observer, called, by) {
            return Ok(());
        }
        let why = format!(
            "{observer:?} calls {subject:?} Dead because {by:?} does, but it runs and can be reached"
        );
        Err(Broken::by(&[observer, called], why))
    }
}

impl Monitor for FalseDeaths {
    declare! { "S4", "false-deaths", REPORTED,
    "a member that runs and is heard by most is not called Dead" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Acted { action, done: true } => self.note(scene.now(), action),
            Happening::Reported { host, event: Event::Dead { id, by, .. } } => {
                return self.check(scene, *host, *id, *by);
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::tests::worlds;

    /// What the property says if the second of five calls the third Dead, by itself or because the first one does.
    fn calls_dead(any_source: bool, actions: &[Action], own: bool) -> Check {
        let (mut world, hosts) = worlds::calm(5);
        let mut monitor = FalseDeaths { any_source, ..FalseDeaths::new(&worlds::case(5)) };
        for action in actions {
            monitor.on_happening(&world.scene(), &Happening::Acted { action, done: true })?;
            world.run_for(Duration::from_secs(1));
        }
        let by = world.id(hosts[usize::from(own)]);
        let event = Event::Dead { id: world.id(hosts[2]), by, accuser: by };
        monitor.on_happening(&world.scene(), &Happening::Reported { host: hosts[1], event: &event })
    }

    #[test]
    fn a_host_that_seems_to_be_elsewhere_may_call_others_dead_but_no_other_may_believe_it() {
        let mask = Action::Mask { host: HostId(1), addr: "192.0.2.1:1".parse().expect("an address") };
        let masked = [mask.clone()];
        assert!(calls_dead(false, &[], true).is_err());
        assert!(calls_dead(false, &masked, true).is_ok());
        assert!(calls_dead(false, &masked, false).is_err(), "because another does");
        assert!(calls_dead(true, &masked, true).is_err(), "it is heard wherever it seems to be");
        assert!(calls_dead(false, &[mask, Action::Unmask(HostId(1))], true).is_ok(), "not so soon after");
    }
}
