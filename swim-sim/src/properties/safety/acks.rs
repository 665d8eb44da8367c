//! S8: an ack counts only with the right number, from the right member, while its question is open.
//!
//! A node's own count of answered probes may grow only by an input that hands it an answer to the probe that it
//! has open: an ack with that probe's number, by whom and from where it was asked; or the word of a relay that it
//! asked. And once for each probe.

use swim_core::MessageKind;

use crate::World;
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::evidence::per_host::PerHost;
use crate::properties::evidence::probes::Probes;
use crate::properties::{Broken, Check, Monitor, declare};

/// S8.
#[derive(Default)]
pub(super) struct Acks {
    probes: Probes,
    hosts: PerHost<Counts>,
    /// Nodes hear from other addresses than they asked at.
    any_source: bool,
    looked: u64,
}

#[derive(Default)]
struct Counts {
    /// What was handed in claims to be an answer.
    answer: Option<Answer>,
    direct: u64,
    by_relay: u64,
}

/// Which counts may grow by what was handed in.
#[derive(Clone, Copy, Default)]
struct Answer {
    direct: bool,
    by_relay: bool,
}

impl Acks {
    pub(super) fn new(any_source: bool) -> Self {
        Self { any_source, ..Self::default() }
    }

    /// The counts of a node are compared with what they were, and with what they may be.
    fn count(&mut self, host: HostId, (direct, by_relay): (u64, u64), may: Answer) -> Result<(), String> {
        let counts = self.hosts.of(host);
        let grew = (direct - counts.direct, by_relay - counts.by_relay);
        (counts.direct, counts.by_relay) = (direct, by_relay);
        if grew.0 <= u64::from(may.direct) && grew.1 <= u64::from(may.by_relay) {
            return Ok(());
        }
        Err(format!(
            "{host:?} counts {} direct answers and {} by relays more; nothing that it was handed answers its probe",
            grew.0, grew.1
        ))
    }

    fn look(&mut self, world: &World, host: HostId, may: Answer) -> Check {
        let Some(node) = world.node(host) else { return Ok(()) };
        self.looked += 1;
        let stats = node.stats();
        let counts = (stats.probes_answered, stats.probes_answered_by_relay);
        self.count(host, counts, may).map_err(|why| Broken::by(&[host], why))
    }
}

impl Monitor for Acks {
    declare! { "S8", "acks", READ | AFTER_INPUT,
    "an ack counts only with the right number, from the right member, while its question is open" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        if let Happening::Began { host, .. } = what {
            self.probes.forget(*host);
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
                self.probes.answered_by_anybody(*host, said)
            } else {
                self.probes.answered_by(*host, *source, said)
            };
            let fresh = probe.is_some_and(|probe| !probe.counted);
            let direct = fresh && said.kind == MessageKind::Ack;
            self.hosts.of(*host).answer = Some(Answer { direct, by_relay: fresh && !direct });
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        self.probes.after_input(world, host);
        let Some(may) = self.hosts.of(host).answer.take() else { return Ok(()) };
        let before = self.hosts.of(host).direct + self.hosts.of(host).by_relay;
        self.look(world, host, may)?;
        if self.hosts.of(host).direct + self.hosts.of(host).by_relay > before {
            self.probes.count(host);
        }
        Ok(())
    }

    fn after_phase(&mut self, world: &World, _phase: Phase) -> Check {
        // What has grown by any other input.
        world.hosts().try_for_each(|host| self.look(world, host, Answer::default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::test_worlds;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = test_worlds::troubled(|_| Box::new(Acks::default()));
        assert_eq!(broken, None);
        assert!(looked > 100, "{looked}");
    }

    #[test]
    fn an_answer_to_a_question_that_was_never_asked_is_found() {
        // The law is not shown what the first host asks.
        let (broken, _) = test_worlds::doctored(Box::new(Acks::default()), |what| {
            !matches!(what, Happening::Sent { host: HostId(0), .. })
        });
        assert_eq!(broken, Some("S8"));
    }

    #[test]
    fn an_answer_that_is_counted_twice_is_found() {
        let mut law = Acks::default();
        let once = Answer { direct: true, by_relay: false };
        assert!(law.count(HostId(0), (1, 0), once).is_ok());
        assert!(law.count(HostId(0), (1, 0), Answer::default()).is_ok());
        assert!(law.count(HostId(0), (3, 0), once).is_err());
        assert!(law.count(HostId(0), (3, 1), once).is_err());
    }
}
