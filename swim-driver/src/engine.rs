//! A node and the loop around it, without the waiting and without an operating system.
//!
//! ```text
//!            ┌────────────── Engine::turn ──────────────┐
//!   wait ──▶ │ retry the held send · read · tick if due │ ──▶ wait until readable, deadline, a command,
//!            └──── each input followed by a flush ──────┘      and writable only while a send is held
//! ```
//!
//! A turn is a sequence of steps: each hands one input to the node and flushes what the node has to send.
//! A driver takes the whole turn at once ([`Engine::turn`]). The simulator takes it step by step
//! ([`Engine::begin`], [`Engine::next`], [`Engine::step`], [`Engine::end`]), so that its checkers see the node
//! after every input, and so that time can pass within the turn of a slow process.
//!
//! One function hands inputs to the node, and one commands: there they are recorded, if the node is recorded. What
//! comes out of the node is recorded where it is polled.

use std::net::SocketAddr;
use std::sync::Arc;

use swim_core::{Command, Done, Event, Input, Instant, Node, Output, Refusal, Seed};
use swim_trace::{RecordError, Recorder, Ring, Sink};

use crate::{DRAIN_MAX, EventQueue, RoundTrips, Snapshot};

/// What an [`Engine`] asks of its surroundings. Nothing here may block.
pub trait Host {
    /// The time since the node's start, on a clock that counts while the machine sleeps.
    fn now(&mut self) -> Instant;
    /// Reads one datagram.
    fn receive(&mut self) -> Received<'_>;
    /// Sends one datagram.
    fn send(&mut self, target: SocketAddr, bytes: &[u8]) -> Delivery;
}

/// What [`Host::receive`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received<'a> {
    /// A datagram, lent until the node has read it.
    Datagram {
        /// Its sender.
        source: SocketAddr,
        /// All of it, or its first [`RECEIVE_MAX`](crate::RECEIVE_MAX) bytes.
        bytes: &'a [u8],
    },
    /// An error about an earlier send, which stands for no datagram: read on.
    Nothing,
    /// There is nothing to read, or reading fails: wait.
    Empty,
}

/// What became of a [`Host::send`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// The operating system took it.
    Sent,
    /// The socket's buffer is full: try again when it is writable.
    Blocked,
    /// The operating system refuses to send it (no route, not permitted, too long, …).
    Refused,
}

/// What a driver knows of its socket when it turns the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ready {
    /// There may be something to read.
    pub readable: bool,
    /// A held send may succeed now.
    pub writable: bool,
}

/// A turn under way: what is still to be done in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// When it began. What had arrived by then is read before the tick.
    started: Instant,
    /// A held send is tried again, and what an earlier flush left is polled.
    flushes: bool,
    /// Datagrams that may still be read.
    reads: usize,
    /// Time passed since the last step, so the clock is looked at before the next datagram.
    paused: bool,
    /// The tick is still to come, if it is due.
    ticks: bool,
    /// Reading ended at its bound, not because nothing was left.
    has_more: bool,
}

/// One step of a turn: at most one input, and all that it causes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// A held send is tried again, and what an earlier flush left is polled.
    Flush,
    /// One datagram is read, if there is one.
    Read,
    /// The node ticks: its deadline had come when the turn began.
    Tick,
}

impl Turn {
    /// The host knows that nothing is left to read: a read that finds nothing is saved.
    pub const fn drained(&mut self) {
        (self.reads, self.has_more) = (0, false);
    }

    /// Time passes before the next step.
    pub const fn pause(&mut self) {
        self.paused = true;
    }
}

/// A node and what stands between it and a driver: the held datagram, and the events that wait for the user. `S` is
/// what a recording is written to.
pub struct Engine<S = Ring> {
    node: Node,
    /// The time, as it was last read.
    now: Instant,
    /// The datagram whose send would have blocked. While there is one, nothing is polled.
    held: Option<Box<Held>>,
    /// Something may wait to be polled: a flush ended before the outbox was empty.
    unflushed: bool,
    /// The node takes no part any more, and its last datagram has left.
    finished: bool,
    recorder: Option<Box<Recorder<S>>>,
    events: EventQueue,
    round_trips: RoundTrips,
    snapshot: Option<Snapshot>,
}

/// A datagram that waits until the socket is writable.
struct Held {
    target: SocketAddr,
    bytes: Vec<u8>,
}

