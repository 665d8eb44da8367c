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

/// Writes and reads these fields, one after the other.
macro_rules! fields {
    ($($field:ident)*) => {
        fn append(&self, bytes: Vec<u8>) -> postcard::Result<Vec<u8>> {
            $(let bytes = postcard::to_extend(&self.$field, bytes)?;)*
            Ok(bytes)
        }

        fn read(config: Arc<Config>, bytes: &[u8]) -> Result<Self, StateError> {
            $(let ($field, bytes) = take(bytes, stringify!($field))?;)*
            if !bytes.is_empty() {
                return Err(StateError::Malformed("end"));
            }
            Ok(Self { config, page_rows: Vec::new(), $($field,)* })
        }
    };
}

impl Node {
    /// Everything that decides what this node will do: whoever [loads](Self::load) it and hands it the
    /// same inputs gets the same outputs, bit for bit. For recordings, not for keeping: only a core of the
    /// same [`SOURCE`] reads it. It holds the node's [`Seed`](crate::Seed), and so all its secrets.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let bytes = SOURCE.to_le_bytes().to_vec();
        let bytes = postcard::to_extend(self.config.options(), bytes).and_then(|bytes| self.append(bytes));
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
        node.relays.mend();
        let sound = [
            ("members", node.members.mend()),
            ("suspicions", node.suspicions.mend(&node.members)),
            ("updates", node.updates.is_sound(&node.members)),
            ("broadcasts", node.broadcasts.mend()),
            ("probe", node.probe.as_ref().is_none_or(crate::probe::Probe::is_sound)),
            ("outbox", node.outbox.mend(usize::from(node.config.datagram_max))),
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
        self.members.metadata_mut().chain(self.broadcasts.payloads_mut()).for_each(&mut *change);
        self.outbox.map_payloads(change);
    }

    fields! {
        me life doubt health streams tokens epoch_clock members suspicions patience period_at probe relays
        updates broadcasts broadcasts_first gossip_last join admissions rival lesser sync page_budget heal
        spoke_up outbox stats deadline
    }
}

fn take<'a, T: serde::Deserialize<'a>>(
    bytes: &'a [u8],
    part: &'static str,
) -> Result<(T, &'a [u8]), StateError> {
    postcard::take_from_bytes(bytes).map_err(|_| StateError::Malformed(part))
}
