//! All properties over one run: the first that is broken ends it.

use super::evidence::datagram::{Reading, Tokens};
use super::evidence::probes::Probes;
use super::evidence::tables::Tables;
use super::monitor::{AFTER_INPUT, KINDS, kind_of, kind_of_reading};
use super::{Case, Check, Interest, Monitor, Property, Violation, standard};
use crate::World;
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::world::Watcher;

/// Watches a run with every monitor of [`standard`](super::standard).
pub struct Checker {
    monitors: Monitors,
    tables: Tables,
    probes: Probes,
    tokens: Tokens,
}

/// The monitors, by what they are interested in, and what the first of them found.
struct Monitors {
    all: Vec<Box<dyn Monitor>>,
    /// For each kind of frequent happenings, the indices of those interested in it; at last all.
    interested: [Vec<usize>; KINDS + 1],
    violation: Option<Violation>,
}

impl Monitors {
    fn new(all: Vec<Box<dyn Monitor>>, interest: impl Fn(&dyn Monitor) -> Interest) -> Self {
        let interest: Vec<Interest> = all.iter().map(|monitor| interest(monitor.as_ref())).collect();
        let interested = std::array::from_fn(|number| {
            let is_interested = |index: &usize| number == KINDS || interest[*index] & (1 << number) != 0;
            (0..all.len()).filter(is_interested).collect()
        });
        Self { all, interested, violation: None }
    }

    /// Asks those interested in this one kind, or all, until one finds its property broken.
    fn ask(
        &mut self,
        scene: &Scene<'_>,
        kind: Option<Interest>,
        mut ask: impl FnMut(&mut dyn Monitor) -> Check,
    ) {
        let Self { all, interested, violation } = self;
        if violation.is_some() {
            return;
        }
        for index in &interested[kind.map_or(KINDS, |kind| kind.trailing_zeros() as usize)] {
            let monitor = &mut all[*index];
            if let Err(broken) = ask(monitor.as_mut()) {
                let (at, phase) = (scene.now(), scene.phase());
                *violation = Some(Violation { property: monitor.property(), at, phase, broken });
                return;
            }
        }
    }
}

impl Checker {
    /// For one run.
    #[must_use]
    pub fn new(case: &Case) -> Self {
        Self::of(standard(case))
    }

    /// With these monitors only.
    pub(super) fn of(monitors: Vec<Box<dyn Monitor>>) -> Self {
        Self::with(Monitors::new(monitors, |monitor| monitor.interest()))
    }

    fn with(monitors: Monitors) -> Self {
        let (tables, probes, tokens) = Default::default();
        Self { monitors, tables, probes, tokens }
    }

    /// The first broken property.
    #[must_use]
    pub const fn violation(&self) -> Option<&Violation> {
        self.monitors.violation.as_ref()
    }

    /// How often each property had something to check.
    #[must_use]
    pub fn looked(&self) -> Vec<(Property, u64)> {
        self.monitors.all.iter().map(|monitor| (monitor.property(), monitor.looked())).collect()
    }

    /// A part of the run is over.
    pub fn after_phase(&mut self, world: &World, phase: Phase) {
        let scene = world.scene();
        for host in world.hosts() {
            let changes = self.tables.compare_all(world, host);
            if !changes.is_empty() {
                self.monitors.ask(&scene, None, |monitor| monitor.on_rows_changed(world, host, changes));
            }
        }
        self.monitors.ask(&scene, None, |monitor| monitor.after_phase(world, phase));
    }
}

impl Watcher for Checker {
    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        if self.violation().is_some() {
            return;
        }
        self.tables.on_happening(what);
        self.probes.on_happening(scene, what);
        self.monitors.ask(scene, kind_of(what), |monitor| monitor.on_happening(scene, what));
        let (Happening::Sent { bytes, .. }
        | Happening::Forged { bytes, .. }
        | Happening::Arrived { bytes, .. }) = what
        else {
            return;
        };
        // Read once for all monitors.
        if let Ok(mut said) = Reading::of(bytes) {
            self.tokens.on_datagram(what, &mut said);
            self.tables.on_datagram(what, &said);
            self.probes.on_datagram(scene, what, &said);
            let kind = kind_of_reading(what);
            self.monitors.ask(scene, kind, |monitor| monitor.on_datagram(scene, what, &said));
        }
    }

    fn after_input(&mut self, world: &World, host: HostId) {
        if self.violation().is_some() {
            return;
        }
        let Self { monitors, tables, probes, .. } = self;
        let scene = world.scene();
        if let Some(changes) = tables.after_input(world, host) {
            monitors.ask(&scene, None, |monitor| monitor.on_rows_changed(world, host, changes));
        }
        for accusation in probes.take_accusations(world, host) {
            monitors.ask(&scene, None, |monitor| monitor.on_accusation(world, host, &accusation));
        }
        monitors.ask(&scene, Some(AFTER_INPUT), |monitor| monitor.after_input(world, host));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::super::standard;
    use super::*;
    use crate::run::Run;
    use crate::swarm::Plan;

    #[test]
    fn what_a_monitor_is_not_interested_in_makes_no_difference_to_it() {
        for seed in 0..12 {
            let mut plan = Plan::draw(seed);
            plan.set("hosts=6").and_then(|()| plan.set("faults=25")).expect("there are such dials");
            let scenario = plan.scenario();
            let case = Case::of(&scenario).expect("it can be carried out");
            let usual = Checker::new(&case);
            let shown_everything = Checker::with(Monitors::new(standard(&case), |_| Interest::MAX));
            let checkers = [usual, shown_everything].map(|checker| Arc::new(Mutex::new(checker)));
            let mut run = Run::new(&scenario).expect("it can be carried out");
            for checker in checkers.clone() {
                run.world().attach(checker);
            }
            let ends = checkers.clone();
            run.at_end(move |world| {
                for checker in ends {
                    let mut checker = checker.lock().unwrap_or_else(PoisonError::into_inner);
                    checker.after_phase(world, Phase::Rest);
                }
            });
            run.finish();
            let [usual, shown_everything] =
                checkers.map(|checker| checker.lock().unwrap_or_else(PoisonError::into_inner).looked());
            assert_eq!(usual, shown_everything, "seed {seed}");
        }
    }
}
