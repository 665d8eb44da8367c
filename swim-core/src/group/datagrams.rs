//! Making datagrams, and what is piggybacked on them.
//!
//! Every datagram is made here, inside `handle`, straight into the outbox: its head first, then claims
//! that must come along, then whatever gossip still fits. Updates and user broadcasts share the room: if
//! both have something to say, each gets half, and every other datagram has room for at least one
//! broadcast of any length. So neither can starve the other.

use core::net::SocketAddr;

use super::Group;
use super::broadcasts::Broadcasts;
use super::gossip::{News, Updates};
use super::members::{Flag, Members, Slot};
use super::suspicion::Suspicions;
use crate::api::{Claim, DropReason, NodeId, Status};
use crate::wire::{
    About, Accusers, Header, Mark, Message, PART_LEN, Ping, Plain, SEAL_ROOM, Update, VERSION, Writer,
};

/// What few datagrams carry.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rare<'a> {
    /// A direct message.
    Payload(&'a [u8]),
    /// Where a node that is refused was seen: its own Alive with this address.
    Seen(About, SocketAddr),
    /// Broadcasts of an origin, by number, and what is kept of it.
    Asked(NodeId, &'a [u32]),
    /// Ranges of broadcasts that this node lacks.
    Wanted(&'a [Mark]),
}

/// What a datagram carries besides its head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piggyback<'a> {
    /// Claims that come first, in this order, as far as they fit.
    pub(crate) claims: &'a [Slot],
    /// Members that the receiver may not know, as far as they fit.
    pub(crate) rows: &'a [Slot],
    /// Whether gossip fills the rest.
    pub(crate) gossip: bool,
    pub(crate) rare: Option<&'a Rare<'a>>,
    /// Longest datagram, where it must be shorter than the configured one.
    pub(crate) len_max: Option<usize>,
}

impl<'a> Piggyback<'a> {
    /// The head and nothing else.
    pub(crate) const EMPTY: Self = Self { claims: &[], rows: &[], gossip: false, rare: None, len_max: None };

    /// As much gossip as fits.
    pub(crate) const GOSSIP: Self = Self { gossip: true, ..Self::EMPTY };

    /// These claims.
    pub(crate) const fn claims(claims: &'a [Slot]) -> Self {
        Self { claims, ..Self::EMPTY }
    }
}

impl Group {
    /// Room for one datagram, in bytes; what sealing will need is never used.
    pub(crate) fn datagram_room(&self) -> usize {
        usize::from(self.cx.config.datagram_max) - SEAL_ROOM
    }

    /// Makes a datagram to `target`. `false`: it was not made, because the outbox is full or because its
    /// head alone is longer than it may be; both are counted.
    pub(crate) fn send(&mut self, target: SocketAddr, message: &Message, piggyback: Piggyback<'_>) -> bool {
        // A member may still be held at the address that this node has taken. A datagram
        // to itself is as good as sent: what is asked there stays unanswered.
        if target == self.cx.me.addr {
            self.cx.outbox.spend();
            return true;
        }
        let header = Header {
            kind: message.kind(),
            label: self.cx.config.label_hash(),
            sender: self.cx.me.id,
            epoch: self.cx.me.epoch,
            incarnation: self.incarnation(),
        };
        let limit = self.datagram_room().min(piggyback.len_max.unwrap_or(usize::MAX));
        let something = self.has_gossip();
        let sends_max = if something { self.sends_max() } else { 1 };
        let Some(bytes) = self.cx.outbox.open() else {
            self.cx.stats.drop(DropReason::OutboxFull);
            return false;
        };
        let mut writer = Writer::begin(bytes, limit, &header, message);
        if writer.len() > limit {
            writer.abandon();
            self.cx.stats.drop(DropReason::Amplification);
            return false;
        }
        self.updates.begin();
        let table = (&mut self.members, &self.suspicions);
        let mut written = put_named(&mut writer, table, &mut self.updates, &piggyback, sends_max);
        if let Some(rare) = piggyback.rare {
            written += put_rare(&mut writer, &self.broadcasts, rare);
        }
        if piggyback.gossip && self.broadcasts.has_marks() {
            // A mark is never in the way of the broadcast that is pushed next.
            let next = self.broadcasts.next_len().map_or(0, |len| len + PART_LEN).min(writer.room());
            writer.set_aside(next);
            self.broadcasts.put_marks(&mut writer);
            writer.give_back(next);
        }
        if piggyback.gossip && something {
            written += put_gossip(
                &mut writer,
                (&mut self.members, &self.suspicions),
                (&mut self.updates, &mut self.broadcasts),
                &mut self.broadcasts_first,
                sends_max,
            );
        }
        let (start, len) = (writer.start(), writer.len());
        debug_assert!(len <= limit, "no datagram is longer than its limit");
        self.cx.outbox.seal(target, start);
        self.cx.stats.updates_sent += written as u64;
        self.cx.stats.datagrams_sent += 1;
        self.cx.stats.bytes_sent += len as u64;
        true
    }

    /// Gossip, if that is a member and is held there: other nodes get only what they asked for.
    pub(crate) fn gossip_for(&self, slot: Slot, addr: SocketAddr) -> Piggyback<'static> {
        let here = self.cx.config.accept_wrong_source || self.members.addr(slot) == addr;
        if here && self.members.claim(slot).status.is_active() { Piggyback::GOSSIP } else { Piggyback::EMPTY }
    }

    /// Pings `target` and says what is held of it if that is not Alive, so that it can refute at once (Lifeguard's buddy
    /// rule; it holds for the Dead too: that is how a partition heals), or if it is pending, so that it fills that in.
    pub(crate) fn ping(
        &mut self,
        target: Slot,
        addr: SocketAddr,
        number: u64,
        piggyback: Piggyback<'_>,
    ) -> bool {
        // Where the member is not held (any longer) nothing is said: given the member's stamp, another node with its id
        // would outdo it.
        let here = self.addr(target) == addr;
        let settled = self.status(target) == Status::Alive && !self.members.flag(target, Flag::Pending);
        let held_claim = (here && !settled).then(|| self.claim(target));
        let ping = Ping { target: self.id(target), number, root: self.digest_root(), held_claim };
        self.send(addr, &Message::Ping(ping), piggyback)
    }
}

