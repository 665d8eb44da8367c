//! What may happen so often at most, or must happen so often at least.

use std::time::Duration;

use swim_core::{Event, NodeId};

use super::{Broken, Check};
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::scenario::{EventKind, Expect, Reported};

/// How often each has happened so far.
pub(super) struct Counted {
    told: Vec<u64>,
    sent: Vec<u64>,
}

/// What an event says, about whom, and on whose word.
struct Saying {
    word: EventKind,
    /// `None`: about the node itself.
    of: Option<NodeId>,
    by: Option<NodeId>,
}

impl Counted {
    pub(super) fn new(expect: &Expect) -> Self {
        Self { told: vec![0; expect.events.len()], sent: vec![0; expect.sent.len()] }
    }

    pub(super) fn on_happening(
        &mut self,
        expect: &Expect,
        scene: &Scene<'_>,
        now: Duration,
        what: &Happening<'_>,
        looked: &mut u64,
    ) -> Check {
        match what {
            Happening::Reported { host, event } if !expect.events.is_empty() => {
                let Some(saying) = Saying::of(event) else { return Ok(()) };
                for (told, count) in expect.events.iter().zip(&mut self.told) {
                    if !is_within(now, told.from, told.until) || !saying.is(told, scene, *host) {
                        continue;
                    }
                    *count += 1;
                    *looked += 1;
                    if told.at_most.is_some_and(|most| *count > most) {
                        let why =
                            format!("{host:?} reports {event:?}, once more than was expected of {told}");
                        return Err(Broken::by(&[*host], why));
                    }
                }
            }
            Happening::Sent { host, target, bytes, .. } => {
                for (sent, count) in expect.sent.iter().zip(&mut self.sent) {
                    let is_meant = (sent.by.is_empty() || sent.by.contains(host))
                        && sent.to.is_none_or(|to| to == *target)
                        && sent.kind.is_none_or(|kind| kind.is(bytes));
                    if !is_meant || !is_within(now, sent.from, sent.until) {
                        continue;
                    }
                    *count += 1;
                    *looked += 1;
                    if sent.at_most.is_some_and(|most| *count > most) {
                        let why =
                            format!("{host:?} sends to {target}, once more than was expected of {sent}");
                        return Err(Broken::by(&[*host], why));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether everything whose time is over happened often enough.
    pub(super) fn enough(&self, expect: &Expect, now: Duration) -> Check {
        let over = |until: Option<Duration>| until.unwrap_or(Duration::MAX) <= now;
        for (told, count) in expect.events.iter().zip(&self.told) {
            if over(told.until) && told.at_least.is_some_and(|least| *count < least) {
                return Err(too_rare(*count, told));
            }
        }
        for (sent, count) in expect.sent.iter().zip(&self.sent) {
            if over(sent.until) && sent.at_least.is_some_and(|least| *count < least) {
                return Err(too_rare(*count, sent));
            }
        }
        Ok(())
    }
}

fn too_rare(count: u64, expected: &dyn std::fmt::Display) -> Broken {
    Broken::by(&[], format!("{count} times is too rare: expected {expected}"))
}

fn is_within(now: Duration, from: Duration, until: Option<Duration>) -> bool {
    now >= from && until.is_none_or(|until| now <= until)
}

impl Saying {
    fn of(event: &Event) -> Option<Self> {
        let (word, of, by) = match event {
            Event::Alive { id, .. } => (EventKind::Alive, Some(*id), None),
            Event::Suspect { id, by, .. } => (EventKind::Suspect, Some(*id), Some(*by)),
            Event::Confirmed { id, by, .. } => (EventKind::Confirmed, Some(*id), Some(*by)),
            Event::Refuted { id, by, .. } => (EventKind::Refuted, Some(*id), Some(*by)),
            Event::Dead { id, by, .. } => (EventKind::Dead, Some(*id), Some(*by)),
            Event::Left { id, by } => (EventKind::Left, Some(*id), Some(by.unwrap_or(*id))),
            Event::Updated { id, .. } => (EventKind::Updated, Some(*id), None),
            Event::Forgotten { id } => (EventKind::Forgotten, Some(*id), None),
            Event::Conflict { id, .. } => (EventKind::Conflict, Some(*id), None),
            Event::WrongSource { id, .. } => (EventKind::WrongSource, Some(*id), None),
            Event::Broadcast { origin, .. } => (EventKind::Broadcast, Some(*origin), None),
            Event::Message { from, .. } => (EventKind::Message, Some(*from), None),
            Event::Accused { by, .. } => (EventKind::Accused, None, Some(*by)),
            Event::EpochRaised { .. } => (EventKind::EpochRaised, None, None),
            Event::Stalled { .. } => (EventKind::Stalled, None, None),
            Event::StartedOver { .. } => (EventKind::StartedOver, None, None),
            Event::Deaf { .. } => (EventKind::Isolated, None, None),
            Event::Joined { .. } => (EventKind::Joined, None, None),
            Event::JoinFailed { .. } => (EventKind::JoinFailed, None, None),
            Event::LeaveSent { .. } => (EventKind::LeaveSent, None, None),
            _ => return None,
        };
        Some(Self { word, of, by })
    }

    /// Whether it is what `told` counts, when `host` is told it.
    fn is(&self, told: &Reported, scene: &Scene<'_>, host: HostId) -> bool {
        let named =
            |id: NodeId, hosts: &[HostId]| scene.hosts_named(id).iter().any(|host| hosts.contains(host));
        let is_of = match self.of {
            Some(id) => named(id, &told.of),
            None => told.of.contains(&host),
        };
        self.word == told.what
            && (told.of.is_empty() || is_of)
            && (told.by.is_empty() || self.by.is_some_and(|id| named(id, &told.by)))
            && (told.at.is_empty() || told.at.contains(&host))
    }
}
