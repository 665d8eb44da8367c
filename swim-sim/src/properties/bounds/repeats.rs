//! B10: no member gossips one update more often than λ · ⌈log₁₀(n + 1)⌉ times.
//!
//! An update is a claim as it stands: subject, epoch, incarnation and status, and the number of accusers of a
//! suspicion, for each further one is an update. A suspicion is gossiped again before it runs out, and once
//! more when the suspect's address comes, if its claim was known from a header alone. Counted is what can
//! only be gossip: what piggybacks on pings and their like, and on a gossip tick. An ack may put its asker
//! right besides (about itself, and about those that are gone), a datagram that answers another may too, and
//! with a handshake with a dead member another learns of it; those are left out. n is the largest that the
//! sender ever held.

use std::collections::BTreeMap;

use swim_core::{Claim, Event, MessageKind, NodeId, Status};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::formulas::sends;
use crate::properties::{Broken, Case, Check, Monitor, RowChange, declare};

/// B10.
pub(super) struct Repeats {
    case: Case,
    /// What was sent last of each, by sender and subject, and how often.
    sent: BTreeMap<(HostId, NodeId), (Update, u32)>,
    /// The most members that each sender held.
    most: BTreeMap<HostId, u32>,
    looked: u64,
}

/// One update.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Update {
    claim: Claim,
    accusers: usize,
    /// Of two Alives with the same numbers the one at the higher address is gossiped anew.
    addr: Option<std::net::SocketAddr>,
}

impl Repeats {
    pub(super) fn new(case: &Case) -> Self {
        let (sent, most) = (BTreeMap::new(), BTreeMap::new());
        Self { case: case.clone(), sent, most, looked: 0 }
    }

    fn send(&mut self, scene: &Scene<'_>, host: HostId, read: &Reading<'_>) -> Check {
        let (gossip, ack) = (read.kind == MessageKind::Gossip, read.kind == MessageKind::Ack);
        let counts = match read.kind {
            MessageKind::Gossip => scene.ticks(host),
            MessageKind::Ack | MessageKind::Ping | MessageKind::PingReq => true,
            MessageKind::Nack | MessageKind::RelayedAck => true,
            _ => false,
        };
        if !counts {
            return Ok(());
        }
        let alone = gossip && read.members().nth(1).is_none();
        for member in read.members() {
            let (claim, addr) = (member.claim, member.addr);
            let put_right = ack && (member.id == read.sender || !claim.status.is_active());
            // With a handshake with a dead member, one claim about it.
            if put_right || alone && claim.status == Status::Dead {
                continue;
            }
            let accusers = member.accusers().count();
            self.send_update(host, member.id, Update { claim, accusers, addr })?;
        }
        Ok(())
    }

    fn send_update(&mut self, host: HostId, id: NodeId, update: Update) -> Check {
        self.looked += 1;
        let sent = self.sent.entry((host, id)).or_insert((update, 0));
        if sent.0 != update {
            *sent = (update, 0);
        }
        sent.1 += 1;
        let rounds = if update.claim.status == Status::Suspect { 3 } else { 1 };
        let n = self.most.get(&host).copied().unwrap_or(1);
        let max = sends(&self.case.config, n) * rounds;
        if sent.1 <= max {
            return Ok(());
        }
        let why = format!("{host:?} gossiped of {id:?} for the {}th time, at most {max}: {update:?}", sent.1);
        Err(Broken::by(&[host], why))
    }
}

impl Monitor for Repeats {
    declare! { "B10", "repeats", REPORTED | READ_SENT,
    "no member gossips one update more often than lambda times for each decade of members" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            // Forgotten and met again, it is an update again.
            Happening::Reported { host, event: Event::Alive { id, .. } | Event::Forgotten { id } } => {
                self.sent.remove(&(*host, *id));
            }
            Happening::Reported { host, event: Event::StartedOver { .. } | Event::Lost { .. } }
            | Happening::Began { host, .. } => self.sent.retain(|(sender, _), _| sender != host),
            _ => {}
        }
        Ok(())
    }

    fn on_datagram(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        let Happening::Sent { host, .. } = what else { return Ok(()) };
        self.send(scene, *host, said)
    }

    fn on_rows_changed(&mut self, world: &World, host: HostId, _moves: &[RowChange]) -> Check {
        if let Some(node) = world.node(host) {
            let stats = node.stats();
            let most = self.most.entry(host).or_default();
            *most = (*most).max(stats.alive + stats.suspect);
        }
        Ok(())
    }
}