/// Writes the claims and the rows that the caller names. Returns how many of them fit.
fn put_named(
    writer: &mut Writer<'_>,
    (members, suspicions): (&mut Members, &Suspicions),
    updates: &mut Updates,
    piggyback: &Piggyback<'_>,
    sends_max: usize,
) -> usize {
    let mut written = 0;
    for slot in piggyback.claims.iter().copied() {
        if !put_claim(writer, members, suspicions, &news(members, slot)) {
            continue;
        }
        written += 1;
        // Gossip need not say it a second time.
        if let Some(index) = members.queue(slot).filter(|_| piggyback.gossip)
            && updates.sent(index, sends_max)
        {
            members.set_queue(slot, None);
        }
    }
    written + piggyback.rows.iter().filter(|slot| put_row(writer, members, suspicions, **slot)).count()
}

/// Writes what few datagrams carry. Returns how many updates that is.
#[cold]
fn put_rare(writer: &mut Writer<'_>, broadcasts: &Broadcasts, rare: &Rare<'_>) -> usize {
    match *rare {
        Rare::Payload(payload) => {
            let fits = writer.payload(payload);
            debug_assert!(fits, "PAYLOAD_MAX fits the shortest datagram");
            0
        }
        Rare::Seen(about, addr) => {
            let update = Update::Alive { about, addr, versions: (VERSION, VERSION), metadata: &[] };
            usize::from(writer.update(&update))
        }
        Rare::Wanted(ranges) => {
            let fit = ranges.iter().all(|range| writer.mark(range));
            debug_assert!(fit, "a pull fits the shortest datagram");
            0
        }
        Rare::Asked(origin, numbers) => {
            broadcasts.put_mark(writer, origin);
            for number in numbers {
                broadcasts.put(writer, origin, *number);
            }
            0
        }
    }
}

/// Updates in one datagram, whatever its length.
const UPDATES_MAX: usize = 64;

/// Fills a datagram with gossip. Returns how many updates it carries.
fn put_gossip(
    writer: &mut Writer<'_>,
    (members, suspicions): (&mut Members, &Suspicions),
    (updates, broadcasts): (&mut Updates, &mut Broadcasts),
    broadcasts_first: &mut bool,
    sends_max: usize,
) -> usize {
    let mut reserved = 0;
    if let Some(next) = broadcasts.next_len() {
        reserved = writer.room() / 2;
        if updates.len() > 0 {
            *broadcasts_first = !*broadcasts_first;
        }
        let needed = next + PART_LEN;
        if *broadcasts_first {
            reserved = reserved.max(needed).min(writer.room());
        } else if needed > reserved {
            reserved = 0;
        }
    }
    let mut done = [None; UPDATES_MAX];
    let mut finished = 0;
    writer.set_aside(reserved);
    let written = updates.write(
        writer,
        UPDATES_MAX,
        sends_max,
        |writer, news| put_claim(writer, members, suspicions, news),
        |news| {
            done[finished] = Some(news.slot);
            finished += 1;
        },
    );
    debug_assert!(finished <= written, "only what was written is done with");
    for slot in done[..finished].iter().copied().flatten() {
        members.set_queue(slot, None);
    }
    writer.give_back(reserved);
    broadcasts.write(writer);
    written
}

