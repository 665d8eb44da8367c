//! The whole node in bytes, and back. `state.rs` says what for.
//!
//! Every field is named once, in one list; the compiler sees to it that none is forgotten. What follows
//! from other fields (hash tables, the heap of suspicions) is not saved but made anew, where that makes no
//! difference to what the node does.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Node;
use crate::config::{Config, Options};
use crate::state::{SOURCE, StateError};

impl Node {
    /// Everything that decides what this node will do: whoever [loads](Self::load) it and hands it the
    /// same inputs gets the same outputs, bit for bit. For recordings, not for keeping: only a core of the
    /// same [`SOURCE`] reads it. It holds the node's [`Seed`](crate::Seed), and so all its secrets.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let bytes = SOURCE.to_le_bytes().to_vec();
        let bytes = postcard::to_extend(self.core.cx.config.options(), bytes).and_then(|bytes| self.append(bytes));
        bytes.expect("memory takes whatever is written, and every length is known")
    }

    /// The node that was [saved](Self::save).
    ///
    /// Damage is noticed where it would break the node; a number that is merely another one is not. Whoever
    /// keeps the bytes keeps a checksum with them. Takes no more memory than a multiple of their length.
    ///
    /// # Errors
    /// [`StateError`]: another core's bytes, or none that were ever a node.
    pub fn load(bytes: &[u8]) -> Result<Self, StateError> {
        let (source, bytes) = bytes.split_first_chunk().ok_or(StateError::Malformed("source"))?;
        let source = u64::from_le_bytes(*source);
        if source != SOURCE {
            return Err(StateError::OtherSource(source));
        }
        let (options, bytes) = take::<Options>(bytes, "options")?;
        let config = Config::new(options).map_err(StateError::Config)?;
        let mut node = Self::read(Arc::new(config), bytes)?;
        node.detector.relays.mend();
        let sound = [
            ("members", node.core.members.mend()),
            ("suspicions", node.core.suspicions.mend(&node.core.members)),
            ("updates", node.core.updates.is_sound(&node.core.members)),
            ("broadcasts", node.core.broadcasts.mend()),
            ("probe", node.detector.probe.as_ref().is_none_or(crate::probe::Probe::is_sound)),
            ("outbox", node.core.cx.outbox.mend(usize::from(node.core.cx.config.datagram_max))),
        ];
        match sound.iter().find(|(_, sound)| !sound) {
            Some((part, _)) => Err(StateError::Unsound(part)),
            None => Ok(node),
        }
    }

    /// Changes all bytes of users that this node holds: metadata, queued broadcasts, and what waits in
    /// datagrams and events to be polled. If equal payloads stay equal and different ones different, the
    /// node does what it would have done, with the changed payloads in the others' places: nothing depends
    /// on what they say.
    pub fn map_payloads(&mut self, change: &mut dyn FnMut(&mut [u8])) {
        self.core.members.metadata_mut().chain(self.core.broadcasts.payloads_mut()).for_each(&mut *change);
        self.core.cx.outbox.map_payloads(change);
    }

    fn append(&self, bytes: Vec<u8>) -> postcard::Result<Vec<u8>> {
        let bytes = postcard::to_extend(&self.core.cx.me, bytes)?;
        let bytes = postcard::to_extend(&self.core.cx.life, bytes)?;
        let bytes = postcard::to_extend(&self.core.cx.doubt, bytes)?;
        let bytes = postcard::to_extend(&self.core.cx.health, bytes)?;
        let bytes = postcard::to_extend(&self.core.cx.streams, bytes)?;
        let bytes = postcard::to_extend(&self.handshake.tokens, bytes)?;
        let bytes = postcard::to_extend(&self.core.cx.epoch_clock, bytes)?;
        let bytes = postcard::to_extend(&self.core.members, bytes)?;
        let bytes = postcard::to_extend(&self.core.suspicions, bytes)?;
        let bytes = postcard::to_extend(&self.core.patience, bytes)?;
        let bytes = postcard::to_extend(&self.detector.period_at, bytes)?;
        let bytes = postcard::to_extend(&self.detector.probe, bytes)?;
        let bytes = postcard::to_extend(&self.detector.relays, bytes)?;
        let bytes = postcard::to_extend(&self.core.updates, bytes)?;
        let bytes = postcard::to_extend(&self.core.broadcasts, bytes)?;
        let bytes = postcard::to_extend(&self.core.broadcasts_first, bytes)?;
        let bytes = postcard::to_extend(&self.core.gossip_last, bytes)?;
        let bytes = postcard::to_extend(&self.handshake.join, bytes)?;
        let bytes = postcard::to_extend(&self.handshake.admissions, bytes)?;
        let bytes = postcard::to_extend(&self.handshake.rival, bytes)?;
        let bytes = postcard::to_extend(&self.handshake.lesser, bytes)?;
        let bytes = postcard::to_extend(&self.sync, bytes)?;
        let bytes = postcard::to_extend(&self.core.cx.page_budget, bytes)?;
        let bytes = postcard::to_extend(&self.heal, bytes)?;
        let bytes = postcard::to_extend(&self.spoke_up, bytes)?;
        let bytes = postcard::to_extend(&self.core.cx.outbox, bytes)?;
        let bytes = postcard::to_extend(&self.core.cx.stats, bytes)?;
        let bytes = postcard::to_extend(&self.deadline, bytes)?;
        let bytes = postcard::to_extend(&self.core.cx.timers, bytes)?;
        Ok(bytes)
    }

    fn read(config: Arc<Config>, bytes: &[u8]) -> Result<Self, StateError> {
        let (me, bytes) = take(bytes, "me")?;
        let (life, bytes) = take(bytes, "life")?;
        let (doubt, bytes) = take(bytes, "doubt")?;
        let (health, bytes) = take(bytes, "health")?;
        let (streams, bytes) = take(bytes, "streams")?;
        let (tokens, bytes) = take(bytes, "tokens")?;
        let (epoch_clock, bytes) = take(bytes, "epoch_clock")?;
        let (members, bytes) = take(bytes, "members")?;
        let (suspicions, bytes) = take(bytes, "suspicions")?;
        let (patience, bytes) = take(bytes, "patience")?;
        let (period_at, bytes) = take(bytes, "period_at")?;
        let (probe, bytes) = take(bytes, "probe")?;
        let (relays, bytes) = take(bytes, "relays")?;
        let (updates, bytes) = take(bytes, "updates")?;
        let (broadcasts, bytes) = take(bytes, "broadcasts")?;
        let (broadcasts_first, bytes) = take(bytes, "broadcasts_first")?;
        let (gossip_last, bytes) = take(bytes, "gossip_last")?;
        let (join, bytes) = take(bytes, "join")?;
        let (admissions, bytes) = take(bytes, "admissions")?;
        let (rival, bytes) = take(bytes, "rival")?;
        let (lesser, bytes) = take(bytes, "lesser")?;
        let (sync, bytes) = take(bytes, "sync")?;
        let (page_budget, bytes) = take(bytes, "page_budget")?;
        let (heal, bytes) = take(bytes, "heal")?;
        let (spoke_up, bytes) = take(bytes, "spoke_up")?;
        let (outbox, bytes) = take(bytes, "outbox")?;
        let (stats, bytes) = take(bytes, "stats")?;
        let (deadline, bytes) = take(bytes, "deadline")?;
        let (timers, bytes) = take(bytes, "timers")?;
        if !bytes.is_empty() {
            return Err(StateError::Malformed("end"));
        }
        let cx = super::Context { config, timers, me, life, health, doubt, epoch_clock, outbox, stats, streams, page_budget };
        let handshake = super::Handshake { join, admissions, rival, lesser, tokens };
        let core = super::Core { cx, members, suspicions, patience, updates, broadcasts, broadcasts_first, gossip_last };
        let detector = super::Detector { period_at, probe, relays };
        Ok(Self { core, detector, handshake, heal, sync, spoke_up, page_rows: Vec::new(), deadline, touched: true })
    }
}

fn take<'a, T: serde::Deserialize<'a>>(
    bytes: &'a [u8],
    part: &'static str,
) -> Result<(T, &'a [u8]), StateError> {
    postcard::take_from_bytes(bytes).map_err(|_| StateError::Malformed(part))
}
