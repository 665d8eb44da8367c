//! What must be true after a run, whatever happened in it.

use std::collections::BTreeMap;
use std::time::Duration;

use swim_core::{Event, Instant};
use swim_sim::{Death, HostId, Presence, World};

use crate::faults::Stage;

/// Periods within which all must agree after peace came.
const AGREED_WITHIN_PERIODS: u32 = 90;
/// Periods in which everything said has been said, and caches and health have settled.
const SETTLED_WITHIN_PERIODS: u32 = 90;
/// Periods over which the rest is measured.
const REST_PERIODS: u32 = 40;

/// What a run cost, and which kinds of events it saw how often.
#[derive(Clone, Default, Debug)]
pub(crate) struct Report {
    agreed_periods: f64,
    sent_at_rest: f64,
    pub(crate) seen: BTreeMap<String, u64>,
}

impl Report {
    /// The worst of two, and what both saw.
    pub(crate) fn add(&mut self, other: &Self) {
        self.agreed_periods = self.agreed_periods.max(other.agreed_periods);
        self.sent_at_rest = self.sent_at_rest.max(other.sent_at_rest);
        for (what, times) in &other.seen {
            *self.seen.entry(what.clone()).or_default() += times;
        }
    }
}

/// Kinds of events, by the first word of what they print.
fn seen(world: &World) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    for logged in world.hosts().flat_map(|host| world.log(host)) {
        let printed = format!("{:?}", logged.event);
        let word: String = printed.chars().take_while(|c| c.is_alphanumeric()).collect();
        *seen.entry(word).or_default() += 1;
    }
    seen
}

pub(crate) fn judge(stage: &mut Stage) -> Result<Report, String> {
    // Somebody may be the last to learn of a death, and only by probing the dead member itself.
    let limit = stage.periods(AGREED_WITHIN_PERIODS + 2 * stage.plan.hosts);
    let agreed = stage.world.run_until(limit, World::converged).map_err(|timeout| timeout.to_string())?;
    // Addresses of the forgotten are asked one by one before it is known that nobody is missed there.
    let rounds = if stage.plan.forgetful { 5 } else { 1 };
    stage.world.run_for(stage.periods(SETTLED_WITHIN_PERIODS * rounds));
    if !stage.world.converged() {
        let timeout = stage.world.run_until(Duration::ZERO, |_| false).expect_err("never true");
        return Err(format!("they agreed, and then no more: {timeout}"));
    }
    burials(stage)?;
    conflicts(stage)?;
    broadcasts(stage)?;
    metadata(stage)?;
    leftovers(stage)?;
    // What somebody still learns may stir one stretch of time, but not every one.
    let sent_at_rest = rest(stage).or_else(|_| rest(stage)).or_else(|_| rest(stage))?;
    let agreed_periods = agreed.as_secs_f64() / stage.config.period.as_secs_f64();
    Ok(Report { agreed_periods, sent_at_rest, seen: seen(&stage.world) })
}

fn up(world: &World) -> Vec<HostId> {
    world.hosts().filter(|host| world.presence(*host) == Presence::Up).collect()
}

/// Nobody who lived and could be reached was buried, but for what the faults explain.
fn burials(stage: &Stage) -> Result<(), String> {
    // At 40 % loss a probe of a living member fails in every fifth case, and so does its refutation. Where all
    // news ride on pings and acks, a refutation takes as long as a short suspicion.
    let bearable = if stage.plan.piggyback_only { 10 } else { 25 };
    if stage.plan.loss_per_cent > bearable {
        return Ok(());
    }
    let n = stage.plan.hosts;
    let decades = if n > 10 { f64::from(n).log10() } else { 1.0 };
    let longest =
        stage.config.period.mul_f64(f64::from(stage.config.alpha) * decades) * stage.config.beta.into();
    // Half as long again may be added by the observer's own doubt, and a few periods of waiting.
    let after = longest * 3 / 2 + stage.periods(10);
    let recent = |until: Instant, death: &Death| until.after(after) >= death.at && until > Instant::ORIGIN;
    let unexplained: Vec<&Death> = stage
        .world
        .false_deaths()
        .filter(|death| !recent(stage.cut_until, death))
        .filter(|death| {
            let subject = HostId(u32::try_from(death.subject.0 - 1).expect("named by their numbers"));
            let stopped = stage.stopped_until.get(&subject);
            death.truth != Some(Presence::Paused) && !stopped.is_some_and(|until| recent(*until, death))
        })
        .collect();
    if unexplained.is_empty() { Ok(()) } else { Err(format!("buried alive: {unexplained:#?}")) }
}

