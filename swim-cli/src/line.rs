//! What a member says with `--json`: one object a line.
//!
//! The same types are written by `swim node` and read by `swim demo`, so the two cannot drift apart. The
//! format only ever grows: a reader skips fields that it does not know.

use std::net::SocketAddr;

use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use swim_core::{Event, NodeId, Refusal};

use crate::args::{DriverKind, Profile};

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(untagged)]
pub(crate) enum Line {
    Event(Stamped),
    /// The answer to `members`, ordered by name.
    Members {
        /// All members known, this member included.
        members: Vec<Row>,
    },
    /// The answer to `stats`.
    Stats {
        stats: serde_json::Value,
    },
    /// A command, or the start, could not be carried out.
    Error {
        /// Why, and the way out.
        error: String,
    },
    /// The answer to `help`.
    Help {
        help: String,
    },
}

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
pub(crate) struct Stamped {
    #[serde(flatten)]
    pub(crate) event: NamedEvent,
    /// When it was printed, in Unix milliseconds.
    pub(crate) t_ms: u64,
}

/// What happened to a member. A line begins with the event and whom it is about.
#[derive(Deserialize, Clone, PartialEq, Debug)]
pub(crate) struct NamedEvent {
    #[serde(flatten)]
    pub(crate) what: Happening,
    /// Whom it is about: another member, or the one that prints it.
    #[serde(flatten)]
    pub(crate) who: Who,
}

impl Serialize for NamedEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Value::Object(mut rest) = serde_json::to_value(&self.what).map_err(S::Error::custom)? else {
            return Err(S::Error::custom("an event is an object"));
        };
        InOrder { event: rest.remove("event"), who: &self.who, rest }.serialize(serializer)
    }
}

/// A [`NamedEvent`] in the order of its line.
#[derive(Serialize)]
struct InOrder<'a> {
    event: Option<Value>,
    #[serde(flatten)]
    who: &'a Who,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

/// Whom an event is about.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Who {
    /// Its name if known, else its id in hexadecimal.
    pub(crate) name: String,
    /// Its id, 16 hexadecimal digits.
    pub(crate) id: String,
    /// Where it is, if known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) addr: Option<SocketAddr>,
}

/// One member of the answer to `members`.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
pub(crate) struct Row {
    /// Who and where.
    #[serde(flatten)]
    pub(crate) who: Who,
    /// What the member that answers holds of it.
    pub(crate) status: RowStatus,
    /// Smoothed round trip in microseconds; `null` until the first was measured.
    pub(crate) rtt_us: Option<u64>,
    pub(crate) epoch: u64,
    /// Its incarnation in that epoch.
    pub(crate) incarnation: u32,
    /// The text that its user attached.
    pub(crate) meta: String,
    /// Whether it is the member that answers.
    pub(crate) me: bool,
}

/// `swim_core::Status` as text.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RowStatus {
    Alive,
    Suspect,
    Dead,
    Left,
}

impl From<swim_core::Status> for RowStatus {
    fn from(status: swim_core::Status) -> Self {
        match status {
            swim_core::Status::Alive => Self::Alive,
            swim_core::Status::Suspect => Self::Suspect,
            swim_core::Status::Dead => Self::Dead,
            swim_core::Status::Left => Self::Left,
        }
    }
}

impl RowStatus {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Suspect => "suspect",
            Self::Dead => "dead",
            Self::Left => "left",
        }
    }
}

/// What happened: `swim_core::Event` with names in place of ids, and what the program adds to it.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Happening {
    /// The first line: this member runs, under this name, at this address.
    Started {
        driver: DriverKind,
        profile: Profile,
        epoch: u64,
        pid: u32,
    },
    Alive {
        epoch: u64,
    },
    Suspect {
        by: String,
        incarnation: u32,
        timeout_ms: u64,
    },
    Confirmed {
        by: String,
        accusers: u8,
    },
    Refuted {
        by: String,
        incarnation: u32,
    },
    Dead {
        by: String,
        accuser: String,
    },
    Left {
        #[serde(skip_serializing_if = "Option::is_none", default)]
        by: Option<String>,
    },
    Updated {
        meta: String,
    },
    Forgotten,
    Accused {
        by: String,
        incarnation: u32,
    },
    Conflict {
        rival: SocketAddr,
        won: bool,
    },
    WrongSource {
        asked: SocketAddr,
        answered: SocketAddr,
    },
    EpochRaised {
        epoch: u64,
    },
    Stalled {
        lost_ms: u64,
    },
    StartedOver {
        forgotten: u32,
    },
    #[serde(rename = "deaf")]
    Isolated {
        #[serde(rename = "deaf")]
        isolated: bool,
    },
    Joined {
        via: SocketAddr,
        known: u32,
    },
    JoinFailed {
        reason: String,
    },
    LeaveSent {
        datagrams: u32,
    },
    MetadataSet {
        incarnation: u32,
    },
    AddressSet,
    BroadcastQueued {
        sequence: u32,
    },
    /// About the member that it was sent to.
    Sent,
    Restored {
        used: u32,
        skipped: u32,
    },
    Refused {
        command: String,
        reason: String,
    },
    /// About its origin.
    Broadcast {
        text: String,
    },
    /// About their origin: they are lost to this member.
    BroadcastsMissed {
        count: u32,
    },
    /// About its sender.
    Message {
        text: String,
    },
    Lost {
        events: u64,
    },
    /// An event that this version of the program has no words for.
    Other {
        what: String,
    },
}

