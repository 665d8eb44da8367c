//! Replay: the same again, and where it differs.
//!
//! The node is made, or loaded from a key frame, and handed what it was handed. Whatever the trace says came
//! out is polled and compared: target, every byte, every field of an event, the deadline, and at key frames
//! the whole state. The first difference ends it, and both sides are in the error.

use std::fmt;
use std::sync::Arc;

use swim_core::{Config, Done, Identity, Instant, Node, Output, Refusal, StateError};

use crate::digest::Digest;
use crate::error::ReadError;
use crate::frame::Tail;
use crate::reader::{Entry, Reader};
use crate::record::{Born, Core, Head, KeyFrame, Record};

/// How to replay.
#[derive(Default)]
pub struct ReplayOptions<'a> {
    /// Stop before the first input that is later than this, by the node's own clock. Default: at the end.
    pub until: Option<Instant>,
    /// Begin at the last key frame that is not later than `until`, instead of at the beginning. Default no.
    pub skip: bool,
    /// Shown every record before it is replayed.
    pub on_step: Option<Watcher<'a>>,
}

/// One record that is about to be replayed.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// Its number since the node's birth.
    pub number: u64,
    /// When the node was last handed something; of an input, when it is.
    pub now: Instant,
    /// What is about to happen.
    pub record: &'a Record<'a>,
    /// The node before it.
    pub node: &'a Node,
}

/// A replay that went as the trace says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replayed {
    /// Records that were replayed.
    pub records: u64,
    /// The number of the first of them, since the node's birth. Not 0 if the beginning was dropped.
    pub first: u64,
    /// A hash of everything that came out: the same for the same part of the same trace.
    pub digest: u64,
    /// When the node was last handed something.
    pub until: Instant,
    /// Who the node was in the end.
    pub me: Identity,
    /// What of the trace could not be used, if anything.
    pub tail: Option<Tail>,
    /// Records that this program does not know, and passed over.
    pub unknown: u64,
    /// The core that recorded it, if it was another one: then this was luck.
    pub other_core: Option<Core>,
}

/// Why a replay did not go through.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The trace makes no sense.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It begins with the state of a node of another core, which this one cannot load.
    #[error(
        "it was recorded by {0} and begins with a key frame, which {here} cannot load: replay it with that core",
        here = Core::here()
    )]
    OtherCore(Core),
    /// A key frame that this core wrote cannot be loaded.
    #[error("the key frame at record {number} is damaged: {error}")]
    State {
        /// Records before it.
        number: u64,
        /// What is wrong with it.
        error: StateError,
    },
    /// The options that the node was made with are none.
    #[error("the node's options make no sense: {0}")]
    Options(swim_core::ConfigError),
    /// Something else came out than was recorded.
    #[error(transparent)]
    Diverged(Box<Divergence>),
}

/// The first record at which something else came out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Divergence {
    /// Its number since the node's birth.
    pub number: u64,
    /// When the node was last handed something.
    pub now: Instant,
    /// What that was.
    pub input: String,
    /// What the trace says came out.
    pub recorded: String,
    /// What came out.
    pub replayed: String,
    /// Records before it that this program does not know, and passed over.
    pub unknown: u64,
    /// The core that recorded it, if it was another one.
    pub other_core: Option<Core>,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, now, input, recorded, replayed, unknown, other_core } = self;
        writeln!(f, "diverges at record {number}, {now:?}, after: {input}")?;
        writeln!(f, "  recorded: {recorded}")?;
        write!(f, "  replayed: {replayed}")?;
        if *unknown > 0 {
            write!(f, "\n  {unknown} records before it are of kinds that this program does not know")?;
        }
        match other_core {
            Some(other) => write!(f, "\n  it was recorded by {other}; this is {}", Core::here()),
            None => Ok(()),
        }
    }
}

/// Replays `trace`.
///
/// # Errors
/// [`ReplayError::Diverged`] if something else comes out, and what makes a trace unusable.
pub fn replay(trace: &Reader, mut options: ReplayOptions<'_>) -> Result<Replayed, ReplayError> {
    let begin = if options.skip { last_key_frame(trace, options.until)? } else { 0 };
    let mut entries = trace.records().skip(begin);
    let Some(first) = entries.next().transpose()? else { return Err(nothing(trace)) };
    let mut again = Again::begin(trace, &first)?;
    for entry in entries {
        let entry = entry?;
        if let (Some(now), Some(until)) = (begins_at(&entry.record), options.until)
            && now > until
        {
            break;
        }
        again.step(entry, &mut options.on_step)?;
    }
    Ok(Replayed {
        records: again.records,
        first: first.number,
        digest: again.digest.sum(),
        until: again.now,
        me: again.node.me(),
        tail: trace.tail(),
        unknown: again.unknown,
        other_core: again.other_core,
    })
}

/// How many entries are before the last key frame that is not later than `until`.
fn last_key_frame(trace: &Reader, until: Option<Instant>) -> Result<usize, ReplayError> {
    let mut last = 0;
    for (index, entry) in trace.records().enumerate() {
        match entry?.record {
            Record::KeyFrame(frame) if until.is_none_or(|until| frame.now <= until) => last = index,
            record if begins_at(&record) > until && until.is_some() => break,
            _ => {}
        }
    }
    Ok(last)
}

/// When the node is handed something by this record.
const fn begins_at(record: &Record<'_>) -> Option<Instant> {
    match record {
        Record::Input { now, .. } | Record::Command { now, .. } => Some(*now),
        _ => None,
    }
}

