//! S3: nobody is called Dead here whom this node has not suspected for at least the shortest suspicion.
//!
//! The shortest suspicion is α · max(1, log₁₀ n) · T, with the n of the moment when it began here, and it is
//! counted on the node's own awake clock: whoever was stopped meanwhile has not listened. A verdict names its
//! judge and its accuser, and those really said so themselves before: to their own users.
//!
//! Where `dead_over_suspect_only` is off a Dead is believed at once; then only the names are judged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use swim_core::{Config, Event, NodeId};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::evidence::node_time::NodeTime;
use crate::properties::evidence::pairs::{Pair, Pairs};
use crate::properties::evidence::per_host::PerHost;
use crate::properties::formulas::suspicion_min;
use crate::properties::{Broken, Case, Check, Monitor, declare};

/// Clocks are read in nanoseconds, and the logarithm of the core is rounded to 1/65,536.
const ROUNDING: Duration = Duration::from_millis(5);

/// S3.
pub(super) struct Verdicts {
    config: Arc<Config>,
    node_time: NodeTime,
    pairs: Pairs,
    hosts: PerHost<Suspicions>,
    /// Whether names can be trusted: no link flips bits in them.
    names: bool,
    looked: u64,
}

/// What one node suspects.
#[derive(Default)]
struct Suspicions {
    running: BTreeMap<NodeId, Suspicion>,
    /// Begun during the present input.
    begun: Vec<NodeId>,
    /// Those that ran out during the present input.
    ended: Vec<(NodeId, Suspicion)>,
    /// Members that became Alive during the present input.
    came: u32,
    /// Named in datagrams that were sent during the present input, and not known of.
    unknown: Vec<Pair>,
}

#[derive(Clone, Copy, Default)]
struct Suspicion {
    /// When it began, by the node's awake clock; both are found when the input that began it is over.
    since: Duration,
    shortest: Duration,
}

impl Verdicts {
    pub(super) fn new(case: &Case) -> Self {
        Self {
            config: Arc::clone(&case.config),
            node_time: NodeTime::new(&case.config),
            pairs: Pairs::default(),
            hosts: PerHost::default(),
            names: !case.scenario.flips_bits(),
            looked: 0,
        }
    }

