//! The task of a member: wait, turn, publish.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use swim_core::Instant;
use swim_core::driver::{
    Answer, COMMANDS_MAX, CommandError, Engine, Host, Order, Ready, Reply, Settings, Snapshot,
};
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Sleep, sleep};

use crate::handle::Handle;
use crate::os::{self, Bound, Error};
use crate::shared::Shared;
use crate::socket::Socket;

/// Starts a member as a task of the current runtime, which needs its IO and time drivers enabled. It looks
/// for `settings.seeds` at once, without waiting for them.
///
/// # Errors
/// [`Error`] names what could not be done, and with which address.
///
/// # Panics
/// If the runtime was built without IO or time.
pub fn spawn(settings: &Settings) -> Result<Handle, Error> {
    let runtime =
        runtime::Handle::try_current().map_err(|error| Error::Start(std::io::Error::other(error)))?;
    let Bound { socket, local_addr, me, seed } = os::bind(settings)?;
    let mut socket = Socket::new(socket).map_err(Error::Start)?;
    let engine = Engine::new(settings, me, seed, socket.now())?;
    let (orders, inbox) = mpsc::channel(COMMANDS_MAX);
    let shared = Arc::new(Shared::new(settings.events_max, engine.node()));
    let task = Task { engine, socket, inbox, shared: Arc::clone(&shared) };
    runtime.spawn(task.run());
    Ok(Handle::new(local_addr, orders, shared))
}

/// What a handle asks of the task.
pub(crate) enum Message {
    Order(Order, Waiter),
    Members(oneshot::Sender<Snapshot>),
}

/// A caller that awaits the end of its command.
pub(crate) struct Waiter(pub(crate) oneshot::Sender<Result<Answer, CommandError>>);

impl Reply for Waiter {
    fn reply(self, outcome: Result<Answer, CommandError>) {
        // A caller that is gone does not want to know.
        let _ = self.0.send(outcome);
    }
}

struct Task {
    engine: Engine<Waiter>,
    socket: Socket,
    inbox: mpsc::Receiver<Message>,
    shared: Arc<Shared>,
}

impl Task {
    async fn run(mut self) {
        let mut timer = Timer { sleep: Box::pin(sleep(Duration::ZERO)), set_for: None };
        let mut ready = Ready::default();
        while !self.shared.is_stopping() {
            let more = self.engine.turn(&mut self.socket, ready);
            let more = self.take_orders() || more;
            self.shared.publish(&mut self.engine, self.socket.now());
            if self.engine.is_finished() {
                break;
            }
            self.socket.watch_writes(self.engine.is_blocked());
            // What was readable stays so until a read found the socket empty.
            ready = Ready { readable: ready.readable && more, writable: false };
            if more {
                // A bound was reached. The other tasks of the runtime come first.
                tokio::task::yield_now().await;
                continue;
            }
            timer.set(self.engine.deadline(), &mut self.socket);
            self.wait(&mut timer, &mut ready).await;
        }
    }

    /// Waits for the first of everything that there is to wait for. No branch does any work: the turn looks
    /// at all of it, whichever branch it was that woke.
    async fn wait(&mut self, timer: &mut Timer, ready: &mut Ready) {
        let blocked = self.engine.is_blocked();
        let mut first = None;
        tokio::select! {
            biased;
            () = self.shared.stopped() => {}
            () = self.socket.readable() => ready.readable = true,
            () = self.socket.writable(), if blocked => ready.writable = true,
            () = timer.rang(), if timer.set_for.is_some() => {}
            message = self.inbox.recv(), if !blocked => first = message,
        }
        if let Some(message) = first {
            self.take(message);
        }
    }

    /// Carries out what handles asked for, but not without end. Returns whether more may be waiting.
    fn take_orders(&mut self) -> bool {
        for _ in 0..COMMANDS_MAX {
            // A held send comes first; its own wake-up leads back here.
            let message = if self.engine.is_blocked() { None } else { self.inbox.try_recv().ok() };
            match message {
                Some(message) => self.take(message),
                None => return false,
            }
        }
        true
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Order(order, waiter) => self.engine.order(&mut self.socket, &order, waiter),
            Message::Members(reply) => {
                let members = self.engine.snapshot(self.socket.now());
                self.shared.keep(members.clone());
                let _ = reply.send(members);
            }
        }
    }
}

/// However the task ends, by the end of its runtime too, whoever awaits an event or an answer hears of it.
impl Drop for Task {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let now = self.socket.now();
            self.shared.publish(&mut self.engine, now);
            self.shared.keep(self.engine.snapshot(now));
        }
        self.shared.close();
    }
}

/// The one timer, reset only when the deadline has moved.
struct Timer {
    sleep: Pin<Box<Sleep>>,
    set_for: Option<Instant>,
}

impl Timer {
    fn set(&mut self, deadline: Option<Instant>, clock: &mut impl Host) {
        if self.set_for == deadline {
            return;
        }
        self.set_for = deadline;
        if let Some(deadline) = deadline {
            let wait = deadline.since(clock.now());
            self.sleep.as_mut().reset(tokio::time::Instant::now() + wait);
        }
    }

    /// Waits for it. Afterwards it is not set: if the engine finds that it rang too early (tokio's clock
    /// stands still while the machine sleeps, and in tests), it is set again.
    async fn rang(&mut self) {
        self.sleep.as_mut().await;
        self.set_for = None;
    }
}
