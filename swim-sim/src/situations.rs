//! Situations in which ablations are measured, and what is measured.
//!
//! Runs with and without a rule have the same seed, so the same members crash at the same times; what differs is
//! what the rule does. Nothing is checked here: a run goes on whatever property breaks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use swim_core::{Command, Event, Instant, NodeId};

use crate::action::Action;
use crate::host::HostId;
use crate::run::Conduct;
use crate::scenario::{Scenario, ScenarioError, Step};
use crate::{
    Burst, Happening, Inbox, Latency, Link, PER_CENT, Presence, Random, Scene, Setup, Watcher, World,
};

/// What is measured, and in which unit.
pub const MEASURES: [&str; 8] = [
    "false deaths",
    "false suspicions",
    "first detection, s",
    "last detection, s",
    "dissemination, s",
    "datagrams/s",
    "bytes/s",
    "convergence, s",
];

/// A value for each measure; `None`: the run had nothing to measure.
pub type Measured = [Option<f64>; MEASURES.len()];

/// Their names, in the order of the tables.
pub const SITUATIONS: [&str; 12] = [
    "10 % loss",
    "25 % loss",
    "40 % loss",
    "bursts of loss",
    "slow links",
    "three members",
    "partition",
    "restarts",
    "pauses",
    "one-way links",
    "mass join",
    "churn",
];

const HOSTS: u32 = 24;
const JOINING: u32 = 57;
/// The purpose of the random numbers that situations are drawn from.
const PURPOSE: u64 = 104;
/// A cluster that does not agree within this time never will.
const CONVERGED_WITHIN: Duration = Duration::from_secs(300);

/// A situation by its name, as the seed draws it.
#[must_use]
pub fn situation(name: &str, seed: u64) -> Scenario {
    let mut drawn = Drawn { random: Random::new(seed, PURPOSE, 0), steps: Vec::new() };
    let mut scenario = Scenario::calm(seed, HOSTS);
    match name {
        "10 % loss" | "25 % loss" | "40 % loss" => {
            let percent: u32 = name[..2].parse().expect("the name begins with a number");
            scenario.link = Link::lan().loss(percent * PER_CENT);
            drawn.crash_and_news();
        }
        "bursts of loss" => {
            let burst = Burst { begin_ppm: 20_000, end_ppm: 100_000, loss_ppm: 900_000 };
            scenario.link = Link::lan().burst(burst);
            drawn.crash_and_news();
        }
        "slow links" => {
            let (min, max) = (Duration::from_millis(50), Duration::from_millis(150));
            scenario.link = Link::lan().latency(Latency::Uniform { min, max }).loss(10 * PER_CENT);
            drawn.crash_and_news();
        }
        "three members" => {
            scenario.hosts = 3;
            scenario.seeds = 1;
            scenario.link = Link::lan().loss(25 * PER_CENT);
            drawn.at(50, Action::Crash(HostId(2)));
            drawn.at(100, Action::Peace);
        }
        "partition" => {
            drawn.at(0, Action::Partition(vec![(0..HOSTS / 2).map(HostId).collect()]));
            drawn.at(100, Action::Heal);
        }
        "restarts" => (0..10).for_each(|turn| {
            let host = drawn.host();
            drawn.at(turn * 10, Action::Crash(host));
            drawn.at(turn * 10 + 3, Action::Restart(host));
        }),
        "pauses" => {
            drawn.crash_and_news();
            for turn in 0..32 {
                let (host, seconds) = (drawn.host(), 1 + drawn.random.below(8));
                let inbox = if turn % 2 == 0 { Inbox::Kept } else { Inbox::Dropped };
                drawn.at(turn * 3, Action::Pause { host, inbox });
                drawn.at(turn * 3 + seconds, Action::Resume(host));
            }
        }
        "one-way links" => {
            drawn.one_way_links();
            drawn.crash_and_news();
        }
        "mass join" => {
            scenario.hosts = scenario.seeds;
            let seeds: Vec<_> = (0..scenario.seeds).map(|seed| World::birthplace(HostId(seed))).collect();
            (0..JOINING).for_each(|_| drawn.at(0, Action::Start { like: HostId(0), seeds: seeds.clone() }));
        }
        _ => {
            scenario.link = Link::lan().loss(3 * PER_CENT);
            drawn.churn();
        }
    }
    scenario.steps = drawn.steps;
    scenario
}

struct Drawn {
    random: Random,
    steps: Vec<Step>,
}

impl Drawn {
    /// Links that let nothing pass in one direction, and a member that receives nothing for a while.
    fn one_way_links(&mut self) {
        let all = || (0..HOSTS).map(HostId);
        for (source, target) in all().flat_map(|source| all().map(move |target| (source, target))) {
            if source != target && self.random.chance(15 * PER_CENT) {
                self.at(0, Action::Cut { source, target });
            }
        }
        let isolated = self.host();
        all().filter(|source| *source != isolated).for_each(|source| {
            self.at(30, Action::Cut { source, target: isolated });
            self.at(55, Action::Uncut { source, target: isolated });
        });
    }

    /// Members leave, crash, restart and join at random.
    fn churn(&mut self) {
        for turn in 0..33 {
            let host = self.host();
            let action = match self.random.below(4) {
                0 => Action::Leave(host),
                1 => Action::Start { like: HostId(0), seeds: vec![World::birthplace(HostId(0))] },
                2 => Action::Restart(host),
                _ => Action::Crash(host),
            };
            self.at(turn * 3, action);
        }
    }

