//! What an application is to the cluster that it runs in.

use std::collections::BTreeMap;
use std::time::Duration;

use swim_core::{Command, Done, Event, Instant, Member, Metadata, NodeId, Payload};
use swim_driver::CommandError;

use crate::{HostId, Random, World};

/// Code that runs in one process, on top of one node. A process that starts anew has a new value: what is to
/// survive a crash must be kept elsewhere, as in reality.
///
/// Each call is one turn of the process's loop: it takes no time, and nothing else happens meanwhile. For a run to
/// repeat itself, an application must take time from [`Context::now`], randomness from [`Context::random`],
/// and must not go by the order of a hash table.
pub trait Application {
    /// Its process has started; its node knows only itself, and gets the command to join next.
    fn on_start(&mut self, ctx: &mut Context<'_>) {
        let _ = ctx;
    }

    /// Its node has something to say: about members, about what this application asked for, or what the
    /// application of another member sent ([`Event::Message`], [`Event::Broadcast`]).
    fn on_event(&mut self, ctx: &mut Context<'_>, event: &Event);

    /// The timer that was set with this token has fired: at its time or later, much later if the process stood
    /// still.
    fn on_timer(&mut self, ctx: &mut Context<'_>, token: u64) {
        let _ = (ctx, token);
    }

    /// Its node has said goodbye, or lost its name, and the process ends. A process that crashes is not asked.
    fn on_stop(&mut self, ctx: &mut Context<'_>) {
        let _ = ctx;
    }
}

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

    /// The member table, the node itself included, in the node's order; empty, once the process is over.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.world.node(self.host).into_iter().flat_map(|node| node.members())
    }

    /// What the node holds of one member.
    #[must_use]
    pub fn member(&self, id: NodeId) -> Option<Member<'_>> {
        self.world.node(self.host)?.member(id)
    }

    /// Sends one datagram to the application of one member, best effort.
    ///
    /// # Errors
    /// Above [`swim_core::PAYLOAD_MAX`] bytes, or refused because there is no such member.
    pub fn send(&mut self, target: NodeId, payload: &[u8]) -> Result<(), CommandError> {
        self.command(Command::Send { target, payload: Payload::new(payload)? }).map(drop)
    }

    /// Sends something to the applications of all members, as a broadcast.
    ///
    /// # Errors
    /// Above [`swim_core::PAYLOAD_MAX`] bytes, or refused because the queue is full.
    pub fn broadcast(&mut self, payload: &[u8]) -> Result<(), CommandError> {
        self.command(Command::Broadcast(Payload::new(payload)?)).map(drop)
    }

    /// Replaces what the node attaches to itself, for all members to read.
    ///
    /// # Errors
    /// Above [`swim_core::METADATA_MAX`] bytes.
    pub fn set_metadata(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        self.command(Command::SetMetadata(Metadata::new(bytes)?)).map(drop)
    }

    /// Lets the node leave; the process ends once its goodbye is sent.
    ///
    /// # Errors
    /// Refused when it leaves already.
    pub fn leave(&mut self) -> Result<(), CommandError> {
        self.command(Command::Leave).map(drop)
    }

    /// Any command.
    ///
    /// # Errors
    /// Refused, or [`CommandError::Stopped`] if the process is over.
    pub fn command(&mut self, command: Command<'_>) -> Result<Done, CommandError> {
        let result = self.world.command(self.host, command).ok_or(CommandError::Stopped)?;
        result.map_err(CommandError::Refused)
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

    /// Randomness that follows from the scenario's seed, a stream of its own for each start of each process.
    pub const fn random(&mut self) -> &mut Random {
        self.random
    }
}

/// The timers of one process, one for each token. Applications have few, so they are searched one by one.
#[derive(Default)]
pub(super) struct Timers {
    /// When, by the process's clock; of two at the same time the one that was set first comes first.
    by_token: BTreeMap<u64, (Instant, u64)>,
    set: u64,
}

impl Timers {
    pub(super) fn set(&mut self, at: Instant, token: u64) {
        self.by_token.insert(token, (at, self.set));
        self.set += 1;
    }

    pub(super) fn cancel(&mut self, token: u64) -> bool {
        self.by_token.remove(&token).is_some()
    }

    /// The next one: when, by the process's clock, and its token.
    pub(super) fn first(&self) -> Option<(Instant, u64)> {
        self.by_token.iter().map(|(token, due)| (*due, *token)).min().map(|((at, _), token)| (at, token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_come_by_time_then_in_the_order_of_setting_and_each_token_once() {
        let mut timers = Timers::default();
        for (at, token) in [(5, 1), (3, 9), (3, 2), (9, 3), (1, 1)] {
            timers.set(Instant::from_millis(at), token);
        }
        assert!(timers.cancel(3) && !timers.cancel(3));
        let order: Vec<u64> = std::iter::from_fn(|| {
            let (_, token) = timers.first()?;
            timers.cancel(token).then_some(token)
        })
        .collect();
        assert_eq!(order, [1, 9, 2]);
    }
}
