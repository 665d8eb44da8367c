//! E1: what a scenario says must hold in it, beyond the properties.
//!
//! A scenario's [`Expect`] is a list of sentences of a few kinds. Some are about a moment: they wait, sorted by
//! time, and are checked after the first input from then on. Some are about a stretch of time: they count, and
//! are checked when there is one too many, or when their time is over.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use swim_core::{Claim, Instant, NodeId};

use super::evidence::datagram::is_kind;
use super::{Broken, Case, Check, Monitor, declare};
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::scenario::{EventKind, Expect, HeldStatus, Reported};
use crate::{Presence, World};

/// E1.
pub(super) struct Expected {
    expect: Expect,
    /// When the trouble began, once it has.
    began: Option<Instant>,
    moments: Moments,
    counted: Counted,
    deaths_seen: usize,
    looked: u64,
}

impl Expected {
    /// `None`: the scenario expects nothing.
    pub(super) fn new(case: &Case) -> Option<Self> {
        let expect = case.scenario.expect.clone();
        if expect.is_default() {
            return None;
        }
        let (moments, counted) = (Moments::new(&expect), Counted::new(&expect));
        Some(Self { expect, began: None, moments, counted, deaths_seen: 0, looked: 0 })
    }

    /// How long the trouble has lasted.
    fn elapsed(&self, now: Instant) -> Option<Duration> {
        self.began.map(|began| now.since(began))
    }

    /// Deaths that were new in the last input.
    fn check_deaths(&mut self, world: &World) -> Check {
        let deaths = world.deaths();
        let new = deaths.get(self.deaths_seen..).unwrap_or_default();
        self.deaths_seen = deaths.len();
        for death in new {
            self.looked += 1;
            let runs = matches!(death.truth, Some(Presence::Up | Presence::Paused)) && !death.earlier_epoch;
            let excepted = |host: &HostId| world.id(*host) == death.subject;
            if !runs || self.expect.may_be_dead.iter().any(excepted) {
                continue;
            }
            let (observer, subject, by) = (death.observer, death.subject, death.by);
            let why = format!(
                "{observer:?} calls {subject:?} Dead because {by:?} does; no living member was to be called so"
            );
            return Err(Broken::by(&[observer], why));
        }
        Ok(())
    }
}

impl Monitor for Expected {
    declare! { "E1", "expected", SENT | REPORTED | AFTER_INPUT,
    "what a scenario says of itself comes true" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        if let Happening::Entered { phase: Phase::Trouble } = what {
            self.began = Some(scene.now());
        }
        let Some(elapsed) = self.elapsed(scene.now()) else { return Ok(()) };
        self.counted.on_happening(&self.expect, scene, elapsed, what, &mut self.looked)
    }

    fn after_input(&mut self, world: &World, _: HostId) -> Check {
        if self.expect.nobody_dead {
            self.check_deaths(world)?;
        }
        let Some(elapsed) = self.elapsed(world.now()) else { return Ok(()) };
        self.moments.until(&self.expect, world, elapsed, &mut self.looked)
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        let Some(elapsed) = self.elapsed(world.now()) else { return Ok(()) };
        self.moments.until(&self.expect, world, elapsed, &mut self.looked)?;
        if phase == Phase::Trouble {
            self.looked += 1;
            at_the_end(&self.expect, world)?;
        }
        let elapsed = if phase == Phase::Rest { Duration::MAX } else { elapsed };
        self.counted.enough(elapsed)
    }
}

/// How often each has happened so far.
struct Counted {
    reported: Vec<Count>,
    sent: Vec<Count>,
}

/// What a sentence counts, when it counts, and how often that must be at least and at most.
struct Count {
    sentence: String,
    within: (Duration, Duration),
    limits: (u64, u64),
    count: u64,
}

