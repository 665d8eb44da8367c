//! S8: an ack counts only with the right number, from the right member, while its request is open.
//! S23: no member is asked to relay a ping to itself.
//! S24: a node that pings a member that it holds Suspect or Dead says so in the ping.
//!
//! S8: a node's own count of answered probes may grow only by an input that hands it an answer to the probe
//! that it has open: an ack with that probe's number, by whom and from where it was asked; or the answer of a
//! relay that it asked. And once for each probe.
//!
//! S23: a relay is to have another way to the target than the asker; the target asked about itself adds
//! nothing, and one of the few relays is lost. Where two members are held at one address, because one of them
//! is a rumour, there is nothing to check.
//!
//! S24: that is how a suspect learns in time that it must refute, and how one held Dead learns that it is.
//! Checked where claim and address are those of before the input and after it.

use swim_core::{MessageKind, Node, NodeId, Status};

use crate::World;
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;
use crate::properties::evidence::datagram::Reading;
use crate::properties::evidence::probes::Probes;
use crate::properties::{Broken, Check, Monitor, RowChange, declare};

/// S8.
#[derive(Default)]
pub(super) struct Acks {
    probes: Probes,
    hosts: PerHost<Counts>,
    /// Nodes accept answers from other addresses than they asked at.
    any_source: bool,
    looked: u64,
}

/// Answers of one node, direct and by relays.
#[derive(Default)]
struct Counts {
    counted: [u64; 2],
    /// By how many each may grow, if what was handed in claims to be an answer.
    may_grow: Option<[u64; 2]>,
}

impl Acks {
    pub(super) fn new(any_source: bool) -> Self {
        Self { any_source, ..Self::default() }
    }

    /// Whether the counts of a node grew since the last time; an error if by more than they may.
    fn compare(&mut self, host: HostId, counted: [u64; 2], may_grow: [u64; 2]) -> Result<bool, Broken> {
        self.looked += 1;
        let before = std::mem::replace(&mut self.hosts.of(host).counted, counted);
        let grew = [counted[0] - before[0], counted[1] - before[1]];
        if grew[0] <= may_grow[0] && grew[1] <= may_grow[1] {
            return Ok(grew != [0; 2]);
        }
        let why = format!(
            "{host:?} counts {} direct answers and {} by relays more; nothing that it was handed answers its probe",
            grew[0], grew[1]
        );
        Err(Broken::by(&[host], why))
    }

    fn look(&mut self, world: &World, host: HostId, may_grow: [u64; 2]) -> Result<bool, Broken> {
        let Some(stats) = world.node(host).map(Node::stats) else { return Ok(false) };
        self.compare(host, [stats.probes_answered, stats.probes_answered_by_relay], may_grow)
    }
}

impl Monitor for Acks {
    declare! { "S8", "acks", READ | AFTER_INPUT,
    "an ack counts only with the right number, from the right member, while its question is open" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        self.probes.on_happening(scene, what);
        if let Happening::Began { host, .. } = what {
            *self.hosts.of(*host) = Counts::default();
        }
        Ok(())
    }

    fn on_datagram(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        self.probes.on_datagram(scene, what, said);
        if let Happening::Arrived { host, source, .. } = what
            && matches!(said.kind, MessageKind::Ack | MessageKind::RelayedAck)
        {
            let probe = if self.any_source {
                self.probes.answered_from_anywhere(*host, said)
            } else {
                self.probes.answered_by(*host, *source, said)
            };
            let fresh = u64::from(probe.is_some_and(|probe| !probe.counted));
            let direct = said.kind == MessageKind::Ack;
            self.hosts.of(*host).may_grow = Some(if direct { [fresh, 0] } else { [0, fresh] });
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        self.probes.after_input(world, host);
        if let Some(may_grow) = self.hosts.of(host).may_grow.take()
            && self.look(world, host, may_grow)?
        {
            self.probes.count(host);
        }
        Ok(())
    }

    fn after_phase(&mut self, world: &World, _phase: Phase) -> Check {
        // What has grown by any other input.
        world.hosts().try_for_each(|host| self.look(world, host, [0; 2]).map(drop))
    }
}

/// S23.
#[derive(Default)]
pub(super) struct ThirdParties {
    /// Ping-reqs of the present input: which member they are about, and where they went.
    asked: Vec<(NodeId, std::net::SocketAddr)>,
    looked: u64,
}

impl Monitor for ThirdParties {
    declare! { "S23", "third-parties", READ_SENT | AFTER_INPUT,
    "no member is asked to relay a ping to itself" }

