//! S9: what a stranger sends changes no view, unless it joins; garbage changes nothing at all.
//!
//! A sender is known if its id is in the table, in no earlier life than the one held and (unless
//! `accept_wrong_source` is on) at the address that is held. Anybody else may ask, and be answered; what it says
//! of itself and of others is not heard. The way in is an announcement with a token, and an ack or a welcome to
//! one's own question: those are other laws' business. Of somebody known that is held Dead or Left, only the
//! news of its own return is heard.
//!
//! Time passes whatever arrives: a node that finds that it slept for too long starts over, and a tombstone too
//! many is forgotten.

use std::net::SocketAddr;

use swim_core::{Epoch, Event, MessageKind, NodeId};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::evidence::per_host::PerHost;
use crate::properties::evidence::tokens::Tokens;
use crate::properties::{Broken, Check, Monitor, Row, RowChange, declare};

/// S9.
pub(super) struct Strangers {
    any_source: bool,
    tokens: Tokens,
    inputs: PerHost<Input>,
    looked: u64,
}

/// What was handed to a node.
#[derive(Default)]
struct Input {
    arrived: Option<Arrived>,
    /// Whose cluster's it is; of another's than the receiver's it is garbage.
    label: u32,
    /// It forgot somebody, or everybody, as time passed.
    forgot: bool,
    /// Who became a member by it: of whoever is back the rest is heard, its goodbye too.
    back: Vec<NodeId>,
}

/// A datagram, as far as it matters.
#[derive(Clone, Copy)]
enum Arrived {
    Garbage,
    /// From somebody, who may be known.
    Said {
        kind: MessageKind,
        sender: NodeId,
        epoch: Epoch,
        source: SocketAddr,
    },
    /// The way in.
    Joins,
}

/// What the receiver knew of a sender.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Member,
    Buried,
    Stranger,
}

impl Strangers {
    pub(super) fn new(any_source: bool) -> Self {
        Self { any_source, tokens: Tokens::default(), inputs: PerHost::default(), looked: 0 }
    }

    fn standing(&self, row: Option<Row>, epoch: Epoch, source: SocketAddr) -> Standing {
        match row {
            Some(row) if epoch >= row.claim.epoch && (self.any_source || row.addr == source) => {
                if row.claim.status.is_active() { Standing::Member } else { Standing::Buried }
            }
            _ => Standing::Stranger,
        }
    }

    fn judge(&self, world: &World, host: HostId, input: &Input, moves: &[RowChange]) -> Result<(), String> {
        let Some(arrived) = input.arrived else { return Ok(()) };
        let (kind, sender, epoch, source) = match arrived {
            Arrived::Joins => return Ok(()),
            Arrived::Garbage => return Err("a datagram that cannot be read changed its view".into()),
            Arrived::Said { kind, sender, epoch, source } => (kind, sender, epoch, source),
        };
        let me = world.id(host);
        // As it was before: what has not changed is as it is.
        let held = moves.iter().find(|moved| moved.id == sender).map_or_else(
            || world.node(host).and_then(|node| node.member(sender)).map(|member| Row::of(&member)),
            |moved| moved.before,
        );
        let standing = if sender == me { Standing::Stranger } else { self.standing(held, epoch, source) };
        let is_back = input.back.contains(&sender);
        let others = moves.iter().any(|moved| moved.id != sender && moved.id != me);
        match standing {
            Standing::Member => Ok(()),
            Standing::Buried if !others => Ok(()),
            Standing::Buried if is_back => Ok(()),
            Standing::Buried => Err(format!("gossip of {sender:?}, which is buried there, changed its view")),
            Standing::Stranger => Err(format!(
                "a {} of {sender:?} from {source}, a stranger there, changed its view",
                kind.name()
            )),
        }
    }
}

impl Monitor for Strangers {
    declare! { "S9", "strangers", ARRIVED | REPORTED | READ | AFTER_INPUT,
    "what a stranger sends changes no view unless it joins; garbage changes nothing at all" }

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
        self.tokens.on_datagram(what, said);
        if let Happening::Arrived { host, source, .. } = what {
            let answers = matches!(said.kind, MessageKind::Ack | MessageKind::Welcome);
            let (kind, sender, epoch, source) = (said.kind, said.sender, said.epoch, *source);
            let joins = answers || self.tokens.proves(*host, source, said);
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
        self.judge(world, host, &input, moves).map_err(|why| Broken::by(&[host], format!("{host:?}: {why}")))
    }

    fn after_input(&mut self, _world: &World, host: HostId) -> Check {
        let input = self.inputs.of(host);
        (input.arrived, input.forgot) = (None, false);
        input.back.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::test_worlds;

    fn law() -> Strangers {
        Strangers::new(false)
    }

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = test_worlds::troubled(|_| Box::new(law()));
        assert_eq!(broken, None);
        assert!(looked > 50, "{looked}");
    }

    /// What the law says if this datagram has changed what the first host holds of the third.
    fn after(source: SocketAddr, bytes: &[u8]) -> Check {
        let (world, hosts) = test_worlds::calm(3);
        let mut law = law();
        let arrived = Happening::Arrived { host: hosts[0], source, bytes };
        law.on_happening(&world.scene(), &arrived)?;
        if let Ok(said) = Reading::of(bytes) {
            law.on_datagram(&world.scene(), &arrived, &said)?;
        }
        let held = test_worlds::row(&world, hosts[0], hosts[2]);
        let moved = RowChange { id: world.id(hosts[2]), before: None, after: Some(held), named: true };
        law.on_rows_changed(&world, hosts[0], &[moved])
    }

    #[test]
    fn a_view_that_garbage_has_changed_is_found() {
        let (world, hosts) = test_worlds::calm(3);
        assert!(after(world.addr(hosts[1]), b"garbage").is_err());
    }

    #[test]
    fn a_view_that_a_stranger_has_changed_is_found() {
        let (_, hosts) = test_worlds::calm(3);
        let ping = test_worlds::first_ping(hosts[1], hosts[0]);
        let home = World::birthplace(hosts[1]);
        assert!(after(home, &ping).is_ok(), "a member's ping from where it lives");
        assert!(after("192.0.2.1:1".parse().expect("an address"), &ping).is_err());
    }

    #[test]
    fn a_newcomer_that_shows_no_token_is_a_stranger() {
        let (broken, _) = test_worlds::doctored(Box::new(law()), |what| {
            // The law does not see that tokens are given out.
            let challenge = |bytes: &[u8]| {
                swim_core::inspect(bytes).is_ok_and(|said| said.kind == MessageKind::Challenge)
            };
            !matches!(what, Happening::Sent { bytes, .. } if challenge(bytes))
        });
        assert_eq!(broken, Some("S9"));
    }
}
