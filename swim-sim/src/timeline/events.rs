//! What an event that a node reports changes in the views, and how far an update has spread by it.

use swim_core::{Event, NodeId, Status};

use super::{Mark, NO_MEMBER, News, Timeline, Turn};
use crate::fingerprint::Fingerprint;
use crate::ground_truth::Scene;
use crate::host::HostId;
use crate::transcript::Line;

impl Timeline {
    pub(super) fn heard(&mut self, scene: &Scene<'_>, host: HostId, event: &Event) {
        let (now, max) = (scene.now().as_nanos(), self.limits.samples_max);
        if let Some((id, turn, by)) = turn(event)
            && let Some(subject) = self.names.subject(id, self.limits.phantoms_max)
        {
            let by = by.and_then(|by| self.names.known(by)).unwrap_or(NO_MEMBER);
            self.change(now, host.0, subject, turn, by);
            if matches!(turn, Turn::Becomes(Some(Status::Dead | Status::Left))) {
                self.detection.called_dead(subject, host.0, now);
            }
        }
        if let Event::StartedOver { .. } = event {
            let me = self.names.host(host).subject;
            self.change(now, host.0, me, Turn::Emptied, NO_MEMBER);
            self.change(now, host.0, me, Turn::Becomes(Some(Status::Alive)), NO_MEMBER);
        }
        if let Some((news, id, detail)) = news(event)
            && let Some(subject) = self.names.known(id)
        {
            let began = self.names.host(host).began;
            self.spread.hear((news, subject, detail), host.0, began, now, max);
        }
        if let Some(kind) = mark(event) {
            if self.marks.len() < self.limits.marks_max {
                let text = Line(event).to_string();
                self.marks.push(Mark { at: now, host: host.0, kind, text });
            } else {
                self.marks_skipped += 1;
            }
        }
    }
}

/// The member whose row changes, how, and which member caused it.
const fn turn(event: &Event) -> Option<(NodeId, Turn, Option<NodeId>)> {
    Some(match event {
        Event::Alive { id, .. } => (*id, Turn::Becomes(Some(Status::Alive)), None),
        Event::Suspect { id, by, .. } => (*id, Turn::Becomes(Some(Status::Suspect)), Some(*by)),
        Event::Confirmed { id, by, .. } => (*id, Turn::Confirmed, Some(*by)),
        Event::Refuted { id, by, .. } => (*id, Turn::Refuted, Some(*by)),
        Event::Dead { id, by, .. } => (*id, Turn::Becomes(Some(Status::Dead)), Some(*by)),
        Event::Left { id, by } => (*id, Turn::Becomes(Some(Status::Left)), *by),
        Event::Forgotten { id } => (*id, Turn::Becomes(None), None),
        _ => return None,
    })
}

/// What the event is news of, about which member, and what distinguishes it from other news of that kind.
fn news(event: &Event) -> Option<(News, NodeId, u64)> {
    Some(match event {
        Event::Alive { id, epoch, .. } => (News::Alive, *id, epoch.0),
        Event::Suspect { id, .. } => (News::Suspect, *id, 0),
        Event::Dead { id, .. } => (News::Dead, *id, 0),
        Event::Left { id, .. } => (News::Left, *id, 0),
        Event::Broadcast { origin, payload } => {
            let mut hash = Fingerprint::new();
            hash.absorb_bytes(payload);
            (News::Broadcast, *origin, hash.value())
        }
        _ => return None,
    })
}

/// The kind of an event that is worth a mark of its own.
const fn mark(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::Accused { .. } => "accused",
        Event::Conflict { .. } => "conflict",
        Event::WrongSource { .. } => "wrong source",
        Event::EpochRaised { .. } => "epoch",
        Event::Stalled { .. } => "stalled",
        Event::StartedOver { .. } => "started over",
        Event::Isolated { .. } => "deaf",
        Event::Joined { .. } => "joined",
        Event::JoinFailed { .. } => "join failed",
        Event::LeaveSent { .. } => "leaving",
        Event::Lost { .. } => "events lost",
        _ => return None,
    })
}