impl Count {
    fn new(
        sentence: &dyn Display,
        (from, until): (Duration, Option<Duration>),
        (least, most): (Option<u64>, Option<u64>),
    ) -> Self {
        let within = (from, until.unwrap_or(Duration::MAX));
        let limits = (least.unwrap_or(0), most.unwrap_or(u64::MAX));
        Self { sentence: sentence.to_string(), within, limits, count: 0 }
    }

    /// Once more, at this time, by `host`, which does something.
    fn add(&mut self, now: Duration, looked: &mut u64, host: HostId, does: impl FnOnce() -> String) -> Check {
        if now < self.within.0 || now > self.within.1 {
            return Ok(());
        }
        self.count += 1;
        *looked += 1;
        if self.count <= self.limits.1 {
            return Ok(());
        }
        let why = format!("{host:?} {}, once more than was expected of {}", does(), self.sentence);
        Err(Broken::by(&[host], why))
    }
}

/// What an event says, about which member, and which member said so.
struct Saying {
    kind: EventKind,
    /// `None`: about the node itself.
    of: Option<NodeId>,
    by: Option<NodeId>,
}

impl Counted {
    fn new(expect: &Expect) -> Self {
        let reported = expect.events.iter();
        let reported = reported.map(|it| Count::new(it, (it.from, it.until), (it.at_least, it.at_most)));
        let sent = expect.sent.iter();
        let sent = sent.map(|it| Count::new(it, (it.from, it.until), (it.at_least, it.at_most)));
        Self { reported: reported.collect(), sent: sent.collect() }
    }

