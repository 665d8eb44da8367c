//! A spawned member, as its user holds it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use swim_core::{Event, Identity, Incarnation, Joined, KnownPeer, NodeId, Stats};
use swim_driver::os::{Error, SeedAddr, Settings, State};
use swim_driver::{
    CommandError, OWN, Outcome, OwnedCommand, OwnedMember, RoundTrips, Snapshot, Start, Update,
};

use crate::shared::{Message, Shared, Waiter};
use crate::thread::{Started, start};

/// Starts a member on a thread of its own. It looks for `settings.seeds` at once, without waiting for them.
///
/// # Errors
/// [`Error`] names what could not be done, and with which address.
pub fn spawn(settings: &Settings) -> Result<Handle, Error> {
    let Started { local_addr, messages, shared, thread } = start(settings)?;
    let thread = Arc::new(Running { shared: Arc::clone(&shared), thread: Mutex::new(Some(thread)) });
    Ok(Handle { local_addr, messages, shared, thread })
}

/// A member that runs on its own thread. Dropping the last clone stops the member without a goodbye.
///
/// Clone it to use it from several threads, one that consumes events and one that gives commands. A command blocks only
/// its caller, until it has ended.
#[derive(Clone)]
pub struct Handle {
    local_addr: SocketAddr,
    messages: SyncSender<Message>,
    shared: Arc<Shared>,
    thread: Arc<Running>,
}

/// The thread of a member, which ends with the last handle.
struct Running {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Handle {
    /// The bound address.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Who this member is. Its epoch is what [`Settings::epoch_floor`](crate::Settings::epoch_floor) wants
    /// in the next epoch.
    #[must_use]
    pub fn me(&self) -> Identity {
        self.shared.view.me()
    }

    /// The member table, at least as new as the last event that was consumed. Copied when it has changed
    /// since the last call; otherwise shared with it, and round-trip times may then be a second old. After
    /// the end: the last one.
    #[must_use]
    pub fn members(&self) -> Snapshot {
        if let Some(members) = self.shared.view.members() {
            return members;
        }
        let (reply, fresh) = sync_channel(1);
        let sent = self.messages.send(Message::Members(reply)).is_ok();
        self.shared.wake();
        let fresh = sent.then(|| fresh.recv().ok()).flatten();
        fresh.or_else(|| self.shared.view.members()).unwrap_or_default()
    }

    /// One member as of the last turn, without a copy of the table. After the end: as of the last copy.
    #[must_use]
    pub fn member(&self, id: NodeId) -> Option<OwnedMember> {
        self.shared.view.member(id)
    }

    /// The addresses that are its seeds now, those that names stand for included.
    #[must_use]
    pub fn seeds(&self) -> Vec<SocketAddr> {
        self.shared.view.seeds()
    }

    /// What this member's next start needs to find the others and to begin above this epoch, for those that store it
    /// themselves ([`Settings::resume`](crate::Settings::resume)) instead of in a
    /// [`state_file`](crate::Settings::state_file).
    #[must_use]
    pub fn state(&self) -> State {
        State::of(self.me(), &self.members())
    }

    /// Counters as of the last turn.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.view.stats()
    }

    /// Round-trip times of direct pings as of the last turn.
    #[must_use]
    pub fn round_trips(&self) -> RoundTrips {
        self.shared.view.round_trips()
    }

