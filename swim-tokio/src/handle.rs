//! A spawned member, as its user holds it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use swim_core::{Event, Identity, Incarnation, Joined, KnownPeer, NodeId, Stats};
use swim_driver::os::{Error, SeedAddr, Settings, State};
use swim_driver::{
    CommandError, OWN, Outcome, OwnedCommand, OwnedMember, RoundTrips, Snapshot, Start, Update,
};
use tokio::sync::{mpsc, oneshot};

use crate::shared::{Message, Shared, Waiter};
use crate::task::{Started, start};

/// Starts a member as a task of the current runtime, which needs its IO driver enabled (and its time driver, where there
/// is no `timerfd`). It looks for `settings.seeds` at once, without waiting for them.
///
/// # Errors
/// [`Error`] names what could not be done, and with which address.
///
/// # Panics
/// If the runtime was built without that.
pub fn spawn(settings: &Settings) -> Result<Handle, Error> {
    let Started { local_addr, messages, shared } = start(settings)?;
    let running = Arc::new(Running(Arc::clone(&shared)));
    Ok(Handle { local_addr, messages, shared, _running: running })
}

/// A member that runs as a task. Dropping the last clone stops the member without a goodbye.
///
/// Clone it to use it from several tasks, one that consumes events and one that gives commands. Every future may be dropped: an event is then not lost, and a command that was
/// handed over is carried out, but for a broadcast that still waits for room.
#[derive(Clone)]
pub struct Handle {
    local_addr: SocketAddr,
    messages: mpsc::Sender<Message>,
    shared: Arc<Shared>,
    _running: Arc<Running>,
}

