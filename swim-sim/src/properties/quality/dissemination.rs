//! Q6: a broadcast is delivered at most once in each epoch of a member, only if it was sent, and in a healthy
//! cluster to all. Q8: in a healthy cluster an update reaches all within a number of gossip rounds
//! that grows with log n.
//!
//! Q8 watches two kinds of updates that only their subject can begin: its metadata, and a newcomer, from the
//! moment when it reports that it has joined. An update is gossiped for D ticks; then, once in a while, one
//! member has missed it, and the digests, compared on each ping, show that. The bound is that of
//! `docs/protocol.md`'s detection bound: 2 D + 3 periods, and one direct timeout for each of the two
//! datagrams of a page.
//!
//! Q6: an event names origin and payload, not the number: so a payload may come as often as the members of
//! that id were commanded to broadcast it, or a forger sent it in that name; once a link has flipped bits, it
//! cannot be known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use swim_core::{Command, Config, Event, Instant, NodeId};
use swim_trace::Said;

use crate::ground_truth::{Fate, Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::conditions::{Conditions, is_healthy};
use crate::properties::evidence::datagram::Reading;
use crate::properties::formulas::dissemination;
use crate::properties::{Broken, Case, Check, Monitor, declare};
use crate::{Presence, World};

/// What spreads in a healthy cluster, and which members do not know it yet.
struct Spreading<K> {
    config: Arc<Config>,
    conditions: Conditions,
    waiting: BTreeMap<K, Wait>,
}

/// Since when something spreads, until when it has time, and which of so many others do not know it yet.
struct Wait {
    since: Instant,
    due: Instant,
    silent: BTreeSet<HostId>,
    others: usize,
}

impl<K: Ord + Clone> Spreading<K> {
    fn new(case: &Case) -> Self {
        let config = Arc::clone(&case.config);
        Self { config, conditions: Conditions::new(), waiting: BTreeMap::new() }
    }

    fn is_calm(&self, scene: &Scene<'_>) -> bool {
        self.conditions.is_calm(scene.now(), &self.config)
    }

    /// From now on `what` spreads from `sender`, for so long.
    fn begin(&mut self, scene: &Scene<'_>, what: K, sender: HostId, long: Duration) {
        let up = scene.hosts().filter(|host| *host != sender && scene.presence(*host) == Presence::Up);
        let (since, silent) = (scene.now(), up.collect::<BTreeSet<HostId>>());
        let (due, others) = (since.after(long), silent.len());
        self.waiting.insert(what, Wait { since, due, silent, others });
    }

    /// `host` knows `what`.
    fn reach(&mut self, host: HostId, what: &K) {
        if let Some(wait) = self.waiting.get_mut(what) {
            wait.silent.remove(&host);
        }
    }

    /// One of those whose time is over.
    fn take_due(&mut self, now: Instant) -> Option<(K, Wait)> {
        let what = self.waiting.iter().find(|(_, wait)| wait.due < now)?.0.clone();
        self.waiting.remove_entry(&what)
    }
}

/// Q8.
pub(super) struct Dissemination {
    /// By subject.
    updates: Spreading<NodeId>,
    /// Hosts that started in a healthy cluster and have not joined yet, and those that know them all the same.
    newcomers: BTreeMap<HostId, BTreeSet<HostId>>,
    /// What has just begun, until it is known whether the cluster is healthy.
    unsure: Option<HostId>,
    /// The metadata that each member set last.
    metadata: BTreeMap<HostId, Vec<u8>>,
    looked: u64,
}

impl Dissemination {
    pub(super) fn new(case: &Case) -> Self {
        let (updates, newcomers, metadata) = (Spreading::new(case), BTreeMap::new(), BTreeMap::new());
        Self { updates, newcomers, unsure: None, metadata, looked: 0 }
    }

    fn begin(&mut self, scene: &Scene<'_>, sender: HostId) {
        let config = &self.updates.config;
        let spread = dissemination(config, scene.hosts().count() as u32);
        let bound = spread * 2 + config.period * 3 + config.direct_timeout * 2;
        self.updates.begin(scene, scene.identity(sender).id, sender, bound);
    }

    fn on_event(&mut self, scene: &Scene<'_>, host: HostId, event: &Event) {
        match event {
            Event::Joined { .. } => {
                if let Some(knowing) = self.newcomers.remove(&host) {
                    self.begin(scene, host);
                    let id = scene.identity(host).id;
                    knowing.into_iter().for_each(|knows| self.updates.reach(knows, &id));
                }
            }
            Event::Updated { id, .. } | Event::Alive { id, .. } => {
                self.updates.reach(host, id);
                // The member that lets it in knows it before it has joined.
                if let Some(newcomer) = scene.host_named(*id)
                    && let Some(knowing) = self.newcomers.get_mut(&newcomer)
                {
                    knowing.insert(host);
                }
            }
            _ => {}
        }
    }
}

impl Monitor for Dissemination {
    declare! { "Q8", "dissemination", REPORTED | AFTER_INPUT,
    "in a healthy cluster updates reach all within a number of rounds logarithmic in its size" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        // Without digests those that gossip missed never learn of it.
        let calm = self.updates.config.sync_interval_max.is_some() && self.updates.is_calm(scene);
        let conditions = &mut self.updates.conditions;
        // The action that began a process comes after its beginning, at the same instant.
        if conditions.note(scene.now(), what) || conditions.calm_since().is_none() {
            self.updates.waiting.clear();
            self.newcomers.clear();
        }
        match what {
            Happening::Ended { host, .. } => {
                self.metadata.remove(host);
            }
            Happening::Began { host, .. } if calm => {
                self.newcomers.insert(*host, BTreeSet::new());
                self.unsure = Some(*host);
            }
            Happening::Commanded { host, command: Command::SetMetadata(metadata) } => {
                // What was set before is no update.
                let value = metadata.as_bytes().to_vec();
                let before = self.metadata.insert(*host, value.clone()).unwrap_or_default();
                if calm && value != before {
                    self.begin(scene, *host);
                    self.unsure = Some(*host);
                }
            }
            Happening::Reported { host, event } => self.on_event(scene, *host, event),
            _ => {}
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, _host: HostId) -> Check {
        if let Some(host) = self.unsure.take()
            && !is_healthy(world, host)
        {
            self.updates.waiting.remove(&world.id(host));
            self.newcomers.remove(&host);
        }
        let now = world.now();
        let Some((id, Wait { since, silent, .. })) = self.updates.take_due(now) else { return Ok(()) };
        self.looked += 1;
        let Some(late) = silent.first() else { return Ok(()) };
        let why = format!("{late:?} has not reported the update about {id:?} of {since:?} by {now:?}");
        Err(Broken::by(&[*late], why))
    }
}

/// A payload, and the id in whose name it was sent.
type Broadcast = (NodeId, Vec<u8>);

/// Q6.
pub(super) struct Broadcasts {
    /// How often it was sent in that name.
    sent: BTreeMap<Broadcast, u32>,
    /// How often it was delivered in this epoch of the host.
    delivered: BTreeMap<(HostId, Broadcast), u32>,
    /// Sent in a healthy cluster.
    spreading: Spreading<Broadcast>,
    /// Sent just now, until it is known whether the cluster is healthy.
    unsure: Option<(NodeId, HostId)>,
    /// Datagrams arrive with other bits than they were sent with: it cannot be known what they say.
    corrupted: bool,
    looked: u64,
}

impl Broadcasts {
    pub(super) fn new(case: &Case) -> Self {
        let (sent, delivered, spreading) = (BTreeMap::new(), BTreeMap::new(), Spreading::new(case));
        Self { sent, delivered, spreading, unsure: None, corrupted: false, looked: 0 }
    }

    fn note_command(&mut self, scene: &Scene<'_>, host: HostId, payload: &[u8]) {
        let origin = scene.identity(host).id;
        let what = (origin, payload.to_vec());
        *self.sent.entry(what.clone()).or_default() += 1;
        if self.spreading.is_calm(scene) {
            self.unsure = Some((origin, host));
            let long = dissemination(&self.spreading.config, scene.hosts().count() as u32) * 3;
            self.spreading.begin(scene, what, host, long);
        }
    }

    fn deliver(&mut self, host: HostId, what: Broadcast) -> Check {
        self.looked += 1;
        let sent = self.sent.get(&what).copied().unwrap_or_default();
        self.spreading.reach(host, &what);
        let delivered = self.delivered.entry((host, what.clone())).or_default();
        *delivered += 1;
        if *delivered > sent && !self.corrupted {
            let (origin, payload) = (what.0, String::from_utf8_lossy(&what.1));
            let why = format!(
                "{host:?} delivers {payload:?} of {origin:?} {delivered} times, it was sent {sent} times"
            );
            return Err(Broken::by(&[host], why));
        }
        Ok(())
    }
}

impl Monitor for Broadcasts {
    declare! { "Q6", "broadcasts", SENT | REPORTED | AFTER_INPUT,
    "a broadcast is delivered at most once, and in a healthy cluster to all" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Commanded { host, command: Command::Broadcast(payload) } => {
                self.note_command(scene, *host, payload.as_bytes());
            }
            Happening::Reported { host, event: Event::Broadcast { origin, payload } } => {
                self.deliver(*host, (*origin, payload.to_vec()))?;
            }
            Happening::Returned { host, result: Err(_) } => {
                let id = scene.identity(*host).id;
                self.spreading.waiting.retain(|(origin, _), _| *origin != id);
            }
            Happening::Sent { fate: Fate::Corrupted, .. } => self.corrupted = true,
            // It knows no member any more, and so not what it has received of them.
            Happening::Began { host, .. }
            | Happening::Reported { host, event: Event::StartedOver { .. } } => {
                self.delivered.retain(|(receiver, _), _| receiver != host);
            }
            _ => {}
        }
        if self.spreading.conditions.note(scene.now(), what) {
            self.spreading.waiting.clear();
        }
        Ok(())
    }

    fn on_datagram(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        if matches!(what, Happening::Forged { .. }) {
            for said in said.records() {
                if let Said::Broadcast(said) = said {
                    *self.sent.entry((said.origin, said.payload.to_vec())).or_default() += 1;
                }
            }
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, _host: HostId) -> Check {
        if let Some((id, host)) = self.unsure.take()
            && !is_healthy(world, host)
        {
            self.spreading.waiting.retain(|(origin, _), _| *origin != id);
        }
        let Some(((origin, payload), wait)) = self.spreading.take_due(world.now()) else { return Ok(()) };
        self.looked += 1;
        if wait.silent.is_empty() {
            return Ok(());
        }
        let hosts: Vec<HostId> = wait.silent.into_iter().collect();
        let (silent, payload) = (hosts.len(), String::from_utf8_lossy(&payload));
        let why = format!("{silent} of {} members have not delivered {payload:?} of {origin:?}", wait.others);
        Err(Broken::by(&hosts, why))
    }
}