    /// Whether the member still runs: it was not stopped, has not left, and has not failed.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.shared.view.is_ended()
    }

    /// The next event, waited for `timeout` at most. `None` if there was none, or if the member has stopped
    /// and all its events were consumed.
    #[must_use]
    pub fn next_event(&self, timeout: Duration) -> Option<Event> {
        self.shared.next(OWN, Some(timeout))?.event()
    }

    /// All events; blocks between them, and ends when the member has stopped.
    pub fn events(&self) -> impl Iterator<Item = Event> + '_ {
        std::iter::from_fn(|| self.shared.next(OWN, None)?.event())
    }

    /// A consumer of its own, beside [`Handle::next_event`] and all others: what one takes is not lost to another.
    #[must_use]
    pub fn subscribe(&self, start: Start) -> Subscription {
        Subscription { number: self.shared.view.subscribe(start), shared: Arc::clone(&self.shared) }
    }

    /// Looks for the cluster through `seeds` until one of them answers, however long that takes.
    ///
    /// # Errors
    /// Refused, failed (another member has this id) or cancelled.
    pub fn join(&self, seeds: &[SocketAddr]) -> Result<Joined, CommandError> {
        self.command(OwnedCommand::Join { seeds: seeds.to_vec() })?.joined()
    }

    /// Replaces all seeds, those of [`Handle::join`] too: the others are forgotten, and a member that has not joined, or is
    /// alone, asks these. Names are looked up as those of [`Settings::seeds`](crate::Settings::seeds) are; a search that is
    /// left without any address ends as cancelled.
    ///
    /// # Errors
    /// Refused if they are more than [`swim_core::SEEDS_MAX`], or the member has left.
    pub fn set_seeds(&self, seeds: &[SeedAddr]) -> Result<(), CommandError> {
        self.ask(|waiter| Message::SetSeeds(seeds.to_vec(), waiter)).map(drop)
    }

    /// Stops looking: a waiting [`Handle::join`] ends.
    ///
    /// # Errors
    /// Refused when nothing was being looked for.
    pub fn cancel_join(&self) -> Result<(), CommandError> {
        self.command(OwnedCommand::CancelJoin).map(drop)
    }

    /// Announces to the others that this member leaves, waits until that has been sent, and stops. Returns how many
    /// datagrams carried it, when the thread has ended and the socket is closed.
    ///
    /// # Errors
    /// Refused when it has left already, or lost its id.
    pub fn leave(&self) -> Result<u32, CommandError> {
        let datagrams = self.command(OwnedCommand::Leave)?.datagrams()?;
        self.shutdown();
        Ok(datagrams)
    }

    /// Replaces this member's metadata. Returns the incarnation that carries it to the others.
    ///
    /// # Errors
    /// Above [`swim_core::METADATA_MAX`] bytes, or refused.
    pub fn set_metadata(&self, bytes: &[u8]) -> Result<Incarnation, CommandError> {
        self.command(OwnedCommand::SetMetadata(bytes.into()))?.incarnation()
    }

    /// This member is now reached at `addr`. The socket stays where it is.
    ///
    /// # Errors
    /// Refused if it is no unicast address with a port.
    pub fn set_address(&self, addr: SocketAddr) -> Result<(), CommandError> {
        self.command(OwnedCommand::SetAddress(addr)).map(drop)
    }

    /// Broadcasts to every member. Waits while there is no room, in the order of the calls. Returns its number within
    /// this epoch.
    ///
    /// # Errors
    /// Above [`swim_core::PAYLOAD_MAX`] bytes, or refused because this member has left.
    pub fn broadcast(&self, payload: &[u8]) -> Result<u32, CommandError> {
        self.command(OwnedCommand::Broadcast(payload.into()))?.sequence()
    }

    /// The same without a wait: refused as [`QueueFull`](swim_core::Refusal::QueueFull) while there is no room.
    ///
    /// # Errors
    /// As [`Handle::broadcast`], or refused because the queue is full.
    pub fn try_broadcast(&self, payload: &[u8]) -> Result<u32, CommandError> {
        let command = OwnedCommand::Broadcast(payload.into());
        self.ask(|waiter| Message::TryCommand(command, waiter))?.sequence()
    }

    /// Sends one datagram to one member, best effort.
    ///
    /// # Errors
    /// Above [`swim_core::PAYLOAD_MAX`] bytes, or refused because there is no such member.
    pub fn send(&self, target: NodeId, payload: &[u8]) -> Result<(), CommandError> {
        self.command(OwnedCommand::Send { target, payload: payload.into() }).map(drop)
    }

    /// Declares a Suspect or Dead member gone, as an operator.
    ///
    /// # Errors
    /// Refused if it is neither.
    pub fn remove(&self, target: NodeId) -> Result<(), CommandError> {
        self.command(OwnedCommand::Remove { target }).map(drop)
    }

    /// Gives known_peers of an earlier epoch. Returns how many were of use.
    ///
    /// # Errors
    /// Only if the member has stopped.
    pub fn restore(&self, known_peers: &[KnownPeer]) -> Result<u32, CommandError> {
        self.command(OwnedCommand::Restore { known_peers: known_peers.to_vec() })?.used()
    }

    /// Any of the commands above, as data.
    ///
    /// # Errors
    /// As the method of the command.
    pub fn command(&self, command: OwnedCommand) -> Result<Outcome, CommandError> {
        match command {
            OwnedCommand::SetSeeds { seeds } => {
                let seeds = seeds.into_iter().map(SeedAddr::from).collect();
                self.ask(|waiter| Message::SetSeeds(seeds, waiter))
            }
            command => self.ask(|waiter| Message::Command(command, waiter)),
        }
    }

    fn ask(&self, message: impl FnOnce(Waiter) -> Message) -> Result<Outcome, CommandError> {
        let (reply, outcome) = sync_channel(1);
        self.messages.send(message(Waiter(reply))).map_err(|_| CommandError::Stopped)?;
        self.shared.wake();
        outcome.recv().unwrap_or(Err(CommandError::Stopped))
    }

    /// Stops without a goodbye: the others will find out. Returns when the thread has ended; events that
    /// were not consumed can still be. Dropping the last handle does the same.
    pub fn shutdown(&self) {
        self.thread.end();
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

/// A consumer of a member's events, with a bounded queue of its own
/// ([`Settings::events_max`](crate::Settings::events_max)). It does not keep the member running.
pub struct Subscription {
    shared: Arc<Shared>,
    number: u64,
}

impl Subscription {
    /// What comes next, waited for `timeout` at most. `None` if there was nothing, or if the member has stopped and all was
    /// consumed.
    pub fn next_update(&mut self, timeout: Duration) -> Option<Update> {
        self.shared.next(self.number, Some(timeout))
    }

    /// All that comes; blocks in between, and ends when the member has stopped.
    pub fn updates(&mut self) -> impl Iterator<Item = Update> + '_ {
        std::iter::from_fn(|| self.shared.next(self.number, None))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shared.view.unsubscribe(self.number);
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Running {
    fn end(&self) {
        self.shared.stop();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic of the thread has been reported on stderr already.
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