/// The task of a member, which ends with the last handle.
struct Running(Arc<Shared>);

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
    pub async fn members(&self) -> Snapshot {
        if let Some(members) = self.shared.view.members() {
            return members;
        }
        let (reply, fresh) = oneshot::channel();
        let fresh = match self.messages.send(Message::Members(reply)).await {
            Ok(()) => fresh.await.ok(),
            Err(_) => None,
        };
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
    pub async fn state(&self) -> State {
        State::of(self.me(), &self.members().await)
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

    /// The next event. `None` if the member has stopped and all its events were consumed.
    pub async fn next_event(&self) -> Option<Event> {
        self.shared.next(OWN).await?.event()
    }

    /// The next event, if there is one now.
    #[must_use]
    pub fn try_next_event(&self) -> Option<Event> {
        self.shared.try_next(OWN)?.event()
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
    pub async fn join(&self, seeds: &[SocketAddr]) -> Result<Joined, CommandError> {
        self.command(OwnedCommand::Join { seeds: seeds.to_vec() }).await?.joined()
    }

    /// Replaces all seeds, those of [`Handle::join`] too: the others are forgotten, and a member that has not joined, or is
    /// alone, asks these. Names are looked up as those of [`Settings::seeds`](crate::Settings::seeds) are; a search that is
    /// left without any address ends as cancelled.
    ///
    /// # Errors
    /// Refused if they are more than [`swim_core::SEEDS_MAX`], or the member has left.
    pub async fn set_seeds(&self, seeds: &[SeedAddr]) -> Result<(), CommandError> {
        self.ask(|waiter| Message::SetSeeds(seeds.to_vec(), waiter)).await.map(drop)
    }

    /// Stops looking: a waiting [`Handle::join`] ends.
    ///
    /// # Errors
    /// Refused when nothing was being looked for.
    pub async fn cancel_join(&self) -> Result<(), CommandError> {
        self.command(OwnedCommand::CancelJoin).await.map(drop)
    }

    /// Announces to the others that this member leaves, waits until that has been sent, and stops. Returns how many
    /// datagrams carried it, when the socket has been closed.
    ///
    /// # Errors
    /// Refused when it has left already, or lost its id.
    pub async fn leave(&self) -> Result<u32, CommandError> {
        let datagrams = self.command(OwnedCommand::Leave).await?.datagrams()?;
        self.shared.ended().await;
        Ok(datagrams)
    }

    /// Replaces this member's metadata. Returns the incarnation that carries it to the others.
    ///
    /// # Errors
    /// Above [`swim_core::METADATA_MAX`] bytes, or refused.
    pub async fn set_metadata(&self, bytes: &[u8]) -> Result<Incarnation, CommandError> {
        self.command(OwnedCommand::SetMetadata(bytes.into())).await?.incarnation()
    }

    /// This member is now reached at `addr`. The socket stays where it is.
    ///
    /// # Errors
    /// Refused if it is no unicast address with a port.
    pub async fn set_address(&self, addr: SocketAddr) -> Result<(), CommandError> {
        self.command(OwnedCommand::SetAddress(addr)).await.map(drop)
    }

    /// Broadcasts to every member. Waits while there is no room, in the order of the calls. Returns its number within
    /// this epoch.
    ///
    /// # Errors
    /// Above [`swim_core::PAYLOAD_MAX`] bytes, or refused because this member has left.
    pub async fn broadcast(&self, payload: &[u8]) -> Result<u32, CommandError> {
        self.command(OwnedCommand::Broadcast(payload.into())).await?.sequence()
    }

    /// The same without a wait: refused as [`QueueFull`](swim_core::Refusal::QueueFull) while there is no room.
    ///
    /// # Errors
    /// As [`Handle::broadcast`], or refused because the queue is full.
    pub async fn try_broadcast(&self, payload: &[u8]) -> Result<u32, CommandError> {
        let command = OwnedCommand::Broadcast(payload.into());
        self.ask(|waiter| Message::TryCommand(command, waiter)).await?.sequence()
    }

    /// Sends one datagram to one member, best effort.
    ///
    /// # Errors
    /// Above [`swim_core::PAYLOAD_MAX`] bytes, or refused because there is no such member.
    pub async fn send(&self, target: NodeId, payload: &[u8]) -> Result<(), CommandError> {
        self.command(OwnedCommand::Send { target, payload: payload.into() }).await.map(drop)
    }

    /// Declares a Suspect or Dead member gone, as an operator.
    ///
    /// # Errors
    /// Refused if it is neither.
    pub async fn remove(&self, target: NodeId) -> Result<(), CommandError> {
        self.command(OwnedCommand::Remove { target }).await.map(drop)
    }

    /// Gives known_peers of an earlier epoch. Returns how many were of use.
    ///
    /// # Errors
    /// Only if the member has stopped.
    pub async fn restore(&self, known_peers: &[KnownPeer]) -> Result<u32, CommandError> {
        self.command(OwnedCommand::Restore { known_peers: known_peers.to_vec() }).await?.used()
    }

    /// Any of the commands above, as data.
    ///
    /// # Errors
    /// As the method of the command.
    pub async fn command(&self, command: OwnedCommand) -> Result<Outcome, CommandError> {
        match command {
            OwnedCommand::SetSeeds { seeds } => {
                let seeds = seeds.into_iter().map(SeedAddr::from).collect();
                self.ask(|waiter| Message::SetSeeds(seeds, waiter)).await
            }
            command => self.ask(|waiter| Message::Command(command, waiter)).await,
        }
    }

    async fn ask(&self, message: impl FnOnce(Waiter) -> Message) -> Result<Outcome, CommandError> {
        let (reply, outcome) = oneshot::channel();
        self.messages.send(message(Waiter(reply))).await.map_err(|_| CommandError::Stopped)?;
        outcome.await.unwrap_or(Err(CommandError::Stopped))
    }

    /// Stops without a goodbye: the others will find out. Returns when the task has ended; events that were
    /// not consumed can still be. Dropping the last handle stops as well, and does not wait.
    pub async fn shutdown(&self) {
        self.shared.stop();
        self.shared.ended().await;
    }
}

/// A consumer of a member's events, with a bounded queue of its own
/// ([`Settings::events_max`](crate::Settings::events_max)). It does not keep the member running.
pub struct Subscription {
    shared: Arc<Shared>,
    number: u64,
}

impl Subscription {
    /// What comes next. `None` if the member has stopped and all was consumed. The future may be dropped: nothing is lost
    /// then.
    pub async fn next_update(&mut self) -> Option<Update> {
        self.shared.next(self.number).await
    }

    /// What comes next, if it is there now.
    pub fn try_next_update(&mut self) -> Option<Update> {
        self.shared.try_next(self.number)
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

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.stop();
    }
}