impl<S: Sink> Engine<S> {
    /// An engine around a new node. At most `events_max` events wait for the user.
    #[must_use]
    pub fn new(node: Node, now: Instant, events_max: usize) -> Self {
        Self {
            node,
            now,
            held: None,
            unflushed: true,
            finished: false,
            recorder: None,
            events: EventQueue::new(events_max),
            round_trips: RoundTrips::default(),
            snapshot: None,
        }
    }

    /// The same, with everything that happens to the node written down. `seed` is what the node was made
    /// with. Nothing may have happened to the node yet.
    #[must_use]
    pub fn recorded(mut self, mut recorder: Recorder<S>, seed: Seed) -> Self {
        recorder.born(&self.node, seed, self.now);
        recorder.flush();
        self.recorder = Some(Box::new(recorder));
        self
    }

    /// Does everything that there is to do now. Returns whether the driver must turn again without
    /// waiting, because a bound was reached before the work was done.
    pub fn turn(&mut self, host: &mut impl Host, ready: Ready) -> bool {
        let mut turn = self.begin(host.now(), ready);
        while let Some(step) = self.next(&turn) {
            self.step(host, &mut turn, step);
        }
        self.end(&turn)
    }

    /// Begins a turn. `now` is what [`Host::now`] says.
    pub fn begin(&mut self, now: Instant, ready: Ready) -> Turn {
        self.now = now;
        let due = self.is_due(self.now);
        Turn {
            started: self.now,
            flushes: self.unflushed && (self.held.is_none() || ready.writable || due),
            reads: if ready.readable || due { DRAIN_MAX } else { 0 },
            paused: false,
            ticks: true,
            has_more: false,
        }
    }

    /// The next step of a turn; `None`: there is none.
    #[must_use]
    pub fn next(&self, turn: &Turn) -> Option<Step> {
        if turn.flushes {
            Some(Step::Flush)
        } else if turn.reads > 0 {
            Some(Step::Read)
        } else if turn.ticks && self.is_due(turn.started) {
            Some(Step::Tick)
        } else {
            None
        }
    }

    /// Takes a step.
    pub fn step(&mut self, host: &mut impl Host, turn: &mut Turn, step: Step) {
        match step {
            Step::Flush => {
                turn.flushes = false;
                self.release(host);
            }
            Step::Read if !self.read(host, turn) => return,
            Step::Read => {}
            Step::Tick => {
                turn.ticks = false;
                self.now = host.now();
                self.door(Input::Tick);
            }
        }
        self.flush(host);
    }

    /// Ends a turn. Returns whether the driver must turn again without waiting.
    pub fn end(&mut self, turn: &Turn) -> bool {
        self.write_down();
        turn.has_more || (self.unflushed && self.held.is_none())
    }

    /// Gives the node a command; what it causes leaves at once. A join and a leave have only begun then:
    /// [`Callers`](crate::Callers) wait for their end.
    ///
    /// # Errors
    /// [`Refusal`] says why; nothing has changed.
    pub fn command(&mut self, host: &mut impl Host, command: Command<'_>) -> Result<Done, Refusal> {
        self.now = host.now();
        let result = self.hand(command);
        self.flush(host);
        self.write_down();
        result
    }

    /// Gives the node a command between turns: the next one sends what it causes.
    ///
    /// # Errors
    /// [`Refusal`] says why; nothing has changed.
    pub fn prepare(&mut self, command: Command<'_>) -> Result<Done, Refusal> {
        let result = self.hand(command);
        self.unflushed = true;
        self.write_down();
        result
    }

    /// Every command passes here.
    fn hand(&mut self, command: Command<'_>) -> Result<Done, Refusal> {
        if let Some(recorder) = &mut self.recorder {
            recorder.command(&self.node, self.now, &command);
        }
        let result = self.node.command(self.now, command);
        if let Some(recorder) = &mut self.recorder {
            recorder.result(result);
        }
        result
    }

    /// Reports to the user what the node does not know of.
    #[cfg(feature = "os")]
    pub(crate) fn report(&mut self, event: Event) {
        self.events.push(event);
    }

    /// The next event for the user.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// Whether [`Engine::next_event`] has something.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// The member table, copied if it has changed since the last time.
    pub fn snapshot(&mut self, now: Instant) -> Snapshot {
        match &self.snapshot {
            Some(held) if held.is_current(self.node.revision(), now) => held.clone(),
            earlier => {
                let fresh = Snapshot::of(&self.node, now, earlier.as_ref());
                self.snapshot = Some(fresh.clone());
                fresh
            }
        }
    }

