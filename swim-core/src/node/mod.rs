//! The node: one door in, one door out.

use alloc::sync::Arc;

use crate::config::Config;
use crate::identity::{Identity, NodeId};
use crate::input::Input;
use crate::member::Member;
use crate::output::Output;
use crate::stats::Stats;
use crate::time::Instant;

/// Everything random that a node will ever do follows from these 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seed(pub [u8; 32]);

/// One member of a cluster: the whole protocol, and nothing else.
pub struct Node {
    config: Arc<Config>,
    me: Identity,
    stats: Stats,
}

impl Node {
    /// A node that knows only itself.
    #[must_use]
    pub fn new(config: Arc<Config>, me: Identity, _seed: Seed, _now: Instant) -> Self {
        Self { config, me, stats: Stats::new() }
    }
    /// The one door in.
    pub fn handle(&mut self, _now: Instant, _input: Input<'_>) {}
    /// The one door out.
    pub fn poll(&mut self) -> Option<Output<'_>> {
        None
    }
    /// Call `handle(now, Input::Tick)` no later than this.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        None
    }
    /// All members, this one included.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        core::iter::empty()
    }
    /// One member.
    #[must_use]
    pub fn member(&self, _id: NodeId) -> Option<Member<'_>> {
        None
    }
    /// Who this node is.
    #[must_use]
    pub fn me(&self) -> Identity {
        self.me
    }
    /// Whether the node still takes part.
    #[must_use]
    pub fn is_running(&self) -> bool {
        true
    }
    /// Grows with every change of the member table: a driver copies the table only if it changed.
    #[must_use]
    pub fn revision(&self) -> u64 {
        0
    }
    /// The local health multiplier.
    #[must_use]
    pub fn health(&self) -> u8 {
        0
    }
    /// Counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }
    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }
}
