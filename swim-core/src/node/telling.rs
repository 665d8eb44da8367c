//! Making datagrams, and what rides on them.
//!
//! Every datagram is made here, inside `handle`, straight into the outbox: its head first, then claims
//! that must come along, then whatever gossip still fits. Updates and user broadcasts share the room: if
//! both have something to say, each gets half, and every other datagram has room for at least one
//! broadcast of any length. So neither can starve the other.

use core::net::SocketAddr;

use super::Core;
use crate::claim::Status;
use crate::gossip::News;
use crate::members::{Flag, Members, Slot};
use crate::scale;
use crate::stats::DropReason;
use crate::suspicion::Suspicions;
use crate::wire::{About, Accusers, Message, Plain, SEAL_ROOM, Sender, Update, VERSION, Writer};

/// What a datagram carries besides its head.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cargo<'a> {
    /// Claims that come first, in this order, as far as they fit.
    pub(super) claims: &'a [Slot],
    /// Members for somebody who may not know them, as far as they fit.
    pub(super) rows: &'a [Slot],
    /// Whether gossip fills the rest.
    pub(super) gossip: bool,
    /// A direct message.
    pub(super) payload: Option<&'a [u8]>,
    /// Longest datagram, where it must be shorter than the configured one.
    pub(super) len_max: Option<usize>,
}

impl<'a> Cargo<'a> {
    /// The head and nothing else.
    pub(super) const EMPTY: Self =
        Self { claims: &[], rows: &[], gossip: false, payload: None, len_max: None };

    /// As much gossip as fits.
    pub(super) const GOSSIP: Self =
        Self { claims: &[], rows: &[], gossip: true, payload: None, len_max: None };

    /// These claims.
    pub(super) const fn claims(claims: &'a [Slot]) -> Self {
        Self { claims, rows: &[], gossip: false, payload: None, len_max: None }
    }
}

impl Core {
    /// Room for one datagram, in bytes; what sealing will need is never used.
    pub(super) fn datagram_room(&self) -> usize {
        usize::from(self.cx.config.datagram_max) - if mutant!(SealRoomForgotten) { 0 } else { SEAL_ROOM }
    }

    /// Who every header says that this is.
    pub(super) fn sender(&self) -> Sender {
        Sender {
            label: self.cx.config.label_hash(),
            id: self.cx.me.id,
            epoch: self.cx.me.epoch,
            incarnation: self.incarnation(),
        }
    }

    /// Makes a datagram to `target`. `false`: it was not made, because the outbox is full or because its
    /// head alone is longer than it may be; both are counted.
    pub(super) fn send(&mut self, target: SocketAddr, message: &Message, cargo: Cargo<'_>) -> bool {
        // A member may be held where this node lives since its address changed. Nobody is there to hear
        // it, which is as good as sent: what is asked there stays unanswered.
        if target == self.cx.me.addr {
            self.cx.outbox.spend();
            return true;
        }
        let sender = self.sender();
        let limit = self.datagram_room().min(cargo.len_max.unwrap_or(usize::MAX));
        let something = self.updates.len() > 0 || self.broadcasts.len() > 0;
        let sends_max = if something { self.sends_max() } else { 1 };
        let Some(bytes) = self.cx.outbox.open() else {
            self.cx.stats.drop(DropReason::OutboxFull);
            return false;
        };
        let mut writer = Writer::begin(bytes, limit, &sender, message);
        if writer.len() > limit {
            writer.abandon();
            self.cx.stats.drop(DropReason::Amplification);
            return false;
        }
        self.updates.begin();
        for slot in cargo.claims {
            if !put_claim(&mut writer, &self.members, &self.suspicions, &news(&self.members, *slot)) {
                continue;
            }
            self.cx.stats.updates_sent += 1;
            // Gossip need not say it a second time.
            if let Some(place) = self.members.queue(*slot).filter(|_| cargo.gossip)
                && self.updates.told(place, sends_max)
            {
                self.members.set_queue(*slot, None);
            }
        }
        for slot in cargo.rows {
            if put_row(&mut writer, &self.members, &self.suspicions, *slot) {
                self.cx.stats.updates_sent += 1;
            }
        }
        if cargo.gossip && something {
            let written = ride(
                &mut writer,
                (&mut self.members, &self.suspicions),
                (&mut self.updates, &mut self.broadcasts),
                &mut self.broadcasts_first,
                (usize::from(self.cx.config.updates_max), sends_max),
            );
            self.cx.stats.updates_sent += written as u64;
        }
        if let Some(payload) = cargo.payload {
            let fits = writer.payload(payload);
            debug_assert!(fits, "PAYLOAD_MAX fits the shortest datagram");
        }
        let (start, len) = (writer.start(), writer.len());
        self.cx.outbox.seal(target, start);
        self.cx.stats.datagrams_sent += 1;
        self.cx.stats.bytes_sent += len as u64;
        true
    }

