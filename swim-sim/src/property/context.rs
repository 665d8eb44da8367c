//! What an application can do: look at its member table, speak through its node, set timers, throw dice.

use std::time::Duration;

use swim_core::{Command, Instant, Member, Metadata, NodeId, Payload, TooLong};

use super::timers::Timers;
use crate::{HostId, Random, World};

/// The surroundings of one application in one process, lent for one call.
pub struct Context<'a> {
    pub(super) world: &'a mut World,
    pub(super) host: HostId,
    pub(super) timers: &'a mut Timers,
    pub(super) random: &'a mut Random,
}

impl Context<'_> {
    /// The host that the process runs on.
    #[must_use]
    pub const fn host(&self) -> HostId {
        self.host
    }

    /// The name of its node.
    #[must_use]
    pub fn me(&self) -> NodeId {
        self.world.id(self.host)
    }

    /// What the process's clock shows, which began at zero with the process. It drifts and leaps if the scenario
    /// says so, and it goes on while the process stands still.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.world.local(self.host)
    }

    /// The member table, the node itself included, in the node's order. Nobody, once the process is over.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.world.node(self.host).into_iter().flat_map(|node| node.members())
    }

    /// What the node holds of one member.
    #[must_use]
    pub fn member(&self, id: NodeId) -> Option<Member<'_>> {
        self.world.node(self.host)?.member(id)
    }

    /// Sends one datagram to the application of one member, best effort. Whether the node took it comes as an
    /// event: `Sent` or `Refused`.
    ///
    /// # Errors
    /// Above [`swim_core::PAYLOAD_MAX`] bytes.
    pub fn send(&mut self, target: NodeId, payload: &[u8]) -> Result<(), TooLong> {
        self.command(Command::Send { target, payload: Payload::new(payload)? });
        Ok(())
    }

    /// Tells the applications of all members something, best effort, each at most once. Whether the node took it
    /// comes as an event: `BroadcastQueued` or `Refused`.
    ///
    /// # Errors
    /// Above [`swim_core::PAYLOAD_MAX`] bytes.
    pub fn broadcast(&mut self, payload: &[u8]) -> Result<(), TooLong> {
        self.command(Command::Broadcast(Payload::new(payload)?));
        Ok(())
    }

    /// Replaces what the node attaches to itself, for all members to read.
    ///
    /// # Errors
    /// Above [`swim_core::METADATA_MAX`] bytes.
    pub fn set_metadata(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        self.command(Command::SetMetadata(Metadata::new(bytes)?));
        Ok(())
    }

    /// Lets the node say goodbye; the process ends when that has been said.
    pub fn leave(&mut self) {
        self.command(Command::Leave);
    }

    /// Any command. `false`: the process is over.
    pub fn command(&mut self, command: Command<'_>) -> bool {
        self.world.command(self.host, command)
    }

    /// Lets [`Application::on_timer`](super::Application::on_timer) be called with `token` when the process's clock has
    /// gone on by `after`. A timer of the same token that has not fired yet is moved.
    pub fn set_timer(&mut self, after: Duration, token: u64) {
        self.timers.set(self.now().after(after), token);
    }

    /// Takes a timer back. `false`: it is not set.
    pub fn cancel_timer(&mut self, token: u64) -> bool {
        self.timers.cancel(token)
    }

    /// Randomness that follows from the scenario's seed, a stream of its own for each life of each process.
    pub const fn random(&mut self) -> &mut Random {
        self.random
    }
}
