//! S11: every datagram goes where a host of the cluster is or was, to an address that the user named, or
//! back.
//!
//! Otherwise a stranger makes members send to a third party that never asked for it. So a node may send
//!
//! - to an address that a host of this world has, or had;
//! - to a seed or a known peer that its user named;
//! - back to where the datagram in hand came from, and with the handshake also later;
//! - to an address that has proven itself with a token and announced itself, to any member.
//!
//! And a member that announces itself is held where the announcement came from, and nowhere else.
//!
//! Excused is what was said in a member's name: an address that is named in a datagram from where its alleged
//! sender really is, and that no host has ever named, was forged or garbled on the way, and is believed like
//! any claim of a member. So is what is said in the name of a member that never was, from where such a claim
//! places it: a flipped bit can make a datagram's sender the very one that an earlier one has made up. And so
//! are the claims in the welcome of a seed or a known peer that was asked. What a stranger names from its own
//! address excuses nothing.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use swim_core::{Command, MessageKind, NodeId};

use crate::World;
use crate::action::Action;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;
use crate::properties::evidence::datagram::Reading;
use crate::properties::{Broken, Check, Monitor, RowChange, declare};

/// S11.
#[derive(Default)]
pub(super) struct Destinations {
    /// Where hosts are and were, which addresses announced themselves, and what was named in a member's name.
    known: BTreeSet<SocketAddr>,
    /// Who was said in a member's name to be where it is not.
    misplaced: BTreeSet<(NodeId, SocketAddr)>,
    hosts: PerHost<Own>,
    /// Nodes accept datagrams from other addresses than their senders are held at.
    any_source: bool,
    looked: u64,
}

/// What one node has reason to send to besides.
#[derive(Default)]
struct Own {
    /// Seeds and known peers.
    named: BTreeSet<SocketAddr>,
    /// Which of them it has asked to be let in, and the number of the question.
    joins: BTreeSet<(SocketAddr, u64)>,
    /// Where datagrams came from.
    askers: BTreeSet<SocketAddr>,
    /// Where the datagram in hand comes from.
    asks: Option<SocketAddr>,
    /// Who announces itself by the datagram in hand.
    announces: Option<NodeId>,
    /// Sent to an address that no host has, in the present input, with a datagram that is no handshake.
    astray: Option<SocketAddr>,
}

impl Destinations {
    pub(super) fn new(any_source: bool) -> Self {
        Self { any_source, ..Self::default() }
    }

    /// Where members are, by what is said in a member's name.
    fn note_claims(&mut self, scene: &Scene<'_>, said: &Reading<'_>) {
        for member in said.members() {
            let Some(addr) = member.addr.map(swim_core::canonical) else { continue };
            if !is_at(scene, member.id, addr) {
                self.known.insert(addr);
                self.misplaced.insert((member.id, addr));
            }
        }
    }

    fn name(&mut self, host: HostId, addrs: impl IntoIterator<Item = SocketAddr>) {
        self.hosts.of(host).named.extend(addrs.into_iter().map(swim_core::canonical));
    }
}

/// Whether a host of that name really is there.
fn is_at(scene: &Scene<'_>, id: NodeId, addr: SocketAddr) -> bool {
    scene.hosts_named(id).iter().any(|host| scene.identity(*host).addr == addr)
}

const fn is_handshake(kind: MessageKind) -> bool {
    use MessageKind::{Announce, Challenge, Join, Welcome};
    matches!(kind, Join | Challenge | Welcome | Announce)
}