    /// Gossip, if that is a member and is held there: nobody else is told what he has not asked for.
    pub(super) fn gossip_for(&self, slot: Slot, addr: SocketAddr) -> Cargo<'static> {
        let here = self.cx.config.accept_wrong_source || self.members.addr(slot) == addr;
        if here && self.members.claim(slot).status.is_active() { Cargo::GOSSIP } else { Cargo::EMPTY }
    }

    /// How often an update is told by each member: λ · ⌈log₁₀(n + 1)⌉.
    pub(super) fn sends_max(&self) -> usize {
        if mutant!(ToldOnce) {
            return 1;
        }
        let limit = scale::transmit_limit(self.cx.config.lambda, self.n()) as usize;
        limit.min(crate::gossip::SENDS_MAX) + usize::from(mutant!(ToldOnceTooOften))
    }
}

/// Updates in one datagram, whatever its length.
const UPDATES_MAX: usize = 64;

type Gossip<'a> = (&'a mut crate::gossip::Updates, &'a mut crate::gossip::Broadcasts);

/// Fills a datagram with gossip. Returns how many updates it carries.
fn ride(
    writer: &mut Writer<'_>,
    (members, suspicions): (&mut Members, &Suspicions),
    (updates, broadcasts): Gossip<'_>,
    broadcasts_first: &mut bool,
    (updates_max, sends_max): (usize, usize),
) -> usize {
    let mut reserved = 0;
    if let Some(next) = broadcasts.next_len() {
        reserved = writer.room() / 2;
        if updates.len() > 0 {
            *broadcasts_first = !*broadcasts_first;
        }
        let needed = next + crate::wire::PART_LEN;
        if *broadcasts_first {
            reserved = reserved.max(needed).min(writer.room());
        } else if needed > reserved {
            reserved = 0;
        }
    }
    let mut done = [None; UPDATES_MAX];
    let mut finished = 0;
    let updates_max = updates_max.min(done.len());
    let written = updates.write(
        writer,
        reserved,
        updates_max,
        sends_max,
        |writer, news| put_claim(writer, members, suspicions, news),
        |news| {
            done[finished] = Some(news.slot);
            finished += 1;
        },
    );
    for slot in done[..finished].iter().copied().flatten() {
        members.set_queue(slot, None);
    }
    broadcasts.write(writer, sends_max);
    written
}

/// What the table says of a member, where nobody is known to have said it first.
fn news(members: &Members, slot: Slot) -> News {
    let me = members.id(Slot::ME);
    let id = members.id(slot);
    let goodbye = members.claim(slot).status == Status::Left && !members.flag(slot, Flag::Removed);
    let by = if goodbye { id } else { me };
    News { slot, by, accuser: by }
}

