//! S3: a member is called Dead only after this node suspected it for the shortest suspicion timeout at least.
//! S25: a suspicion lasts as long as its accusers make it.
//!
//! The shortest timeout is α · max(1, log₁₀ n) · T, with the n of the moment when the suspicion started, and
//! counts in node time: a node that was stopped meanwhile has not listened. A lone accuser waits β times the
//! shortest, for a confirmation or a refutation; with K confirmations the shortest holds; an accuser counts once.
//!
//! S3 also checks names: the node that concluded, and the accuser, reported so to their own users before. A name that
//! no node said was made up by its sender: forged, or garbled on the way. A sent datagram is checked when the
//! input is over (the user may hear of it after the datagram); a name that arrives is excused from then on.
//! Where `dead_over_suspect_only` is off a Dead is believed at once; then only the names are checked.
//!
//! S25 checks suspicions that a node both started and ended by itself, for then all accusers are known. A node ends
//! suspicions when it ticks, so one lasts too long if it outlasts a tick after its time was over: a node that is
//! run late ends it late, however slow its host is. Where the node stalled or was isolated meanwhile, too late is
//! not checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use swim_core::{Config, Event, Node, NodeId, Status};
use swim_trace::SaidMember;

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;
use crate::properties::evidence::datagram::Reading;
use crate::properties::evidence::node_time::NodeTime;
use crate::properties::formulas::{suspicion_min, suspicion_min_rounded_up};
use crate::properties::{Broken, Case, Check, Monitor, declare};

/// Clocks are read in nanoseconds, and the logarithm of the core is rounded to 1/65,536.
const ROUNDING: Duration = Duration::from_millis(5);

/// One suspicion at one node.
#[derive(Clone, Default)]
struct Suspicion {
    accusers: BTreeSet<NodeId>,
    /// In node time: when it started, and when the last accuser came; found when that input is over.
    since: Duration,
    confirmed: Duration,
    /// How many members there were when it started, at least and at most.
    n: (u32, u32),
    /// The node started it by a probe of its own.
    own: bool,
    /// The node stalled, was isolated or held sends meanwhile.
    stalled: bool,
}

/// A suspicion that ended in a Dead.
struct Ended {
    id: NodeId,
    by: NodeId,
    lasted: Duration,
    /// How long it had lasted when the node last ticked and left nothing due.
    already_lasted: Duration,
    suspicion: Suspicion,
}

/// All suspicions that run.
struct Running {
    node_time: NodeTime,
    hosts: PerHost<AtHost>,
    /// The host whose tick this is, if it is one.
    ticking: Option<HostId>,
}

/// The suspicions of one node; all but the first two is of the present input.
#[derive(Default)]
struct AtHost {
    running: BTreeMap<NodeId, Suspicion>,
    /// When it last ticked and left nothing due, in node time.
    ticked: Duration,
    begun: Vec<NodeId>,
    confirmed: Vec<NodeId>,
    ended: Vec<(NodeId, NodeId, Suspicion)>,
    /// Members that became Alive.
    came: u32,
    stalled: bool,
}

impl Running {
    fn new(config: &Config) -> Self {
        Self { node_time: NodeTime::new(config), hosts: PerHost::default(), ticking: None }
    }

    fn of(&mut self, host: HostId, id: NodeId) -> Option<&Suspicion> {
        self.hosts.of(host).running.get(&id)
    }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        self.node_time.on_happening(scene, what);
        match what {
            Happening::Began { host, .. } => *self.hosts.of(*host) = AtHost::default(),
            Happening::Ticked { host } => self.ticking = Some(*host),
            Happening::Reported { host, event } => {
                let (me, ticks) = (scene.identity(*host).id, self.ticking == Some(*host));
                self.hosts.of(*host).on_event(me, ticks, event);
            }
            _ => {}
        }
    }

    /// An input is over: the suspicions that it ended.
    fn after_input(&mut self, world: &World, host: HostId) -> Vec<Ended> {
        self.node_time.after_input(world, host);
        let ticked = self.ticking.take() == Some(host);
        let at = self.hosts.of(host);
        // What a process reports while it holds sends may have begun earlier, and ended later.
        let held = world.scene().holds_sends(host);
        at.stalled |= held;
        let came = std::mem::take(&mut at.came);
        let idle = at.begun.is_empty() && at.confirmed.is_empty() && at.ended.is_empty();
        if idle && !at.stalled && !ticked {
            return Vec::new();
        }
        let now = self.node_time.now(world, host);
        let node = world.node(host);
        let n = node.map(Node::stats).map_or(0, |stats| stats.alive + stats.suspect);
        // Members that came in the same input may not have been counted yet when the suspicion started.
        let fewest = n.saturating_sub(came);
        for id in at.begun.drain(..) {
            if let Some(suspicion) = at.running.get_mut(&id) {
                suspicion.since = if held { Duration::ZERO } else { now };
                suspicion.n = (fewest, n);
            }
        }
        for id in at.confirmed.drain(..) {
            if let Some(suspicion) = at.running.get_mut(&id) {
                suspicion.confirmed = now;
            }
        }
        let stalled = std::mem::take(&mut at.stalled);
        at.running.values_mut().for_each(|suspicion| suspicion.stalled |= stalled);
        let ticked_before = at.ticked;
        if ticked && node.and_then(Node::deadline).is_none_or(|due| due > world.local(host)) {
            at.ticked = now;
        }
        let end = |(id, by, mut suspicion): (NodeId, NodeId, Suspicion)| {
            suspicion.stalled |= stalled;
            let [lasted, already_lasted] = [now, ticked_before].map(|at| at.saturating_sub(suspicion.since));
            Ended { id, by, lasted, already_lasted, suspicion }
        };
        at.ended.drain(..).map(end).collect()
    }
}

