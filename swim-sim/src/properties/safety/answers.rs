//! S10: an answer to an address that is not proven is never longer than its request, and carries no gossip.
//!
//! Otherwise a sender that writes another address on a datagram makes members send more there than it sends
//! itself. Proven is the address of a member, as it is held, and one that has shown the token that was sent
//! to it. A member is also one that was held Dead there until its own header, in this very request, said a
//! newer stamp, wherever else the request may place it: bits were flipped in that, or it moves. All that a
//! node sends to where a datagram came from, in the same input, is the answer to it.

use std::net::SocketAddr;

use swim_core::{Claim, NodeId, Status};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;
use crate::properties::evidence::datagram::Reading;
use crate::properties::formulas::supersedes;
use crate::properties::{Broken, Check, Monitor, Row, RowChange, declare};

/// S10.
pub(super) struct Answers {
    any_source: bool,
    request: PerHost<Option<Request>>,
    looked: u64,
}

/// A request that was handed to a node, and what it sent back so far.
struct Request {
    source: SocketAddr,
    /// Whose it is, and what its header says of that; `None`: it cannot be read.
    sender: Option<(NodeId, Claim)>,
    proven: bool,
    len: usize,
    answered: usize,
    gossip: bool,
}

impl Answers {
    pub(super) fn new(any_source: bool) -> Self {
        Self { any_source, request: PerHost::default(), looked: 0 }
    }

    fn is_member(&self, world: &World, host: HostId, request: &Request) -> bool {
        // A node that ends with this input can no longer be asked which members it knew.
        let Some(node) = world.node(host) else { return true };
        let Some((sender, stamp)) = request.sender else { return false };
        let member = node.member(sender).filter(|member| !member.is_me);
        member.is_some_and(|member| self.fits(&Row::of(&member), request.source, stamp))
    }

    /// Whether a member that is held like this may ask from there, in that epoch.
    fn fits(&self, row: &Row, source: SocketAddr, stamp: Claim) -> bool {
        self.is_here(row, source) && row.claim.status.is_active() && stamp.epoch >= row.claim.epoch
    }

    /// Whether a row changed because its header's stamp brings back the member that was held Dead there.
    fn revives(&self, moved: &RowChange, source: SocketAddr, stamp: Claim) -> bool {
        let (Some(before), Some(after)) = (moved.before, moved.after) else { return false };
        self.is_here(&before, source) && after.claim.status.is_active() && supersedes(&before.claim, &stamp)
    }

    /// The request that is in hand at `host`, if what it sends to `target` answers it.
    fn answered_at(&mut self, host: HostId, target: SocketAddr) -> Option<&mut Request> {
        self.request.of(host).as_mut().filter(|request| request.source == target)
    }

    fn is_here(&self, row: &Row, source: SocketAddr) -> bool {
        self.any_source || row.addr == source
    }
}

