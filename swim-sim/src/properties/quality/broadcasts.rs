//! Q6: a broadcast is delivered at most once in each life of a member, only if somebody said it, and in a healthy
//! cluster to nearly everybody.
//!
//! An event names origin and payload, not the number: so a payload may come as often as the members of that name
//! were told to say it, or a forger said it in that name; once a link has flipped bits, nobody can tell. Nearly everybody is three in four: gossip is told a bounded
//! number of times, and nothing repairs what it missed.

use std::collections::{BTreeMap, BTreeSet};

use swim_core::{Command, Event, Instant, NodeId, Said};

use crate::ground_truth::{Fate, Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::conditions::{Conditions, is_healthy};
use crate::properties::evidence::datagram::Reading;
use crate::properties::formulas::dissemination;
use crate::properties::{Broken, Case, Check, Monitor, declare};
use crate::{Presence, World};

/// Q6.
pub(super) struct Broadcasts {
    case: Case,
    conditions: Conditions,
    /// How often it was said in that name.
    said: BTreeMap<(NodeId, Vec<u8>), u32>,
    /// How often it was delivered in this life of the host.
    heard: BTreeMap<(HostId, NodeId, Vec<u8>), u32>,
    /// Said in a healthy cluster.
    spreading: BTreeMap<(NodeId, Vec<u8>), Spreading>,
    /// Said just now, until it is known whether the cluster is healthy.
    unsure: Option<(NodeId, HostId)>,
    /// Datagrams arrive with other bits than they were sent with: nobody knows what they say.
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
    "a broadcast is delivered at most once, and in a healthy cluster to nearly everybody" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Commanded { host, command: Command::Broadcast(payload) } => {
                self.note_command(scene, *host, payload.as_bytes());
            }
            Happening::Reported { host, event: Event::Broadcast { origin, payload } } => {
                return self.deliver(*host, *origin, payload);
            }
            Happening::Returned { host, result: Err(_) } => {
                let id = scene.identity(*host).id;
                self.spreading.retain(|(origin, _), _| *origin != id);
            }
            Happening::Sent { fate: Fate::Corrupted, .. } => self.corrupted = true,
            Happening::Began { host, .. } => self.heard.retain(|(hearer, _, _), _| hearer != host),
            // It knows nobody any more, and so not what it has heard of them.
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
