//! Records: what a trace says, one after the other.
//!
//! The format grows in two ways that this reader survives: a later version may append fields to a record, which
//! are not read, and may have further kinds of records, which are [`Record::Unknown`].

use std::fmt;
use std::net::SocketAddr;

use swim_core::{Command, Done, Epoch, Event, Identity, Input, Instant, NodeId, Options, Refusal, Seed};

use crate::OwnedCommand;
use crate::bytes::{Malformed, Take, put_addr, put_bytes, put_u32, put_u64};
use crate::command;
use crate::redact::{Redactor, put_datagram};

/// One record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record<'a> {
    /// Which node is recorded. The first record of every file.
    Head(Head),
    /// The node was made. The second record, unless that is a key frame.
    Born(Box<Born>),
    /// The node as it was here.
    KeyFrame(KeyFrame<'a>),
    /// The node was handed something.
    Input {
        /// When, by its driver's clock.
        now: Instant,
        /// What.
        input: Input<'a>,
    },
    /// The node was given a command.
    Command {
        /// When, by its driver's clock.
        now: Instant,
        /// Which.
        command: OwnedCommand,
    },
    /// What the command before it returned.
    Result(Result<Done, Refusal>),
    /// A datagram came out.
    Transmit {
        /// Where to.
        target: SocketAddr,
        /// What.
        bytes: &'a [u8],
    },
    /// An event came out.
    Event(Event),
    /// Nothing more came out.
    Settled {
        /// When the node wants to be called again.
        deadline: Option<Instant>,
    },
    /// A record of a kind that this program does not know, or that holds something it does not know.
    Unknown {
        /// Its kind.
        kind: u8,
    },
}

/// Which node a file is about, and which part of its recording it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// A number drawn for the recording: files of the same recording have the same one.
    pub recording: u64,
    /// Which file of the recording this is, from 0.
    pub segment: u32,
    /// The core that ran.
    pub core: Core,
    /// Who it was when it was born.
    pub me: Identity,
    /// The wall clock at its birth, in Unix milliseconds. For people; a replay does not look at it.
    pub unix_ms: u64,
    /// Whether what users said is replaced.
    pub redacted: bool,
    /// The version of this crate that wrote it.
    pub writer: String,
}

/// A core, by what it was built from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Core {
    /// [`swim_core::VERSION`].
    pub version: String,
    /// [`swim_core::SOURCE`]: cores with the same do the same.
    pub source: u64,
}

impl Core {
    /// The one in this program.
    #[must_use]
    pub fn here() -> Self {
        Self { version: swim_core::VERSION.to_owned(), source: swim_core::SOURCE }
    }
}

impl fmt::Display for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "core {} ({:016x})", self.version, self.source)
    }
}

/// Everything that `Node::new` was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Born {
    /// Its options.
    pub options: Options,
    /// Who it is.
    pub me: Identity,
    /// What all that is random follows from.
    pub seed: Seed,
    /// When it was.
    pub now: Instant,
}

/// A node, whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyFrame<'a> {
    /// How many inputs and outputs there were before, since it was born.
    pub number: u64,
    /// When it was last handed something.
    pub now: Instant,
    /// What `Node::save` gave.
    pub state: &'a [u8],
}

impl Record<'_> {
    /// Whether it counts: inputs and outputs have numbers, the rest has none.
    #[must_use]
    pub const fn counts(&self) -> bool {
        match self {
            Self::Head(_) | Self::Born(_) | Self::KeyFrame(_) => false,
            Self::Unknown { kind } => *kind >= COUNTS_FROM,
            _ => true,
        }
    }
}

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(head) => write!(f, "{head}"),
            Self::Born(born) => write!(f, "born as {:?} at {}", born.me.id, born.me.addr),
            Self::KeyFrame(frame) => write!(f, "key frame of {} bytes", frame.state.len()),
            Self::Input { input: Input::Datagram { source, bytes }, .. } => {
                write!(f, "datagram from {source}: {}", crate::describe(bytes))
            }
            Self::Input { input: Input::Tick, .. } => f.write_str("tick"),
            Self::Input { input: Input::Undelivered { target }, .. } => write!(f, "undelivered to {target}"),
            Self::Input { input, .. } => write!(f, "{input:?}"),
            Self::Command { command, .. } => write!(f, "command {command}"),
            Self::Result(Ok(done)) => write!(f, "done: {done:?}"),
            Self::Result(Err(refusal)) => write!(f, "refused: {refusal}"),
            Self::Transmit { target, bytes } => {
                write!(f, "datagram to {target}: {}", crate::describe(bytes))
            }
            Self::Event(event) => write!(f, "event {event:?}"),
            Self::Settled { deadline: Some(deadline) } => {
                write!(f, "nothing more; to be woken at {deadline:?}")
            }
            Self::Settled { deadline: None } => f.write_str("nothing more; not to be woken"),
            Self::Unknown { kind } => write!(f, "a record of kind {kind}, which this program does not know"),
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, core, me, unix_ms, .. } = self;
        write!(f, "member {:?} at {}, epoch {}, ", me.id, me.addr, me.epoch.0)?;
        write!(f, "born at Unix ms {unix_ms}, {core}, part {segment}")?;
        if self.redacted { f.write_str(", redacted") } else { Ok(()) }
    }
}

