//! S23: nobody is asked to relay a ping to itself.
//!
//! A relay is to have another way to the target than the asker; the target asked about itself answers nothing that
//! it has not answered, and a place among the few relays is lost. Where two members are held at one address,
//! because one of them is a rumour, there is nothing to judge.

use swim_core::{MessageKind, NodeId};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::{Broken, Check, Monitor, declare};

/// S23.
#[derive(Default)]
pub(super) struct ThirdParties {
    /// Ping-reqs of the present input: whom they are about, and where they went.
    asked: Vec<(NodeId, std::net::SocketAddr)>,
    looked: u64,
}

impl Monitor for ThirdParties {
    declare! { "S23", "third-parties", READ_SENT | AFTER_INPUT,
    "nobody is asked to relay a ping to itself" }

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
                let hosts: Vec<HostId> =
                    [Some(host), world.scene().host_named(target)].into_iter().flatten().collect();
                return Err(Broken::by(&hosts, format!("{host:?} asks {target:?} to ping {target:?}")));
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
        let (broken, looked) = test_worlds::troubled(|_| Box::new(ThirdParties::default()));
        assert_eq!(broken, None);
        assert!(looked > 5, "{looked}");
    }

    #[test]
    fn who_is_asked_to_ping_itself_is_found() {
        let (world, hosts) = test_worlds::calm(3);
        let mut law = ThirdParties::default();
        law.asked.push((world.id(hosts[1]), world.addr(hosts[2])));
        assert_eq!(law.after_input(&world, hosts[0]), Ok(()));
        law.asked.push((world.id(hosts[1]), world.addr(hosts[1])));
        assert!(law.after_input(&world, hosts[0]).is_err());
    }
}
