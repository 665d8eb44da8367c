//! Q8: in a healthy cluster a piece of news reaches everybody within a number of gossip rounds that grows with
//! log n.
//!
//! Two kinds of news are watched, which nobody but their subject can begin: what a member attaches to itself,
//! and a newcomer, from the moment when it reports that it has joined. News are told for D ticks, those in which
//! it grows by `gossip_fanout` + 1 each and those that the last take to say it as often as they say anything;
//! then, once in a while, one member has missed it, and the digests, compared on each ping, show that. The bound
//! is that of the news in `docs/protocol.md`'s detection bound: 2 D + 3 periods, and one direct timeout for each of
//! the two datagrams of a page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use swim_core::{Command, Event, Instant, NodeId};

use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::conditions::{Conditions, is_healthy};
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
    /// What each member attached to itself last.
    words: BTreeMap<HostId, Vec<u8>>,
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
            words: BTreeMap::new(),
            looked: 0,
        }
    }

    fn may_be_healthy(&self, scene: &Scene<'_>) -> bool {
        // Without digests there is nobody to tell those whom gossip missed.
        self.case.config.sync_interval_max.is_some()
            && self.conditions.is_calm(scene.now(), &self.case.config)
    }

    fn begin(&mut self, scene: &Scene<'_>, teller: HostId) {
        let config = &self.case.config;
        let hosts = scene.hosts().count() as u32;
        let bound = dissemination(config, hosts) * 2 + config.period * 3 + config.direct_timeout * 2;
        let others = scene.hosts().filter(|host| *host != teller && scene.presence(*host) == Presence::Up);
        let (now, others) = (scene.now(), others.collect());
        self.news.insert(scene.identity(teller).id, (now, now.after(bound), others));
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
                // Whoever lets it in knows before it has joined.
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
    "in a healthy cluster news reach everybody within a number of rounds logarithmic in its size" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        let calm = self.may_be_healthy(scene);
        let changed = self.conditions.changed();
        self.conditions.note(scene.now(), what);
        // The action that began a process is told after its beginning.
        let echo = matches!(what, Happening::Acted { .. }) && changed == scene.now();
        if self.conditions.calm_since().is_none() || (self.conditions.changed() != changed && !echo) {
            self.news.clear();
            self.newcomers.clear();
        }
        match what {
            Happening::Ended { host, .. } => {
                self.words.remove(host);
            }
            Happening::Began { host, .. } if calm => {
                self.newcomers.insert(*host, BTreeSet::new());
                self.unsure = Some(*host);
            }
            Happening::Commanded { host, command: Command::SetMetadata(metadata) } => {
                // What was said before is no news.
                let word = metadata.as_bytes().to_vec();
                let before = self.words.insert(*host, word.clone()).unwrap_or_default();
                if calm && word != before {
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
        let why = format!("{late:?} has not reported the news about {id:?} of {since:?} by {now:?}");
        Err(Broken::by(&[*late], why))
    }
}
