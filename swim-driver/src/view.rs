//! What a member's thread or task leaves behind for handles to read, so that a look costs it nothing.
//!
//! The lock is held for a copy, never for a wait: neither side can hold up the other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use swim_core::{Identity, Instant, Node, Stats};

use crate::Snapshot;

/// A member as of its last turn.
#[derive(Debug)]
pub struct View(Mutex<Seen>);

#[derive(Debug)]
struct Seen {
    me: Identity,
    stats: Stats,
    revision: u64,
    now: Instant,
    members: Option<Snapshot>,
    closed: bool,
}

impl View {
    /// Of a member that has not turned yet.
    #[must_use]
    pub fn new(node: &Node) -> Self {
        Self(Mutex::new(Seen {
            me: node.me(),
            stats: node.stats(),
            revision: node.revision(),
            now: Instant::ORIGIN,
            members: None,
            closed: false,
        }))
    }

    /// After a turn. Before the events of that turn are handed out: whoever hears of one finds it here.
    pub fn update(&self, node: &Node, now: Instant) {
        let mut seen = self.lock();
        seen.me = node.me();
        seen.stats = node.stats();
        seen.revision = node.revision();
        seen.now = now;
    }

    /// A copy of the table that somebody has asked for.
    pub fn keep(&self, members: Snapshot) {
        self.lock().members = Some(members);
    }

    /// Nothing more will come.
    pub fn close(&self) {
        self.lock().closed = true;
    }

    /// Whether nothing more will come.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Who the member is.
    #[must_use]
    pub fn me(&self) -> Identity {
        self.lock().me
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.lock().stats
    }

    /// The last copy of the table, if it still holds.
    #[must_use]
    pub fn members(&self) -> Option<Snapshot> {
        let seen = self.lock();
        seen.members.as_ref().filter(|m| seen.closed || m.is_current(seen.revision, seen.now)).cloned()
    }

    /// The last copy of the table, however old.
    #[must_use]
    pub fn last_members(&self) -> Option<Snapshot> {
        self.lock().members.clone()
    }

    /// A panic elsewhere leaves only whole values behind this lock.
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use swim_core::{Command, Config, Epoch, Input, Metadata, NodeId, Seed};

    use super::*;

    const START: Instant = Instant::ORIGIN;

    fn node() -> Node {
        let addr = "127.0.0.1:1".parse().expect("a valid address");
        let me = Identity { id: NodeId(1), addr, epoch: Epoch(1) };
        Node::new(Config::local().into(), me, Seed([1; 32]), START)
    }

    fn change(node: &mut Node) {
        let metadata = Metadata::new(b"new").expect("short");
        node.handle(START, Input::Command(Command::SetMetadata(metadata)));
    }

    #[test]
    fn a_kept_table_is_shown_until_the_member_changes() {
        let mut node = node();
        let view = View::new(&node);
        view.keep(Snapshot::of(&node, START, None));
        assert_eq!(view.members().map(|members| members.len()), Some(1));
        change(&mut node);
        view.update(&node, START);
        assert!(view.members().is_none(), "it no longer holds");
        assert!(view.last_members().is_some());
    }

    #[test]
    fn after_the_end_the_last_table_stays() {
        let mut node = node();
        let view = View::new(&node);
        view.keep(Snapshot::of(&node, START, None));
        change(&mut node);
        view.update(&node, START);
        view.close();
        assert!(view.is_closed() && view.members().is_some());
    }
}