impl AtHost {
    fn on_event(&mut self, me: NodeId, ticks: bool, event: &Event) {
        match event {
            Event::Suspect { id, by, .. } => {
                // What others say that this node said may have been confirmed already.
                let (accusers, own) = (BTreeSet::from([*by]), *by == me && ticks);
                self.running.insert(*id, Suspicion { accusers, own, ..Suspicion::default() });
                self.begun.push(*id);
            }
            Event::Confirmed { id, by, .. } => {
                if let Some(suspicion) = self.running.get_mut(id) {
                    suspicion.accusers.insert(*by);
                }
                self.confirmed.push(*id);
            }
            Event::Dead { id, by, .. } => {
                let ended = self.running.remove(id);
                self.ended.extend(ended.map(|suspicion| (*id, *by, suspicion)));
            }
            Event::Alive { id, .. } => {
                self.running.remove(id);
                self.came += 1;
            }
            Event::Refuted { id, .. } | Event::Left { id, .. } | Event::Forgotten { id } => {
                self.running.remove(id);
            }
            Event::StartedOver { .. } => *self = Self::default(),
            Event::Isolated { .. } | Event::Stalled { .. } => self.stalled = true,
            _ => {}
        }
    }
}

/// By which member, about which.
type Pair = (NodeId, NodeId);

/// Who accused whom, and who called whom Dead: by what they reported to their own users, and by what was made up.
#[derive(Default)]
struct Accusers {
    accused: BTreeSet<Pair>,
    concluded: BTreeSet<Pair>,
}

impl Accusers {
    /// Calling a member Dead accuses it as well.
    fn conclude(&mut self, pair: Pair) {
        self.accused.insert(pair);
        self.concluded.insert(pair);
    }

    /// Of each claim in a datagram: the pairs that no node is known to have said.
    fn unknown(&self, said: &Reading<'_>) -> impl Iterator<Item = Pair> {
        let accusing =
            |member: &&SaidMember<'_>| matches!(member.claim.status, Status::Suspect | Status::Dead);
        said.members().filter(accusing).flat_map(|member| self.unknown_of(member))
    }

    fn unknown_of(&self, member: &SaidMember<'_>) -> Vec<Pair> {
        let id = member.id;
        let by = member.by.filter(|by| !self.concluded.contains(&(*by, id)));
        let accusers = member.accusers().filter(|accuser| !self.accused.contains(&(*accuser, id)));
        by.into_iter().chain(accusers).map(|by| (by, id)).collect()
    }

    /// A datagram is handed to a node: whatever is wrong with it is excused from now on. A node that repeats a
    /// Dead becomes its accuser, where the accuser is the receiver.
    fn excuse(&mut self, said: &Reading<'_>) {
        let dead = said.members().filter(|member| member.claim.status == Status::Dead);
        let repeated = dead.map(|member| (said.sender, member.id));
        let unknown: Vec<Pair> = self.unknown(said).chain(repeated).collect();
        unknown.into_iter().for_each(|pair| self.conclude(pair));
    }
}

/// S3.
pub(super) struct Suspicions {
    config: Arc<Config>,
    running: Running,
    accusers: Accusers,
    /// Named in datagrams that were sent during the present input, and not known of.
    unknown: PerHost<Vec<Pair>>,
    /// Whether names can be trusted: no link flips bits in them.
    names: bool,
    looked: u64,
}

impl Suspicions {
    pub(super) fn new(case: &Case) -> Self {
        Self {
            config: Arc::clone(&case.config),
            running: Running::new(&case.config),
            accusers: Accusers::default(),
            unknown: PerHost::default(),
            names: !case.scenario.flips_bits(),
            looked: 0,
        }
    }

