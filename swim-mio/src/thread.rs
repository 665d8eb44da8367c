//! The thread of a spawned member: a thin loop around [`Embedded`].

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use mio::{Events, Poll, Token, Waker};
use swim_driver::os::{Error, Settings};
use swim_driver::{COMMANDS_MAX, Callers, CommandError, Outcome, OwnedCommand, Reply, Snapshot};

use crate::embedded::Embedded;
use crate::handle::Handle;
use crate::shared::Shared;
use crate::timer::Timer;

/// Starts a member on a thread of its own. It looks for `settings.seeds` at once, without waiting for them.
///
/// # Errors
/// [`Error`] names what could not be done, and with which address.
pub fn spawn(settings: &Settings) -> Result<Handle, Error> {
    let poll = Poll::new().map_err(Error::Start)?;
    let waker = Waker::new(poll.registry(), WAKER).map_err(Error::Start)?;
    let timer = Timer::new(poll.registry(), ALARM).map_err(Error::Start)?;
    let member = Embedded::new(settings, poll.registry(), SOCKET)?;
    let (messages, inbox) = sync_channel(COMMANDS_MAX);
    let local_addr = member.local_addr();
    let shared = Arc::new(Shared::new(settings.events_max, member, waker));
    let callers = Callers::default();
    let body = Body { poll, timer, inbox, asked: false, callers, shared: Arc::clone(&shared) };
    let thread = thread::Builder::new().name("swim-mio".to_owned());
    let thread = thread.spawn(move || body.run()).map_err(Error::Start)?;
    Ok(Handle::new(local_addr, messages, shared, thread))
}

/// What a handle asks of the thread.
pub(crate) enum Message {
    Command(OwnedCommand, Waiter),
    Members(SyncSender<Snapshot>),
}

/// A caller that blocks until its command has ended.
pub(crate) struct Waiter(pub(crate) SyncSender<Result<Outcome, CommandError>>);

impl Reply for Waiter {
    fn reply(self, outcome: Result<Outcome, CommandError>) {
        // The channel has room for one. A caller that is gone does not want to know.
        let _ = self.0.try_send(outcome);
    }
}

struct Body {
    poll: Poll,
    timer: Timer,
    inbox: Receiver<Message>,
    /// Something may be in it: a handle that puts something in wakes the thread afterwards.
    asked: bool,
    callers: Callers<Waiter>,
    shared: Arc<Shared>,
}

impl Body {
    fn run(mut self) {
        let mut ready = Events::with_capacity(16);
        // The first turn does what the settings ask for.
        let mut timeout = Some(Duration::ZERO);
        let shared = Arc::clone(&self.shared);
        while !self.shared.is_stopping() {
            match self.poll.poll(&mut ready, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => break,
                _ => {}
            }
            match shared.view.with(|member| self.turn(member, &ready)) {
                Some(Next::Wait(next)) => timeout = next,
                Some(Next::End) | None => break,
            }
        }
    }

    fn turn(&mut self, member: &mut Embedded, ready: &Events) -> Next {
        for event in ready {
            match event.token() {
                SOCKET => member.ready(event),
                ALARM => self.timer.rang(),
                _ => self.asked = true,
            }
        }
        member.turn();
        let more_messages = self.asked && self.take_messages(member);
        self.callers.settle(member.engine());
        self.shared.hand_out(member);
        if member.is_finished() {
            Next::End
        } else if more_messages || member.turns_again() {
            Next::Wait(Some(Duration::ZERO))
        } else {
            Next::Wait(self.timer.timeout(member.deadline(), || member.now()))
        }
    }

    /// Carries out what handles asked for, but not without end. Returns whether to come back without a wait.
    fn take_messages(&mut self, member: &mut Embedded) -> bool {
        for _ in 0..COMMANDS_MAX {
            if !member.takes_commands() {
                // A held send comes first; its own wake-up leads back here.
                return false;
            }
            match self.inbox.try_recv() {
                Ok(Message::Command(command, waiter)) => member.call(&mut self.callers, &command, waiter),
                Ok(Message::Members(reply)) => {
                    let _ = reply.try_send(member.members());
                }
                Err(_) => {
                    self.asked = false;
                    return false;
                }
            }
        }
        true
    }
}

/// What follows a turn.
enum Next {
    /// Wait, this long at most.
    Wait(Option<Duration>),
    End,
}

/// However the thread ends, a caller that waits for an event or a result learns of it.
impl Drop for Body {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.shared.view.with(|member| {
                self.shared.hand_out(member);
                // So that it is seen after the end.
                member.members();
            });
        }
        self.shared.close();
    }
}

const SOCKET: Token = Token(0);
const WAKER: Token = Token(1);
const ALARM: Token = Token(2);
