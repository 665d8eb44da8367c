//! The thread of a spawned member: wait, turn, publish.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use mio::{Events, Poll, Token, Waker};
use swim_driver::os::{self, Aside, Bound, Error, Settings};
use swim_driver::{COMMANDS_MAX, Callers, CommandError, Engine, Outcome, Reply, View};

use crate::shared::{Message, Shared, Waiter};
use crate::socket::Socket;
use crate::timer::Timer;

/// A thread that was started, for a handle to hold.
pub(crate) struct Started {
    pub(crate) local_addr: SocketAddr,
    pub(crate) messages: SyncSender<Message>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) thread: JoinHandle<()>,
}

pub(crate) fn start(settings: &Settings) -> Result<Started, Error> {
    let poll = Poll::new().map_err(Error::Start)?;
    let waker = Waker::new(poll.registry(), WAKER).map_err(Error::Start)?;
    let timer = Timer::new(poll.registry(), ALARM).map_err(Error::Start)?;
    let Bound { socket, local_addr, clock, mut engine, mut aside } = os::bind(settings)?;
    let socket = Socket::new(socket, clock, poll.registry(), SOCKET).map_err(Error::Start)?;
    let (messages, inbox) = sync_channel(COMMANDS_MAX);
    let waker = Arc::new(waker);
    let wakes = Arc::clone(&waker);
    // It can only fail when the eventfd is gone, and then so is the thread.
    aside.start(&mut engine, Arc::new(move || drop(wakes.wake())));
    let shared = Arc::new(Shared::new(View::new(engine, settings.events_max), waker));
    let ending = Ending(Arc::clone(&shared));
    let body = Body { poll, timer, socket, aside, ending, inbox, asked: false, callers: Callers::default() };
    let thread =
        Builder::new().name("swim-mio".to_owned()).spawn(move || body.run()).map_err(Error::Start)?;
    Ok(Started { local_addr, messages, shared, thread })
}

struct Body {
    poll: Poll,
    timer: Timer,
    socket: Socket,
    aside: Aside,
    /// Dropped after the socket, which a member that has ended has closed, and before the inbox: a caller whose message
    /// is lost finds the last table in the view.
    ending: Ending,
    inbox: Receiver<Message>,
    /// Something may be in it: a handle that puts something in wakes the thread afterwards.
    asked: bool,
    callers: Callers<Waiter>,
}

/// However the thread ends, a caller that waits for an event or a result learns of it.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Body {
    fn run(mut self) {
        let mut ready = Events::with_capacity(16);
        // The first turn does what the settings ask for.
        let mut timeout = Some(Duration::ZERO);
        let shared = Arc::clone(&self.ending.0);
        while !shared.view.is_stopping() {
            match self.poll.poll(&mut ready, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => break,
                _ => {}
            }
            match shared.view.with(|engine| self.turn(engine, &shared, &ready)) {
                Some(Next::Wait(next)) => timeout = next,
                Some(Next::End) | None => break,
            }
        }
        shared.view.with(|engine| self.aside.finish(engine));
    }

    fn turn(&mut self, engine: &mut Engine, shared: &Shared, ready: &Events) -> Next {
        for event in ready {
            match event.token() {
                SOCKET => self.socket.ready(event),
                ALARM => self.timer.rang(),
                _ => self.asked = true,
            }
        }
        self.socket.turn(engine);
        let more_messages = self.asked && self.take_messages(engine);
        let more_addresses = self.aside.turn(engine);
        self.callers.settle(engine, &mut self.socket);
        self.socket.give_back(engine);
        shared.hand_out(engine);
        if engine.is_finished() {
            Next::End
        } else if more_messages || more_addresses || self.socket.turns_again() {
            Next::Wait(Some(Duration::ZERO))
        } else {
            Next::Wait(self.timer.timeout(engine.deadline(), || self.socket.now()))
        }
    }

    /// Carries out what handles asked for, but not without end. Returns whether to come back without a wait.
    fn take_messages(&mut self, engine: &mut Engine) -> bool {
        for _ in 0..COMMANDS_MAX {
            if engine.is_blocked() {
                // A held send comes first; its own wake-up leads back here.
                return false;
            }
            match self.inbox.try_recv() {
                Ok(Message::Command(command, waiter)) => {
                    self.callers.command(engine, &mut self.socket, command, waiter);
                    self.socket.give_back(engine);
                }
                Ok(Message::TryCommand(command, waiter)) => {
                    self.callers.try_command(engine, &mut self.socket, &command, waiter);
                    self.socket.give_back(engine);
                }
                Ok(Message::SetSeeds(seeds, waiter)) => {
                    let result = self.aside.set_seeds(engine, seeds);
                    waiter.reply(result.map(Outcome::Done).map_err(CommandError::Refused));
                }
                Ok(Message::Members(reply)) => {
                    let _ = reply.try_send(engine.snapshot(self.socket.now()));
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

const SOCKET: Token = Token(0);
const WAKER: Token = Token(1);
const ALARM: Token = Token(2);