    fn on_event(&mut self, scene: &Scene<'_>, host: HostId, event: &Event) -> Check {
        let me = scene.identity(host).id;
        let (id, why) = match event {
            Event::Suspect { id, by, .. } | Event::Confirmed { id, by, .. } => {
                self.looked += 1;
                if *by == me {
                    self.accusers.accused.insert((me, *id));
                }
                if self.accusers.accused.contains(&(*by, *id)) {
                    return Ok(());
                }
                (*id, format!("has {by:?} for an accuser of {id:?}, which never accused it"))
            }
            Event::Dead { id, by, accuser } => {
                self.looked += 1;
                self.accusers.conclude((me, *id));
                let suspected = self.running.of(host, *id).is_some();
                let why = if !self.accusers.concluded.contains(&(*by, *id)) {
                    format!("calls {id:?} Dead because {by:?} does, which does not")
                } else if !self.accusers.accused.contains(&(*accuser, *id)) {
                    format!("calls {id:?} Dead and names {accuser:?}, which never accused it")
                } else if self.config.dead_over_suspect_only && !suspected {
                    format!("calls {id:?} Dead and has not suspected it")
                } else {
                    return Ok(());
                };
                (*id, why)
            }
            _ => return Ok(()),
        };
        Err(Broken::about(scene, host, id, format!("{host:?} {why}")))
    }
}

impl Monitor for Suspicions {
    declare! { "S3", "suspicions", REPORTED | READ | AFTER_INPUT,
    "a member is called Dead only after it was suspected here, by those named, for the shortest timeout" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        if let Happening::Reported { host, event } = what {
            self.on_event(scene, *host, event)?;
        }
        self.running.on_happening(scene, what);
        Ok(())
    }

    fn on_datagram(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        match what {
            Happening::Sent { host, .. } => self.unknown.of(*host).extend(self.accusers.unknown(said)),
            Happening::Arrived { .. } => self.accusers.excuse(said),
            _ => {}
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        let ended = self.running.after_input(world, host);
        for Ended { id, lasted, suspicion, .. } in ended {
            let shortest = suspicion_min(&self.config, suspicion.n.0);
            if self.config.dead_over_suspect_only && lasted + ROUNDING < shortest {
                let why =
                    format!("{host:?} calls {id:?} Dead after {lasted:?} of node time, not {shortest:?}");
                return Err(Broken::about(&world.scene(), host, id, why));
            }
        }
        for (by, id) in std::mem::take(self.unknown.of(host)) {
            if self.names && !self.accusers.accused.contains(&(by, id)) {
                let why = format!("{host:?} gossips that {by:?} accuses {id:?}, which it never did");
                return Err(Broken::about(&world.scene(), host, id, why));
            }
        }
        Ok(())
    }
}

/// S25.
pub(super) struct Timeouts {
    config: Arc<Config>,
    running: Running,
    looked: u64,
}

impl Timeouts {
    pub(super) fn new(case: &Case) -> Self {
        let config = Arc::clone(&case.config);
        Self { running: Running::new(&config), config, looked: 0 }
    }

