//! What a member says with `--json`: one object a line.
//!
//! The same types are written by `swim node` and read by `swim demo`, so the two cannot drift apart. The
//! format only ever grows: a reader skips fields that it does not know.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::args::{DriverKind, Profile};

/// One line.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(untagged)]
pub(crate) enum Line {
    /// Something happened.
    Event(Stamped),
    /// The answer to `members`, ordered by name.
    Members {
        /// Everybody known, this member included.
        members: Vec<Row>,
    },
    /// The answer to `stats`.
    Stats {
        /// Counters by name.
        stats: serde_json::Value,
    },
    /// A command, or the start, could not be carried out.
    Error {
        /// Why, and the way out.
        error: String,
    },
    /// The answer to `help`.
    Help {
        /// The commands, one a line.
        help: String,
    },
}

/// An event and its time.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
pub(crate) struct Stamped {
    /// What happened.
    #[serde(flatten)]
    pub(crate) event: Told,
    /// When it was printed, in Unix milliseconds.
    pub(crate) t_ms: u64,
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
    /// What it is believed to be.
    pub(crate) status: RowStatus,
    /// Smoothed round trip in microseconds; `null` until the first was measured.
    pub(crate) rtt_us: Option<u64>,
    /// Which of its lives.
    pub(crate) epoch: u64,
    /// Its incarnation in that life.
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
    /// As it is printed.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Suspect => "suspect",
            Self::Dead => "dead",
            Self::Left => "left",
        }
    }
}

/// `swim_core::Event` with names in place of ids, and what the program adds to it. `who` is whom it is
/// about: another member, or the one that prints it.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Told {
    /// The first line: this member runs, under this name, at this address.
    Started {
        #[serde(flatten)]
        who: Who,
        driver: DriverKind,
        profile: Profile,
        epoch: u64,
        pid: u32,
    },
    Alive {
        #[serde(flatten)]
        who: Who,
        epoch: u64,
    },
    Suspect {
        #[serde(flatten)]
        who: Who,
        by: String,
        incarnation: u32,
        timeout_ms: u64,
    },
    Confirmed {
        #[serde(flatten)]
        who: Who,
        by: String,
        accusers: u8,
    },
    Refuted {
        #[serde(flatten)]
        who: Who,
        by: String,
        incarnation: u32,
    },
    Dead {
        #[serde(flatten)]
        who: Who,
        by: String,
        accuser: String,
    },
    Left {
        #[serde(flatten)]
        who: Who,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        by: Option<String>,
    },
    Updated {
        #[serde(flatten)]
        who: Who,
        meta: String,
    },
    Forgotten {
        #[serde(flatten)]
        who: Who,
    },
    Accused {
        #[serde(flatten)]
        who: Who,
        by: String,
        incarnation: u32,
    },
    Conflict {
        #[serde(flatten)]
        who: Who,
        rival: SocketAddr,
        won: bool,
    },
    WrongSource {
        #[serde(flatten)]
        who: Who,
        asked: SocketAddr,
        answered: SocketAddr,
    },
    EpochRaised {
        #[serde(flatten)]
        who: Who,
        epoch: u64,
    },
    Stalled {
        #[serde(flatten)]
        who: Who,
        lost_ms: u64,
    },
    StartedOver {
        #[serde(flatten)]
        who: Who,
        forgotten: u32,
    },
    Deaf {
        #[serde(flatten)]
        who: Who,
        deaf: bool,
    },
    Joined {
        #[serde(flatten)]
        who: Who,
        via: SocketAddr,
        known: u32,
    },
    JoinFailed {
        #[serde(flatten)]
        who: Who,
        reason: String,
    },
    LeaveSent {
        #[serde(flatten)]
        who: Who,
        datagrams: u32,
    },
    MetadataSet {
        #[serde(flatten)]
        who: Who,
        incarnation: u32,
    },
    AddressSet {
        #[serde(flatten)]
        who: Who,
    },
    BroadcastQueued {
        #[serde(flatten)]
        who: Who,
        sequence: u32,
    },
    /// `who` is the one that it was sent to.
    Sent {
        #[serde(flatten)]
        who: Who,
    },
    Restored {
        #[serde(flatten)]
        who: Who,
        used: u32,
        skipped: u32,
    },
    Refused {
        #[serde(flatten)]
        who: Who,
        command: String,
        reason: String,
    },
    /// `who` is its origin.
    Broadcast {
        #[serde(flatten)]
        who: Who,
        text: String,
    },
    /// `who` is its sender.
    Message {
        #[serde(flatten)]
        who: Who,
        text: String,
    },
    Lost {
        #[serde(flatten)]
        who: Who,
        events: u64,
    },
    /// An event that this version of the program has no words for.
    Other {
        #[serde(flatten)]
        who: Who,
        what: String,
    },
}

impl Told {
    /// Whom it is about.
    pub(crate) const fn who(&self) -> &Who {
        match self {
            Self::Started { who, .. }
            | Self::Alive { who, .. }
            | Self::Suspect { who, .. }
            | Self::Confirmed { who, .. }
            | Self::Refuted { who, .. }
            | Self::Dead { who, .. }
            | Self::Left { who, .. }
            | Self::Updated { who, .. }
            | Self::Forgotten { who }
            | Self::Accused { who, .. }
            | Self::Conflict { who, .. }
            | Self::WrongSource { who, .. }
            | Self::EpochRaised { who, .. }
            | Self::Stalled { who, .. }
            | Self::Deaf { who, .. }
            | Self::StartedOver { who, .. }
            | Self::Joined { who, .. }
            | Self::JoinFailed { who, .. }
            | Self::LeaveSent { who, .. }
            | Self::MetadataSet { who, .. }
            | Self::AddressSet { who }
            | Self::BroadcastQueued { who, .. }
            | Self::Sent { who }
            | Self::Restored { who, .. }
            | Self::Refused { who, .. }
            | Self::Broadcast { who, .. }
            | Self::Message { who, .. }
            | Self::Lost { who, .. }
            | Self::Other { who, .. } => who,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who() -> Who {
        Who {
            name: "node-3".to_owned(),
            id: "00000000000000ff".to_owned(),
            addr: Some("127.0.0.1:7003".parse().expect("an address")),
        }
    }

    fn suspect() -> Line {
        let event = Told::Suspect { who: who(), by: "node-1".to_owned(), incarnation: 0, timeout_ms: 9000 };
        Line::Event(Stamped { event, t_ms: 17 })
    }

    #[test]
    fn an_event_is_one_flat_object_that_begins_with_its_kind_and_its_subject() {
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
            Line::Event(Stamped { event: Told::Forgotten { who: who() }, t_ms: 1 }),
            Line::Event(Stamped { event: Told::Left { who: who(), by: None }, t_ms: 1 }),
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
        assert_eq!(stamped.event.who().name, "a");
    }
}
