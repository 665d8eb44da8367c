//! What a member reports of another, as a story of a few words.

use swim_core::{Event, NodeId, Status};

use super::{Cluster, Member};

/// The chapters about `id` in a history: `alive`, `suspect`, `refuted`, `dead`, `left`.
pub(crate) fn story(history: &[Event], id: NodeId) -> Vec<&'static str> {
    let chapter = |event: &Event| match event {
        Event::Alive { id: of, .. } => Some((*of, "alive")),
        Event::Suspect { id: of, .. } => Some((*of, "suspect")),
        Event::Refuted { id: of, .. } => Some((*of, "refuted")),
        Event::Dead { id: of, .. } => Some((*of, "dead")),
        Event::Left { id: of, .. } => Some((*of, "left")),
        _ => None,
    };
    history.iter().filter_map(chapter).filter(|(of, _)| *of == id).map(|(_, word)| word).collect()
}

/// Asserts that no member was ever called Dead in a history, save `allowed`.
pub(crate) fn assert_no_deaths(history: &[Event], allowed: &[NodeId]) {
    for event in history {
        if let Event::Dead { id, .. } = event {
            assert!(allowed.contains(id), "a living member is called Dead: {event:?}\n{history:#?}");
        }
    }
}

/// Whether `member` lists exactly `ids` as Alive.
pub(crate) fn lists_alive<C: Cluster + ?Sized>(cluster: &mut C, member: Member, ids: &[NodeId]) -> bool {
    let rows = cluster.members(member);
    let mut alive: Vec<NodeId> =
        rows.iter().filter(|row| row.status == Status::Alive).map(|row| row.id).collect();
    let mut wanted = ids.to_vec();
    alive.sort_unstable();
    wanted.sort_unstable();
    alive == wanted
}