/// Knows what members are called.
pub(crate) trait Directory {
    /// Name and address of a member, as far as known now.
    fn who(&mut self, id: NodeId) -> Who;
    /// The text that a member attached to itself.
    fn meta(&mut self, id: NodeId) -> String;
    /// The member that prints.
    fn me(&self) -> Who;
}

impl NamedEvent {
    /// An event of the core with the names that `directory` knows.
    pub(crate) fn new(event: Event, directory: &mut impl Directory) -> Self {
        let (id, addr) = subject(&event);
        let mut who = match id {
            Some(id) => directory.who(id),
            None => directory.me(),
        };
        who.addr = addr.or(who.addr);
        let mut name = |id| directory.who(id).name;
        let what = match event {
            Event::Alive { epoch, .. } => Happening::Alive { epoch: epoch.0 },
            Event::Suspect { by, incarnation, timeout, .. } => {
                Happening::Suspect { by: name(by), incarnation: incarnation.0, timeout_ms: millis(timeout) }
            }
            Event::Confirmed { by, accusers, .. } => Happening::Confirmed { by: name(by), accusers },
            Event::Refuted { incarnation, by, .. } => {
                Happening::Refuted { by: name(by), incarnation: incarnation.0 }
            }
            Event::Dead { by, accuser, .. } => Happening::Dead { by: name(by), accuser: name(accuser) },
            Event::Left { by, .. } => Happening::Left { by: by.map(name) },
            Event::Updated { id, .. } => Happening::Updated { meta: directory.meta(id) },
            Event::Forgotten { .. } => Happening::Forgotten,
            Event::Conflict { rival, won, .. } => Happening::Conflict { rival, won },
            Event::WrongSource { asked, answered, .. } => Happening::WrongSource { asked, answered },
            Event::Broadcast { payload, .. } => Happening::Broadcast { text: text(&payload) },
            Event::BroadcastsMissed { count, .. } => Happening::BroadcastsMissed { count },
            Event::Message { payload, .. } => Happening::Message { text: text(&payload) },
            Event::Accused { by, incarnation } => {
                Happening::Accused { by: name(by), incarnation: incarnation.0 }
            }
            own => Happening::of_this_member(own),
        };
        Self { what, who }
    }
}

/// Whom an event is about, if that is another member, and the address that it names.
const fn subject(event: &Event) -> (Option<NodeId>, Option<SocketAddr>) {
    match event {
        Event::Alive { id, addr, .. } | Event::Updated { id, addr } => (Some(*id), Some(*addr)),
        Event::Suspect { id, .. }
        | Event::Confirmed { id, .. }
        | Event::Refuted { id, .. }
        | Event::Dead { id, .. }
        | Event::Left { id, .. }
        | Event::Forgotten { id }
        | Event::Conflict { id, .. }
        | Event::WrongSource { id, .. }
        | Event::Broadcast { origin: id, .. }
        | Event::BroadcastsMissed { origin: id, .. }
        | Event::Message { from: id, .. } => (Some(*id), None),
        _ => (None, None),
    }
}

impl Happening {
    /// A command of this name was refused.
    pub(crate) fn refused(command: &str, reason: Refusal) -> Self {
        Self::Refused { command: command.to_owned(), reason: refusal(reason) }
    }

    /// Those events that are about the member itself.
    fn of_this_member(event: Event) -> Self {
        match event {
            Event::EpochRaised { epoch } => Self::EpochRaised { epoch: epoch.0 },
            Event::Stalled { lost } => Self::Stalled { lost_ms: millis(lost) },
            Event::Isolated { isolated } => Self::Isolated { isolated },
            Event::StartedOver { forgotten } => Self::StartedOver { forgotten },
            Event::Joined { via, members } => Self::Joined { via, known: members },
            Event::JoinFailed { reason } => Self::JoinFailed { reason: snake(&format!("{reason:?}")) },
            Event::LeaveSent { datagrams } => Self::LeaveSent { datagrams },
            Event::Lost { events } => Self::Lost { events },
            unknown => Self::Other { what: format!("{unknown:?}") },
        }
    }
}

fn refusal(reason: Refusal) -> String {
    match reason {
        Refusal::NotRunning => "this member has left, or lost its name".to_owned(),
        Refusal::NoUsableAddress => "no address that a datagram can be sent to, or only its own".to_owned(),
        Refusal::TooManySeeds { limit } => format!("{limit} seeds are remembered already"),
        Refusal::QueueFull { limit } => format!("{limit} broadcasts are waiting; try again soon"),
        Refusal::OutboxFull => "too much is waiting to be sent; try again".to_owned(),
        Refusal::NoSuchMember => "no such member, or not alive".to_owned(),
        Refusal::NothingToCancel => "no join is under way".to_owned(),
        other => snake(&format!("{other:?}")),
    }
}