impl Monitor for Destinations {
    declare! { "S11", "destinations", SENT | ARRIVED | READ | AFTER_INPUT,
    "every datagram goes to where a member is or was, to an address that its user named, or back" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Began { host, me } => {
                self.known.insert(me.addr);
                *self.hosts.of(*host) = Own::default();
            }
            Happening::Commanded { host, command } => match command {
                Command::Join { seeds } | Command::SetSeeds { seeds } => {
                    self.name(*host, seeds.iter().copied())
                }
                Command::Restore { known_peers } => {
                    self.name(*host, known_peers.iter().map(|peer| peer.addr))
                }
                Command::SetAddress(addr) => {
                    self.known.insert(swim_core::canonical(*addr));
                }
                _ => {}
            },
            Happening::Acted { action: Action::Move { host, .. }, done: true } => {
                self.known.insert(scene.identity(*host).addr);
            }
            Happening::Arrived { host, source, .. } => self.hosts.of(*host).asks = Some(*source),
            Happening::Sent { host, target, .. } => {
                self.looked += 1;
                let own = self.hosts.of(*host);
                if !self.known.contains(target) && !own.named.contains(target) && own.asks != Some(*target) {
                    own.astray = Some(*target);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn on_datagram(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        match what {
            Happening::Sent { host, target, .. } => {
                let own = self.hosts.of(*host);
                if let Some(nonce) = said.number.filter(|_| said.kind == MessageKind::Join)
                    && own.named.contains(target)
                {
                    own.joins.insert((*target, nonce));
                }
                if is_handshake(said.kind) && own.askers.contains(target) {
                    own.astray = None;
                }
            }
            Happening::Arrived { host, source, .. } => {
                self.hosts.of(*host).askers.insert(*source);
                self.hosts.of(*host).announces =
                    (said.kind == MessageKind::Announce && !self.any_source).then_some(said.sender);
                if said.kind == MessageKind::Announce && said.shows_token {
                    self.known.insert(*source);
                }
                let asked = said.kind == MessageKind::Welcome
                    && said
                        .number
                        .is_some_and(|nonce| self.hosts.of(*host).joins.contains(&(*source, nonce)));
                let member = is_at(scene, said.sender, *source);
                if asked || member || self.misplaced.contains(&(said.sender, *source)) {
                    self.note_claims(scene, said);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn on_rows_changed(&mut self, world: &World, host: HostId, moves: &[RowChange]) -> Check {
        let own = self.hosts.of(host);
        let (Some(id), Some(source)) = (own.announces, own.asks) else { return Ok(()) };
        let Some(moved) = moves.iter().find(|moved| moved.id == id) else { return Ok(()) };
        let (before, after) = (moved.before.map(|row| row.addr), moved.after.map(|row| row.addr));
        match after.filter(|after| *after != source && Some(*after) != before) {
            None => Ok(()),
            Some(addr) => {
                let why = format!("{host:?} holds {id:?} at {addr} since it announced itself from {source}");
                Err(Broken::about(&world.scene(), host, id, why))
            }
        }
    }

    fn after_input(&mut self, _world: &World, host: HostId) -> Check {
        let own = self.hosts.of(host);
        (own.asks, own.announces) = (None, None);
        match own.astray.take() {
            None => Ok(()),
            Some(target) => {
                let why = format!(
                    "{host:?} sends to {target}, where no host is or was and that only strangers named"
                );
                Err(Broken::by(&[host], why))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use swim_craft::{Datagram, GOSSIP, alive, member};

    use super::*;
    use crate::Fate;
    use crate::properties::tests::worlds;

    #[test]
    fn a_member_at_an_address_that_no_host_has_is_found_where_it_is_sent_to() {
        let (broken, _) = worlds::doctored(Box::new(Destinations::default()), |what| {
            // The property sees neither how the fourth host moves nor what is said of it.
            let moves = |action: &Action| matches!(action, Action::Move { .. });
            match what {
                Happening::Acted { action, .. } => !moves(action),
                Happening::Commanded { command, .. } => !matches!(command, Command::SetAddress(_)),
                Happening::Arrived { .. } => false,
                _ => true,
            }
        });
        assert_eq!(broken, Some("S11"));
    }

    /// What the property says of a ping to `target` after a datagram from `source` was handed to the node.
    fn sends(source: SocketAddr, target: SocketAddr, same_input: bool) -> Check {
        let (world, hosts) = worlds::calm(3);
        let mut monitor = Destinations::default();
        let ping = worlds::first_ping(hosts[1], hosts[0]);
        let here = world.addr(hosts[0]);
        let arrived = Happening::Arrived { host: hosts[0], source, bytes: &ping };
        let fate = Fate::Sent;
        let sent = Happening::Sent { host: hosts[0], source: here, target, bytes: &ping, fate };
        let said = Reading::of(&ping).expect("a ping");
        for what in [arrived, sent] {
            monitor.on_happening(&world.scene(), &what)?;
            monitor.on_datagram(&world.scene(), &what, &said)?;
            if !same_input {
                monitor.after_input(&world, hosts[0])?;
            }
        }
        monitor.after_input(&world, hosts[0])
    }

    #[test]
    fn who_asks_is_answered_at_once_and_not_pinged_later() {
        let [asker, other] = ["192.0.2.1:1", "192.0.2.2:1"].map(|addr| addr.parse().expect("an address"));
        assert!(sends(asker, asker, true).is_ok());
        assert!(sends(asker, asker, false).is_err());
        assert!(sends(asker, other, true).is_err());
    }

    #[test]
    fn who_never_was_is_believed_from_where_a_member_has_placed_it_and_from_nowhere_else() {
        let (world, hosts) = worlds::calm(3);
        let [phantom, other] = ["192.0.2.1:1", "192.0.2.2:1"].map(|addr| addr.parse().expect("an address"));
        // In the name of `id`, from `source`: that `about` is at `addr`.
        let hear =
            |monitor: &mut Destinations, id: NodeId, source: SocketAddr, about: u64, addr: SocketAddr| {
                let alive = alive(member(about), addr, b"");
                let Datagram(bytes) = Datagram::new(0, member(id.0), GOSSIP).updates(&[alive]);
                let arrived = Happening::Arrived { host: hosts[0], source, bytes: &bytes };
                let said = Reading::of(&bytes).expect("well-formed");
                monitor.on_datagram(&world.scene(), &arrived, &said).expect("nothing was sent");
            };
        let (member, real) = (world.id(hosts[1]), world.addr(hosts[1]));
        let mut monitor = Destinations::default();
        hear(&mut monitor, NodeId(77), real, 78, other);
        hear(&mut monitor, member, other, 78, other);
        assert!(
            !monitor.known.contains(&other),
            "no member has placed 77 there, and the member is elsewhere"
        );
        hear(&mut monitor, member, real, 77, phantom);
        hear(&mut monitor, NodeId(77), other, 78, other);
        assert!(monitor.known.contains(&phantom) && !monitor.known.contains(&other));
        hear(&mut monitor, NodeId(77), phantom, 78, other);
        assert!(monitor.known.contains(&other));
    }
}
