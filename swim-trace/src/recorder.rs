//! The recorder writes down everything that goes into a node and comes out of it.
//!
//! It must never harm the node. So it fails by itself alone: on the first error it ends, keeps the reason and
//! reports it once, and each further call costs one comparison.
//!
//! Records are gathered in memory and written when [`Recorder::flush`] says so, or when there are many: a
//! driver says so whenever it is about to wait. What has been written by then survives the process, however
//! that ends, because the kernel has it; what the kernel has not put on the disk yet does not survive the
//! kernel.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use swim_core::{Command, Done, Event, Identity, Input, Instant, Node, Output, Refusal, Seed, StateError};

use crate::bytes::put_u32;
use crate::record::{self, Born, Core, Head, KeyFrame};
use crate::redact::put_datagram;
use crate::sink::Sink;
use crate::{FORMAT, MAGIC, Plain, RecordError, Recording, Redactor, Ring, frame};

/// The node that is recorded.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Who is born.
    pub me: Identity,
    /// The wall clock then, in Unix milliseconds.
    pub unix_ms: u64,
    /// A number that no other recording has: draw it.
    pub recording: u64,
    /// Replaces what users say.
    pub redactor: Option<Redactor>,
}

/// Writes down one epoch of one node. Call it where the node is called: before each `handle`, around each `command`,
/// after each `poll`.
#[derive(Debug)]
pub struct Recorder<S> {
    /// `None`: it has ended.
    sink: Option<S>,
    pending: Vec<u8>,
    head: Head,
    redactor: Option<Redactor>,
    /// Inputs and outputs so far.
    number: u64,
    now: Instant,
    /// Something came in or out since it was last said that nothing more does.
    unsettled: bool,
    /// Bytes recorded since the last key frame, and how long that was.
    since_key_frame: u64,
    key_frame: u64,
    key_frame_every: u64,
    error: Option<Arc<RecordError>>,
    stopped: Option<Sender<Arc<RecordError>>>,
}

impl Recorder<Ring> {
    /// A recorder to a file.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(recording: &Recording, subject: Subject) -> io::Result<Self> {
        let mut recorder = Self::new(Ring::create(recording)?, subject);
        recorder.stopped.clone_from(&recording.stopped);
        Ok(recorder)
    }
}

impl<W: io::Write> Recorder<Plain<W>> {
    /// A recorder to anything that can be written to, without bound.
    pub fn to(out: W, subject: Subject) -> Self {
        Self::new(Plain(out), subject)
    }
}

