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

use super::awaited::news;
use super::measures::Ledger;
use super::weather::Weather;
use super::{Broken, Case, Check, Invariant, Law};
use crate::evidence::{Happening, Scene};
use crate::host::HostId;
use crate::{Presence, World};

/// Q8.
pub(super) struct Dissemination {
    case: Case,
    ledger: Arc<Ledger>,
    weather: Weather,
    /// By subject: since when, until when, and who has not heard of it yet.
    news: BTreeMap<NodeId, (Instant, Instant, BTreeSet<HostId>)>,
    /// Who began in fair weather and has not joined yet.
    newcomers: BTreeSet<HostId>,
    looked: u64,
}

impl Dissemination {
    pub(super) fn new(case: &Case, ledger: Arc<Ledger>) -> Self {
        let (weather, news, newcomers) = (Weather::new(), BTreeMap::new(), BTreeSet::new());
        Self { case: case.clone(), ledger, weather, news, newcomers, looked: 0 }
    }

    fn is_fair(&self, scene: &Scene<'_>) -> bool {
        // Without digests there is nobody to tell those whom gossip missed.
        self.case.config.sync_interval_max.is_some()
            && self.weather.is_fair(scene.now(), &self.case.config, scene.hosts().count() as u32)
    }

    fn begin(&mut self, scene: &Scene<'_>, teller: HostId, deaf: &BTreeSet<HostId>) {
        let config = &self.case.config;
        let hosts = scene.hosts().count() as u32;
        let bound = news(config, hosts) * 2 + config.period * 3 + config.direct_timeout * 2;
        let others = scene.hosts().filter(|host| *host != teller && scene.presence(*host) == Presence::Up);
        let others = others.filter(|host| !deaf.contains(host)).collect();
        let now = scene.now();
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
                if self.newcomers.remove(&host) && self.weather.calm_since().is_some() {
                    // Whoever let it in knows already; whoever else heard first does too, by then.
                    self.begin(scene, host, &BTreeSet::new());
                }
            }
            Event::Updated { id, .. } | Event::Alive { id, .. } => self.hear(scene.now(), host, *id),
            _ => {}
        }
    }
}

impl Invariant for Dissemination {
    fn law(&self) -> Law {
        Law {
            number: "Q8",
            name: "dissemination",
            says: "in a healthy cluster news reach everybody within a number of rounds logarithmic in its size",
        }
    }

    fn looked(&self) -> u64 {
        self.looked
    }

    fn see(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Began { host, .. } if self.is_fair(scene) => {
                self.newcomers.insert(*host);
            }
            Happening::Commanded { host, command: Command::SetMetadata(_) } => {
                if self.is_fair(scene) {
                    self.begin(scene, *host, &BTreeSet::new());
                }
            }
            Happening::Reported { host, event } => self.report(scene, *host, event),
            _ => {}
        }
        let changed = self.weather.changed();
        self.weather.note(scene.now(), what);
        let began = matches!(what, Happening::Began { .. } | Happening::Acted { .. });
        if self.weather.changed() != changed || self.weather.calm_since().is_none() {
            self.news.clear();
            if !began || self.weather.calm_since().is_none() {
                self.newcomers.clear();
            }
        }
        Ok(())
    }

    fn settled(&mut self, world: &World, _host: HostId) -> Check {
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