    fn on_datagram(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        if let Happening::Sent { target: to, .. } = what
            && said.kind == MessageKind::PingReq
        {
            self.asked.extend(said.target.map(|target| (target, *to)));
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        for (target, to) in std::mem::take(&mut self.asked) {
            self.looked += 1;
            let Some(node) = world.node(host) else { continue };
            let itself = node.member(target).is_some_and(|member| member.addr == to);
            if itself && node.members().filter(|member| member.addr == to).count() == 1 {
                return Err(Broken::about(
                    &world.scene(),
                    host,
                    target,
                    format!("{host:?} asks {target:?} to ping {target:?}"),
                ));
            }
        }
        Ok(())
    }
}

/// S24.
pub(super) struct Buddies {
    /// Pings of the present input: which member they ask, where they went, and what they say that it is.
    pings: Vec<(NodeId, std::net::SocketAddr, Status)>,
    looked: u64,
}

impl Buddies {
    pub(super) const fn new() -> Self {
        Self { pings: Vec::new(), looked: 0 }
    }
}

impl Monitor for Buddies {
    declare! { "S24", "buddies", READ_SENT | AFTER_INPUT,
    "a ping to a suspect says that it is suspected" }

    fn on_datagram(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        if let (Happening::Sent { host, target: to, .. }, MessageKind::Ping) = (what, said.kind)
            && !scene.holds_sends(*host)
            && let Some(target) = said.target
        {
            let status = said.held_claim.map_or(Status::Alive, |held_claim| held_claim.status);
            self.pings.push((target, *to, status));
        }
        Ok(())
    }

    fn on_rows_changed(&mut self, _world: &World, _host: HostId, moves: &[RowChange]) -> Check {
        // What has changed in the input may have changed before the ping or after it.
        self.pings.retain(|(target, ..)| !moves.iter().any(|moved| moved.id == *target));
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        for (target, to, said) in std::mem::take(&mut self.pings) {
            let Some(held) = world.node(host).and_then(|node| node.member(target)) else { continue };
            let says_so = matches!(held.status, Status::Suspect | Status::Dead);
            if !says_so || held.addr != to {
                continue;
            }
            self.looked += 1;
            if said != held.status {
                let why = format!("{host:?} holds {target:?} {:?}, and pings it as {said:?}", held.status);
                return Err(Broken::about(&world.scene(), host, target, why));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::tests::worlds;

    #[test]
    fn an_answer_to_a_question_that_was_never_asked_is_found() {
        // The property is not shown what the first host asks.
        let (broken, _) = worlds::doctored(Box::new(Acks::default()), |what| {
            !matches!(what, Happening::Sent { host: HostId(0), .. })
        });
        assert_eq!(broken, Some("S8"));
    }

    #[test]
    fn an_answer_that_is_counted_twice_is_found() {
        let mut monitor = Acks::default();
        assert_eq!(monitor.compare(HostId(0), [1, 0], [1, 0]), Ok(true));
        assert_eq!(monitor.compare(HostId(0), [1, 0], [0, 0]), Ok(false));
        assert!(monitor.compare(HostId(0), [3, 0], [1, 0]).is_err());
        assert!(monitor.compare(HostId(0), [3, 1], [1, 0]).is_err());
    }

    #[test]
    fn a_member_that_is_asked_to_ping_itself_is_found() {
        let (world, hosts) = worlds::calm(3);
        let mut monitor = ThirdParties::default();
        monitor.asked.push((world.id(hosts[1]), world.addr(hosts[2])));
        assert_eq!(monitor.after_input(&world, hosts[0]), Ok(()));
        monitor.asked.push((world.id(hosts[1]), world.addr(hosts[1])));
        assert!(monitor.after_input(&world, hosts[0]).is_err());
    }

    #[test]
    fn a_ping_that_hides_from_a_suspect_that_it_is_one_is_found() {
        let (mut world, hosts) = worlds::calm(5);
        world.crash(hosts[4]);
        let (me, suspect) = (hosts[0], world.id(hosts[4]));
        while world.believes(me, hosts[4]) != Some(Status::Suspect) {
            world.run_for(std::time::Duration::from_millis(100));
        }
        let addr = World::birthplace(hosts[4]);
        let mut monitor = Buddies::new();
        monitor.pings.push((suspect, addr, Status::Suspect));
        assert_eq!(monitor.after_input(&world, me), Ok(()));
        monitor.pings.push((suspect, addr, Status::Alive));
        assert!(monitor.after_input(&world, me).is_err());
    }
}