    fn at(&mut self, second: u64, action: Action) {
        self.steps.push(Step { at: Duration::from_secs(second), action });
    }

    /// Any host but the seeds.
    fn host(&mut self) -> HostId {
        HostId(3 + self.random.below(u64::from(HOSTS) - 3) as u32)
    }

    /// A hundred seconds with one crash and five changes of metadata.
    fn crash_and_news(&mut self) {
        let crashed = self.host();
        self.at(35, Action::Crash(crashed));
        for turn in 0..5 {
            let host = HostId(turn * 4);
            let text = format!("version {turn}");
            self.at(u64::from(turn) * 20, Action::SetMetadata { host, text });
        }
        self.at(100, Action::Peace);
    }
}

/// Carries `scenario` out and measures it.
///
/// # Errors
/// It cannot be carried out.
pub fn measure(scenario: &Scenario) -> Result<Measured, ScenarioError> {
    scenario.check()?;
    crate::mutants::choose(scenario.mutant.as_deref()).map_err(ScenarioError)?;
    let config = scenario.config()?;
    let mut world = World::with(Setup::new(scenario.seed));
    let log = Arc::new(Mutex::new(Log::default()));
    world.attach(Arc::clone(&log));
    let Ok(()) = world.gather(scenario, &config);
    let (began, before) = (world.now(), *world.traffic());
    let Ok(()) = world.trouble(scenario);
    scenario.make_peace(&mut world);
    let agreed = world.run_until(CONVERGED_WITHIN, World::converged).unwrap_or(CONVERGED_WITHIN);
    let seconds = world.now().since(began).as_secs_f64() * world.hosts().count() as f64;
    let sent = world.traffic().sent;

    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
    let wrong = world.deaths().iter().filter(|death| {
        let reachable = !log.unreachable.contains(&(death.at, death.observer, death.subject));
        death.truth == Some(Presence::Up) && !death.earlier_epoch && reachable
    });
    Ok([
        Some(wrong.count() as f64),
        Some(log.false_suspicions as f64),
        mean(log.crashes.iter().filter_map(|crash| crash.first)),
        mean(log.crashes.iter().filter_map(|crash| crash.last)),
        mean(log.news.values().map(|news| news.last)),
        Some((sent.datagrams - before.sent.datagrams) as f64 / seconds),
        Some((sent.bytes - before.sent.bytes) as f64 / seconds),
        Some(agreed.as_secs_f64()),
    ])
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0_u32, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}

/// What members report, against what is true.
#[derive(Default)]
struct Log {
    false_suspicions: u64,
    /// When which observer declared a member dead that could not receive anything from it.
    unreachable: BTreeSet<(Instant, HostId, NodeId)>,
    crashes: Vec<Crash>,
    news: BTreeMap<NodeId, News>,
}

/// A crash, and how many seconds later the first and the last member declared the member dead.
struct Crash {
    id: NodeId,
    at: Instant,
    over: bool,
    first: Option<f64>,
    last: Option<f64>,
}

/// A change of metadata, and how many seconds later the last member reported it.
struct News {
    at: Instant,
    waiting: BTreeSet<HostId>,
    last: f64,
}

impl Watcher for Log {
    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        let now = scene.now();
        match what {
            Happening::Ended { host, presence: Presence::Crashed } => {
                let id = scene.identity(*host).id;
                self.crashes.push(Crash { id, at: now, over: false, first: None, last: None });
            }
            Happening::Began { me, .. } => {
                self.crashes.iter_mut().filter(|crash| crash.id == me.id).for_each(|crash| crash.over = true);
            }
            Happening::Commanded { host, command: Command::SetMetadata(_) } => {
                let waiting = scene.hosts().filter(|other| {
                    other != host && scene.presence(*other) == Presence::Up && scene.connected(*host, *other)
                });
                let news = News { at: now, waiting: waiting.collect(), last: 0.0 };
                self.news.insert(scene.identity(*host).id, news);
            }
            Happening::Reported { host, event } => self.report(scene, *host, event),
            _ => {}
        }
    }
}

impl Log {
    fn report(&mut self, scene: &Scene<'_>, host: HostId, event: &Event) {
        let now = scene.now();
        match event {
            Event::Suspect { id, by, .. } if *by == scene.identity(host).id => {
                let subject = scene.host_named(*id);
                self.false_suspicions +=
                    u64::from(subject.is_some_and(|subject| scene.presence(subject) == Presence::Up));
            }
            Event::Dead { id, .. } => {
                if scene.host_named(*id).is_some_and(|subject| !scene.network().passes(host, subject)) {
                    self.unreachable.insert((now, host, *id));
                }
                for crash in self.crashes.iter_mut().filter(|crash| crash.id == *id && !crash.over) {
                    let took = now.since(crash.at).as_secs_f64();
                    crash.first.get_or_insert(took);
                    crash.last = Some(took);
                }
            }
            Event::Updated { id, .. } => {
                if let Some(news) = self.news.get_mut(id)
                    && news.waiting.remove(&host)
                {
                    news.last = now.since(news.at).as_secs_f64();
                }
            }
            _ => {}
        }
    }
}