    /// When to turn at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.node.deadline()
    }

    /// Whether a send is held until the socket is writable.
    #[must_use]
    pub const fn is_blocked(&self) -> bool {
        self.held.is_some()
    }

    /// Whether the node has said goodbye, or lost its id to a rival, and the last of it has left: the
    /// driver's loop ends.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.finished
    }

    /// Why the node is no longer recorded, if it was to be and is not. It goes on all the same.
    #[must_use]
    pub fn recording_ended(&self) -> Option<&Arc<RecordError>> {
        self.recorder.as_ref()?.error()
    }

    /// The node, for a simulator that prepares it or warms it up: what is done to it here is in no recording.
    #[doc(hidden)]
    pub const fn node_mut(&mut self) -> &mut Node {
        &mut self.node
    }

    /// The node, to look at.
    #[must_use]
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// Round-trip times of direct pings.
    #[must_use]
    pub const fn round_trips(&self) -> &RoundTrips {
        &self.round_trips
    }

    /// The last copy of the table that was made, however old.
    pub(crate) const fn copied(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// The time, as it was last read.
    pub(crate) const fn last_now(&self) -> Instant {
        self.now
    }

    fn is_due(&self, now: Instant) -> bool {
        self.node.deadline().is_some_and(|deadline| deadline <= now)
    }

    /// Every input of the node passes here.
    fn door(&mut self, input: Input<'_>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.input(&self.node, self.now, &input);
        }
        let (before, _) = self.node.last_rtt();
        self.node.handle(self.now, input);
        let (measured, rtt_us) = self.node.last_rtt();
        if measured != before {
            self.round_trips.record(rtt_us);
        }
    }

    /// Reads one datagram, if there is one. What arrived by the turn's begin is read before the tick.
    fn read(&mut self, host: &mut impl Host, turn: &mut Turn) -> bool {
        turn.reads -= 1;
        turn.has_more = turn.reads == 0;
        if std::mem::take(&mut turn.paused) || turn.reads.is_multiple_of(READS_A_LOOK) {
            self.now = host.now();
        }
        match host.receive() {
            Received::Datagram { source, bytes } => {
                self.door(Input::Datagram { source, bytes });
                true
            }
            Received::Nothing => false,
            Received::Empty => {
                turn.drained();
                false
            }
        }
    }

    /// Tries the held datagram again.
    fn release(&mut self, host: &mut impl Host) {
        let Some(held) = &self.held else { return };
        let target = held.target;
        let delivery = host.send(target, &held.bytes);
        if delivery != Delivery::Blocked {
            self.held = None;
        }
        if delivery == Delivery::Refused {
            self.undelivered(host, target);
        }
    }

    /// Polls until there is nothing more, a send is blocked, or [`FLUSH_MAX`].
    fn flush(&mut self, host: &mut impl Host) {
        self.unflushed = true;
        if self.held.is_some() {
            return;
        }
        for _ in 0..FLUSH_MAX {
            let Some(output) = self.node.poll() else { return self.settle() };
            if let Some(recorder) = &mut self.recorder {
                recorder.output(&output);
            }
            match output {
                Output::Event(event) => self.events.push(event),
                Output::Transmit(transmit) => {
                    let target = transmit.destination;
                    match host.send(target, transmit.bytes) {
                        Delivery::Sent => {}
                        Delivery::Refused => self.undelivered(host, target),
                        Delivery::Blocked => {
                            self.held = Some(Box::new(Held { target, bytes: transmit.bytes.to_vec() }));
                            return;
                        }
                    }
                }
            }
        }
    }

    fn undelivered(&mut self, host: &mut impl Host, target: SocketAddr) {
        self.now = host.now();
        self.door(Input::Undelivered { target });
    }

    /// What was recorded leaves this process, so that it survives it.
    fn write_down(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.flush();
        }
    }

    /// Everything has been polled.
    fn settle(&mut self) {
        self.unflushed = false;
        if let Some(recorder) = &mut self.recorder {
            recorder.settled(self.node.deadline());
        }
        self.finished = !self.node.is_running();
    }
}

/// Datagrams for which the clock is looked at once: no more than some tens of microseconds pass meanwhile.
const READS_A_LOOK: usize = 16;

/// Outputs polled at most in one flush: far more than one input can cause. It only bounds a loop in which
/// every send is refused and every refusal causes another send.
const FLUSH_MAX: usize = 4096;
