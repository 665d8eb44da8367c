//! S9: what a stranger sends changes no table, unless it joins; garbage changes nothing at all.
//!
//! A sender is known if its id is in the table, in no earlier epoch than the one held and (unless
//! `accept_wrong_source` is on) at the address that is held. Any other may ask, and be answered; what it says
//! of itself and of others is ignored. The way in is an announcement with a token, and an ack or a welcome to
//! one's own request: other properties check those. Of a known sender that is held Dead or Left, only its own
//! return counts.
//!
//! Time passes whatever arrives: a node that finds that it slept for too long starts over, and a tombstone
//! too many is forgotten.

use std::net::SocketAddr;

use swim_core::{Epoch, Event, MessageKind, NodeId};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;
use crate::properties::evidence::datagram::Reading;
use crate::properties::{Broken, Check, Monitor, Row, RowChange, declare};

/// S9.
pub(super) struct Strangers {
    any_source: bool,
    inputs: PerHost<Input>,
    looked: u64,
}

/// What was handed to a node.
#[derive(Default)]
struct Input {
    arrived: Option<Arrived>,
    /// Whose cluster's it is; of another's than the receiver's it is garbage.
    label: u32,
    /// It forgot a member, or all, as time passed.
    forgot: bool,
    /// The members that are back by it: the rest of their datagram counts, a leave too.
    back: Vec<NodeId>,
}

/// A datagram, as far as it matters.
#[derive(Clone, Copy)]
enum Arrived {
    Garbage,
    /// From a sender that may be known.
    Said {
        kind: MessageKind,
        sender: NodeId,
        epoch: Epoch,
        source: SocketAddr,
    },
    /// The way in.
    Joins,
}

impl Strangers {
    pub(super) fn new(any_source: bool) -> Self {
        Self { any_source, inputs: PerHost::default(), looked: 0 }
    }

    fn check(&self, world: &World, host: HostId, input: &Input, moves: &[RowChange]) -> Result<(), String> {
        let Some(arrived) = input.arrived else { return Ok(()) };
        let Arrived::Said { kind, sender, epoch, source } = arrived else {
            let garbage = matches!(arrived, Arrived::Garbage);
            return if garbage {
                Err("a datagram that cannot be read changed its table".into())
            } else {
                Ok(())
            };
        };
        let me = world.id(host);
        // As it was before: what has not changed is as it is.
        let held = moves.iter().find(|moved| moved.id == sender).map_or_else(
            || world.node(host).and_then(|node| node.member(sender)).map(|member| Row::of(&member)),
            |moved| moved.before,
        );
        let fits = |row: &Row| epoch >= row.claim.epoch && (self.any_source || row.addr == source);
        let Some(known) = held.filter(|row| sender != me && fits(row)) else {
            let kind = kind.name();
            return Err(format!("a {kind} of {sender:?} from {source}, a stranger there, changed its table"));
        };
        let others = moves.iter().any(|moved| moved.id != sender && moved.id != me);
        if known.claim.status.is_active() || !others || input.back.contains(&sender) {
            return Ok(());
        }
        Err(format!("gossip of {sender:?}, which is held Dead or Left there, changed its table"))
    }
}

impl Monitor for Strangers {
    declare! { "S9", "strangers", ARRIVED | REPORTED | READ | AFTER_INPUT,
    "what a stranger sends changes no table unless it joins; garbage changes nothing at all" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            // Until it has been read.
            Happening::Arrived { host, .. } => self.inputs.of(*host).arrived = Some(Arrived::Garbage),
            Happening::Reported { host, event: Event::Forgotten { .. } | Event::StartedOver { .. } } => {
                self.inputs.of(*host).forgot = true;
            }
            Happening::Reported { host, event: Event::Alive { id, .. } } => {
                self.inputs.of(*host).back.push(*id);
            }
            _ => {}
        }
        Ok(())
    }

    fn on_datagram(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        if let Happening::Arrived { host, source, .. } = what {
            let answers = matches!(said.kind, MessageKind::Ack | MessageKind::Welcome);
            let (kind, sender, epoch, source) = (said.kind, said.sender, said.epoch, *source);
            let joins = answers || said.shows_token;
            let arrived = if joins { Arrived::Joins } else { Arrived::Said { kind, sender, epoch, source } };
            let input = self.inputs.of(*host);
            (input.arrived, input.label) = (Some(arrived), said.label);
        }
        Ok(())
    }

    fn on_rows_changed(&mut self, world: &World, host: HostId, moves: &[RowChange]) -> Check {
        let mut input = std::mem::take(self.inputs.of(host));
        if input.arrived.is_none() || input.forgot {
            return Ok(());
        }
        if world.node(host).is_some_and(|node| node.config().label_hash() != input.label) {
            input.arrived = Some(Arrived::Garbage);
        }
        self.looked += 1;
        self.check(world, host, &input, moves).map_err(|why| Broken::by(&[host], format!("{host:?}: {why}")))
    }

    fn after_input(&mut self, _world: &World, host: HostId) -> Check {
        *self.inputs.of(host) = Input::default();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::tests::worlds;

    fn monitor() -> Strangers {
        Strangers::new(false)
    }

    /// What the property says if this datagram has changed what the first host holds of the third.
    fn after(source: SocketAddr, bytes: &[u8]) -> Check {
        let (world, hosts) = worlds::calm(3);
        let mut monitor = monitor();
        let arrived = Happening::Arrived { host: hosts[0], source, bytes };
        monitor.on_happening(&world.scene(), &arrived)?;
        if let Ok(said) = Reading::of(bytes) {
            monitor.on_datagram(&world.scene(), &arrived, &said)?;
        }
        let held = worlds::row(&world, hosts[0], hosts[2]);
        let moved = RowChange { id: world.id(hosts[2]), before: None, after: Some(held), named: true };
        monitor.on_rows_changed(&world, hosts[0], &[moved])
    }

    #[test]
    fn a_table_that_garbage_has_changed_is_found() {
        let (world, hosts) = worlds::calm(3);
        assert!(after(world.addr(hosts[1]), b"garbage").is_err());
    }

    #[test]
    fn a_table_that_a_stranger_has_changed_is_found() {
        let (_, hosts) = worlds::calm(3);
        let ping = worlds::first_ping(hosts[1], hosts[0]);
        let home = World::birthplace(hosts[1]);
        assert!(after(home, &ping).is_ok(), "a member's ping from its own address");
        assert!(after("192.0.2.1:1".parse().expect("an address"), &ping).is_err());
    }

    #[test]
    fn a_newcomer_that_shows_no_token_is_a_stranger() {
        let (broken, _) = worlds::doctored(Box::new(monitor()), |what| {
            // The property does not see that tokens are given out.
            let challenge = |bytes: &[u8]| {
                swim_trace::inspect(bytes).is_ok_and(|said| said.kind == MessageKind::Challenge)
            };
            !matches!(what, Happening::Sent { bytes, .. } if challenge(bytes))
        });
        assert_eq!(broken, Some("S9"));
    }
}