/// Writes what the table says of a member. `false` if it does not fit, or may not be told: a pending
/// claim's address and metadata are not known.
fn put_claim(writer: &mut Writer<'_>, members: &Members, suspicions: &Suspicions, news: &News) -> bool {
    let slot = news.slot;
    if let Some((id, claim, addr)) = members.plain(slot) {
        let about = About { id, epoch: claim.epoch, incarnation: claim.incarnation };
        return writer.plain(&Plain { about, addr, versions: (VERSION, VERSION) });
    }
    let claim = members.claim(slot);
    let about = About { id: members.id(slot), epoch: claim.epoch, incarnation: claim.incarnation };
    let update = match claim.status {
        Status::Alive if members.is_pending(slot) => return false,
        Status::Alive => alive(members, slot),
        Status::Suspect => {
            let accusers = members.suspicion(slot).and_then(|place| suspicions.accusers(place));
            Update::Suspect { about, accusers: accusers.copied().unwrap_or_else(|| Accusers::new(news.by)) }
        }
        Status::Dead => Update::Dead { about, by: news.by, accuser: news.accuser },
        Status::Left => Update::Left { about, by: news.by },
    };
    writer.update(&update)
}

/// Bytes that a member takes in a page: its address, and what is doubted of it. 0 for a member that is
/// pending, of whom no address can be told.
pub(super) fn row_len(members: &Members, slot: Slot) -> usize {
    if members.is_pending(slot) {
        return 0;
    }
    let doubted = members.claim(slot).status == Status::Suspect;
    let doubt_len = if doubted { crate::wire::SUSPECT_LEN_MAX } else { 0 };
    crate::wire::update_len(&alive(members, slot)) + doubt_len
}

fn put_row(writer: &mut Writer<'_>, members: &Members, suspicions: &Suspicions, slot: Slot) -> bool {
    let doubted = members.claim(slot).status == Status::Suspect;
    writer.update(&alive(members, slot))
        && (!doubted || put_claim(writer, members, suspicions, &news(members, slot)))
}

/// A member's last own word.
#[inline]
fn alive(members: &Members, slot: Slot) -> Update<'_> {
    let claim = members.claim(slot);
    Update::Alive {
        about: About { id: members.id(slot), epoch: claim.epoch, incarnation: claim.incarnation },
        addr: members.addr(slot),
        versions: (VERSION, VERSION),
        metadata: members.metadata(slot),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Node;
    use crate::identity::{Epoch, Identity, NodeId};
    use crate::output::Output;
    use crate::time::Instant;
    use crate::wire::{Ack, Challenge, HEADER_LEN};
    use crate::{Config, DropReason, Seed};

    fn node() -> Node {
        let me =
            Identity { id: NodeId(1), addr: SocketAddr::from(([10, 0, 0, 1], 7946)), epoch: Epoch(1_000) };
        Node::new(alloc::sync::Arc::new(Config::lan()), me, Seed([1; 32]), Instant::ORIGIN)
    }

    /// No question is short enough for this to happen; it is the promise behind the lengths.
    #[test]
    fn an_answer_that_would_be_longer_than_it_may_be_is_not_sent_and_leaves_no_trace() {
        let mut node = node();
        let target = SocketAddr::from(([192, 0, 2, 1], 9));
        let challenge = Message::Challenge(Challenge { nonce: 1, token: 2 });
        let ack = Message::Ack(Ack { number: 1, root: None, belief: None, stranger: true });
        for (count, message) in (1..).zip([challenge, ack]) {
            assert!(!node.core.send(target, &message, Cargo { len_max: Some(HEADER_LEN + 8), ..Cargo::EMPTY }));
            assert_eq!(node.stats().dropped(DropReason::Amplification), count);
        }
        assert_eq!((node.stats().datagrams_sent, node.stats().bytes_sent), (0, 0));
        assert!(node.core.send(target, &challenge, Cargo { len_max: Some(51), ..Cargo::EMPTY }));
        assert!(matches!(node.poll(), Some(Output::Transmit(transmit)) if transmit.bytes.len() == 51));
        assert_eq!(node.poll(), None);
    }
}
