//! S25: a suspicion lasts as long as its accusers make it.
//!
//! Whoever accuses alone waits for the longest time, β times the shortest, for somebody else to confirm or for the
//! suspect to speak up; who is confirmed by K others waits for the shortest; and an accuser counts once. Judged on
//! the verdicts that a node reaches by itself about what it has accused itself, for then all accusers are known.
//! The shortest is that of S3, counted on the same clock. A node ends suspicions when it ticks, so one lasts too
//! long if it outlived a tick after its time was over: a node that is run late ends it late, however slow its host
//! is. Where the node doubted itself meanwhile, too late is not judged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use swim_core::{Config, Event, NodeId};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::node_time::NodeTime;
use crate::properties::evidence::per_host::PerHost;
use crate::properties::formulas::{suspicion_min, suspicion_min_rounded_up};
use crate::properties::{Broken, Case, Check, Monitor, declare};

/// Clocks are read in nanoseconds, and the logarithm of the core is rounded to 1/65,536.
const ROUNDING: Duration = Duration::from_millis(5);

/// S25.
pub(super) struct Patience {
    config: Arc<Config>,
    node_time: NodeTime,
    hosts: PerHost<Own>,
    /// Whose tick this is, if it is one.
    ticking: Option<HostId>,
    looked: u64,
}

/// What one node has accused others of.
#[derive(Default)]
struct Own {
    running: BTreeMap<NodeId, Accusation>,
    begun: Vec<NodeId>,
    /// When it last ticked and left nothing due, by the awake clock.
    ticked: Duration,
    /// Confirmed in the present input.
    confirmed: Vec<NodeId>,
    ended: Vec<(NodeId, Accusation)>,
    /// Members that became Alive during the present input.
    came: u32,
    /// It doubted itself: no suspicion that runs now can be called too long.
    doubted: bool,
}

#[derive(Clone, Default)]
struct Accusation {
    accusers: BTreeSet<NodeId>,
    /// By the awake clock, and when the last accuser came.
    since: Duration,
    confirmed: Duration,
    /// How many members there were, at least and at most.
    n: (u32, u32),
    doubted: bool,
}

impl Patience {
    pub(super) fn new(case: &Case) -> Self {
        let config = Arc::clone(&case.config);
        Self {
            node_time: NodeTime::new(&config),
            config,
            hosts: PerHost::default(),
            ticking: None,
            looked: 0,
        }
    }

    /// How long a suspicion with that many accusers lasts, at least and at most; `None`: it lies between.
    fn limits(&self, accusation: &Accusation) -> (Duration, Option<Duration>) {
        let config = &self.config;
        let confirmations = |n: u32| n.saturating_sub(2).min(config.confirmations.into()) as usize;
        let confirmed = accusation.accusers.len().saturating_sub(1);
        let (few, many) = accusation.n;
        let shortest = suspicion_min(config, few);
        let least =
            if confirmed == 0 && confirmations(few) > 0 { shortest * config.beta.into() } else { shortest };
        // Who comes late finds the time over already.
        let late = accusation.confirmed.saturating_sub(accusation.since);
        let most = (confirmed >= confirmations(many))
            .then(|| late.max(suspicion_min_rounded_up(config, many)) + ROUNDING);
        (least, most.filter(|_| !accusation.doubted))
    }

    fn hear(&mut self, scene: &Scene<'_>, host: HostId, event: &Event) -> Check {
        let me = scene.identity(host).id;
        let ticks = self.ticking == Some(host);
        let own = self.hosts.of(host);
        match event {
            Event::Suspect { id, by, .. } => {
                own.running.remove(id);
                // What others say that this node said may have been confirmed already.
                if *by == me && ticks {
                    let accusers = BTreeSet::from([me]);
                    own.running.insert(*id, Accusation { accusers, ..Accusation::default() });
                    own.begun.push(*id);
                }
            }
            Event::Confirmed { id, by, .. } => {
                let twice = own.running.get_mut(id).is_some_and(|running| !running.accusers.insert(*by));
                if twice {
                    return Err(Broken::by(
                        &[host],
                        format!("{host:?} counts {by:?} twice among the accusers of {id:?}"),
                    ));
                }
                own.confirmed.push(*id);
            }
            Event::Dead { id, by, .. } => {
                let ended = own.running.remove(id).filter(|_| *by == me);
                own.ended.extend(ended.map(|ended| (*id, ended)));
            }
            Event::Alive { id, .. } => {
                own.running.remove(id);
                own.came += 1;
            }
            Event::Refuted { id, .. } | Event::Left { id, .. } | Event::Forgotten { id } => {
                own.running.remove(id);
            }
            Event::StartedOver { .. } => *own = Own::default(),
            Event::Deaf { .. } | Event::Stalled { .. } => own.doubted = true,
            _ => {}
        }
        Ok(())
    }
}

