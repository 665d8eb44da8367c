//! Finding the command that an event answers.
//!
//! The core answers a command with an event and knows nothing of callers. The driver hands in one command
//! at a time and polls everything that it caused before the next (contract 6), so the rules are few: a
//! refusal answers the latest command of its kind; the end of a join answers everybody who waits for one;
//! every other event answers the oldest command that it can be the answer to. Where events were lost the
//! node itself says what is still under way.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;

use swim_core::{Command, CommandKind, Event, Incarnation, JoinFailure, Node, NodeId, Refusal, TooLong};

/// How a caller is told the end of its command.
pub trait Reply {
    /// Called once. Must not block.
    fn reply(self, outcome: Result<Answer, CommandError>);
}

/// A caller that does not want to know.
impl Reply for () {
    fn reply(self, _: Result<Answer, CommandError>) {}
}

/// The event that ended a command well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer(pub Event);

impl Answer {
    /// Of a join: how it ended.
    ///
    /// # Errors
    /// [`CommandError::AnswerLost`] if it answers another command.
    pub const fn joined(&self) -> Result<Joined, CommandError> {
        match self.0 {
            Event::Joined { via, members } => Ok(Joined { via, members }),
            _ => Err(CommandError::AnswerLost),
        }
    }

    /// The number in it: of a leave the datagrams, of a broadcast its sequence, of a restore the hints
    /// used, of a change of metadata the incarnation. Zero for the others.
    #[must_use]
    pub const fn number(&self) -> u32 {
        match self.0 {
            Event::LeaveSent { datagrams } => datagrams,
            Event::BroadcastQueued { sequence } => sequence,
            Event::Restored { used, .. } => used,
            Event::MetadataSet { incarnation: Incarnation(number) } => number,
            _ => 0,
        }
    }
}

/// A join that succeeded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Joined {
    /// The member that let us in.
    pub via: SocketAddr,
    /// How many Alive and Suspect members were known then, this one included. The rest follows.
    pub members: u32,
}

/// Why a command did not end well.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CommandError {
    /// The core refused it. Nothing changed.
    Refused {
        /// Which command.
        command: CommandKind,
        /// Why.
        reason: Refusal,
    },
    /// A join ended without a cluster.
    JoinFailed(JoinFailure),
    /// Metadata or payload beyond its bound.
    TooLong(TooLong),
    /// So many events came at once that the answer was lost among them. Look at the member table.
    AnswerLost,
    /// The driver has stopped, or stopped while the command waited.
    Stopped,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { command, reason } => write!(f, "{command:?} was refused: {reason}"),
            Self::JoinFailed(reason) => reason.fmt(f),
            Self::TooLong(error) => error.fmt(f),
            Self::AnswerLost => f.write_str("the answer was lost among too many events; read the members"),
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

/// Callers that wait, in the order of their commands.
#[derive(Debug)]
pub(crate) struct Answers<R> {
    waiting: VecDeque<Waiting<R>>,
}

#[derive(Debug)]
struct Waiting<R> {
    kind: CommandKind,
    /// The member that it is about, where an event names one.
    target: Option<NodeId>,
    reply: R,
}

impl<R: Reply> Answers<R> {
    pub(crate) const fn new() -> Self {
        Self { waiting: VecDeque::new() }
    }

    pub(crate) fn expect(&mut self, command: &Command<'_>, reply: R) {
        let target = match *command {
            Command::Send { target, .. } | Command::Remove { target } => Some(target),
            _ => None,
        };
        self.waiting.push_back(Waiting { kind: command.kind(), target, reply });
    }

    /// Answers whoever waits for `event`.
    pub(crate) fn settle(&mut self, event: &Event) {
        let answer = || Ok(Answer(event.clone()));
        match *event {
            Event::Joined { .. } => self.end_all(CommandKind::Join, &answer()),
            Event::JoinFailed { reason } => {
                self.end_all(CommandKind::Join, &Err(CommandError::JoinFailed(reason)));
                if reason == JoinFailure::Cancelled {
                    self.end_oldest(CommandKind::CancelJoin, None, answer());
                }
            }
            Event::LeaveSent { .. } => self.end_all(CommandKind::Leave, &answer()),
            Event::MetadataSet { .. } => self.end_oldest(CommandKind::SetMetadata, None, answer()),
            Event::AddressSet { .. } => self.end_oldest(CommandKind::SetAddress, None, answer()),
            Event::BroadcastQueued { .. } => self.end_oldest(CommandKind::Broadcast, None, answer()),
            Event::Sent { target } => self.end_oldest(CommandKind::Send, Some(target), answer()),
            Event::Left { id, .. } => self.end_oldest(CommandKind::Remove, Some(id), answer()),
            Event::Restored { .. } => self.end_oldest(CommandKind::Restore, None, answer()),
            Event::Refused { command, reason } => {
                self.end_latest(command, CommandError::Refused { command, reason });
            }
            _ => {}
        }
    }

    /// There was a gap in the events, and everything behind it has been settled. A join that `node` does not
    /// pursue has ended, so has a leave if it is quiet, and every other command is answered at once: what is
    /// not under way was answered in the gap.
    pub(crate) fn settle_gap(&mut self, node: &Node) {
        for _ in 0..self.waiting.len() {
            if let Some(waiting) = self.waiting.pop_front() {
                let under_way = match waiting.kind {
                    CommandKind::Join => node.is_seeking(),
                    CommandKind::Leave => node.is_running(),
                    _ => false,
                };
                if under_way {
                    self.waiting.push_back(waiting);
                } else {
                    waiting.reply.reply(Err(CommandError::AnswerLost));
                }
            }
        }
    }