pub(crate) fn put_head(out: &mut Vec<u8>, head: &Head) {
    out.push(HEAD);
    put_u64(out, head.recording);
    put_u32(out, head.segment);
    put_bytes(out, head.core.version.as_bytes());
    put_u64(out, head.core.source);
    put_identity(out, &head.me);
    put_u64(out, head.unix_ms);
    out.push(head.redacted.into());
    put_bytes(out, head.writer.as_bytes());
}

/// # Errors
/// What this format cannot say.
pub(crate) fn put_born(out: &mut Vec<u8>, born: &Born) -> Result<(), String> {
    out.push(BORN);
    put_identity(out, &born.me);
    out.extend_from_slice(&born.seed.0);
    put_u64(out, born.now.as_nanos());
    put_bytes(out, &in_postcard(&born.options, Vec::new())?);
    Ok(())
}

pub(crate) fn put_key_frame(out: &mut Vec<u8>, frame: &KeyFrame<'_>) {
    out.push(KEY_FRAME);
    put_u64(out, frame.number);
    put_u64(out, frame.now.as_nanos());
    put_bytes(out, frame.state);
}

/// # Errors
/// The name of an input that this format does not have.
pub(crate) fn put_input(
    out: &mut Vec<u8>,
    now: Instant,
    input: &Input<'_>,
    redactor: Option<&Redactor>,
) -> Result<(), String> {
    let kind = match input {
        Input::Datagram { .. } => DATAGRAM,
        Input::Tick => TICK,
        Input::Undelivered { .. } => UNDELIVERED,
        other => return Err(format!("{other:?}")),
    };
    out.push(kind);
    put_u64(out, now.as_nanos());
    match *input {
        Input::Datagram { source, bytes } => {
            put_addr(out, source);
            put_datagram(out, bytes, redactor);
        }
        Input::Undelivered { target } => put_addr(out, target),
        _ => {}
    }
    Ok(())
}

/// # Errors
/// The name of a command that this format does not have.
pub(crate) fn put_command(
    out: &mut Vec<u8>,
    now: Instant,
    command: &Command<'_>,
    redactor: Option<&Redactor>,
) -> Result<(), String> {
    out.push(COMMAND);
    put_u64(out, now.as_nanos());
    command::put(out, command, redactor)
}

/// # Errors
/// What this format cannot say.
pub(crate) fn put_result(out: &mut Vec<u8>, result: Result<Done, Refusal>) -> Result<(), String> {
    out.push(RESULT);
    *out = in_postcard(&result, std::mem::take(out))?;
    Ok(())
}

/// The beginning of a datagram; the datagram itself is still to come.
pub(crate) fn put_transmit(out: &mut Vec<u8>, target: SocketAddr) {
    out.push(TRANSMIT);
    put_addr(out, target);
}

/// # Errors
/// What this format cannot say.
pub(crate) fn put_event(out: &mut Vec<u8>, event: &Event) -> Result<(), String> {
    out.push(EVENT);
    *out = in_postcard(event, std::mem::take(out))?;
    Ok(())
}

pub(crate) fn put_settled(out: &mut Vec<u8>, deadline: Option<Instant>) {
    out.push(SETTLED);
    out.push(deadline.is_some().into());
    if let Some(deadline) = deadline {
        put_u64(out, deadline.as_nanos());
    }
}