impl Monitor for Patience {
    declare! { "S25", "patience", ALL,
    "a suspicion lasts as long as its accusers make it, each of them once" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        self.node_time.on_happening(scene, what);
        match what {
            Happening::Began { host, .. } => *self.hosts.of(*host) = Own::default(),
            Happening::Ticked { host } => self.ticking = Some(*host),
            Happening::Reported { host, event } => return self.hear(scene, *host, event),
            _ => {}
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        self.node_time.after_input(world, host);
        let ticked = self.ticking.take() == Some(host);
        let own = self.hosts.of(host);
        let came = std::mem::take(&mut own.came);
        let idle = own.begun.is_empty() && own.confirmed.is_empty() && own.ended.is_empty();
        if idle && !own.doubted && !ticked {
            return Ok(());
        }
        let now = self.node_time.now(world, host);
        let own = self.hosts.of(host);
        let node = world.node(host);
        let n = node.map(swim_core::Node::stats).map_or(0, |stats| stats.alive + stats.suspect);
        for id in std::mem::take(&mut own.begun) {
            if let Some(running) = own.running.get_mut(&id) {
                (running.since, running.n) = (now, (n.saturating_sub(came), n));
            }
        }
        for id in std::mem::take(&mut own.confirmed) {
            if let Some(running) = own.running.get_mut(&id) {
                running.confirmed = now;
            }
        }
        let (ended, doubted) = (std::mem::take(&mut own.ended), std::mem::take(&mut own.doubted));
        if doubted {
            own.running.values_mut().for_each(|running| running.doubted = true);
        }
        let ticked_before = own.ticked;
        let is_due = |at: swim_core::Instant| at <= world.local(host);
        if ticked && !node.and_then(swim_core::Node::deadline).is_some_and(is_due) {
            own.ticked = now;
        }
        for (id, mut accusation) in ended {
            accusation.doubted |= doubted;
            self.looked += 1;
            let lasted = now.saturating_sub(accusation.since);
            let (least, most) = self.limits(&accusation);
            let outlived = ticked_before.saturating_sub(accusation.since);
            if lasted + ROUNDING < least || most.is_some_and(|most| outlived > most) {
                let accusers = accusation.accusers.len();
                let why = format!(
                    "{host:?} calls {id:?} Dead after {lasted:?} with {accusers} accusers, and not after {outlived:?}; \
                     it is {least:?} to {most:?}"
                );
                return Err(Broken::by(&[host], why));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use swim_core::Incarnation;

    use super::*;
    use crate::properties::test_worlds;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = test_worlds::troubled(|case| Box::new(Patience::new(case)));
        assert_eq!(broken, None);
        assert!(looked > 3, "{looked}");
    }

    /// What the property says of a verdict after so many seconds, by a node that accused first, among ten, and
    /// that was run once in a second meanwhile, or not at all.
    fn lasted_while(is_run: bool, seconds: u64, confirmed_by: &[u64]) -> Check {
        let (mut world, hosts) = test_worlds::calm(10);
        let mut law = Patience::new(&test_worlds::case(10));
        let (host, me, id) = (hosts[0], world.id(hosts[0]), world.id(hosts[1]));
        let suspect = Event::Suspect { id, by: me, incarnation: Incarnation(0), timeout: Duration::ZERO };
        law.on_happening(&world.scene(), &Happening::Ticked { host })?;
        law.on_happening(&world.scene(), &Happening::Reported { host, event: &suspect })?;
        law.after_input(&world, host)?;
        for by in confirmed_by {
            let event = Event::Confirmed { id, by: NodeId(*by), accusers: 2 };
            law.on_happening(&world.scene(), &Happening::Reported { host, event: &event })?;
            law.after_input(&world, host)?;
        }
        for _ in 0..seconds {
            world.run_for(Duration::from_secs(1));
            if is_run {
                law.on_happening(&world.scene(), &Happening::Ticked { host })?;
                law.after_input(&world, host)?;
            }
        }
        let dead = Event::Dead { id, by: me, accuser: me };
        law.on_happening(&world.scene(), &Happening::Reported { host, event: &dead })?;
        law.after_input(&world, host)
    }

    fn lasted(seconds: u64, confirmed_by: &[u64]) -> Check {
        lasted_while(true, seconds, confirmed_by)
    }

    #[test]
    fn who_accuses_alone_waits_longest_and_who_is_confirmed_shortest() {
        assert!(lasted(23, &[]).is_err());
        assert!(lasted(24, &[]).is_ok(), "six times four seconds");
        assert!(lasted(4, &[3, 4, 5]).is_ok());
        assert!(lasted(3, &[3, 4, 5]).is_err());
        assert!(lasted(5, &[3, 4, 5]).is_err());
    }

    #[test]
    fn a_node_that_is_not_run_ends_nothing_and_is_not_blamed() {
        assert!(lasted_while(false, 60, &[3, 4, 5]).is_ok());
        assert!(lasted_while(false, 3, &[3, 4, 5]).is_err(), "too soon is too soon");
    }

    #[test]
    fn an_accuser_that_is_counted_twice_is_found() {
        assert!(lasted(5, &[3, 4, 3]).is_err());
    }
}