/// What the table says of a member, where it is not known which node said it first.
fn news(members: &Members, slot: Slot) -> News {
    let me = members.id(Slot::ME);
    let id = members.id(slot);
    let goodbye = members.claim(slot).status == Status::Left && !members.flag(slot, Flag::Removed);
    let by = if goodbye { id } else { me };
    News { slot, by, accuser: by }
}

/// Writes what the table says of a member. `false` if it does not fit, or may not be sent: a pending
/// claim's address and metadata are not known.
fn put_claim(writer: &mut Writer<'_>, members: &Members, suspicions: &Suspicions, news: &News) -> bool {
    let slot = news.slot;
    if let Some((id, claim, addr)) = members.plain(slot) {
        return writer.plain(&Plain { about: about(id, &claim), addr, versions: (VERSION, VERSION) });
    }
    let about = about(members.id(slot), &members.claim(slot));
    let update = match members.status(slot) {
        Status::Alive if members.flag(slot, Flag::Pending) => return false,
        Status::Alive => alive(members, slot),
        Status::Suspect => {
            let accusers = members.suspicion(slot).and_then(|index| suspicions.accusers(index));
            Update::Suspect { about, accusers: accusers.copied().unwrap_or_else(|| Accusers::new(news.by)) }
        }
        Status::Dead => Update::Dead { about, by: news.by, accuser: news.accuser },
        Status::Left => Update::Left { about, by: news.by },
    };
    writer.update(&update)
}

/// Bytes that a member takes in a page: its address, and what is suspected of it. 0 for a member that is
/// pending, whose address is not known.
pub(crate) fn row_len(members: &Members, slot: Slot) -> usize {
    if members.flag(slot, Flag::Pending) {
        return 0;
    }
    let suspected = members.claim(slot).status == Status::Suspect;
    let suspicion_len = if suspected { crate::wire::SUSPECT_LEN_MAX } else { 0 };
    crate::wire::update_len(&alive(members, slot)) + suspicion_len
}

fn put_row(writer: &mut Writer<'_>, members: &Members, suspicions: &Suspicions, slot: Slot) -> bool {
    let suspected = members.claim(slot).status == Status::Suspect;
    writer.update(&alive(members, slot))
        && (!suspected || put_claim(writer, members, suspicions, &news(members, slot)))
}

/// What a claim is about.
#[inline]
pub(super) const fn about(id: NodeId, claim: &Claim) -> About {
    About { id, epoch: claim.epoch, incarnation: claim.incarnation }
}

/// A member's own last claim.
#[inline]
fn alive(members: &Members, slot: Slot) -> Update<'_> {
    Update::Alive {
        about: about(members.id(slot), &members.claim(slot)),
        addr: members.addr(slot),
        versions: (VERSION, VERSION),
        metadata: members.metadata(slot),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::api::Epoch;
    use crate::api::{Config, Identity, Instant, NodeId};
    use crate::context::{Context, Streams};
    use crate::wire::{Ack, Challenge, HEADER_LEN};

    fn group() -> Group {
        let addr = SocketAddr::from(([10, 0, 0, 1], 7946));
        let me = Identity { id: NodeId(1), addr, epoch: Epoch(1_000) };
        let config = alloc::sync::Arc::new(Config::lan());
        Group::new(Context::new(config, me, Streams::new(&Seed([1; 32])), Instant::ORIGIN))
    }

    /// No request is short enough for this to happen; it is the promise behind the lengths.
    #[test]
    fn an_answer_that_would_be_longer_than_it_may_be_is_not_sent_and_leaves_no_trace() {
        let mut group = group();
        group.cx.outbox.begin();
        let target = SocketAddr::from(([192, 0, 2, 1], 9));
        let challenge = Message::Challenge(Challenge { nonce: 1, token: 2 });
        let ack = Message::Ack(Ack { number: 1, root: None, held_claim: None, stranger: true });
        let within = |len| Piggyback { len_max: Some(len), ..Piggyback::EMPTY };
        for (count, message) in (1..).zip([challenge, ack]) {
            assert!(!group.send(target, &message, within(HEADER_LEN + 8)));
            assert_eq!(group.cx.stats.dropped(DropReason::Amplification), count);
        }
        assert_eq!((group.cx.stats.datagrams_sent, group.cx.stats.bytes_sent), (0, 0));
        assert!(group.send(target, &challenge, within(43)));
        let sent = group.cx.outbox.next_datagram().map(|(to, bytes)| (to, bytes.len()));
        assert_eq!(sent, Some((target, 43)));
        assert_eq!(group.cx.outbox.next_datagram(), None);
    }
}
