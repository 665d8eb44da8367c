//! A node with everything around it that needs no operating system: the loop of both drivers, less the
//! waiting.
//!
//! ```text
//!            ┌────────────── Engine::turn ──────────────┐
//!   wait ──▶ │ retry the held send · read · tick if due │ ──▶ wait until readable, deadline, a command,
//!            └──── each handle followed by a flush ─────┘      and writable only while a send is held
//! ```
//!
//! One private function opens the node's door, so one line there sees everything that ever happens to it:
//! there it is recorded, if it is to be, and what comes out of the node where it is polled.

use std::net::SocketAddr;
use std::sync::Arc;

use swim_core::{Command, Event, Identity, Input, Instant, Metadata, Node, Output, Seed, TooLong};
use swim_trace::{RecordError, Recorder, Ring};

use crate::answers::{Answers, Reply};
use crate::buffer;
use crate::{CommandError, DRAIN_MAX, EventQueue, Order, Settings, Snapshot, Viewed};

/// What an [`Engine`] asks of the operating system. Nothing here may block.
pub trait Host {
    /// The time since the driver's start, on a clock that counts while the machine sleeps.
    fn now(&mut self) -> Instant;
    /// Reads one datagram into `buffer`.
    fn receive(&mut self, buffer: &mut [u8]) -> Received;
    /// Sends one datagram.
    fn send(&mut self, target: SocketAddr, bytes: &[u8]) -> Delivery;
}

/// What [`Host::receive`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// A datagram: its length (that of the buffer if it was cut) and where it came from.
    Datagram {
        /// Bytes in the buffer.
        len: usize,
        /// Its sender.
        source: SocketAddr,
    },
    /// An error about an earlier send, which stands for no datagram: read on.
    Nothing,
    /// There is nothing to read (or reading fails): wait.
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

/// A node and what stands between it and a driver: the held datagram, the events that wait for the user,
/// the callers that wait for an answer. `R` is how a caller is told.
pub struct Engine<R> {
    node: Node,
    /// The time, as it was last read.
    now: Instant,
    /// The datagram whose send would have blocked. While there is one, nothing is polled.
    held: Option<SocketAddr>,
    held_bytes: Vec<u8>,
    /// Something may wait to be polled: a flush ended before the outbox was empty.
    unflushed: bool,
    answers: Answers<R>,
    events: EventQueue,
    /// Events were lost, and the answers among them are still owed.
    gap: bool,
    /// The node takes no part any more, and its last datagram has left.
    finished: bool,
    snapshot: Option<Snapshot>,
    recorder: Option<Box<Recorder<Ring>>>,
}

impl<R: Reply> Engine<R> {
    /// A node that does what `settings` say first: set its metadata, read its hints, look for its seeds.
    ///
    /// # Errors
    /// [`TooLong`] if the metadata is.
    pub fn new(settings: &Settings, me: Identity, seed: Seed, now: Instant) -> Result<Self, TooLong> {
        Self::recorded(settings, me, seed, now, None)
    }

    /// [`Engine::new`], and everything that happens to the node is written down.
    ///
    /// # Errors
    /// [`TooLong`] if the metadata is.
    pub fn recorded(
        settings: &Settings,
        me: Identity,
        seed: Seed,
        now: Instant,
        recorder: Option<Recorder<Ring>>,
    ) -> Result<Self, TooLong> {
        let metadata = Metadata::new(&settings.metadata)?;
        let mut engine = Self {
            node: Node::new(settings.config.clone(), me, seed, now),
            now,
            held: None,
            held_bytes: Vec::new(),
            unflushed: true,
            answers: Answers::new(),
            events: EventQueue::new(settings.events_max),
            gap: false,
            finished: false,
            snapshot: None,
            recorder: recorder.map(Box::new),
        };
        if let Some(recorder) = &mut engine.recorder {
            recorder.born(&engine.node, seed, now);
        }
        if !settings.metadata.is_empty() {
            engine.door(Input::Command(Command::SetMetadata(metadata)));
        }
        if !settings.hints.is_empty() {
            engine.door(Input::Command(Command::Restore { hints: &settings.hints }));
        }
        if !settings.seeds.is_empty() {
            engine.door(Input::Command(Command::Join { seeds: &settings.seeds }));
        }
        engine.write_down();
        Ok(engine)
    }

    /// Does everything that there is to do now. Returns whether the driver must turn again without
    /// waiting, because a bound was reached before the work was done.
    pub fn turn(&mut self, host: &mut impl Host, ready: Ready) -> bool {
        // Read before the socket is: what had arrived by this moment is read before the tick.
        let started = host.now();
        self.now = started;
        let due = self.is_due(started);
        if ready.writable || due {
            self.release(host);
        }
        if self.unflushed {
            self.flush(host);
        }
        let mut more = false;
        if ready.readable || due {
            more = self.drain(host);
        }
        if self.is_due(started) {
            self.now = host.now();
            self.feed(host, Input::Tick);
        }
        self.write_down();
        more || (self.unflushed && self.held.is_none())
    }

