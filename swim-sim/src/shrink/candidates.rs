//! The ways in which a scenario can be simpler.
//!
//! Each pass gives, for a scenario and a index, the candidate at that index, or `None` when there are no more.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Link;
use crate::host_id::HostId;
use crate::scenario::{Profile, Scenario, Settings};

/// One way.
pub(super) type Pass = fn(&Scenario, usize) -> Option<Scenario>;

/// All ways, those that take away most first.
pub(super) const PASSES: &[Pass] = &[
    expectations,
    halves_of_steps,
    eighths_of_steps,
    pairs_of_steps,
    single_steps,
    hosts,
    unused_hosts,
    fewer_hosts,
    small_by_other_seeds,
    plainer,
    links,
    options,
    actions,
    gaps,
    times,
];

fn without_steps(scenario: &Scenario, from: usize, count: usize) -> Option<Scenario> {
    let mut candidate = scenario.clone();
    let end = (from + count).min(candidate.steps.len());
    if from >= end {
        return None;
    }
    candidate.steps.drain(from..end);
    Some(candidate)
}

fn halves_of_steps(scenario: &Scenario, index: usize) -> Option<Scenario> {
    let half = scenario.steps.len() / 2;
    if half < 8 || index > 1 { None } else { without_steps(scenario, index * half, half) }
}

fn eighths_of_steps(scenario: &Scenario, index: usize) -> Option<Scenario> {
    let eighth = (scenario.steps.len() / 8).max(2);
    without_steps(scenario, index * eighth, eighth)
}

/// A fault and what ends it.
fn pairs_of_steps(scenario: &Scenario, index: usize) -> Option<Scenario> {
    let begin = scenario.steps.get(index)?;
    let mut candidate = scenario.clone();
    if let Some(end) = begin.action.ended_by()
        && let Some(found) = scenario.steps[index + 1..].iter().position(|step| step.action == end)
    {
        candidate.steps.remove(index + 1 + found);
    }
    candidate.steps.remove(index);
    Some(candidate)
}

fn single_steps(scenario: &Scenario, index: usize) -> Option<Scenario> {
    without_steps(scenario, index, 1)
}

/// One host less, and nothing that is done to it.
fn hosts(scenario: &Scenario, index: usize) -> Option<Scenario> {
    let gone = HostId(scenario.hosts.checked_sub(1 + u32::try_from(index).ok()?)?);
    (scenario.hosts > 2).then(|| without_hosts(scenario, |host| host == gone))
}

/// The hosts that no step names, the last first.
fn unnamed(scenario: &Scenario) -> Vec<HostId> {
    let used: Vec<HostId> = scenario.steps.iter().flat_map(|step| step.action.hosts()).collect();
    (0..scenario.hosts).rev().map(HostId).filter(|host| !used.contains(host)).collect()
}

/// Half of the hosts that nothing is done to.
fn unused_hosts(scenario: &Scenario, index: usize) -> Option<Scenario> {
    let unused = unnamed(scenario);
    let half = unused.len().div_ceil(2);
    if half == 0 || index > 0 || scenario.hosts <= 2 {
        return None;
    }
    Some(without_hosts(scenario, |host| unused[..half].contains(&host)))
}

/// Half of all hosts.
fn fewer_hosts(scenario: &Scenario, index: usize) -> Option<Scenario> {
    let half = scenario.hosts / 2;
    (index == 0 && half >= 2)
        .then(|| without_hosts(scenario, |host| host.0 >= half && host.0 < scenario.hosts))
}

/// Hosts that a small cluster has, and other seeds that are tried for one.
const SMALL: u32 = 8;
const SEEDS: usize = 24;

/// A small cluster, or half of the hosts that nothing is done to, drawn from another seed: what took a rare
/// coincidence among many hosts takes another among few.
fn small_by_other_seeds(scenario: &Scenario, index: usize) -> Option<Scenario> {
    if scenario.hosts <= SMALL || index >= 2 * SEEDS {
        return None;
    }
    let count = if index.is_multiple_of(2) { scenario.hosts - SMALL } else { scenario.hosts.div_ceil(2) };
    let unused = unnamed(scenario);
    let gone = &unused[..unused.len().min(usize::try_from(count).ok()?)];
    let seed = scenario.seed.wrapping_add(1 + index as u64 / 2);
    Some(Scenario { seed, ..without_hosts(scenario, |host| gone.contains(&host)) })
}