    fn hear(&mut self, scene: &Scene<'_>, host: HostId, event: &Event) -> Check {
        let me = scene.identity(host).id;
        match event {
            Event::Suspect { id, by, .. } => {
                let own = self.hosts.of(host);
                own.running.insert(*id, Suspicion::default());
                own.begun.push(*id);
                self.accuser(scene, host, me, *by, *id)
            }
            Event::Confirmed { id, by, .. } => self.accuser(scene, host, me, *by, *id),
            Event::Dead { id, by, accuser } => self.dead(scene, host, (*id, *by, *accuser)),
            Event::Alive { id, .. } => {
                let own = self.hosts.of(host);
                own.running.remove(id);
                own.came += 1;
                Ok(())
            }
            Event::Refuted { id, .. } | Event::Left { id, .. } | Event::Forgotten { id } => {
                self.hosts.of(host).running.remove(id);
                Ok(())
            }
            Event::StartedOver { .. } => {
                *self.hosts.of(host) = Suspicions::default();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn accuser(&mut self, scene: &Scene<'_>, host: HostId, me: NodeId, by: NodeId, id: NodeId) -> Check {
        self.looked += 1;
        if by == me {
            self.pairs.accuses(me, id);
        }
        if self.pairs.has_accused(by, id) {
            return Ok(());
        }
        let why = format!("{host:?} has {by:?} for an accuser of {id:?}, who never accused it");
        Err(broken(scene, host, id, why))
    }

    fn dead(
        &mut self,
        scene: &Scene<'_>,
        host: HostId,
        (id, by, accuser): (NodeId, NodeId, NodeId),
    ) -> Check {
        self.looked += 1;
        let me = scene.identity(host).id;
        let suspicion = self.hosts.of(host).running.remove(&id);
        self.pairs.judges(me, id);
        if !self.pairs.has_judged(by, id) {
            let why = format!("{host:?} calls {id:?} Dead by the verdict of {by:?}, which reached none");
            return Err(broken(scene, host, id, why));
        }
        if !self.pairs.has_accused(accuser, id) {
            let why = format!("{host:?} calls {id:?} Dead and names {accuser:?}, which never accused it");
            return Err(broken(scene, host, id, why));
        }
        if !self.config.dead_over_suspect_only {
            return Ok(());
        }
        let Some(suspicion) = suspicion else {
            let why = format!("{host:?} calls {id:?} Dead and has not suspected it");
            return Err(broken(scene, host, id, why));
        };
        self.hosts.of(host).ended.push((id, suspicion));
        Ok(())
    }

    fn lasted(&mut self, world: &World, host: HostId) -> Check {
        for (id, suspicion) in std::mem::take(&mut self.hosts.of(host).ended) {
            let lasted = self.node_time.now(world, host).saturating_sub(suspicion.since);
            if lasted + ROUNDING < suspicion.shortest {
                let why = format!(
                    "{host:?} calls {id:?} Dead after {lasted:?} of doubt that it was awake for, not {:?}",
                    suspicion.shortest
                );
                return Err(broken(&world.scene(), host, id, why));
            }
        }
        Ok(())
    }

    /// How long the suspicions that began during the input must last.
    fn begin(&mut self, world: &World, host: HostId) {
        let own = self.hosts.of(host);
        let (came, begun) = (std::mem::take(&mut own.came), std::mem::take(&mut own.begun));
        let Some(node) = world.node(host).filter(|_| !begun.is_empty()) else { return };
        let stats = node.stats();
        // When the suspicion began, those who came in the same input may not have been counted yet.
        let shortest = suspicion_min(&self.config, (stats.alive + stats.suspect).saturating_sub(came));
        // What a process held back may have begun earlier.
        let held = world.scene().holds_sends(host);
        let since = if held { Duration::ZERO } else { self.node_time.now(world, host) };
        for id in begun {
            if let Some(suspicion) = self.hosts.of(host).running.get_mut(&id) {
                *suspicion = Suspicion { since, shortest };
            }
        }
    }
}

fn broken(scene: &Scene<'_>, host: HostId, id: NodeId, why: String) -> Broken {
    let hosts: Vec<HostId> = [Some(host), scene.host_named(id)].into_iter().flatten().collect();
    Broken::by(&hosts, why)
}

impl Monitor for Verdicts {
    declare! { "S3", "verdicts", REPORTED | READ | AFTER_INPUT,
    "nobody is called Dead who was not suspected here, by those named, for the shortest time" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        self.node_time.on_happening(scene, what);
        match what {
            Happening::Began { host, .. } => *self.hosts.of(*host) = Suspicions::default(),
            Happening::Reported { host, event } => return self.hear(scene, *host, event),
            _ => {}
        }
        Ok(())
    }

    fn on_datagram(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        match what {
            Happening::Sent { host, .. } => {
                let unknown = self.pairs.unknown(said);
                self.hosts.of(*host).unknown.extend(unknown);
            }
            Happening::Arrived { .. } => self.pairs.excuse(said),
            _ => {}
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        self.node_time.after_input(world, host);
        self.begin(world, host);
        self.lasted(world, host)?;
        for (by, id) in std::mem::take(&mut self.hosts.of(host).unknown) {
            if self.names && !self.pairs.has_accused(by, id) {
                let why = format!("{host:?} tells that {by:?} accuses {id:?}, which it never did");
                return Err(broken(&world.scene(), host, id, why));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::test_worlds;
    use crate::{Action, Inbox};

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = test_worlds::troubled(|case| Box::new(Verdicts::new(case)));
        assert_eq!(broken, None);
        assert!(looked > 10, "{looked}");
    }

    /// What the law says of a verdict so many seconds after the suspicion, the host being stopped meanwhile
    /// from the first second to the last if `stopped`.
    fn after(seconds: u64, suspected: bool, stopped: bool, by: NodeId) -> Check {
        let (mut world, hosts) = test_worlds::calm(3);
        let mut law = Verdicts::new(&test_worlds::case(3));
        let id = world.id(hosts[1]);
        let me = world.id(hosts[0]);
        if suspected {
            let event = Event::Suspect {
                id,
                by: me,
                incarnation: swim_core::Incarnation(0),
                timeout: Duration::ZERO,
            };
            law.on_happening(&world.scene(), &Happening::Reported { host: hosts[0], event: &event })?;
        }
        law.after_input(&world, hosts[0])?;
        let pause = Action::Pause { host: hosts[0], inbox: Inbox::Kept };
        if stopped {
            law.on_happening(&world.scene(), &Happening::Acted { action: &pause, done: true })?;
        }
        world.run_for(Duration::from_secs(seconds));
        if stopped {
            let action = Action::Resume(hosts[0]);
            law.on_happening(&world.scene(), &Happening::Acted { action: &action, done: true })?;
        }
        let event = Event::Dead { id, by, accuser: me };
        law.on_happening(&world.scene(), &Happening::Reported { host: hosts[0], event: &event })?;
        law.after_input(&world, hosts[0])
    }

    #[test]
    fn a_verdict_without_a_suspicion_or_before_its_shortest_time_is_found() {
        let me = NodeId(1);
        assert!(after(5, false, false, me).is_err());
        assert!(after(3, true, false, me).is_err());
        assert!(after(5, true, false, me).is_ok(), "the shortest is four seconds");
    }

    #[test]
    fn time_in_which_the_node_was_stopped_does_not_count() {
        assert!(after(10, true, true, NodeId(1)).is_err());
    }

    #[test]
    fn a_verdict_in_the_name_of_somebody_who_reached_none_is_found() {
        assert!(after(5, true, false, NodeId(3)).is_err());
    }

    #[test]
    fn a_gossiped_accuser_who_accused_nobody_is_found() {
        // The law does not see what the first host tells its user, but what it tells the others.
        let (broken, _) = test_worlds::doctored(Box::new(Verdicts::new(&test_worlds::case(8))), |what| {
            !matches!(
                what,
                Happening::Reported { event: Event::Suspect { .. }, .. } | Happening::Arrived { .. }
            )
        });
        assert_eq!(broken, Some("S3"));
    }
}