fn in_postcard(value: &impl serde::Serialize, out: Vec<u8>) -> Result<Vec<u8>, String> {
    postcard::to_extend(value, out).map_err(|error| error.to_string())
}

fn put_identity(out: &mut Vec<u8>, me: &Identity) {
    put_u64(out, me.id.0);
    put_addr(out, me.addr);
    put_u64(out, me.epoch.0);
}

/// Reads one record. What stands behind the fields that this version knows is not read.
pub(crate) fn take(bytes: &[u8]) -> Result<Record<'_>, Malformed> {
    let mut from = Take(bytes);
    let kind = from.u8()?;
    Ok(match kind {
        HEAD => Record::Head(take_head(&mut from)?),
        BORN => Record::Born(Box::new(take_born(&mut from)?)),
        KEY_FRAME => Record::KeyFrame(KeyFrame {
            number: from.u64()?,
            now: take_instant(&mut from)?,
            state: from.bytes()?,
        }),
        DATAGRAM => {
            let (now, source) = (take_instant(&mut from)?, from.addr()?);
            Record::Input { now, input: Input::Datagram { source, bytes: from.bytes()? } }
        }
        TICK => Record::Input { now: take_instant(&mut from)?, input: Input::Tick },
        UNDELIVERED => {
            let (now, target) = (take_instant(&mut from)?, from.addr()?);
            Record::Input { now, input: Input::Undelivered { target } }
        }
        COMMAND => {
            let now = take_instant(&mut from)?;
            match command::take(&mut from)? {
                Some(command) => Record::Command { now, command },
                None => Record::Unknown { kind },
            }
        }
        RESULT => match postcard::take_from_bytes(from.0) {
            Ok((result, _)) => Record::Result(result),
            Err(_) => Record::Unknown { kind },
        },
        TRANSMIT => Record::Transmit { target: from.addr()?, bytes: from.bytes()? },
        EVENT => match postcard::take_from_bytes(from.0) {
            Ok((event, _)) => Record::Event(event),
            Err(_) => Record::Unknown { kind },
        },
        SETTLED => {
            let deadline = if from.bool()? { Some(take_instant(&mut from)?) } else { None };
            Record::Settled { deadline }
        }
        _ => Record::Unknown { kind },
    })
}

/// Whether a record counts, by its first byte.
pub(crate) fn counts(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|kind| *kind >= COUNTS_FROM)
}

fn take_instant(from: &mut Take<'_>) -> Result<Instant, Malformed> {
    Ok(Instant::from_nanos(from.u64()?))
}

fn take_identity(from: &mut Take<'_>) -> Result<Identity, Malformed> {
    let (id, addr) = (NodeId(from.u64()?), from.addr()?);
    Ok(Identity { id, addr, epoch: Epoch(from.u64()?) })
}

fn take_head(from: &mut Take<'_>) -> Result<Head, Malformed> {
    let (recording, segment) = (from.u64()?, from.u32()?);
    let core = Core { version: take_version(from)?, source: from.u64()? };
    let (me, unix_ms) = (take_identity(from)?, from.u64()?);
    let (redacted, writer) = (from.bool()?, take_version(from)?);
    Ok(Head { recording, segment, core, me, unix_ms, redacted, writer })
}

fn take_version(from: &mut Take<'_>) -> Result<String, Malformed> {
    let version = std::str::from_utf8(from.bytes()?).map_err(|_| Malformed("names a version in no UTF-8"))?;
    Ok(version.to_owned())
}

fn take_born(from: &mut Take<'_>) -> Result<Born, Malformed> {
    let (me, seed) = (take_identity(from)?, Seed(from.array()?));
    let now = take_instant(from)?;
    let options = postcard::from_bytes(from.bytes()?);
    let options = options.map_err(|_| Malformed("has options that this core cannot read"))?;
    Ok(Born { options, me, seed, now })
}

const HEAD: u8 = 1;
const BORN: u8 = 2;
const KEY_FRAME: u8 = 3;
/// Records of this kind and above have numbers, also those that a later version adds.
const COUNTS_FROM: u8 = 16;
const DATAGRAM: u8 = 16;
const TICK: u8 = 17;
const UNDELIVERED: u8 = 18;
const COMMAND: u8 = 19;
const RESULT: u8 = 20;
const TRANSMIT: u8 = 32;
const EVENT: u8 = 33;
const SETTLED: u8 = 34;