fn nothing(trace: &Reader) -> ReplayError {
    let path = trace.paths().next().map(ToOwned::to_owned).unwrap_or_default();
    ReadError::NoBeginning { path, at: 0 }.into()
}

/// A recording that happens again.
struct Again<'a> {
    node: Node,
    now: Instant,
    /// What the node was last handed.
    input: Option<Record<'a>>,
    /// What the last command returned, until it has been compared.
    returned: Option<Result<Done, Refusal>>,
    records: u64,
    unknown: u64,
    digest: Digest,
    redacted: bool,
    other_core: Option<Core>,
}

impl<'a> Again<'a> {
    fn begin(trace: &Reader, first: &Entry<'_>) -> Result<Self, ReplayError> {
        let head = trace.head();
        let other_core = other_core(head);
        let (node, now) = match &first.record {
            Record::Born(born) => (be_born(born)?, born.now),
            Record::KeyFrame(frame) => match other_core {
                Some(other) => return Err(ReplayError::OtherCore(other)),
                None => (load(first.number, frame)?, frame.now),
            },
            _ => return Err(nothing(trace)),
        };
        Ok(Self {
            node,
            now,
            input: None,
            returned: None,
            records: 0,
            unknown: 0,
            digest: Digest::default(),
            redacted: head.redacted,
            other_core,
        })
    }

    fn step(&mut self, entry: Entry<'a>, watcher: &mut Option<Watcher<'_>>) -> Result<(), ReplayError> {
        let Entry { number, record, .. } = entry;
        self.now = begins_at(&record).unwrap_or(self.now);
        if let Some(watch) = watcher {
            watch(&Step { number, now: self.now, record: &record, node: &self.node });
        }
        self.records += u64::from(record.counts());
        match record {
            Record::Head(_) | Record::Born(_) => Ok(()),
            Record::Input { now, input } => {
                self.node.handle(now, input);
                self.input = Some(record);
                Ok(())
            }
            Record::Command { now, ref command } => {
                // What is too long was not read.
                self.returned = command.command().ok().map(|command| self.node.command(now, command));
                self.input = Some(record);
                Ok(())
            }
            Record::Result(result) => match self.returned.take() {
                Some(returned) if returned != result => {
                    let replayed = Record::Result(returned).to_string();
                    Err(self.diverged(number, record.to_string(), replayed))
                }
                _ => Ok(()),
            },
            Record::Unknown { .. } => {
                self.unknown += 1;
                Ok(())
            }
            Record::Transmit { .. } | Record::Event(_) | Record::Settled { .. } => self.poll(number, &record),
            Record::KeyFrame(frame) => self.compare(number, &frame),
        }
    }

    /// The next thing that comes out must be this one.
    fn poll(&mut self, number: u64, recorded: &Record<'_>) -> Result<(), ReplayError> {
        let deadline = self.node.deadline();
        let replayed = match self.node.poll() {
            Some(Output::Transmit(transmit)) => {
                Record::Transmit { target: transmit.destination, bytes: transmit.bytes }
            }
            Some(Output::Event(event)) => Record::Event(event),
            None => Record::Settled { deadline },
        };
        if replayed != *recorded {
            let replayed = replayed.to_string();
            return Err(self.diverged(number, recorded.to_string(), replayed));
        }
        match &replayed {
            Record::Transmit { target, bytes } => self.digest.transmit(*target, bytes),
            Record::Event(event) => self.digest.event(event),
            _ => {}
        }
        Ok(())
    }

    /// The node must be as it was. The state of another core cannot be compared: what comes out can.
    fn compare(&mut self, number: u64, frame: &KeyFrame<'_>) -> Result<(), ReplayError> {
        if self.other_core.is_some() {
            return Ok(());
        }
        let mut state = self.node.save();
        if self.redacted {
            // As the recorder did, which leaves nothing of what was said and is no longer needed.
            let copy = Node::load(&state);
            let mut copy = copy.map_err(|error| ReplayError::State { number, error })?;
            copy.map_payloads(&mut |_| {});
            state = copy.save();
        }
        if state == frame.state {
            return Ok(());
        }
        let differ = state.iter().zip(frame.state).take_while(|(a, b)| a == b).count();
        let say = |state: &[u8]| format!("a state of {} bytes, different from byte {differ} on", state.len());
        Err(self.diverged(number, say(frame.state), say(&state)))
    }

    fn diverged(&self, number: u64, recorded: String, replayed: String) -> ReplayError {
        let input = self.input.as_ref().map_or_else(|| "its beginning".to_owned(), ToString::to_string);
        ReplayError::Diverged(Box::new(Divergence {
            number,
            now: self.now,
            input,
            recorded,
            replayed,
            unknown: self.unknown,
            other_core: self.other_core.clone(),
        }))
    }
}

/// Is shown every step.
pub type Watcher<'w> = &'w mut dyn FnMut(&Step<'_>);

fn be_born(born: &Born) -> Result<Node, ReplayError> {
    let config = Config::new(born.options.clone()).map_err(ReplayError::Options)?;
    Ok(Node::new(Arc::new(config), born.me, born.seed, born.now))
}

fn load(number: u64, frame: &KeyFrame<'_>) -> Result<Node, ReplayError> {
    Node::load(frame.state).map_err(|error| ReplayError::State { number, error })
}

fn other_core(head: &Head) -> Option<Core> {
    (head.core.source != swim_core::SOURCE).then(|| head.core.clone())
}
