//! A member where its driver turns it and its handles look at it, so that a look costs it nothing.
//!
//! Nothing is copied for handles after a turn: a kilobyte of counters for each datagram that comes alone would be. A
//! look waits until the turn has ended, if there is one, and the lock is never held while the driver waits. Handles hold
//! it for a copy, so they cannot hold up the member. Events lie behind a lock of their own.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use swim_core::{Identity, NodeId, Stats};

use crate::{Engine, Inboxes, OwnedMember, RoundTrips, Snapshot, Start, Update, Waiting};

/// A member, or what is left of it, and what its driver and its handles have to say to each other. How they wait for it
/// is theirs.
pub struct View {
    seat: Mutex<Seat>,
    inboxes: Mutex<Inboxes>,
    stopping: AtomicBool,
}

enum Seat {
    Live(Box<Engine>),
    Ended(Box<Last>),
}

/// The member as of its last turn.
#[derive(Clone)]
struct Last {
    me: Identity,
    stats: Stats,
    round_trips: RoundTrips,
    members: Option<Snapshot>,
}

impl View {
    /// The view of this member. At most `events_max` broadcasts and as many other events wait for each consumer.
    #[must_use]
    pub fn new(engine: Engine, events_max: usize) -> Self {
        Self {
            seat: Mutex::new(Seat::Live(Box::new(engine))),
            inboxes: Mutex::new(Inboxes::new(events_max)),
            stopping: AtomicBool::new(false),
        }
    }

    /// For the driver: one turn. `None` after [`View::end`].
    pub fn with<T>(&self, act: impl FnOnce(&mut Engine) -> T) -> Option<T> {
        match &mut *lock(&self.seat) {
            Seat::Live(engine) => Some(act(engine)),
            Seat::Ended(_) => None,
        }
    }

    /// For the driver: after a turn, and within it, so that a consumer of an event finds it in the view. Returns whether
    /// there was an event.
    pub fn hand_out(&self, engine: &mut Engine) -> bool {
        let any = engine.has_events();
        if any {
            let mut inboxes = lock(&self.inboxes);
            while let Some(event) = engine.next_event() {
                inboxes.push(event);
            }
        }
        any
    }

    /// For the driver: nothing more will come. The member is dropped, and what was last seen of it stays, with its
    /// events.
    pub fn end(&self) {
        let mut seat = lock(&self.seat);
        if let Seat::Live(engine) = &mut *seat {
            // A panic may have left the engine in the middle of a turn.
            if !std::thread::panicking() {
                self.hand_out(engine);
                engine.snapshot(engine.last_now());
            }
            let last = Last {
                me: engine.node().me(),
                stats: engine.node().stats(),
                round_trips: engine.round_trips().clone(),
                members: engine.copied().cloned(),
            };
            *seat = Seat::Ended(Box::new(last));
        }
        drop(seat);
        lock(&self.inboxes).end();
    }

    /// Whether nothing more will come.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(&*lock(&self.seat), Seat::Ended(_))
    }

    /// Asks the driver to end.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Whether the driver was asked to end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// A consumer of its own. Returns its number.
    pub fn subscribe(&self, start: Start) -> u64 {
        lock(&self.inboxes).open(start)
    }

    /// Forgets a consumer.
    pub fn unsubscribe(&self, number: u64) {
        lock(&self.inboxes).close(number);
    }

    /// What waits for consumers.
    pub fn inboxes(&self) -> MutexGuard<'_, Inboxes> {
        lock(&self.inboxes)
    }

    /// What comes next for a consumer; `None` after the last.
    pub fn poll(&self, number: u64) -> Poll<Option<Update>> {
        let waiting = self.inboxes().poll(number);
        waiting.map(|waiting| waiting.map(|waiting| self.update(number, waiting)))
    }

    /// Hands out what waited. A snapshot is made with the driver kept out, so that no event that is in it comes to wait
    /// meanwhile.
    pub fn update(&self, number: u64, waiting: Waiting) -> Update {
        match waiting {
            Waiting::Event(event) => Update::Event(event),
            Waiting::Snapshot => {
                let mut seat = lock(&self.seat);
                let members = match &mut *seat {
                    Seat::Live(engine) => engine.snapshot(engine.last_now()),
                    Seat::Ended(last) => last.members.clone().unwrap_or_default(),
                };
                self.inboxes().refresh(number, members)
            }
        }
    }

    /// Who the member is.
    #[must_use]
    pub fn me(&self) -> Identity {
        match &*lock(&self.seat) {
            Seat::Live(engine) => engine.node().me(),
            Seat::Ended(last) => last.me,
        }
    }

    /// The addresses that are its seeds now; none after the end.
    #[must_use]
    pub fn seeds(&self) -> Vec<SocketAddr> {
        match &*lock(&self.seat) {
            Seat::Live(engine) => engine.node().seeds().collect(),
            Seat::Ended(_) => Vec::new(),
        }
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        match &*lock(&self.seat) {
            Seat::Live(engine) => engine.node().stats(),
            Seat::Ended(last) => last.stats,
        }
    }

    /// Round-trip times of direct pings.
    #[must_use]
    pub fn round_trips(&self) -> RoundTrips {
        match &*lock(&self.seat) {
            Seat::Live(engine) => engine.round_trips().clone(),
            Seat::Ended(last) => last.round_trips.clone(),
        }
    }

    /// One member, without a copy of the table.
    #[must_use]
    pub fn member(&self, id: NodeId) -> Option<OwnedMember> {
        match &*lock(&self.seat) {
            Seat::Live(engine) => {
                let earlier = engine.copied().and_then(|copied| copied.get(id));
                engine.node().member(id).map(|member| OwnedMember::of(&member, earlier))
            }
            Seat::Ended(last) => last.members.as_ref()?.get(id).cloned(),
        }
    }

    /// The last copy of the table, if it still holds; after the end, however old.
    #[must_use]
    pub fn members(&self) -> Option<Snapshot> {
        match &*lock(&self.seat) {
            Seat::Live(engine) => {
                let holds = |copy: &&Snapshot| copy.is_current(engine.node().revision(), engine.last_now());
                engine.copied().filter(holds).cloned()
            }
            Seat::Ended(last) => last.members.clone(),
        }
    }
}

/// A panic of the driver leaves a member that is only looked at from then on, and whole events.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use swim_core::{Command, Config, Epoch, Instant, Metadata, Node, NodeId, Seed};

    use super::*;

    const START: Instant = Instant::ORIGIN;

    fn view() -> View {
        let addr = "127.0.0.1:1".parse().expect("a valid address");
        let me = Identity { id: NodeId(1), addr, epoch: Epoch(1) };
        let node = Node::new(Config::local().into(), me, Seed([1; 32]), START);
        let mut engine = Engine::new(node, START, 16);
        engine.snapshot(START);
        View::new(engine, 16)
    }

    fn change(view: &View) {
        let metadata = Metadata::new(b"new").expect("short");
        let command = Command::SetMetadata(metadata);
        view.with(|engine| engine.prepare(command)).expect("it runs").expect("not refused");
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
