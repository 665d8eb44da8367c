//! S24: whoever pings a member that it suspects, or holds Dead, tells it so.
//!
//! That is how a suspect learns in time that it must speak up, and how somebody who was buried learns that it was:
//! the ping says what is believed. Judged where the belief and the address are those of before the input and after it.

use swim_core::{MessageKind, NodeId, Status};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::{Broken, Case, Check, Monitor, RowChange, declare};

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

impl Monitor for Buddies {
    declare! { "S24", "buddies", READ_SENT | AFTER_INPUT,
    "a ping to a suspect tells it that it is suspected" }

    fn on_datagram(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        if let (Happening::Sent { host, target: to, .. }, MessageKind::Ping) = (what, said.kind)
            && !scene.holds_sends(*host)
            && let (Some(target), Some(belief)) = (said.target, said.belief)
        {
            self.pings.push((target, *to, belief.status));
        }
        Ok(())
    }

    fn on_rows_changed(&mut self, _world: &World, _host: HostId, moves: &[RowChange]) -> Check {
        // What has changed in the input may have changed before the ping or after it.
        self.pings.retain(|(target, ..)| !moves.iter().any(|moved| moved.id == *target));
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
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
    use crate::properties::test_worlds;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = test_worlds::troubled(|case| Box::new(Buddies::new(case)));
        assert_eq!(broken, None);
        assert!(looked > 5, "{looked}");
    }

    #[test]
    fn a_suspect_that_is_pinged_and_not_told_is_found() {
        let (mut world, hosts) = test_worlds::calm(5);
        world.crash(hosts[4]);
        let (me, suspect) = (hosts[0], world.id(hosts[4]));
        while world.believes(me, hosts[4]) != Some(Status::Suspect) {
            world.run_for(std::time::Duration::from_millis(100));
        }
        let addr = World::birthplace(hosts[4]);
        let mut law = Buddies::new(&test_worlds::case(5));
        law.pings.push((suspect, addr, Status::Suspect));
        assert_eq!(law.after_input(&world, me), Ok(()));
        law.pings.push((suspect, addr, Status::Alive));
        assert!(law.after_input(&world, me).is_err());
    }
}
