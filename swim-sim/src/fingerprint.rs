//! One number for everything that nodes did.
//!
//! Two runs are the same run if every node was given the same inputs at the same times and answered with the
//! same datagrams, events and deadline, in one order. Keeping both runs to compare them would cost more than
//! running them; a running hash costs a few nanoseconds for eight bytes, and one number can be printed and committed.
//!
//! The hash is of meaning: a fixed number for each variant and the values of its fields. No `Debug` text and
//! no serialized name enters it, so a renamed type, variant or field leaves every digest as it was. **A number
//! in this file never changes and is never used again.**

use std::fmt;
use std::net::{SocketAddr, SocketAddrV6};
use std::time::Duration;

use swim_core::{Command, Done, Event, Identity, Instant, JoinFailure, Member, Node, Refusal, Stats, Status};

use crate::host_id::HostId;

/// A running hash, order-sensitive, the same on every machine.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of a world in which nothing happened yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(0x243f_6a88_85a3_08d3)
    }

    /// Adds one number.
    pub const fn absorb(&mut self, number: u64) {
        // The state enters both factors: a zero product (one factor happening to be zero) would
        // otherwise wipe out all history.
        let product = ((self.0 ^ number ^ 0x9e37_79b9_7f4a_7c15) as u128)
            .wrapping_mul((self.0.rotate_left(32) ^ 0xd1b5_4a32_d192_ed03) as u128);
        self.0 = (product as u64) ^ ((product >> 64) as u64) ^ number.rotate_left(17);
    }

    /// Adds a string of bytes, its length included.
    pub fn absorb_bytes(&mut self, bytes: &[u8]) {
        self.absorb(bytes.len() as u64);
        let (chunks, rest) = bytes.as_chunks();
        chunks.iter().for_each(|chunk| self.absorb(u64::from_le_bytes(*chunk)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.absorb(u64::from_le_bytes(last));
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    fn absorb_all<const N: usize>(&mut self, numbers: [u64; N]) {
        numbers.into_iter().for_each(|number| self.absorb(number));
    }

    fn absorb_addr(&mut self, addr: SocketAddr) {
        match addr {
            SocketAddr::V4(addr) => {
                self.absorb(4 << 56 | u64::from(addr.ip().to_bits()) << 16 | u64::from(addr.port()));
            }
            SocketAddr::V6(addr) => self.absorb_v6(addr),
        }
    }

    #[cold]
    fn absorb_v6(&mut self, addr: SocketAddrV6) {
        let bits = addr.ip().to_bits();
        self.absorb_all([6 << 56 | u64::from(addr.port()), (bits >> 64) as u64, bits as u64]);
        self.absorb(u64::from(addr.flowinfo()) << 32 | u64::from(addr.scope_id()));
    }
}

/// What happens to nodes.
impl Fingerprint {
    /// A process begins.
    pub(crate) fn began(&mut self, now: Instant, host: HostId, me: Identity) {
        self.at(now, host, 1);
        self.absorb_all([me.id.0, me.epoch.0]);
        self.absorb_addr(me.addr);
    }

    /// A process is over.
    pub(crate) fn ended(&mut self, now: Instant, host: HostId) {
        self.at(now, host, 2);
    }

    /// A timer of an application fires.
    pub(crate) fn fired(&mut self, now: Instant, host: HostId) {
        self.at(now, host, 3);
    }

    /// A node reads a datagram; what it does in return is added next. `local` is its own clock's time. The bytes
    /// were absorbed when they were sent; what the network changed shows in what the node does.
    pub(crate) fn received(
        &mut self,
        now: Instant,
        host: HostId,
        local: Instant,
        source: SocketAddr,
        bytes: &[u8],
    ) {
        self.at(now, host, 4);
        self.absorb(local.as_nanos());
        self.absorb_addr(source);
        self.absorb(bytes.len() as u64);
    }

    /// A node ticks.
    pub(crate) fn ticked(&mut self, now: Instant, host: HostId, local: Instant) {
        self.at(now, host, 5);
        self.absorb(local.as_nanos());
    }

    /// A send of a node was refused, and it hears so.
    pub(crate) fn undelivered(&mut self, now: Instant, host: HostId, local: Instant, target: SocketAddr) {
        self.at(now, host, 6);
        self.absorb(local.as_nanos());
        self.absorb_addr(target);
    }

    /// A node is given a command; what it does in return is added next.
    pub(crate) fn commanded(&mut self, now: Instant, host: HostId, local: Instant, command: &Command<'_>) {
        self.at(now, host, 7);
        self.absorb(local.as_nanos());
        self.command(command);
    }

    /// A command has returned.
    pub(crate) fn returned(&mut self, command: &Command<'_>, result: &Result<Done, Refusal>) {
        match (result, command) {
            (Ok(Done::MetadataSet { incarnation }), _) => self.absorb_all([0x204, incarnation.0.into()]),
            (Ok(_), Command::SetAddress(addr)) => {
                self.absorb(0x205);
                self.absorb_addr(swim_core::canonical(*addr));
            }
            (Ok(Done::BroadcastQueued { sequence }), _) => self.absorb_all([0x206, (*sequence).into()]),
            (Ok(_), Command::Send { target, .. }) => self.absorb_all([0x207, target.0]),
            (Ok(Done::Restored { used, skipped }), _) => {
                self.absorb_all([0x208, (*used).into(), (*skipped).into()]);
            }
            (Err(reason), _) => {
                let [tag, limit] = refusal(*reason);
                self.absorb_all([0x209, kind(command), tag, limit]);
            }
            // A join, a leave and a removal show in events.
            (Ok(_), _) => {}
        }
    }

    /// A node sends.
    pub(crate) fn transmit(&mut self, target: SocketAddr, bytes: &[u8]) {
        self.absorb(1);
        self.absorb_addr(target);
        self.absorb_bytes(bytes);
    }

    /// A node reports.
    pub(crate) fn event(&mut self, event: &Event) {
        match event {
            Event::Alive { id, addr, epoch } => {
                self.absorb_all([0x101, id.0, epoch.0]);
                self.absorb_addr(*addr);
            }
            Event::Suspect { id, by, incarnation, timeout } => {
                self.absorb_all([0x102, id.0, by.0, incarnation.0.into(), nanos(*timeout)]);
            }
            Event::Confirmed { id, by, accusers } => {
                self.absorb_all([0x103, id.0, by.0, (*accusers).into()]);
            }
            Event::Refuted { id, incarnation, by } => {
                self.absorb_all([0x104, id.0, incarnation.0.into(), by.0]);
            }
            Event::Dead { id, by, accuser } => self.absorb_all([0x105, id.0, by.0, accuser.0]),
            Event::Left { id, by } => {
                self.absorb_all([0x106, id.0, by.is_some().into(), by.map_or(0, |by| by.0)]);
            }
            Event::Updated { id, addr } => {
                self.absorb_all([0x107, id.0]);
                self.absorb_addr(*addr);
            }
            Event::Forgotten { id } => self.absorb_all([0x108, id.0]),
            Event::Accused { by, incarnation } => self.absorb_all([0x109, by.0, incarnation.0.into()]),
            Event::Conflict { id, rival, won } => {
                self.absorb_all([0x10a, id.0, (*won).into()]);
                self.absorb_addr(*rival);
            }
            Event::WrongSource { id, asked, answered } => {
                self.absorb_all([0x10b, id.0]);
                self.absorb_addr(*asked);
                self.absorb_addr(*answered);
            }
            Event::EpochRaised { epoch } => self.absorb_all([0x10c, epoch.0]),
            Event::Stalled { lost } => self.absorb_all([0x10d, nanos(*lost)]),
            Event::StartedOver { forgotten } => self.absorb_all([0x10e, (*forgotten).into()]),
            Event::Isolated { isolated } => self.absorb_all([0x10f, (*isolated).into()]),
            Event::Broadcast { origin, payload } => {
                self.absorb_all([0x110, origin.0]);
                self.absorb_bytes(payload);
            }
            Event::BroadcastsMissed { origin, count } => {
                self.absorb_all([0x113, origin.0, (*count).into()]);
            }
            Event::Message { from, payload } => {
                self.absorb_all([0x111, from.0]);
                self.absorb_bytes(payload);
            }
            Event::Lost { events } => self.absorb_all([0x112, *events]),
            answer => self.answer(answer),
        }
    }

    /// What a command led to.
    fn answer(&mut self, event: &Event) {
        match event {
            Event::Joined { via, members } => {
                self.absorb_all([0x201, (*members).into()]);
                self.absorb_addr(*via);
            }
            Event::JoinFailed { reason } => self.absorb_all([0x202, failure(*reason)]),
            Event::LeaveSent { datagrams } => self.absorb_all([0x203, (*datagrams).into()]),
            other => panic!("{other:?} has no tag"),
        }
    }

    /// A node has answered an input.
    pub(crate) fn settled(&mut self, deadline: Option<Instant>) {
        self.absorb(deadline.map_or(u64::MAX, Instant::as_nanos));
    }

    /// Everything that a node counts, and what it shows of its members if that has changed.
    #[cold]
    pub(crate) fn state(&mut self, node: &Node, is_changed: bool) {
        self.stats(&node.stats());
        if is_changed {
            self.members(node);
        }
    }

    fn stats(&mut self, stats: &Stats) {
        self.absorb_all([
            stats.datagrams_received,
            stats.bytes_received,
            stats.datagrams_sent,
            stats.bytes_sent,
            stats.probes,
            stats.probes_answered,
            stats.probes_answered_by_relay,
            stats.probes_failed,
            stats.probes_excused,
            stats.retries,
            stats.relays_asked,
            stats.nacks_received,
            stats.relayed,
            stats.suspicions_raised,
            stats.suspicions_learnt,
            stats.suspicions_refuted,
            stats.suspicions_expired,
            stats.refutations,
            stats.updates_applied,
            stats.updates_known,
            stats.updates_sent,
            stats.header_claims,
            stats.broadcasts_delivered,
            stats.broadcasts_missed,
            stats.broadcasts_asked,
            stats.pages_asked,
            stats.pages_served,
            stats.reconnects,
            stats.stalls,
            stats.stalled_ns,
            stats.isolations,
            stats.clock_backwards,
            stats.events_lost,
            u64::from(stats.alive) << 32 | u64::from(stats.suspect),
            u64::from(stats.dead) << 32 | u64::from(stats.left),
            u64::from(stats.updates_queued) << 32 | u64::from(stats.broadcasts_queued),
            stats.health.into(),
        ]);
        self.absorb_all(stats.drops);
        self.absorb_all([stats.rtts, stats.rtt_last_us.into()]);
    }

    /// Everything that a node shows of its members, in whatever order.
    pub(crate) fn members(&mut self, node: &Node) {
        let sum = node.members().map(|member| one(&member)).fold(0, u64::wrapping_add);
        self.absorb(sum);
    }

    fn at(&mut self, now: Instant, host: HostId, tag: u64) {
        self.absorb_all([now.as_nanos(), tag << 32 | u64::from(host.0)]);
    }

    fn command(&mut self, command: &Command<'_>) {
        self.absorb(kind(command));
        match command {
            Command::Join { seeds } | Command::SetSeeds { seeds } => {
                seeds.iter().for_each(|seed| self.absorb_addr(*seed))
            }
            Command::CancelJoin | Command::Leave => {}
            Command::SetMetadata(metadata) => self.absorb_bytes(metadata.as_bytes()),
            Command::SetAddress(addr) => self.absorb_addr(*addr),
            Command::Broadcast(payload) => self.absorb_bytes(payload.as_bytes()),
            Command::Send { target, payload } => {
                self.absorb(target.0);
                self.absorb_bytes(payload.as_bytes());
            }
            Command::Remove { target } => self.absorb(target.0),
            Command::Restore { known_peers } => {
                for known_peer in *known_peers {
                    self.absorb_all([known_peer.id.0, known_peer.epoch.0, known_peer.incarnation.0.into()]);
                    self.absorb_addr(known_peer.addr);
                }
            }
            other => panic!("{other:?} has no tag"),
        }
    }
}

/// The number of one member.
fn one(member: &Member<'_>) -> u64 {
    let mut hash = Fingerprint::new();
    let status = match member.status {
        Status::Alive => 0,
        Status::Suspect => 1,
        Status::Dead => 2,
        Status::Left => 3,
    };
    hash.absorb_all([member.id.0, member.epoch.0, u64::from(member.incarnation.0) << 32 | status]);
    hash.absorb_all([member.rtt.map_or(u64::MAX, nanos), nanos(member.since), member.is_me.into()]);
    hash.absorb_addr(member.addr);
    hash.absorb_bytes(member.metadata);
    hash.value()
}

fn kind(command: &Command<'_>) -> u64 {
    match command {
        Command::Join { .. } => 1,
        Command::CancelJoin => 2,
        Command::Leave => 3,
        Command::SetMetadata(_) => 4,
        Command::SetAddress(_) => 5,
        Command::Broadcast(_) => 6,
        Command::Send { .. } => 7,
        Command::Remove { .. } => 8,
        Command::Restore { .. } => 9,
        Command::SetSeeds { .. } => 10,
        other => panic!("{other:?} has no tag"),
    }
}

fn failure(reason: JoinFailure) -> u64 {
    match reason {
        JoinFailure::Cancelled => 1,
        JoinFailure::Left => 2,
        JoinFailure::IdTaken => 3,
        JoinFailure::Refused => 4,
        other => panic!("{other:?} has no tag"),
    }
}

fn refusal(reason: Refusal) -> [u64; 2] {
    match reason {
        Refusal::NotRunning => [1, 0],
        Refusal::NoUsableAddress => [2, 0],
        Refusal::TooManySeeds { limit } => [3, limit.into()],
        Refusal::QueueFull { limit } => [4, limit.into()],
        Refusal::OutboxFull => [5, 0],
        Refusal::NoSuchMember => [6, 0],
        Refusal::NothingToCancel => [7, 0],
        other => panic!("{other:?} has no tag"),
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use serde::Serialize;
    use serde::de::{DeserializeOwned, value};
    use serde_json::{Value, json};
    use swim_core::{Config, Epoch, Incarnation, Metadata, NodeId, Seed};

    use super::*;

    fn of(strings: &[&[u8]]) -> Fingerprint {
        let mut fingerprint = Fingerprint::new();
        strings.iter().for_each(|bytes| fingerprint.absorb_bytes(bytes));
        fingerprint
    }

    fn of_event(event: &Event) -> Fingerprint {
        let mut fingerprint = Fingerprint::new();
        fingerprint.event(event);
        fingerprint
    }

    fn of_stats(stats: &Stats) -> Fingerprint {
        let mut fingerprint = Fingerprint::new();
        fingerprint.stats(stats);
        fingerprint
    }

    /// The names of all variants: what serde says that it expected.
    fn variants<T: DeserializeOwned>() -> Vec<String> {
        let wrong: value::StrDeserializer<'_, value::Error> = value::StrDeserializer::new("?");
        let error = T::deserialize(wrong).err().expect("no variant is called so").to_string();
        let (_, names) = error.split_once("expected one of ").expect("all are named");
        names.split(", ").map(|name| name.trim_matches('`').to_owned()).collect()
    }

    /// All variants; `fields` are those of a variant that has some.
    fn all<T: DeserializeOwned>(fields: &Value) -> Vec<T> {
        let whole = |name: String| {
            let with_fields = serde_json::from_value(json!({ &name: fields }));
            with_fields.unwrap_or_else(|_| serde_json::from_value(json!(name)).expect("it has no fields"))
        };
        variants::<T>().into_iter().map(whole).collect()
    }

    /// `value` with each number in it made larger by one, each truth turned and each address another, one at a time.
    fn neighbours(value: &Value) -> Vec<Value> {
        match value {
            Value::Number(number) => number.as_u64().map(|number| json!(number + 1)).into_iter().collect(),
            Value::Bool(truth) => vec![json!(!truth)],
            Value::Array(parts) => (0..parts.len())
                .flat_map(|at| {
                    neighbours(&parts[at]).into_iter().map(move |part| {
                        let mut parts = parts.clone();
                        parts[at] = part;
                        Value::Array(parts)
                    })
                })
                .collect(),
            Value::Object(fields) => fields
                .iter()
                .flat_map(|(name, field)| {
                    neighbours(field).into_iter().map(move |field| {
                        let mut fields = fields.clone();
                        fields.insert(name.clone(), field);
                        Value::Object(fields)
                    })
                })
                .collect(),
            // An address; the name of a variant has no digit.
            Value::String(text) if text.contains('1') => vec![json!(text.replacen('1', "2", 1))],
            Value::Null | Value::String(_) => Vec::new(),
        }
    }

    fn changed<T: Serialize + DeserializeOwned>(whole: &T) -> Vec<T> {
        let value = serde_json::to_value(whole).expect("it can be written");
        neighbours(&value).into_iter().filter_map(|value| serde_json::from_value(value).ok()).collect()
    }

    /// One of each.
    fn events() -> Vec<Event> {
        let (id, by, accuser, incarnation) = (NodeId(1), NodeId(2), NodeId(3), Incarnation(4));
        let [addr, other]: [SocketAddr; 2] =
            ["10.0.0.1:7946", "[fe80::1]:10"].map(|addr| addr.parse().expect("an address"));
        let (time, payload) = (Duration::from_millis(5), Box::from([6, 7]));
        let reason = JoinFailure::Left;
        vec![
            Event::Alive { id, addr, epoch: Epoch(8) },
            Event::Suspect { id, by, incarnation, timeout: time },
            Event::Confirmed { id, by, accusers: 2 },
            Event::Refuted { id, incarnation, by },
            Event::Dead { id, by, accuser },
            Event::Left { id, by: Some(by) },
            Event::Updated { id, addr: other },
            Event::Forgotten { id },
            Event::Accused { by, incarnation },
            Event::Conflict { id, rival: addr, won: true },
            Event::WrongSource { id, asked: addr, answered: other },
            Event::EpochRaised { epoch: Epoch(8) },
            Event::Stalled { lost: time },
            Event::StartedOver { forgotten: 9 },
            Event::Isolated { isolated: true },
            Event::Joined { via: addr, members: 9 },
            Event::JoinFailed { reason },
            Event::LeaveSent { datagrams: 9 },
            Event::Broadcast { origin: id, payload: Clone::clone(&payload) },
            Event::BroadcastsMissed { origin: id, count: 9 },
            Event::Message { from: id, payload },
            Event::Lost { events: 9 },
        ]
    }

    #[test]
    fn order_boundaries_and_every_byte_count() {
        assert_eq!(of(&[b"ab", b"c"]), of(&[b"ab", b"c"]));
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"c", b"ab"]));
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        assert_ne!(of(&[b"12345678"]), of(&[b"12345679"]));
        assert_ne!(of(&[b"1"]), of(&[b"1\0"]));
    }

    #[test]
    fn every_event_has_a_tag_and_every_field_of_it_counts() {
        let name = |event: &Event| match serde_json::to_value(event).expect("events can be written") {
            Value::Object(fields) => fields.keys().next().cloned().unwrap_or_default(),
            other => panic!("an event without fields: {other}"),
        };
        let names: BTreeSet<String> = events().iter().map(name).collect();
        // No node reports these, and a simulated driver neither.
        let of_drivers = ["SeedResolved", "SeedUnresolved", "StateNotKept"];
        let of_nodes = variants::<Event>().into_iter().filter(|name| !of_drivers.contains(&name.as_str()));
        assert_eq!(names, of_nodes.collect());
        let mut seen = BTreeSet::new();
        for event in events() {
            assert!(seen.insert(of_event(&event).value()), "{event:?} has the tag of another");
            let neighbours = changed(&event);
            assert!(!neighbours.is_empty() || matches!(event, Event::JoinFailed { .. }), "{event:?}");
            for neighbour in neighbours {
                assert!(seen.insert(of_event(&neighbour).value()), "{neighbour:?} is like another");
            }
        }
    }

    #[test]
    fn every_reason_has_a_tag_of_its_own() {
        let different = |tags: Vec<u64>| tags.iter().collect::<BTreeSet<_>>().len() == tags.len();
        assert!(different(all::<JoinFailure>(&json!({})).into_iter().map(failure).collect()));
        let refusals = all::<Refusal>(&json!({ "limit": 9 })).into_iter().map(refusal);
        assert!(different(refusals.map(|[tag, _]| tag).collect()));
    }

    #[test]
    fn every_result_that_no_event_reports_counts() {
        let of = |command: Command<'_>, result: Result<Done, Refusal>| {
            let mut fingerprint = Fingerprint::new();
            fingerprint.returned(&command, &result);
            fingerprint.value()
        };
        let metadata = Command::SetMetadata(Metadata::new(b"x").expect("it is short"));
        let set = |incarnation| Ok(Done::MetadataSet { incarnation: Incarnation(incarnation) });
        let full = |limit| Err(Refusal::QueueFull { limit });
        let results = [
            of(metadata, set(1)),
            of(metadata, set(2)),
            of(metadata, full(1)),
            of(metadata, full(2)),
            of(Command::Leave, full(2)),
            of(Command::Leave, Ok(Done::Leaving)),
            of(Command::Restore { known_peers: &[] }, Ok(Done::Restored { used: 1, skipped: 2 })),
            of(Command::Restore { known_peers: &[] }, Ok(Done::Restored { used: 2, skipped: 1 })),
        ];
        assert_eq!(results.iter().collect::<BTreeSet<_>>().len(), results.len());
    }

    #[test]
    fn every_counter_counts() {
        let mut seen = BTreeSet::from([of_stats(&Stats::default()).value()]);
        for stats in changed(&Stats::default()) {
            assert!(
                seen.insert(of_stats(&stats).value()),
                "a counter is left out, or two are one: {stats:?}"
            );
        }
        assert!(seen.len() > 60, "{}", seen.len());
    }

    #[test]
    fn every_field_of_a_member_is_known_here() {
        let me = Identity { id: NodeId(1), addr: "10.0.0.1:1".parse().expect("an address"), epoch: Epoch(2) };
        let mut node = Node::new(Arc::new(Config::lan()), me, Seed([1; 32]), Instant::ORIGIN);
        let of = |node: &Node| {
            let mut fingerprint = Fingerprint::new();
            fingerprint.members(node);
            fingerprint
        };
        let before = of(&node);
        let metadata = Metadata::new(b"x").expect("it is short");
        node.command(Instant::ORIGIN, Command::SetMetadata(metadata)).expect("not refused");
        assert_ne!(before, of(&node));
        let text = format!("{:#?}", node.member(NodeId(1)).expect("a node holds itself"));
        let is_field =
            |line: &&str| line.starts_with("    ") && !line.starts_with("     ") && line.contains(": ");
        assert_eq!(text.lines().filter(is_field).count(), 9, "`one` has to know all of {text}");
    }
}
