//! Callers that wait for what a command achieves.
//!
//! Nearly every command ends within [`Node::command`](swim_core::Node::command), and its caller has the result at once. A
//! join and a leave take time: their callers wait here until the state of the node says that they have ended. So do
//! broadcasts for which the node has no room, in the order in which they came, until it has.
//! Events play no part in it, so none that is lost can take an answer along.
//!
//! Each caller gets exactly one result: the reply consumes it, and one that is dropped with the member finds its channel
//! closed.

use std::collections::VecDeque;
use std::fmt;

use swim_core::{Done, Incarnation, JoinFailure, Joined, Node, Refusal, TooLong};
use swim_trace::{OwnedCommand, Sink};

use crate::{Engine, Host};

/// How a caller gets the result of its command.
pub trait Reply {
    /// Called once. Must not block.
    fn reply(self, outcome: Result<Outcome, CommandError>);

    /// Whether the caller still waits. A broadcast of one that does not is not kept for it.
    fn is_wanted(&self) -> bool {
        true
    }
}

/// What a command achieved in the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// A join: the cluster was found.
    Joined(Joined),
    /// A leave: so many datagrams carried it to the others.
    Left {
        /// How many.
        datagrams: u32,
    },
    /// Any other command.
    Done(Done),
}

/// What each command gives its caller. An outcome of another command reads as [`CommandError::Stopped`].
impl Outcome {
    /// Of a join.
    ///
    /// # Errors
    /// It is the outcome of another command.
    pub const fn joined(self) -> Result<Joined, CommandError> {
        if let Self::Joined(joined) = self { Ok(joined) } else { Err(CommandError::Stopped) }
    }

    /// Of a leave: how many datagrams carried it.
    ///
    /// # Errors
    /// As [`joined`](Self::joined).
    pub const fn datagrams(self) -> Result<u32, CommandError> {
        if let Self::Left { datagrams } = self { Ok(datagrams) } else { Err(CommandError::Stopped) }
    }

    /// Of new metadata: the incarnation that carries it.
    ///
    /// # Errors
    /// As [`joined`](Self::joined).
    pub const fn incarnation(self) -> Result<Incarnation, CommandError> {
        match self {
            Self::Done(Done::MetadataSet { incarnation }) => Ok(incarnation),
            _ => Err(CommandError::Stopped),
        }
    }

    /// Of a broadcast: its number.
    ///
    /// # Errors
    /// As [`joined`](Self::joined).
    pub const fn sequence(self) -> Result<u32, CommandError> {
        match self {
            Self::Done(Done::BroadcastQueued { sequence }) => Ok(sequence),
            _ => Err(CommandError::Stopped),
        }
    }

    /// Of known peers: how many are of use.
    ///
    /// # Errors
    /// As [`joined`](Self::joined).
    pub const fn used(self) -> Result<u32, CommandError> {
        match self {
            Self::Done(Done::Restored { used, .. }) => Ok(used),
            _ => Err(CommandError::Stopped),
        }
    }
}

/// Why a command did not end well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CommandError {
    /// The core refused it. Nothing changed.
    Refused(Refusal),
    /// A join ended without a cluster.
    JoinFailed(JoinFailure),
    /// Metadata or payload beyond its bound.
    TooLong(TooLong),
    /// The driver has stopped, or stopped while the command waited.
    Stopped,
}

/// Those that wait for a join, for a leave, or for room for a broadcast.
#[derive(Debug)]
pub struct Callers<R> {
    joins: Vec<R>,
    leaves: Vec<R>,
    /// No more than callers that wait.
    broadcasts: VecDeque<(OwnedCommand, R)>,
}

impl<R> Default for Callers<R> {
    fn default() -> Self {
        Self { joins: Vec::new(), leaves: Vec::new(), broadcasts: VecDeque::new() }
    }
}

impl<R: Reply> Callers<R> {
    /// Gives a command to the engine. `reply` gets the result, at once or by [`Callers::settle`].
    pub fn command<S: Sink>(
        &mut self,
        engine: &mut Engine<S>,
        host: &mut impl Host,
        command: OwnedCommand,
        reply: R,
    ) {
        let waits = !self.broadcasts.is_empty() || engine.node().is_broadcast_queue_full();
        if waits && matches!(command, OwnedCommand::Broadcast(_)) {
            self.broadcasts.push_back((command, reply));
        } else {
            self.try_command(engine, host, &command, reply);
        }
    }

    /// The same, but a broadcast for which there is no room is refused.
    pub fn try_command<S: Sink>(
        &mut self,
        engine: &mut Engine<S>,
        host: &mut impl Host,
        command: &OwnedCommand,
        reply: R,
    ) {
        let result = command.command().map_err(CommandError::TooLong);
        let result = result.and_then(|command| engine.command(host, command).map_err(CommandError::Refused));
        match result {
            Ok(Done::Seeking) => self.joins.push(reply),
            Ok(Done::Leaving) => self.leaves.push(reply),
            Ok(done) => reply.reply(Ok(Outcome::Done(done))),
            Err(error) => reply.reply(Err(error)),
        }
        self.end(engine);
    }

    /// After every turn: gives the engine the broadcasts for which there is room, and replies to those whose join or leave
    /// has ended.
    pub fn settle<S: Sink>(&mut self, engine: &mut Engine<S>, host: &mut impl Host) {
        self.broadcasts.retain(|(_, reply)| reply.is_wanted());
        while !engine.is_blocked()
            && !engine.node().is_broadcast_queue_full()
            && let Some((command, reply)) = self.broadcasts.pop_front()
        {
            self.try_command(engine, host, &command, reply);
        }
        self.end(engine);
    }

    /// Replies to those whose join or leave has ended. A leave has ended when its last datagram has left this process,
    /// which may end with it.
    fn end<S: Sink>(&mut self, engine: &Engine<S>) {
        if !self.joins.is_empty() && !engine.node().is_seeking() {
            let outcome = join_outcome(engine.node());
            self.joins.drain(..).for_each(|reply| reply.reply(outcome));
        }
        if !self.leaves.is_empty() && engine.is_finished() {
            let left = engine.node().left();
            let outcome = left.map(|datagrams| Outcome::Left { datagrams }).ok_or(CommandError::Stopped);
            self.leaves.drain(..).for_each(|reply| reply.reply(outcome));
        }
    }
}

fn join_outcome(node: &Node) -> Result<Outcome, CommandError> {
    match node.join_outcome() {
        Some(Ok(joined)) => Ok(Outcome::Joined(joined)),
        Some(Err(failure)) => Err(CommandError::JoinFailed(failure)),
        None => Err(CommandError::Stopped),
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "refused: {refusal}"),
            Self::JoinFailed(failure) => failure.fmt(f),
            Self::TooLong(error) => error.fmt(f),
            Self::Stopped => f.write_str("the node has stopped"),
        }
    }
}

impl std::error::Error for CommandError {}

impl From<TooLong> for CommandError {
    fn from(error: TooLong) -> Self {
        Self::TooLong(error)
    }
}