    /// How long a suspicion with that many accusers lasts, at least and at most; `None`: it lies between.
    fn limits(&self, suspicion: &Suspicion) -> (Duration, Option<Duration>) {
        let config = &self.config;
        let confirmations = |n: u32| n.saturating_sub(2).min(config.confirmations.into()) as usize;
        let confirmed = suspicion.accusers.len().saturating_sub(1);
        let (few, many) = suspicion.n;
        let alone = confirmed == 0 && confirmations(few) > 0;
        let least = suspicion_min(config, few) * if alone { config.beta.into() } else { 1 };
        // A late accuser finds the time over already.
        let late = suspicion.confirmed.saturating_sub(suspicion.since);
        let most = (confirmed >= confirmations(many) && !suspicion.stalled)
            .then(|| late.max(suspicion_min_rounded_up(config, many)) + ROUNDING);
        (least, most)
    }
}

impl Monitor for Timeouts {
    declare! { "S25", "timeouts", TICKED | REPORTED | AFTER_INPUT,
    "a suspicion lasts as long as its accusers make it, each of them once" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        if let Happening::Reported { host, event: Event::Confirmed { id, by, .. } } = what
            && self.running.of(*host, *id).is_some_and(|running| running.own && running.accusers.contains(by))
        {
            let why = format!("{host:?} counts {by:?} twice among the accusers of {id:?}");
            return Err(Broken::by(&[*host], why));
        }
        self.running.on_happening(scene, what);
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        let me = world.id(host);
        for Ended { id, by, lasted, already_lasted, suspicion } in self.running.after_input(world, host) {
            if !suspicion.own || by != me {
                continue;
            }
            self.looked += 1;
            let (least, most) = self.limits(&suspicion);
            if lasted + ROUNDING < least || most.is_some_and(|most| already_lasted > most) {
                let accusers = suspicion.accusers.len();
                let why = format!(
                    "{host:?} calls {id:?} Dead after {lasted:?} with {accusers} accusers, and not after \
                     {already_lasted:?}; it is {least:?} to {most:?}"
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
    use crate::properties::tests::worlds;
    use crate::{Action, Inbox};

    fn suspect(id: NodeId, by: NodeId) -> Event {
        Event::Suspect { id, by, incarnation: Incarnation(0), timeout: Duration::ZERO }
    }

    /// What S3 says of a Dead so many seconds after the suspicion, the host being stopped meanwhile if `stopped`.
    fn dead_after(seconds: u64, suspected: bool, stopped: bool, by: NodeId) -> Check {
        let (mut world, hosts) = worlds::calm(3);
        let mut monitor = Suspicions::new(&worlds::case(3));
        let (host, me, id) = (hosts[0], world.id(hosts[0]), world.id(hosts[1]));
        if suspected {
            monitor.on_happening(&world.scene(), &Happening::Reported { host, event: &suspect(id, me) })?;
        }
        monitor.after_input(&world, host)?;
        let (pause, resume) = (Action::Pause { host, inbox: Inbox::Kept }, Action::Resume(host));
        if stopped {
            monitor.on_happening(&world.scene(), &Happening::Acted { action: &pause, done: true })?;
        }
        world.run_for(Duration::from_secs(seconds));
        if stopped {
            monitor.on_happening(&world.scene(), &Happening::Acted { action: &resume, done: true })?;
        }
        let event = Event::Dead { id, by, accuser: me };
        monitor.on_happening(&world.scene(), &Happening::Reported { host, event: &event })?;
        monitor.after_input(&world, host)
    }

    #[test]
    fn a_dead_without_a_suspicion_or_before_the_shortest_timeout_is_found() {
        let me = NodeId(1);
        assert!(dead_after(5, false, false, me).is_err());
        assert!(dead_after(3, true, false, me).is_err());
        assert!(dead_after(5, true, false, me).is_ok(), "the shortest is four seconds");
    }

    #[test]
    fn time_in_which_the_node_was_stopped_does_not_count() {
        assert!(dead_after(10, true, true, NodeId(1)).is_err());
    }

    #[test]
    fn a_dead_in_the_name_of_a_member_that_did_not_conclude_it_is_found() {
        assert!(dead_after(5, true, false, NodeId(3)).is_err());
    }

    #[test]
    fn a_gossiped_accuser_that_accused_no_member_is_found() {
        // The monitor does not see what the first host reports to its user, but what it gossips.
        let (broken, _) = worlds::doctored(Box::new(Suspicions::new(&worlds::case(8))), |what| {
            !matches!(
                what,
                Happening::Reported { event: Event::Suspect { .. }, .. } | Happening::Arrived { .. }
            )
        });
        assert_eq!(broken, Some("S3"));
    }

    /// What S25 says of a Dead after so many seconds, by a node that accused first, among ten, and that was run
    /// once in a second meanwhile, or not at all.
    fn lasted_while(is_run: bool, seconds: u64, confirmed_by: &[u64]) -> Check {
        let (mut world, hosts) = worlds::calm(10);
        let mut monitor = Timeouts::new(&worlds::case(10));
        let (host, me, id) = (hosts[0], world.id(hosts[0]), world.id(hosts[1]));
        monitor.on_happening(&world.scene(), &Happening::Ticked { host })?;
        monitor.on_happening(&world.scene(), &Happening::Reported { host, event: &suspect(id, me) })?;
        monitor.after_input(&world, host)?;
        for by in confirmed_by {
            let event = Event::Confirmed { id, by: NodeId(*by), accusers: 2 };
            monitor.on_happening(&world.scene(), &Happening::Reported { host, event: &event })?;
            monitor.after_input(&world, host)?;
        }
        for _ in 0..seconds {
            world.run_for(Duration::from_secs(1));
            if is_run {
                monitor.on_happening(&world.scene(), &Happening::Ticked { host })?;
                monitor.after_input(&world, host)?;
            }
        }
        let dead = Event::Dead { id, by: me, accuser: me };
        monitor.on_happening(&world.scene(), &Happening::Reported { host, event: &dead })?;
        monitor.after_input(&world, host)
    }

    fn lasted(seconds: u64, confirmed_by: &[u64]) -> Check {
        lasted_while(true, seconds, confirmed_by)
    }

    #[test]
    fn a_lone_accuser_waits_longest_and_a_confirmed_one_shortest() {
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
