//! The task of a member: wait, turn, publish.

use std::net::SocketAddr;
use std::sync::Arc;

use swim_driver::os::{self, Aside, Bound, Error, Settings};
use swim_driver::{COMMANDS_MAX, Callers, CommandError, Engine, Outcome, Ready, Reply, View};
use tokio::runtime;
use tokio::sync::{Notify, mpsc};

use crate::shared::{Message, Shared, Waiter};
use crate::socket::Socket;
use crate::timer::Timer;

/// A task that was started, for a handle to hold.
pub(crate) struct Started {
    pub(crate) local_addr: SocketAddr,
    pub(crate) messages: mpsc::Sender<Message>,
    pub(crate) shared: Arc<Shared>,
}

pub(crate) fn start(settings: &Settings) -> Result<Started, Error> {
    let runtime =
        runtime::Handle::try_current().map_err(|error| Error::Start(std::io::Error::other(error)))?;
    let Bound { socket, local_addr, clock, mut engine, mut aside } = os::bind(settings)?;
    let socket = Socket::new(socket, clock).map_err(Error::Start)?;
    let timer = Timer::new().map_err(Error::Start)?;
    let (messages, inbox) = mpsc::channel(COMMANDS_MAX);
    let wake = Arc::new(Notify::new());
    let wakes = Arc::clone(&wake);
    aside.start(&mut engine, Arc::new(move || wakes.notify_one()));
    let shared = Arc::new(Shared::new(View::new(engine, settings.events_max), wake));
    let ending = Ending(Arc::clone(&shared));
    let task = Task { socket, aside, timer, ending, inbox, callers: Callers::default() };
    runtime.spawn(task.run());
    Ok(Started { local_addr, messages, shared })
}

struct Task {
    socket: Socket,
    aside: Aside,
    timer: Timer,
    /// Dropped after the socket, which a member that has ended has closed, and before the inbox: a caller whose message
    /// is lost finds the last table in the view.
    ending: Ending,
    inbox: mpsc::Receiver<Message>,
    callers: Callers<Waiter>,
}

/// However the task ends, by the end of its runtime too, a caller that awaits an event or a result learns of it.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// What follows a turn.
enum Next {
    /// A bound was reached.
    Again,
    /// Wait; whether for a held send, too.
    Wait(bool),
    End,
}

impl Task {
    async fn run(mut self) {
        let mut ready = Ready::default();
        let shared = Arc::clone(&self.ending.0);
        while !shared.view.is_stopping() {
            match shared.view.with(|engine| self.turn(engine, ready)) {
                Some(Next::Again) => {
                    // What was readable stays so until a read found the socket empty.
                    ready.writable = false;
                    // The other tasks of the runtime come first.
                    tokio::task::yield_now().await;
                }
                Some(Next::Wait(blocked)) => {
                    ready = Ready::default();
                    if let Some(message) = self.wait(&mut ready, blocked).await {
                        shared.view.with(|engine| self.take(engine, message));
                    }
                }
                Some(Next::End) | None => break,
            }
        }
        shared.view.with(|engine| self.aside.finish(engine));
    }

    fn turn(&mut self, engine: &mut Engine, ready: Ready) -> Next {
        let more = engine.turn(&mut self.socket, ready);
        self.socket.give_back();
        let more = self.take_messages(engine) || more;
        let more = self.aside.turn(engine) || more;
        self.callers.settle(engine, &mut self.socket);
        self.ending.0.hand_out(engine);
        if engine.is_finished() {
            return Next::End;
        }
        self.socket.watch_writes(engine.is_blocked());
        if more {
            return Next::Again;
        }
        self.timer.set(engine.deadline(), || self.socket.now());
        Next::Wait(engine.is_blocked())
    }

    /// Waits for the first of everything that there is to wait for. No branch does any work: the turn looks
    /// at all of it, whichever branch it was that woke.
    async fn wait(&mut self, ready: &mut Ready, blocked: bool) -> Option<Message> {
        let mut first = None;
        tokio::select! {
            biased;
            () = self.ending.0.woken() => {}
            () = self.socket.readable() => ready.readable = true,
            () = self.socket.writable(), if blocked => ready.writable = true,
            () = self.timer.rang() => {}
            message = self.inbox.recv(), if !blocked => first = message,
        }
        first
    }

    /// Carries out what handles asked for, but not without end. Returns whether more may be waiting.
    fn take_messages(&mut self, engine: &mut Engine) -> bool {
        for _ in 0..COMMANDS_MAX {
            // A held send comes first; its own wake-up leads back here.
            let message = if engine.is_blocked() { None } else { self.inbox.try_recv().ok() };
            match message {
                Some(message) => self.take(engine, message),
                None => return false,
            }
        }
        true
    }

    fn take(&mut self, engine: &mut Engine, message: Message) {
        match message {
            Message::Command(command, waiter) => {
                self.callers.command(engine, &mut self.socket, command, waiter);
            }
            Message::TryCommand(command, waiter) => {
                self.callers.try_command(engine, &mut self.socket, &command, waiter);
            }
            Message::SetSeeds(seeds, waiter) => {
                let result = self.aside.set_seeds(engine, seeds);
                waiter.reply(result.map(Outcome::Done).map_err(CommandError::Refused));
            }
            Message::Members(reply) => {
                let _ = reply.send(engine.snapshot(self.socket.now()));
            }
        }
    }
}
