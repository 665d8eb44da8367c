//! S21: nobody is accused by a node that did not ask it, or that got its answer.
//!
//! An accusation says that a probe has failed. So there was a probe: a ping of this node's own left it, for that
//! member; and no ack of that member, in the life that was asked, from where it was asked, and no word of a relay
//! that was asked, was handed to the node before the probe ended.
//!
//! Excused: a member that is held at this node's own address, since it moved there, is asked without a datagram.

use crate::World;
use crate::host::HostId;
use crate::properties::{Accusation, Broken, Check, Monitor, declare};

/// S21.
#[derive(Default)]
pub(super) struct Unasked {
    looked: u64,
}

impl Monitor for Unasked {
    declare! { "S21", "unasked", NONE,
    "nobody is accused by a node that did not ask it, or that got its answer" }

    fn on_accusation(&mut self, world: &World, host: HostId, accusation: &Accusation) -> Check {
        self.looked += 1;
        let subject = accusation.subject;
        let how = match &accusation.probe {
            Some(probe) if !probe.answered => return Ok(()),
            Some(probe) => format!("which has answered the probe of {:?}", probe.at),
            None => {
                let held = world.node(host).and_then(|node| node.member(subject));
                if held.is_some_and(|held| held.addr == world.addr(host)) {
                    return Ok(());
                }
                "which it has not asked".to_owned()
            }
        };
        let about = world.scene().host_named(subject);
        let hosts: Vec<HostId> = [Some(host), about].into_iter().flatten().collect();
        Err(Broken::by(&hosts, format!("{host:?} accuses {subject:?}, {how}")))
    }
}

#[cfg(test)]
mod tests {
    use swim_core::Epoch;

    use super::*;
    use crate::ground_truth::Happening;
    use crate::properties::evidence::probes::Probe;
    use crate::properties::test_worlds;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = test_worlds::troubled(|_| Box::new(Unasked::default()));
        assert_eq!(broken, None);
        assert!(looked > 5, "{looked}");
    }

    #[test]
    fn an_accusation_without_a_question_is_found() {
        let (broken, _) = test_worlds::doctored(Box::new(Unasked::default()), |what| {
            !matches!(what, Happening::Sent { host: HostId(0), .. })
        });
        assert_eq!(broken, Some("S21"));
    }

    #[test]
    fn an_accusation_of_a_member_that_has_answered_is_found() {
        let (world, hosts) = test_worlds::calm(3);
        let subject = world.id(hosts[1]);
        let probe = Probe::unanswered(subject, Some((world.addr(hosts[1]), Epoch(1))), world.now());
        for answered in [false, true] {
            let mut probe = probe.clone();
            probe.answered = answered;
            let probe = Some(probe);
            let check = Unasked::default().on_accusation(&world, hosts[0], &Accusation { subject, probe });
            assert_eq!(check.is_err(), answered);
        }
    }
}