impl<S: Sink> Recorder<S> {
    /// A recorder of a node that is about to be born.
    pub fn new(sink: S, subject: Subject) -> Self {
        let head = Head {
            recording: subject.recording,
            segment: 0,
            core: Core::here(),
            me: subject.me,
            unix_ms: subject.unix_ms,
            redacted: subject.redactor.is_some(),
            writer: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let mut recorder = Self {
            sink: Some(sink),
            pending: Vec::new(),
            head,
            redactor: subject.redactor,
            number: 0,
            now: Instant::ORIGIN,
            unsettled: false,
            since_key_frame: 0,
            key_frame: 0,
            key_frame_every: KEY_FRAME_EVERY,
            error: None,
            stopped: None,
        };
        recorder.begin_file();
        recorder
    }

    /// The same with so many bytes between two key frames, at least eight times as many as the last one had.
    /// Default 8 MiB.
    #[must_use]
    pub fn key_frame_every(self, bytes: u64) -> Self {
        Self { key_frame_every: bytes, ..self }
    }

    /// `node` has just been made with this seed.
    pub fn born(&mut self, node: &Node, seed: Seed, now: Instant) {
        let options = node.config().options().clone();
        let born = Born { options, me: self.head.me, seed, now };
        self.now = now;
        self.put(|out, _| record::put_born(out, &born));
    }

    /// `node` is about to be handed `input`.
    pub fn input(&mut self, node: &Node, now: Instant, input: &Input<'_>) {
        if self.sink.is_some() {
            self.keep_room(node);
            self.now = now;
            self.count(|out, redactor| record::put_input(out, now, input, redactor));
        }
    }

    /// `node` is about to be given `command`.
    pub fn command(&mut self, node: &Node, now: Instant, command: &Command<'_>) {
        if self.sink.is_some() {
            self.keep_room(node);
            self.now = now;
            self.count(|out, redactor| record::put_command(out, now, command, redactor));
        }
    }

    /// The command returned this.
    pub fn result(&mut self, result: Result<Done, Refusal>) {
        self.count(|out, _| record::put_result(out, result));
    }

    /// The node gave this.
    pub fn output(&mut self, output: &Output<'_>) {
        match output {
            Output::Transmit(transmit) => self.count(|out, redactor| {
                record::put_transmit(out, transmit.destination);
                put_datagram(out, transmit.bytes, redactor);
                Ok(())
            }),
            Output::Event(event) => self.event(event),
        }
    }

    /// The node gave nothing more, and wants to be called again at `deadline`.
    pub fn settled(&mut self, deadline: Option<Instant>) {
        if self.unsettled {
            self.count(|out, _| {
                record::put_settled(out, deadline);
                Ok(())
            });
            self.unsettled = false;
        }
    }

    /// Writes what is pending.
    pub fn flush(&mut self) {
        if let Some(sink) = &mut self.sink
            && !self.pending.is_empty()
        {
            let outcome = sink.append(&self.pending);
            self.pending.clear();
            if let Err(source) = outcome {
                self.fail_to_write(source);
            }
        }
    }

    /// Why it has ended, if it has.
    #[must_use]
    pub fn error(&self) -> Option<&Arc<RecordError>> {
        self.error.as_ref()
    }

    /// What was written to, after everything was written. `None` if it has ended.
    pub fn finish(mut self) -> Option<S> {
        self.flush();
        self.sink.take()
    }

    fn event(&mut self, event: &Event) {
        let said = matches!(event, Event::Broadcast { .. } | Event::Message { .. });
        self.count(|out, redactor| match redactor {
            Some(redactor) if said => record::put_event(out, &redactor.event(event)),
            _ => record::put_event(out, event),
        });
    }

    /// A record that counts.
    fn count(&mut self, write: impl FnOnce(&mut Vec<u8>, Option<&Redactor>) -> Result<(), String>) {
        self.put(write);
        self.number += 1;
        self.unsettled = true;
    }

    fn put(&mut self, write: impl FnOnce(&mut Vec<u8>, Option<&Redactor>) -> Result<(), String>) {
        if self.sink.is_none() {
            return;
        }
        let start = self.pending.len();
        let mut outcome = Ok(());
        frame::put(&mut self.pending, |out| outcome = write(out, self.redactor.as_ref()));
        if let Err(what) = outcome {
            self.pending.truncate(start);
            self.flush();
            return self.stop(RecordError::Unknown(what));
        }
        self.since_key_frame += (self.pending.len() - start) as u64;
        if self.pending.len() >= PENDING_MAX {
            self.flush();
        }
    }

    fn begin_file(&mut self) {
        self.pending.extend_from_slice(&MAGIC);
        put_u32(&mut self.pending, FORMAT);
        let head = &self.head;
        frame::put(&mut self.pending, |out| record::put_head(out, head));
    }

    /// Says how `node` is from time to time, and whenever the present file may not hold what it does next:
    /// then in a new one.
    fn keep_room(&mut self, node: &Node) {
        let Some(sink) = &self.sink else { return };
        let reserve = (sink.room_max() / 4).min(STEP_MAX);
        let is_full = sink.room() < self.pending.len() as u64 + reserve;
        let is_due = self.since_key_frame >= self.key_frame_every.max(8 * self.key_frame);
        if !is_full && !is_due {
            return;
        }
        let state = match self.state(node) {
            Ok(state) => state,
            Err(error) => return self.stop(RecordError::Unknown(error.to_string())),
        };
        let len = state.len() as u64;
        if is_full || sink.room() < self.pending.len() as u64 + len + reserve {
            let room_max = sink.room_max();
            if len + 2 * reserve > room_max {
                let limit = room_max.saturating_mul(2);
                return self.stop(RecordError::LimitTooSmall { state: len, limit });
            }
            self.flush();
            self.turn_over();
        }
        let (number, now) = (self.number, self.now);
        self.put(|out, _| {
            record::put_key_frame(out, &KeyFrame { number, now, state: &state });
            Ok(())
        });
        (self.since_key_frame, self.key_frame) = (0, len);
    }

    /// `node`, whole; without what users said, if that is not to be kept.
    fn state(&self, node: &Node) -> Result<Vec<u8>, StateError> {
        let state = node.save();
        let Some(redactor) = &self.redactor else { return Ok(state) };
        let mut copy = Node::load(&state)?;
        copy.map_payloads(&mut |payload| redactor.payload(payload));
        Ok(copy.save())
    }

    fn turn_over(&mut self) {
        let Some(sink) = &mut self.sink else { return };
        match sink.turn_over() {
            Ok(()) => {
                self.head.segment += 1;
                self.begin_file();
            }
            Err(source) => self.fail_to_write(source),
        }
    }

    fn fail_to_write(&mut self, source: io::Error) {
        let path = self.sink.as_ref().map(|sink| sink.path().to_owned()).unwrap_or_default();
        self.stop(RecordError::Write { path, source });
    }

    fn stop(&mut self, error: RecordError) {
        let error = Arc::new(error);
        self.sink = None;
        self.pending = Vec::new();
        if let Some(stopped) = self.stopped.take() {
            // The receiver may be gone.
            let _ = stopped.send(Arc::clone(&error));
        }
        self.error = Some(error);
    }
}

/// Bytes gathered at most before they are written, whatever a driver says.
const PENDING_MAX: usize = 256 * 1024;

/// Room kept for one input and everything that comes out of it: 32 datagrams of 9,000 bytes and 1,024 events
/// with 1 KiB in each are less.
const STEP_MAX: u64 = 3 << 19;

/// Bytes between two key frames, unless the node is so large that they would be much of the trace.
const KEY_FRAME_EVERY: u64 = 8 << 20;