/// Bytes of a user as text; what is not UTF-8 is shown as `U+FFFD`.
fn text(payload: &[u8]) -> String {
    String::from_utf8_lossy(payload).into_owned()
}

pub(crate) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// `UnknownKind` to `unknown_kind`.
pub(crate) fn snake(camel: &str) -> String {
    let mut out = String::with_capacity(camel.len() + 4);
    for c in camel.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use swim_core::{Epoch, Incarnation, JoinFailure};

    use super::*;

    fn who() -> Who {
        Who {
            name: "node-3".to_owned(),
            id: "00000000000000ff".to_owned(),
            addr: Some("127.0.0.1:7003".parse().expect("an address")),
        }
    }

    fn event(what: Happening) -> Line {
        Line::Event(Stamped { event: NamedEvent { what, who: who() }, t_ms: 17 })
    }

    fn suspect() -> Line {
        event(Happening::Suspect { by: "node-1".to_owned(), incarnation: 0, timeout_ms: 9000 })
    }

    #[test]
    fn an_event_is_one_flat_object_that_begins_with_its_kind() {
        assert_eq!(
            serde_json::to_string(&suspect()).expect("serialises"),
            r#"{"event":"suspect","name":"node-3","id":"00000000000000ff","addr":"127.0.0.1:7003","by":"node-1","incarnation":0,"timeout_ms":9000,"t_ms":17}"#
        );
    }

    #[test]
    fn what_a_member_writes_the_demo_reads() {
        let row = Row {
            who: who(),
            status: RowStatus::Left,
            rtt_us: None,
            epoch: 1,
            incarnation: 2,
            meta: "a \"quoted\"\nline".to_owned(),
            me: false,
        };
        let lines = [
            suspect(),
            event(Happening::Forgotten),
            event(Happening::Left { by: None }),
            event(Happening::Isolated { isolated: true }),
            Line::Members { members: vec![row] },
            Line::Stats { stats: serde_json::json!({"probes": 3}) },
            Line::Error { error: "no".to_owned() },
            Line::Help { help: "h".to_owned() },
        ];
        for line in lines {
            let text = serde_json::to_string(&line).expect("serialises");
            assert!(!text.contains('\n'), "{text}");
            assert_eq!(serde_json::from_str::<Line>(&text).expect("reads"), line, "{text}");
        }
    }

    #[test]
    fn fields_that_a_later_version_adds_are_skipped() {
        let text = r#"{"event":"forgotten","name":"a","id":"1","colour":"red","t_ms":1}"#;
        let Line::Event(stamped) = serde_json::from_str(text).expect("reads") else { panic!("an event") };
        assert_eq!(stamped.event.who.name, "a");
    }

    struct Ids;

    impl Directory for Ids {
        fn who(&mut self, id: NodeId) -> Who {
            Who { name: format!("n{}", id.0), id: id.to_string(), addr: None }
        }
        fn meta(&mut self, _: NodeId) -> String {
            "text".to_owned()
        }
        fn me(&self) -> Who {
            Who { name: "me".to_owned(), id: NodeId(9).to_string(), addr: None }
        }
    }

    #[test]
    fn a_suspicion_names_the_accuser_and_the_time_that_is_left() {
        let event = Event::Suspect {
            id: NodeId(1),
            by: NodeId(2),
            incarnation: Incarnation(3),
            timeout: Duration::from_millis(4500),
        };
        let NamedEvent { who, what } = NamedEvent::new(event, &mut Ids);
        let suspect = Happening::Suspect { by: "n2".to_owned(), incarnation: 3, timeout_ms: 4500 };
        assert_eq!((who.name.as_str(), what), ("n1", suspect));
    }

    #[test]
    fn the_address_of_an_event_is_newer_than_that_of_the_directory() {
        let addr = "127.0.0.1:9".parse().expect("an address");
        let named = NamedEvent::new(Event::Alive { id: NodeId(1), addr, epoch: Epoch(5) }, &mut Ids);
        assert_eq!(named.who.addr, Some(addr));
    }

    #[test]
    fn events_about_the_member_itself_carry_its_own_name() {
        let named = NamedEvent::new(Event::Stalled { lost: Duration::from_secs(2) }, &mut Ids);
        assert_eq!(named, NamedEvent { who: Ids.me(), what: Happening::Stalled { lost_ms: 2000 } });
        let failed = NamedEvent::new(Event::JoinFailed { reason: JoinFailure::IdTaken }, &mut Ids);
        assert_eq!(failed.what, Happening::JoinFailed { reason: "id_taken".to_owned() });
    }

    #[test]
    fn bytes_that_are_no_text_are_still_shown() {
        let event = Event::Message { from: NodeId(1), payload: b"a\xffb".as_slice().into() };
        let Happening::Message { text } = NamedEvent::new(event, &mut Ids).what else { panic!("a message") };
        assert_eq!(text, "a\u{fffd}b");
    }
}
