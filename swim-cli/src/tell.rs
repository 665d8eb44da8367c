//! From the core's events and rows to what is printed: ids become names.

use swim_core::{CommandKind, Event, NodeId, Refusal};

use crate::line::{Told, Who};

/// Knows what members are called.
pub(crate) trait Directory {
    /// Name and address of a member, as far as known now.
    fn who(&mut self, id: NodeId) -> Who;
    /// The text that a member attached to itself.
    fn meta(&mut self, id: NodeId) -> String;
    /// The member that prints.
    fn me(&self) -> Who;
}

/// Puts `event` into words.
pub(crate) fn tell(event: Event, directory: &mut impl Directory) -> Told {
    match event {
        Event::Alive { id, addr, epoch } => {
            Told::Alive { who: Who { addr: Some(addr), ..directory.who(id) }, epoch: epoch.0 }
        }
        Event::Suspect { id, by, incarnation, timeout } => Told::Suspect {
            who: directory.who(id),
            by: directory.who(by).name,
            incarnation: incarnation.0,
            timeout_ms: millis(timeout),
        },
        Event::Confirmed { id, by, accusers } => {
            Told::Confirmed { who: directory.who(id), by: directory.who(by).name, accusers }
        }
        Event::Refuted { id, incarnation, by } => {
            Told::Refuted { who: directory.who(id), by: directory.who(by).name, incarnation: incarnation.0 }
        }
        Event::Dead { id, by, accuser } => Told::Dead {
            who: directory.who(id),
            by: directory.who(by).name,
            accuser: directory.who(accuser).name,
        },
        Event::Left { id, by } => {
            Told::Left { who: directory.who(id), by: by.map(|by| directory.who(by).name) }
        }
        Event::Updated { id, addr } => {
            Told::Updated { meta: directory.meta(id), who: Who { addr: Some(addr), ..directory.who(id) } }
        }
        Event::Forgotten { id } => Told::Forgotten { who: directory.who(id) },
        Event::Conflict { id, rival, won } => Told::Conflict { who: directory.who(id), rival, won },
        Event::WrongSource { id, asked, answered } => {
            Told::WrongSource { who: directory.who(id), asked, answered }
        }
        Event::Sent { target } => Told::Sent { who: directory.who(target) },
        Event::Broadcast { origin, payload } => {
            Told::Broadcast { who: directory.who(origin), text: text(&payload) }
        }
        Event::Message { from, payload } => Told::Message { who: directory.who(from), text: text(&payload) },
        Event::Accused { by, incarnation } => {
            Told::Accused { who: directory.me(), by: directory.who(by).name, incarnation: incarnation.0 }
        }
        other => tell_of_me(other, directory.me()),
    }
}

/// Those events that are about the member itself.
fn tell_of_me(event: Event, who: Who) -> Told {
    match event {
        Event::EpochRaised { epoch } => Told::EpochRaised { who, epoch: epoch.0 },
        Event::Stalled { lost } => Told::Stalled { who, lost_ms: millis(lost) },
        Event::Deaf { deaf } => Told::Deaf { who, deaf },
        Event::StartedOver { forgotten } => Told::StartedOver { who, forgotten },
        Event::Joined { via, members } => Told::Joined { who, via, known: members },
        Event::JoinFailed { reason } => Told::JoinFailed { who, reason: snake(&format!("{reason:?}")) },
        Event::LeaveSent { datagrams } => Told::LeaveSent { who, datagrams },
        Event::MetadataSet { incarnation } => Told::MetadataSet { who, incarnation: incarnation.0 },
        Event::AddressSet { addr } => Told::AddressSet { who: Who { addr: Some(addr), ..who } },
        Event::BroadcastQueued { sequence } => Told::BroadcastQueued { who, sequence },
        Event::Restored { used, skipped } => Told::Restored { who, used, skipped },
        Event::Refused { command, reason } => {
            Told::Refused { who, command: command_name(command), reason: refusal(reason) }
        }
        Event::Lost { events } => Told::Lost { who, events },
        unknown => Told::Other { who, what: format!("{unknown:?}") },
    }
}

fn command_name(command: CommandKind) -> String {
    snake(&format!("{command:?}"))
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

/// Whole milliseconds.
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

    struct Numbers;

    impl Directory for Numbers {
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
        let Told::Suspect { who, by, incarnation, timeout_ms } = tell(event, &mut Numbers) else {
            panic!("a suspicion")
        };
        assert_eq!((who.name.as_str(), by.as_str(), incarnation, timeout_ms), ("n1", "n2", 3, 4500));
    }

    #[test]
    fn the_address_of_an_event_is_newer_than_that_of_the_directory() {
        let addr = "127.0.0.1:9".parse().expect("an address");
        let told = tell(Event::Alive { id: NodeId(1), addr, epoch: Epoch(5) }, &mut Numbers);
        assert_eq!(told.who().addr, Some(addr));
    }

    #[test]
    fn events_about_the_member_itself_carry_its_own_name() {
        let told = tell(Event::Stalled { lost: Duration::from_secs(2) }, &mut Numbers);
        assert_eq!(told, Told::Stalled { who: Numbers.me(), lost_ms: 2000 });
        let told = tell(Event::JoinFailed { reason: JoinFailure::IdTaken }, &mut Numbers);
        assert_eq!(told, Told::JoinFailed { who: Numbers.me(), reason: "id_taken".to_owned() });
    }

    #[test]
    fn bytes_that_are_no_text_are_still_shown() {
        let event = Event::Message { from: NodeId(1), payload: b"a\xffb".as_slice().into() };
        let Told::Message { text, .. } = tell(event, &mut Numbers) else { panic!("a message") };
        assert_eq!(text, "a\u{fffd}b");
    }
}
