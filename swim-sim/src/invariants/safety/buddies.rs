//! S24: whoever pings a member that it suspects, or holds Dead, tells it so.
//!
//! That is how a suspect learns in time that it must speak up, and how somebody who was buried learns that it was:
//! the ping says what is believed. Judged where the belief and the address are those of before the input and after it.

use swim_core::{MessageKind, NodeId, Status};

use crate::World;
use crate::evidence::{Happening, Scene};
use crate::host::HostId;
use crate::invariants::accounts::reading::Reading;
use crate::invariants::{Broken, Case, Check, Heeds, Invariant, Law, Move};

/// S24.
pub(super) struct Buddies {
    enabled: bool,
    /// Pings of the present input: whom they ask, where they went, and what they say that it is.
    pings: Vec<(NodeId, std::net::SocketAddr, Status)>,
    looked: u64,
}

impl Buddies {
    pub(super) fn new(case: &Case) -> Self {
        Self { enabled: case.config.buddy, pings: Vec::new(), looked: 0 }
    }
}

impl Invariant for Buddies {
    fn law(&self) -> Law {
        Law { number: "S24", name: "buddies", says: "a ping to a suspect tells it that it is suspected" }
    }

    fn looked(&self) -> u64 {
        self.looked
    }

    fn heeds(&self) -> Heeds {
        Heeds::READ_SENT | Heeds::SETTLED
    }

    fn read(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        if let (Happening::Sent { target: to, .. }, MessageKind::Ping) = (what, said.kind)
            && let (Some(target), Some(belief)) = (said.target, said.belief)
        {
            self.pings.push((target, *to, belief.status));
        }
        Ok(())
    }

    fn moved(&mut self, _world: &World, _host: HostId, moves: &[Move]) -> Check {
        // What has changed in the input may have changed before the ping or after it.
        self.pings.retain(|(target, ..)| !moves.iter().any(|moved| moved.id == *target));
        Ok(())
    }

    fn settled(&mut self, world: &World, host: HostId) -> Check {
        for (target, to, told) in std::mem::take(&mut self.pings) {
            let Some(held) = world.node(host).and_then(|node| node.member(target)) else { continue };
            let tells = held.status == Status::Dead || (self.enabled && held.status == Status::Suspect);
            if !tells || held.addr != to {
                continue;
            }
            self.looked += 1;
            if told != held.status {
                let hosts: Vec<HostId> =
                    [Some(host), world.scene().host_named(target)].into_iter().flatten().collect();
                let why = format!("{host:?} holds {target:?} {:?}, and pings it as {told:?}", held.status);
                return Err(Broken::by(&hosts, why));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::bench;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = bench::troubled(|case| Box::new(Buddies::new(case)));
        assert_eq!(broken, None);
        assert!(looked > 5, "{looked}");
    }

    #[test]
    fn a_suspect_that_is_pinged_and_not_told_is_found() {
        let (mut world, hosts) = bench::calm(5);
        world.crash(hosts[4]);
        let (me, suspect) = (hosts[0], world.id(hosts[4]));
        while world.believes(me, hosts[4]) != Some(Status::Suspect) {
            world.run_for(std::time::Duration::from_millis(100));
        }
        let addr = World::birthplace(hosts[4]);
        let mut law = Buddies::new(&bench::case(5));
        law.pings.push((suspect, addr, Status::Suspect));
        assert_eq!(law.settled(&world, me), Ok(()));
        law.pings.push((suspect, addr, Status::Alive));
        assert!(law.settled(&world, me).is_err());
    }
}