    /// Hands in one command; `reply` is told how it ends. Not while [`Engine::is_blocked`], if it is to be
    /// answered.
    pub fn command(&mut self, host: &mut impl Host, command: Command<'_>, reply: Option<R>) {
        if let Some(reply) = reply {
            self.answers.expect(&command, reply);
        }
        self.now = host.now();
        self.feed(host, Input::Command(command));
        self.write_down();
    }

    /// [`Engine::command`] for an owned command, which is checked first.
    pub fn order(&mut self, host: &mut impl Host, order: &Order, reply: R) {
        match order.command() {
            Ok(command) => self.command(host, command, Some(reply)),
            Err(error) => reply.reply(Err(CommandError::TooLong(error))),
        }
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

    /// The node, to look at.
    #[must_use]
    pub const fn node(&self) -> &Node {
        &self.node
    }

    fn is_due(&self, now: Instant) -> bool {
        self.node.deadline().is_some_and(|deadline| deadline <= now)
    }

    /// One input, and what it causes leaves at once.
    fn feed(&mut self, host: &mut impl Host, input: Input<'_>) {
        self.door(input);
        self.flush(host);
    }

    /// Every input of the node's life passes here.
    fn door(&mut self, input: Input<'_>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.input(&self.node, self.now, &input);
        }
        self.node.handle(self.now, input);
    }

    /// Reads until there is nothing more, or [`DRAIN_MAX`]. Returns whether there may be more.
    fn drain(&mut self, host: &mut impl Host) -> bool {
        let mut buffer = buffer::take();
        let mut more = true;
        for read in 0..DRAIN_MAX {
            if read % READS_A_LOOK == READS_A_LOOK - 1 {
                self.now = host.now();
            }
            match host.receive(&mut buffer) {
                Received::Datagram { len, source } => {
                    let bytes = buffer.get(..len).unwrap_or(&buffer);
                    self.feed(host, Input::Datagram { source, bytes });
                }
                Received::Nothing => {}
                Received::Empty => {
                    more = false;
                    break;
                }
            }
        }
        buffer::give_back(buffer);
        more
    }

    /// Tries the held datagram again.
    fn release(&mut self, host: &mut impl Host) {
        let Some(target) = self.held else { return };
        match host.send(target, &self.held_bytes) {
            Delivery::Blocked => {}
            Delivery::Sent => (self.held, self.unflushed) = (None, true),
            Delivery::Refused => {
                (self.held, self.unflushed) = (None, true);
                self.now = host.now();
                self.door(Input::Undelivered { target });
            }
        }
    }

    /// Polls until there is nothing more, a send is blocked, or [`FLUSH_MAX`].
    fn flush(&mut self, host: &mut impl Host) {
        if self.held.is_some() {
            self.unflushed = true;
            return;
        }
        for _ in 0..FLUSH_MAX {
            let output = self.node.poll();
            if let (Some(recorder), Some(output)) = (&mut self.recorder, &output) {
                recorder.output(output);
            }
            match output {
                None => {
                    self.unflushed = false;
                    return self.settle();
                }
                Some(Output::Event(event)) => self.tell(event),
                Some(Output::Transmit(transmit)) => {
                    let target = transmit.target;
                    match host.send(target, transmit.bytes) {
                        Delivery::Sent => {}
                        Delivery::Blocked => {
                            self.held_bytes.clear();
                            self.held_bytes.extend_from_slice(transmit.bytes);
                            (self.held, self.unflushed) = (Some(target), true);
                            return;
                        }
                        Delivery::Refused => {
                            self.now = host.now();
                            self.door(Input::Undelivered { target });
                        }
                    }
                }
            }
        }
        self.unflushed = true;
    }

    /// What was recorded leaves this process, so that it survives it.
    fn write_down(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.flush();
        }
    }

    fn tell(&mut self, event: Event) {
        // The core hands out its datagrams before its events: the goodbye's last one has left by now, and
        // whoever ends the process on the answer does not take it along.
        self.gap |= matches!(event, Event::Lost { .. });
        self.answers.settle(&event);
        self.events.push(event);
    }

    /// Everything has been polled.
    fn settle(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.settled(self.node.deadline());
        }
        if std::mem::take(&mut self.gap) {
            self.answers.settle_gap(&self.node);
        }
        self.finished = !self.node.is_running();
    }
}

impl<R: Reply> Viewed for Engine<R> {
    fn node(&self) -> &Node {
        &self.node
    }

    fn copied(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    fn last_now(&self) -> Instant {
        self.now
    }
}

/// Datagrams for which the clock is looked at once: no more than some tens of microseconds pass meanwhile.
const READS_A_LOOK: usize = 16;

/// Outputs polled at most in one flush: far more than one input can cause. It only bounds a loop in which
/// every send is refused and every refusal causes another send.
const FLUSH_MAX: usize = 4096;
