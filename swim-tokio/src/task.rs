//! The task of a member: wait, turn, publish.

use std::sync::Arc;

use swim_driver::os::{self, Bound};
use swim_driver::{
    Answer, COMMANDS_MAX, CommandError, Engine, Error, Host, Order, Ready, Reply, Settings, Snapshot,
};
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};

use crate::handle::Handle;
use crate::shared::Shared;
use crate::socket::Socket;
use crate::timer::Timer;

/// Starts a member as a task of the current runtime, which needs its IO driver enabled (and its time driver,
/// where there is no `timerfd`). It looks
/// for `settings.seeds` at once, without waiting for them.
///
/// # Errors
/// [`Error`] names what could not be done, and with which address.
///
/// # Panics
/// If the runtime was built without that.
pub fn spawn(settings: &Settings) -> Result<Handle, Error> {
    let runtime =
        runtime::Handle::try_current().map_err(|error| Error::Start(std::io::Error::other(error)))?;
    let Bound { socket, local_addr, me, seed, recorder } = os::bind(settings)?;
    let mut socket = Socket::new(socket).map_err(Error::Start)?;
    let engine = Engine::recorded(settings, me, seed, socket.now(), recorder)?;
    let (orders, inbox) = mpsc::channel(COMMANDS_MAX);
    let shared = Arc::new(Shared::new(settings.events_max, engine.node()));
    let timer = Timer::new().map_err(Error::Start)?;
    let task = Task { engine, socket, timer, inbox, shared: Arc::clone(&shared) };
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
    timer: Timer,
    inbox: mpsc::Receiver<Message>,
    shared: Arc<Shared>,
}

impl Task {
    async fn run(mut self) {
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
            self.timer.set(self.engine.deadline(), &mut self.socket);
            self.wait(&mut ready).await;
        }
    }

    /// Waits for the first of everything that there is to wait for. No branch does any work: the turn looks
    /// at all of it, whichever branch it was that woke.
    async fn wait(&mut self, ready: &mut Ready) {
        let blocked = self.engine.is_blocked();
        let mut first = None;
        tokio::select! {
            biased;
            () = self.shared.stopped() => {}
            () = self.socket.readable() => ready.readable = true,
            () = self.socket.writable(), if blocked => ready.writable = true,
            () = self.timer.rang() => {}
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
                self.shared.view.keep(members.clone());
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
            self.shared.view.keep(self.engine.snapshot(now));
        }
        self.shared.close();
    }
}
