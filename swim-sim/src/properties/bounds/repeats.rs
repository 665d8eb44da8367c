//! B10: no member tells one piece of news more often than λ · ⌈log₁₀(n + 1)⌉ times.
//!
//! A piece of news is a claim as it stands: subject, epoch, incarnation and status, and the number of accusers of a
//! suspicion, for each further one is news. A suspicion is told a second time before it runs out, and once more when the
//! suspect's address comes, if its claim was known from a header alone. Counted is what can
//! only be gossip: what rides on pings and their like, and on a gossip tick. An ack may put its asker right besides
//! (about itself, and about those who are gone), a datagram that answers another may too, and with a contact to
//! the dead somebody else hears of him; those are left out. n is the largest that the teller ever held.

use std::collections::BTreeMap;

use swim_core::{Claim, Event, MessageKind, NodeId, Said, Status};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::formulas::sends;
use crate::properties::{Broken, Case, Check, Monitor, RowChange, declare};

/// B10.
pub(super) struct Repeats {
    case: Case,
    /// What was told last of each, by teller and subject, and how often.
    told: BTreeMap<(HostId, NodeId), (News, u32)>,
    /// The most members that each teller held.
    most: BTreeMap<HostId, u32>,
    ticking: Option<HostId>,
    looked: u64,
}

/// One piece of news.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct News {
    claim: Claim,
    accusers: usize,
    /// Of two Alives with the same numbers the one at the higher address is told anew.
    addr: Option<std::net::SocketAddr>,
}

impl Repeats {
    pub(super) fn new(case: &Case) -> Self {
        let (told, most) = (BTreeMap::new(), BTreeMap::new());
        Self { case: case.clone(), told, most, ticking: None, looked: 0 }
    }

    fn send(&mut self, host: HostId, read: &Reading<'_>) -> Check {
        let by_itself = self.ticking == Some(host);
        let (gossip, ack) = (read.kind == MessageKind::Gossip, read.kind == MessageKind::Ack);
        let counts = match read.kind {
            MessageKind::Gossip => by_itself,
            MessageKind::Ack | MessageKind::Ping | MessageKind::PingReq => true,
            MessageKind::Nack | MessageKind::RelayedAck => true,
            _ => false,
        };
        if !counts {
            return Ok(());
        }
        let records = read.records().iter();
        let mut members = records.filter_map(|said| match said {
            Said::Member(member) => Some(member),
            _ => None,
        });
        let Some(mut next) = members.next() else { return Ok(()) };
        let mut following = members.next();
        // With a contact to the dead, one word about him.
        if gossip && following.is_none() && next.claim.status == Status::Dead {
            return Ok(());
        }
        loop {
            let put_right = ack && (next.id == read.sender || !next.claim.status.is_active());
            if !put_right {
                let accusers = next.accusers().count();
                self.tell(host, next.id, News { claim: next.claim, accusers, addr: next.addr })?;
            }
            let Some(member) = following else { return Ok(()) };
            next = member;
            following = members.next();
        }
    }

    fn tell(&mut self, host: HostId, id: NodeId, news: News) -> Check {
        self.looked += 1;
        let told = self.told.entry((host, id)).or_insert((news, 0));
        if told.0 != news {
            *told = (news, 0);
        }
        told.1 += 1;
        let rounds = if news.claim.status == Status::Suspect { 3 } else { 1 };
        let n = self.most.get(&host).copied().unwrap_or(1);
        let max = sends(&self.case.config, n) * rounds;
        if told.1 <= max {
            return Ok(());
        }
        let why = format!("{host:?} said of {id:?} for the {}th time, at most {max}: {news:?}", told.1);
        Err(Broken::by(&[host], why))
    }
}

impl Monitor for Repeats {
    declare! { "B10", "repeats", TICKED | REPORTED | READ_SENT | AFTER_INPUT,
    "no member tells one piece of news more often than lambda times for each decade of members" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Ticked { host } => self.ticking = Some(*host),
            // Forgotten and met again, it is news again.
            Happening::Reported { host, event: Event::Alive { id, .. } | Event::Forgotten { id } } => {
                self.told.remove(&(*host, *id));
            }
            Happening::Reported { host, event: Event::StartedOver { .. } | Event::Lost { .. } }
            | Happening::Began { host, .. } => self.told.retain(|(teller, _), _| teller != host),
            _ => {}
        }
        Ok(())
    }

    fn on_datagram(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        let Happening::Sent { host, .. } = what else { return Ok(()) };
        self.send(*host, said)
    }

    fn on_rows_changed(&mut self, world: &World, host: HostId, _moves: &[RowChange]) -> Check {
        if let Some(node) = world.node(host) {
            let stats = node.stats();
            let most = self.most.entry(host).or_default();
            *most = (*most).max(stats.alive + stats.suspect);
        }
        Ok(())
    }

    fn after_input(&mut self, _world: &World, _host: HostId) -> Check {
        self.ticking = None;
        Ok(())
    }
}
