//! A datagram that was read: once for all laws.

use std::ops::Deref;

use swim_core::{DropReason, Inspection, MessageKind, Said, inspect};

/// Bytes at the end of a datagram that are kept free for sealing (`docs/wire.md`): a nonce and its like are to
/// fit into every datagram of today.
pub(in crate::properties) const SEAL_ROOM: usize = 44;

/// What a datagram says, and every record that it carries and a node would not skip.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    head: Inspection<'a>,
    records: Vec<Said<'a>>,
}

impl<'a> Reading<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    /// Why a node would drop it.
    pub fn of(bytes: &'a [u8]) -> Result<Self, DropReason> {
        let head = inspect(bytes)?;
        let mut records = Vec::new();
        let mut said = head.said().flatten();
        // Most carry none; of the others, one allocation.
        if let Some(first) = said.next() {
            records.reserve(16);
            records.push(first);
            records.extend(said);
        }
        Ok(Self { head, records })
    }

    /// Its records: claims about members, then broadcasts.
    #[must_use]
    pub fn records(&self) -> &[Said<'a>] {
        &self.records
    }
}

impl<'a> Deref for Reading<'a> {
    type Target = Inspection<'a>;

    fn deref(&self) -> &Self::Target {
        &self.head
    }
}

/// Whether a datagram that a node sent is of this kind: the fifth byte of its header. For laws that have no time
/// to read each one.
pub(in crate::properties) fn is_kind(bytes: &[u8], kind: MessageKind) -> bool {
    bytes.get(4) == Some(&(kind as u8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn the_kind_at_a_glance_is_the_one_that_is_read() {
        let seen = Arc::new(Mutex::new(0));
        let count = Arc::clone(&seen);
        let config = Arc::new(swim_core::Config::lan());
        let (mut world, _) = crate::World::joined(1, 4, &config).expect("four members converge");
        world.set_hook(move |datagram| {
            let read = Reading::of(datagram.bytes).expect("made by a node");
            assert!(is_kind(datagram.bytes, read.kind));
            assert_eq!(read.records().len(), read.said().flatten().count());
            *count.lock().expect("no test panics") += 1;
            crate::Handling::Pass
        });
        world.run_for(std::time::Duration::from_secs(5));
        assert!(*seen.lock().expect("no test panics") > 20);
    }
}
