//! What must be believed at a moment, and must still be believed at a later one.

use std::collections::BTreeMap;
use std::time::Duration;

use swim_core::{Claim, NodeId};

use super::{Broken, Check};
use crate::host::HostId;
use crate::scenario::{Expect, HeldStatus};
use crate::{Presence, World};

/// Whose table held what.
type Tables = BTreeMap<HostId, BTreeMap<NodeId, Claim>>;

/// What is to be looked at, the latest first.
pub(super) struct Moments {
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
    pub(super) fn new(expect: &Expect) -> Self {
        let mut due: Vec<(Duration, Look)> =
            expect.agree_at.iter().map(|at| (*at, Look::Agreement)).collect();
        due.extend(expect.views.iter().enumerate().map(|(place, views)| (views.at, Look::Views(place))));
        for (place, unchanged) in expect.unchanged.iter().enumerate() {
            due.extend([(unchanged.from, Look::Before(place)), (unchanged.until, Look::After(place))]);
        }
        due.sort_unstable_by(|a, b| b.cmp(a));
        Self { due, before: BTreeMap::new() }
    }

    /// Looks at everything that is due by now.
    pub(super) fn until(&mut self, expect: &Expect, world: &World, now: Duration, looked: &mut u64) -> Check {
        while let Some((_, look)) = self.due.pop_if(|(at, _)| *at <= now) {
            *looked += 1;
            match look {
                Look::Agreement => agreement(world, now)?,
                Look::Views(place) => {
                    let Some(views) = expect.views.get(place) else { continue };
                    believed(world, &views.by, &views.of, views.status, now)?;
                }
                Look::Before(place) => {
                    let by = expect.unchanged.get(place).map_or(&[][..], |unchanged| &unchanged.by);
                    self.before.insert(place, tables(world, by));
                }
                Look::After(place) => {
                    let Some(before) = self.before.remove(&place) else { continue };
                    unchanged(&before, &tables(world, &[]), now)?;
                }
            }
        }
        Ok(())
    }
}

/// What must hold when the trouble ends.
pub(super) fn at_the_end(expect: &Expect, world: &World) -> Check {
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