    fn on_happening(
        &mut self,
        expect: &Expect,
        scene: &Scene<'_>,
        now: Duration,
        what: &Happening<'_>,
        looked: &mut u64,
    ) -> Check {
        match what {
            Happening::Reported { host, event } if !expect.events.is_empty() => {
                let Some((kind, of, by)) = EventKind::of(event) else { return Ok(()) };
                let saying = Saying { kind, of, by };
                for (reported, count) in expect.events.iter().zip(&mut self.reported) {
                    if saying.is(reported, scene, *host) {
                        count.add(now, looked, *host, || format!("reports {event:?}"))?;
                    }
                }
            }
            Happening::Sent { host, target, bytes, .. } => {
                for (sent, count) in expect.sent.iter().zip(&mut self.sent) {
                    let is_meant = (sent.by.is_empty() || sent.by.contains(host))
                        && sent.to.is_none_or(|to| to == *target)
                        && sent.kind.is_none_or(|kind| is_kind(bytes, kind));
                    if is_meant {
                        count.add(now, looked, *host, || format!("sends to {target}"))?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether everything whose time is over happened often enough.
    fn enough(&self, now: Duration) -> Check {
        let mut all = self.reported.iter().chain(&self.sent);
        let rare = all.find(|count| count.within.1 <= now && count.count < count.limits.0);
        rare.map_or(Ok(()), |Count { count, sentence, .. }| {
            Err(Broken::by(&[], format!("{count} times is too rare: expected {sentence}")))
        })
    }
}

impl Saying {
    /// Whether it is what `reported` counts, when `host` is reported it.
    fn is(&self, reported: &Reported, scene: &Scene<'_>, host: HostId) -> bool {
        let named =
            |id: NodeId, hosts: &[HostId]| scene.hosts_named(id).iter().any(|host| hosts.contains(host));
        let is_of = match self.of {
            Some(id) => named(id, &reported.of),
            None => reported.of.contains(&host),
        };
        self.kind == reported.what
            && (reported.of.is_empty() || is_of)
            && (reported.by.is_empty() || self.by.is_some_and(|id| named(id, &reported.by)))
            && (reported.at.is_empty() || reported.at.contains(&host))
    }
}

/// Whose table held what.
type Tables = BTreeMap<HostId, BTreeMap<NodeId, Claim>>;

/// What is to be looked at, the latest first.
struct Moments {
    due: Vec<(Duration, Look)>,
    /// For each stretch of no change: what was believed when it began.
    before: BTreeMap<usize, Tables>,
}

/// What is looked at; the number is its place in the list of its kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Look {
    Agreement,
    Views(usize),
    Before(usize),
    After(usize),
}

impl Moments {
    fn new(expect: &Expect) -> Self {
        let mut due: Vec<(Duration, Look)> =
            expect.agree_at.iter().map(|at| (*at, Look::Agreement)).collect();
        due.extend(expect.views.iter().enumerate().map(|(index, views)| (views.at, Look::Views(index))));
        for (index, unchanged) in expect.unchanged.iter().enumerate() {
            due.extend([(unchanged.from, Look::Before(index)), (unchanged.until, Look::After(index))]);
        }
        due.sort_unstable_by(|a, b| b.cmp(a));
        Self { due, before: BTreeMap::new() }
    }

    /// Looks at everything that is due by now.
    fn until(&mut self, expect: &Expect, world: &World, now: Duration, looked: &mut u64) -> Check {
        while let Some((_, look)) = self.due.pop_if(|(at, _)| *at <= now) {
            *looked += 1;
            match look {
                Look::Agreement => agreement(world, now)?,
                Look::Views(index) => {
                    let Some(views) = expect.views.get(index) else { continue };
                    believed(world, &views.by, &views.of, views.status, now)?;
                }
                Look::Before(index) => {
                    let by = expect.unchanged.get(index).map_or(&[][..], |unchanged| &unchanged.by);
                    self.before.insert(index, tables(world, by));
                }
                Look::After(index) => {
                    let Some(before) = self.before.remove(&index) else { continue };
                    unchanged(&before, &tables(world, &[]), now)?;
                }
            }
        }
        Ok(())
    }
}

/// What must hold when the trouble ends.
fn at_the_end(expect: &Expect, world: &World) -> Check {
    let now = Duration::MAX;
    believed(world, &[], &expect.dead, HeldStatus::Dead, now)?;
    believed(world, &[], &expect.alive, HeldStatus::Alive, now)
}

fn moment(now: Duration) -> String {
    if now == Duration::MAX {
        "at the end of the trouble".into()
    } else {
        format!("{now:?} into the trouble")
    }
}

fn agreement(world: &World, now: Duration) -> Check {
    if world.converged() {
        return Ok(());
    }
    let (hosts, views) = world.wrong_views();
    Err(Broken::by(&hosts, format!("{} not all agree:\n{views}", moment(now))))
}

fn believed(world: &World, by: &[HostId], of: &[HostId], status: HeldStatus, now: Duration) -> Check {
    for observer in running(world, by) {
        for subject in of.iter().copied().filter(|subject| world.id(*subject) != world.id(observer)) {
            let held = world.believes(observer, subject);
            if !status.is(held) {
                let when = moment(now);
                let why = format!("{when} {observer:?} holds {subject:?} {held:?}, not {status:?}");
                return Err(Broken::by(&[observer, subject], why));
            }
        }
    }
    Ok(())
}

fn unchanged(before: &Tables, after: &Tables, now: Duration) -> Check {
    for (host, was) in before {
        let Some(is) = after.get(host) else { continue };
        let ids = was.keys().chain(is.keys());
        if let Some(id) = ids.into_iter().find(|id| was.get(id) != is.get(id)) {
            let (was, is, when) = (was.get(id), is.get(id), moment(now));
            return Err(Broken::by(&[*host], format!("{when} {host:?} holds {id:?} {is:?}, not {was:?}")));
        }
    }
    Ok(())
}

fn tables(world: &World, by: &[HostId]) -> Tables {
    let table = |host| {
        let node = world.node(host)?;
        Some((host, node.members().map(|row| (row.id, row.claim())).collect()))
    };
    running(world, by).filter_map(table).collect()
}

/// Those of `by` that run; all that do if there is none.
fn running(world: &World, by: &[HostId]) -> impl Iterator<Item = HostId> {
    let runs = |host: &HostId| world.presence(*host) == Presence::Up && (by.is_empty() || by.contains(host));
    world.hosts().filter(runs)
}

#[cfg(test)]
mod tests;
