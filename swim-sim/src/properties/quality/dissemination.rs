//! Q6: a broadcast is delivered at most once in each epoch of a member, only if it was sent, and in a healthy
//! cluster to nearly all. Q8: in a healthy cluster an update reaches all within a number of gossip rounds
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
//! cannot be known. Nearly all is three in four: gossip repeats a bounded number of times, and nothing
//! repairs what it missed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use swim_core::{Command, Event, Instant, NodeId, Said};

use crate::ground_truth::{Fate, Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::conditions::{Conditions, is_healthy};
use crate::properties::evidence::datagram::Reading;
use crate::properties::evidence::measures::Ledger;
use crate::properties::formulas::dissemination;
use crate::properties::{Broken, Case, Check, Monitor, declare};
use crate::{Presence, World};

/// Q8.
pub(super) struct Dissemination {
    case: Case,
    ledger: Arc<Ledger>,
    conditions: Conditions,
    /// By subject: since when, until when, and who has not heard of it yet.
    news: BTreeMap<NodeId, (Instant, Instant, BTreeSet<HostId>)>,
    /// Who began in a healthy cluster and has not joined yet, and who knows it all the same.
    newcomers: BTreeMap<HostId, BTreeSet<HostId>>,
    /// What has just begun, until it is known whether the cluster is healthy.
    unsure: Option<HostId>,
    /// The metadata that each member set last.
    metadata: BTreeMap<HostId, Vec<u8>>,
    looked: u64,
}

impl Dissemination {
    pub(super) fn new(case: &Case, ledger: Arc<Ledger>) -> Self {
        let (conditions, news, newcomers) = (Conditions::new(), BTreeMap::new(), BTreeMap::new());
        Self {
            case: case.clone(),
            ledger,
            conditions,
            news,
            newcomers,
            unsure: None,
            metadata: BTreeMap::new(),
            looked: 0,
        }
    }

    fn may_be_healthy(&self, scene: &Scene<'_>) -> bool {
        // Without digests those that gossip missed never learn of it.
        self.case.config.sync_interval_max.is_some()
            && self.conditions.is_calm(scene.now(), &self.case.config)
    }

    fn begin(&mut self, scene: &Scene<'_>, sender: HostId) {
        let config = &self.case.config;
        let hosts = scene.hosts().count() as u32;
        let bound = dissemination(config, hosts) * 2 + config.period * 3 + config.direct_timeout * 2;
        let others = scene.hosts().filter(|host| *host != sender && scene.presence(*host) == Presence::Up);
        let (now, others) = (scene.now(), others.collect());
        self.news.insert(scene.identity(sender).id, (now, now.after(bound), others));
    }

    fn hear(&mut self, now: Instant, host: HostId, about: NodeId) {
        if let Some((since, _, silent)) = self.news.get_mut(&about)
            && silent.remove(&host)
        {
            self.ledger.note_news(now.since(*since));
        }
    }

    fn report(&mut self, scene: &Scene<'_>, host: HostId, event: &Event) {
        match event {
            Event::Joined { .. } => {
                if let Some(knowing) = self.newcomers.remove(&host) {
                    self.begin(scene, host);
                    let id = scene.identity(host).id;
                    knowing.into_iter().for_each(|knows| self.hear(scene.now(), knows, id));
                }
            }
            Event::Updated { id, .. } | Event::Alive { id, .. } => {
                self.hear(scene.now(), host, *id);
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
        let calm = self.may_be_healthy(scene);
        let changed = self.conditions.changed();
        self.conditions.note(scene.now(), what);
        // The action that began a process comes after its beginning.
        let echo = matches!(what, Happening::Acted { .. }) && changed == scene.now();
        if self.conditions.calm_since().is_none() || (self.conditions.changed() != changed && !echo) {
            self.news.clear();
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
            Happening::Reported { host, event } => self.report(scene, *host, event),
            _ => {}
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, _host: HostId) -> Check {
        if let Some(host) = self.unsure.take()
            && !is_healthy(world, host)
        {
            self.news.remove(&world.id(host));
            self.newcomers.remove(&host);
        }
        let now = world.now();
        if self.news.values().all(|(_, until, _)| *until >= now) {
            return Ok(());
        }
        let Some((id, since, silent)) = self
            .news
            .iter()
            .find_map(|(id, (since, until, silent))| (*until < now).then(|| (*id, *since, silent.clone())))
        else {
            return Ok(());
        };
        self.news.remove(&id);
        self.looked += 1;
        let Some(late) = silent.first() else { return Ok(()) };
        let why = format!("{late:?} has not reported the update about {id:?} of {since:?} by {now:?}");
        Err(Broken::by(&[*late], why))
    }
}

/// Q6.
pub(super) struct Broadcasts {
    case: Case,
    conditions: Conditions,
    /// How often it was said in that name.
    said: BTreeMap<(NodeId, Vec<u8>), u32>,
    /// How often it was delivered in this epoch of the host.
    heard: BTreeMap<(HostId, NodeId, Vec<u8>), u32>,
    /// Said in a healthy cluster.
    spreading: BTreeMap<(NodeId, Vec<u8>), Spreading>,
    /// Said just now, until it is known whether the cluster is healthy.
    unsure: Option<(NodeId, HostId)>,
    /// Datagrams arrive with other bits than they were sent with: it cannot be known what they say.
    corrupted: bool,
    looked: u64,
}

/// Until when, who has not heard it, and how many others there were.
type Spreading = (Instant, BTreeSet<HostId>, usize);

impl Broadcasts {
    pub(super) fn new(case: &Case) -> Self {
        let conditions = Conditions::new();
        let (said, heard, spreading) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self {
            case: case.clone(),
            conditions,
            said,
            heard,
            spreading,
            unsure: None,
            corrupted: false,
            looked: 0,
        }
    }

    fn note_said(&mut self, origin: NodeId, payload: &[u8]) {
        *self.said.entry((origin, payload.to_vec())).or_default() += 1;
    }

    fn note_command(&mut self, scene: &Scene<'_>, host: HostId, payload: &[u8]) {
        let origin = scene.identity(host).id;
        self.note_said(origin, payload);
        let hosts = scene.hosts().count() as u32;
        if self.conditions.is_calm(scene.now(), &self.case.config) {
            self.unsure = Some((origin, host));
            let up = scene.hosts().filter(|other| *other != host && scene.presence(*other) == Presence::Up);
            let others: BTreeSet<HostId> = up.collect();
            let until = scene.now().after(dissemination(&self.case.config, hosts) * 3);
            let count = others.len();
            self.spreading.insert((origin, payload.to_vec()), (until, others, count));
        }
    }

    fn deliver(&mut self, host: HostId, origin: NodeId, payload: &[u8]) -> Check {
        self.looked += 1;
        let key = (origin, payload.to_vec());
        let said = self.said.get(&key).copied().unwrap_or_default();
        if let Some((_, silent, _)) = self.spreading.get_mut(&key) {
            silent.remove(&host);
        }
        let heard = self.heard.entry((host, origin, payload.to_vec())).or_default();
        *heard += 1;
        if *heard > said && !self.corrupted {
            let what = String::from_utf8_lossy(payload);
            let why =
                format!("{host:?} heard {what:?} of {origin:?} {heard} times, it was said {said} times");
            return Err(Broken::by(&[host], why));
        }
        Ok(())
    }
}

impl Monitor for Broadcasts {
    declare! { "Q6", "broadcasts", SENT | REPORTED | AFTER_INPUT,
    "a broadcast is delivered at most once, and in a healthy cluster to nearly all" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Commanded { host, command: Command::Broadcast(payload) } => {
                self.note_command(scene, *host, payload.as_bytes());
            }
            Happening::Reported { host, event: Event::Broadcast { origin, payload } } => {
                return self.deliver(*host, *origin, payload);
            }
            Happening::Reported { host, event: Event::Refused { .. } } => {
                let id = scene.identity(*host).id;
                self.spreading.retain(|(origin, _), _| *origin != id);
            }
            Happening::Sent { fate: Fate::Corrupted, .. } => self.corrupted = true,
            Happening::Began { host, .. } => self.heard.retain(|(hearer, _, _), _| hearer != host),
            // It knows no member any more, and so not what it has received of them.
            Happening::Reported { host, event: Event::StartedOver { .. } } => {
                self.heard.retain(|(hearer, _, _), _| hearer != host);
            }
            _ => {}
        }
        let changed = self.conditions.changed();
        self.conditions.note(scene.now(), what);
        if self.conditions.changed() != changed {
            self.spreading.clear();
        }
        Ok(())
    }

    fn on_datagram(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        if matches!(what, Happening::Forged { .. }) {
            for said in said.records().iter() {
                if let Said::Broadcast(said) = said {
                    self.note_said(said.origin, said.payload);
                }
            }
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, _host: HostId) -> Check {
        if let Some((id, host)) = self.unsure.take()
            && !is_healthy(world, host)
        {
            self.spreading.retain(|(origin, _), _| *origin != id);
        }
        let now = world.now();
        let late = self.spreading.iter().find(|(_, (until, ..))| *until < now);
        let Some((key, (_, silent, count))) = late.map(|(key, value)| (key.clone(), value.clone())) else {
            return Ok(());
        };
        self.spreading.remove(&key);
        self.looked += 1;
        if silent.len() > count / 4 + 1 {
            let hosts: Vec<HostId> = silent.into_iter().collect();
            let what = String::from_utf8_lossy(&key.1).into_owned();
            let why = format!("{} of {count} members have not heard {what:?} of {:?}", hosts.len(), key.0);
            return Err(Broken::by(&hosts, why));
        }
        Ok(())
    }
}