    fn end_all(&mut self, kind: CommandKind, outcome: &Result<Answer, CommandError>) {
        for _ in 0..self.waiting.len() {
            if let Some(waiting) = self.waiting.pop_front() {
                if waiting.kind == kind {
                    waiting.reply.reply(outcome.clone());
                } else {
                    self.waiting.push_back(waiting);
                }
            }
        }
    }

    fn end_oldest(
        &mut self,
        kind: CommandKind,
        target: Option<NodeId>,
        outcome: Result<Answer, CommandError>,
    ) {
        let place = self.waiting.iter().position(|w| w.kind == kind && w.target == target);
        self.end_at(place, outcome);
    }

    fn end_latest(&mut self, kind: CommandKind, error: CommandError) {
        let place = self.waiting.iter().rposition(|w| w.kind == kind);
        self.end_at(place, Err(error));
    }

    fn end_at(&mut self, place: Option<usize>, outcome: Result<Answer, CommandError>) {
        if let Some(waiting) = place.and_then(|place| self.waiting.remove(place)) {
            waiting.reply.reply(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use swim_core::{Config, Epoch, Identity, Input, Instant, Seed};

    use super::*;

    type Outcome = Result<Answer, CommandError>;
    type Told = Rc<RefCell<Vec<(u32, Outcome)>>>;

    struct Caller(u32, Told);

    impl Reply for Caller {
        fn reply(self, outcome: Outcome) {
            self.1.borrow_mut().push((self.0, outcome));
        }
    }

    fn expecting(commands: &[Command<'_>]) -> (Answers<Caller>, Told) {
        let (mut answers, told) = (Answers::new(), Told::default());
        for (number, command) in (0..).zip(commands) {
            answers.expect(command, Caller(number, Rc::clone(&told)));
        }
        (answers, told)
    }

    fn callers(told: &Told) -> Vec<(u32, bool)> {
        told.borrow().iter().map(|(caller, outcome)| (*caller, outcome.is_ok())).collect()
    }

    const JOIN: Command<'_> = Command::Join { seeds: &[] };

    fn joined() -> Event {
        Event::Joined { via: "127.0.0.1:1".parse().expect("a valid address"), members: 2 }
    }

    #[test]
    fn one_success_ends_every_join() {
        let (mut answers, told) = expecting(&[JOIN, Command::Leave, JOIN]);
        answers.settle(&joined());
        assert_eq!(callers(&told), vec![(0, true), (2, true)]);
    }

    #[test]
    fn a_refusal_answers_the_latest_of_its_kind() {
        let (mut answers, told) = expecting(&[JOIN, JOIN]);
        answers.settle(&Event::Refused { command: CommandKind::Join, reason: Refusal::NoUsableAddress });
        assert_eq!(callers(&told), vec![(1, false)]);
    }

    #[test]
    fn cancelling_answers_both_the_join_and_the_cancellation() {
        let (mut answers, told) = expecting(&[JOIN, Command::CancelJoin]);
        answers.settle(&Event::JoinFailed { reason: JoinFailure::Cancelled });
        assert_eq!(callers(&told), vec![(0, false), (1, true)]);
    }

    #[test]
    fn a_removal_is_answered_by_the_goodbye_of_its_own_target() {
        let (mut answers, told) = expecting(&[Command::Remove { target: NodeId(7) }]);
        answers.settle(&Event::Left { id: NodeId(8), by: None });
        assert_eq!(callers(&told), vec![]);
        answers.settle(&Event::Left { id: NodeId(7), by: Some(NodeId(1)) });
        assert_eq!(callers(&told), vec![(0, true)]);
    }

    #[test]
    fn a_gap_in_the_events_ends_the_wait_for_all_that_is_not_under_way() {
        let addr = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let me = Identity { id: NodeId(1), addr: addr(1), epoch: Epoch(1) };
        let mut node = Node::new(Config::local().into(), me, Seed([1; 32]), Instant::ORIGIN);
        let handle = |node: &mut Node, command: Command<'_>| {
            node.handle(Instant::ORIGIN, Input::Command(command));
        };
        let waiting = || expecting(&[JOIN, Command::CancelJoin, Command::Leave]);
        let lost = |callers: &[u32]| callers.iter().map(|caller| (*caller, false)).collect::<Vec<_>>();

        handle(&mut node, Command::Join { seeds: &[addr(2)] });
        let (mut answers, told) = waiting();
        answers.settle_gap(&node);
        assert_eq!(callers(&told), lost(&[1]), "it looks for its cluster, and has not left");

        handle(&mut node, Command::CancelJoin);
        let (mut answers, told) = waiting();
        answers.settle_gap(&node);
        assert_eq!(callers(&told), lost(&[0, 1]));

        handle(&mut node, Command::Leave);
        let (mut answers, told) = waiting();
        answers.settle_gap(&node);
        assert_eq!(callers(&told), lost(&[0, 1, 2]), "a lone node has left at once");
        assert!(told.borrow().iter().all(|(_, outcome)| *outcome == Err(CommandError::AnswerLost)));
    }

    #[test]
    fn an_error_says_what_was_refused_and_the_way_out() {
        let error = CommandError::Refused {
            command: CommandKind::Broadcast,
            reason: Refusal::QueueFull { limit: 256 },
        };
        assert_eq!(
            format!("{error}"),
            "Broadcast was refused: 256 broadcasts are waiting; try again when they have drained"
        );
    }
}
