//! A member where its driver turns it and its handles look at it, so that a look costs it nothing.
//!
//! Nothing is copied for handles after a turn: a kilobyte of counters for each datagram that comes alone would be. A
//! look waits until the turn has ended, if there is one, and the lock is never held while the driver waits. Handles hold
//! it for a copy, so they cannot hold up the member.

use std::sync::{Mutex, MutexGuard, PoisonError};

use swim_core::{Identity, Instant, Node, Stats};

use crate::Snapshot;

/// What can be seen of a member without changing it.
pub trait Viewed {
    /// The node.
    fn node(&self) -> &Node;
    /// The last copy of the table that was made, however old.
    fn copied(&self) -> Option<&Snapshot>;
    /// The time, as its driver last read it.
    fn last_now(&self) -> Instant;
}

/// A member, or what is left of it.
#[derive(Debug)]
pub struct View<M>(Mutex<Seat<M>>);

#[derive(Debug)]
enum Seat<M> {
    Live(Box<M>),
    Ended(Box<Last>),
}

/// The member as of its last turn.
#[derive(Clone, Debug)]
struct Last {
    me: Identity,
    stats: Stats,
    members: Option<Snapshot>,
}

impl<M: Viewed> View<M> {
    /// The view of this member.
    #[must_use]
    pub fn new(member: M) -> Self {
        Self(Mutex::new(Seat::Live(Box::new(member))))
    }

    /// For the driver: one turn. A consumer of an event finds it in the view, if `act` hands events out. `None`
    /// after [`View::end`].
    pub fn with<T>(&self, act: impl FnOnce(&mut M) -> T) -> Option<T> {
        match &mut *self.lock() {
            Seat::Live(member) => Some(act(member)),
            Seat::Ended(_) => None,
        }
    }

    /// Nothing more will come: the member is dropped, and what was last seen of it stays.
    pub fn end(&self) {
        let mut seat = self.lock();
        if let Seat::Live(member) = &*seat {
            let last = Last::of(member.as_ref());
            let member = std::mem::replace(&mut *seat, Seat::Ended(Box::new(last)));
            // Its socket is closed without the lock.
            drop(seat);
            drop(member);
        }
    }

    /// Whether nothing more will come.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(&*self.lock(), Seat::Ended(_))
    }

    /// Who the member is.
    #[must_use]
    pub fn me(&self) -> Identity {
        match &*self.lock() {
            Seat::Live(member) => member.node().me(),
            Seat::Ended(last) => last.me,
        }
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        match &*self.lock() {
            Seat::Live(member) => member.node().stats(),
            Seat::Ended(last) => last.stats,
        }
    }

    /// The last copy of the table, if it still holds; after the end, however old.
    #[must_use]
    pub fn members(&self) -> Option<Snapshot> {
        match &*self.lock() {
            Seat::Live(member) => {
                let holds = |copy: &&Snapshot| copy.is_current(member.node().revision(), member.last_now());
                member.copied().filter(holds).cloned()
            }
            Seat::Ended(last) => last.members.clone(),
        }
    }

    /// A panic of the driver leaves a member that is only looked at from then on.
    fn lock(&self) -> MutexGuard<'_, Seat<M>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Last {
    fn of(member: &impl Viewed) -> Self {
        let node = member.node();
        Self { me: node.me(), stats: node.stats(), members: member.copied().cloned() }
    }
}

#[cfg(test)]
mod tests {
    use swim_core::{Command, Config, Epoch, Metadata, NodeId, Seed};

    use super::*;

    const START: Instant = Instant::ORIGIN;

    struct Member {
        node: Node,
        copied: Option<Snapshot>,
    }

    impl Viewed for Member {
        fn node(&self) -> &Node {
            &self.node
        }

        fn copied(&self) -> Option<&Snapshot> {
            self.copied.as_ref()
        }

        fn last_now(&self) -> Instant {
            START
        }
    }

    fn view() -> View<Member> {
        let addr = "127.0.0.1:1".parse().expect("a valid address");
        let me = Identity { id: NodeId(1), addr, epoch: Epoch(1) };
        let node = Node::new(Config::local().into(), me, Seed([1; 32]), START);
        let copied = Some(Snapshot::of(&node, START, None));
        View::new(Member { node, copied })
    }

    fn change(view: &View<Member>) {
        let metadata = Metadata::new(b"new").expect("short");
        let command = Command::SetMetadata(metadata);
        view.with(|member| member.node.command(START, command)).expect("it runs").expect("not refused");
    }

    #[test]
    fn a_copied_table_is_shown_until_the_member_changes() {
        let view = view();
        assert_eq!(view.members().map(|members| members.len()), Some(1));
        change(&view);
        assert!(view.members().is_none(), "it no longer holds");
    }

    #[test]
    fn after_the_end_the_last_of_everything_stays() {
        let view = view();
        let me = view.me();
        change(&view);
        let stats = view.stats();
        assert!(!view.is_ended());
        view.end();
        view.end();
        assert!(view.is_ended() && view.members().is_some());
        assert_eq!((view.me(), view.stats()), (me, stats));
        assert_eq!(view.with(|_| ()), None);
    }
}