/// Without some of the hosts; those behind them move up.
fn without_hosts(scenario: &Scenario, gone: impl Fn(HostId) -> bool) -> Scenario {
    let mut candidate = scenario.clone();
    let mut names = BTreeMap::new();
    let most = scenario.hosts + u32::try_from(scenario.steps.len()).unwrap_or(u32::MAX);
    for host in (0..most).map(HostId).filter(|host| !gone(*host)) {
        names.insert(host, HostId(u32::try_from(names.len()).expect("fewer than there were")));
    }
    let gone_before = (0..scenario.hosts).map(HostId).filter(|host| gone(*host)).count();
    candidate.hosts -= u32::try_from(gone_before).expect("no more than there were");
    candidate.seeds = candidate.seeds.min(candidate.hosts);
    candidate.absent = scenario.absent.iter().filter_map(|host| names.get(host).copied()).collect();
    let keep = |host: HostId| names.get(&host).copied();
    candidate.steps = scenario
        .steps
        .iter()
        .filter_map(|step| Some(crate::scenario::Step { at: step.at, action: step.action.renamed(&keep)? }))
        .collect();
    candidate.expect = scenario.expect.renamed(&keep);
    candidate
}

/// The plainest value of everything that has one.
fn plainer(scenario: &Scenario, index: usize) -> Option<Scenario> {
    let mut candidate = scenario.clone();
    match index {
        0 => candidate.link = Link::lan(),
        1 => candidate.options = Settings::default(),
        2 => candidate.profile = Profile::Lan,
        3 => candidate.absent.clear(),
        4 => candidate.seeds = 1,
        5 => candidate.trouble = None,
        _ => return None,
    }
    Some(candidate)
}

/// One fault of the link less.
fn links(scenario: &Scenario, index: usize) -> Option<Scenario> {
    let link = *scenario.link.plainer().get(index)?;
    Some(Scenario { link, ..scenario.clone() })
}

/// One option less.
fn options(scenario: &Scenario, index: usize) -> Option<Scenario> {
    let name = scenario.options.0.keys().nth(index)?.clone();
    let mut candidate = scenario.clone();
    candidate.options.0.remove(&name);
    Some(candidate)
}

/// One expectation less.
fn expectations(scenario: &Scenario, index: usize) -> Option<Scenario> {
    let expect = scenario.expect.with_less().into_iter().nth(index)?;
    Some(Scenario { expect, ..scenario.clone() })
}

/// Less time between two steps, or before the first, or after the last: none, or half of it. All that comes
/// later comes so much earlier.
fn gaps(scenario: &Scenario, index: usize) -> Option<Scenario> {
    let mut times: Vec<Duration> = scenario.steps.iter().map(|step| step.at).collect();
    times.extend([Duration::ZERO, scenario.trouble()]);
    times.sort_unstable();
    times.dedup();
    let (number, whole) = (index / 2, index.is_multiple_of(2));
    let (begin, end) = (*times.get(number)?, *times.get(number + 1)?);
    let gap = end - begin;
    let less = if whole { gap } else { Duration::from_millis(u64::try_from(gap.as_millis()).ok()? / 2) };
    let earlier = |at: Duration| if at >= end { at - less } else { at.min(end - less) };
    let mut candidate = scenario.clone();
    candidate.steps.iter_mut().for_each(|step| step.at = earlier(step.at));
    candidate.trouble = scenario.trouble.map(earlier);
    candidate.expect = scenario.expect.retimed(&earlier);
    Some(candidate)
}

/// Rounder times: whole seconds, then tenths.
fn times(scenario: &Scenario, index: usize) -> Option<Scenario> {
    let (number, unit) = (index / 2, [1_000_u64, 100][index % 2]);
    let round = |at: Duration| Some(Duration::from_millis(u64::try_from(at.as_millis()).ok()? / unit * unit));
    let mut candidate = scenario.clone();
    match candidate.steps.get_mut(number) {
        Some(step) => step.at = round(step.at)?,
        None if number == scenario.steps.len() => candidate.trouble = scenario.trouble.and_then(round),
        None => return None,
    }
    Some(candidate)
}

/// One step in a simpler form.
fn actions(scenario: &Scenario, index: usize) -> Option<Scenario> {
    let forms = |step: &crate::scenario::Step| step.action.simpler();
    let (number, action) = scenario
        .steps
        .iter()
        .enumerate()
        .flat_map(|(number, step)| forms(step).into_iter().map(move |form| (number, form)))
        .nth(index)?;
    let mut candidate = scenario.clone();
    candidate.steps[number].action = action;
    Some(candidate)
}