/// Names are unique here, so nobody ever sees a rival.
fn conflicts(stage: &Stage) -> Result<(), String> {
    for host in &stage.hosts {
        let rival =
            stage.world.log(*host).iter().find(|logged| matches!(logged.event, Event::Conflict { .. }));
        if let Some(logged) = rival {
            return Err(format!("{host:?} saw a rival: {logged:?}"));
        }
    }
    Ok(())
}

/// No broadcast is delivered twice in one life of a host.
fn broadcasts(stage: &Stage) -> Result<(), String> {
    for host in &stage.hosts {
        let mut heard = BTreeMap::new();
        for logged in stage.world.log(*host) {
            if let Event::Broadcast { payload, .. } = &logged.event {
                *heard.entry(payload).or_insert(0) += 1;
            }
        }
        let lives = 1 + stage.plan.faults;
        if let Some((payload, times)) = heard.iter().find(|(_, times)| **times > lives) {
            return Err(format!("{host:?} heard {payload:?} {times} times"));
        }
    }
    Ok(())
}

/// Everybody knows what everybody has attached to itself.
fn metadata(stage: &Stage) -> Result<(), String> {
    let world = &stage.world;
    for observer in up(world) {
        for subject in up(world) {
            let row = world.node(observer).and_then(|node| node.member(world.id(subject)));
            let said = stage.metadata.get(&subject).map_or(&[][..], Vec::as_slice);
            if row.map(|row| row.metadata) != Some(said) {
                return Err(format!("{observer:?} does not know the metadata of {subject:?}"));
            }
        }
    }
    Ok(())
}

/// No queue that never drains, no suspicion, no ill health, no lost event. Now and then somebody still learns
/// how somebody else went (Left, not Dead), and tells it: that passes.
fn leftovers(stage: &mut Stage) -> Result<(), String> {
    let left = |world: &World| {
        up(world).into_iter().find_map(|host| {
            let stats = world.node(host).expect("it is up").stats();
            let left = [stats.updates_queued, stats.broadcasts_queued, stats.suspect, stats.health.into()];
            let lost = [stats.events_lost, stats.clock_backwards];
            (left != [0; 4] || lost != [0; 2]).then(|| format!("{host:?} has left over {left:?}, {lost:?}"))
        })
    };
    let limit = stage.periods(20);
    let clean = stage.world.run_until(limit, |world| left(world).is_none());
    clean.map(drop).map_err(|_| left(&stage.world).unwrap_or_default())
}

/// At rest a member sends its probe and its answer, and nothing else but the contacts to the dead.
fn rest(stage: &mut Stage) -> Result<f64, String> {
    let sums = |world: &World| {
        let stats = up(world).into_iter().filter_map(|host| world.node(host)).map(swim_core::Node::stats);
        stats.fold([0, 0], |sums, stats| [sums[0] + stats.pages_asked, sums[1] + stats.heal_contacts])
    };
    let before = (stage.world.traffic().sent.datagrams, sums(&stage.world));
    stage.world.run_for(stage.periods(REST_PERIODS));
    let after = (stage.world.traffic().sent.datagrams, sums(&stage.world));
    let members = up(&stage.world);
    let pages = after.1[0] - before.1[0];
    if pages > 0 {
        return Err(format!("{pages} pages were asked for at rest: digests differ"));
    }
    // A contact to a seed is made of up to four attempts; all seeds live, so each is one ping.
    let contacts = after.1[1] - before.1[1];
    // A contact goes with a word about the dead one to somebody else.
    let sent = after.0 - before.0 - 2 * contacts;
    let each = sent as f64 / members.len() as f64 / f64::from(REST_PERIODS);
    if each > 2.1 {
        return Err(format!("{each} datagrams per member and period at rest"));
    }
    Ok(each)
}