impl Monitor for Answers {
    declare! { "S10", "answers", SENT | ARRIVED | READ | AFTER_INPUT,
    "an answer to an address that is not proven is no longer than the request, without gossip" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Arrived { host, source, bytes } => {
                *self.request.of(*host) = Some(Request {
                    source: *source,
                    sender: None,
                    proven: false,
                    len: bytes.len(),
                    answered: 0,
                    gossip: false,
                });
            }
            Happening::Sent { host, target, bytes, .. } => {
                if let Some(request) = self.answered_at(*host, *target) {
                    request.answered += bytes.len();
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn on_datagram(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        match what {
            Happening::Arrived { host, .. } => {
                if let Some(request) = self.request.of(*host) {
                    let (epoch, incarnation) = (said.epoch, said.incarnation);
                    let stamp = Claim { epoch, incarnation, status: Status::Alive };
                    (request.sender, request.proven) = (Some((said.sender, stamp)), said.shows_token);
                }
            }
            Happening::Sent { host, target, .. } => {
                if let Some(request) = self.answered_at(*host, *target) {
                    request.gossip |= !said.records().is_empty();
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn on_rows_changed(&mut self, _world: &World, host: HostId, moves: &[RowChange]) -> Check {
        let Some(Request { source, sender: Some((sender, stamp)), .. }) = *self.request.of(host) else {
            return Ok(());
        };
        // It may have been a member until it left by this very request, or since its header was read.
        let moved = moves.iter().find(|moved| moved.id == sender);
        let was_member = moved.is_some_and(|moved| {
            moved.before.is_some_and(|row| self.fits(&row, source, stamp))
                || self.revives(moved, source, stamp)
        });
        if let Some(request) = self.request.of(host) {
            request.proven |= was_member;
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        let Some(request) = self.request.of(host).take().filter(|request| request.answered > 0) else {
            return Ok(());
        };
        self.looked += 1;
        let too_much = request.answered > request.len || request.gossip;
        if !too_much || request.proven || self.is_member(world, host, &request) {
            return Ok(());
        }
        let gossip = if request.gossip { ", and gossips" } else { "" };
        let why = format!(
            "{host:?} answers {} bytes from {}, whose address is not proven, with {}{gossip}",
            request.len, request.source, request.answered
        );
        Err(Broken::by(&[host], why))
    }
}

#[cfg(test)]
mod tests {
    use swim_core::MessageKind;

    use super::*;
    use crate::properties::tests::worlds;

    #[test]
    fn a_welcome_to_an_address_that_has_shown_no_token_is_found() {
        let (broken, _) = worlds::doctored(Box::new(Answers::new(false)), |what| {
            let challenge = |bytes: &[u8]| {
                swim_trace::inspect(bytes).is_ok_and(|said| said.kind == MessageKind::Challenge)
            };
            !matches!(what, Happening::Sent { bytes, .. } if challenge(bytes))
        });
        assert_eq!(broken, Some("S10"));
    }

    /// What the property says if a datagram from there is answered with so many bytes.
    fn answered(source: SocketAddr, bytes: &[u8], answer: &[u8]) -> Check {
        let (world, hosts) = worlds::calm(3);
        let mut monitor = Answers::new(false);
        let arrived = Happening::Arrived { host: hosts[0], source, bytes };
        let (here, fate) = (world.addr(hosts[0]), crate::Fate::Sent);
        let sent = Happening::Sent { host: hosts[0], source: here, target: source, bytes: answer, fate };
        for what in [arrived, sent] {
            monitor.on_happening(&world.scene(), &what)?;
            if let Happening::Arrived { bytes, .. } | Happening::Sent { bytes, .. } = what
                && let Ok(said) = Reading::of(bytes)
            {
                monitor.on_datagram(&world.scene(), &what, &said)?;
            }
        }
        monitor.after_input(&world, hosts[0])
    }

    #[test]
    fn a_longer_answer_to_any_but_a_member_at_its_address_is_found() {
        let stranger = "192.0.2.1:1".parse().expect("an address");
        let ping = worlds::first_ping(HostId(1), HostId(0));
        let long = vec![0; ping.len() + 1];
        assert!(answered(stranger, &ping, &long).is_err());
        assert!(answered(stranger, &ping, &long[1..]).is_ok());
        assert!(answered(World::birthplace(HostId(1)), &ping, &long).is_ok());
        assert!(answered(World::birthplace(HostId(1)), b"garbage", &long).is_err());
    }

    /// Whether a node held like `before` counts as a member that asks from where it was held, in its epoch and
    /// in this incarnation, by a question that makes `after` of it.
    fn counts(before: Status, incarnation: u32, after: Status) -> bool {
        let (world, hosts) = worlds::calm(3);
        let (sender, source) = (world.id(hosts[1]), world.addr(hosts[1]));
        let held = worlds::row(&world, hosts[0], hosts[1]);
        let elsewhere = "192.0.2.1:1".parse().expect("an address");
        let stamp = Claim { incarnation: swim_core::Incarnation(incarnation), ..held.claim };
        let mut monitor = Answers::new(false);
        let (len, answered) = (1, 2);
        let request =
            Request { source, sender: Some((sender, stamp)), proven: false, len, answered, gossip: false };
        *monitor.request.of(hosts[0]) = Some(request);
        let row = |status, addr| Some(Row { claim: Claim { status, ..held.claim }, addr });
        let (before, after) = (row(before, source), row(after, elsewhere));
        monitor
            .on_rows_changed(&world, hosts[0], &[RowChange { id: sender, before, after, named: true }])
            .expect("it decides when the input is over");
        monitor.request.of(hosts[0]).take().is_some_and(|request| request.proven)
    }

    #[test]
    fn a_member_held_dead_counts_again_once_its_own_header_says_more() {
        use Status::{Alive, Dead, Left};
        assert!(counts(Alive, 0, Alive) && counts(Alive, 0, Left));
        assert!(counts(Dead, 1, Alive));
        assert!(!counts(Dead, 0, Alive) && !counts(Dead, 1, Dead) && !counts(Left, 1, Alive));
    }
}
