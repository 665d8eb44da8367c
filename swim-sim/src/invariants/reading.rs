//! What can be told of a datagram at a glance: laws that read every one of them have no time for more.

use swim_core::MessageKind;

/// Bytes at the end of a datagram that are kept free for sealing (`docs/wire.md`): a nonce and its like are to
/// fit into every datagram of today.
pub(super) const SEAL_ROOM: usize = 44;

/// Whether a datagram that a node sent is of this kind: the fifth byte of its header.
pub(super) fn is_kind(bytes: &[u8], kind: MessageKind) -> bool {
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
            let read = swim_core::inspect(datagram.bytes).expect("made by a node");
            assert!(is_kind(datagram.bytes, read.kind));
            *count.lock().expect("no test panics") += 1;
            crate::Verdict::Pass
        });
        world.run_for(std::time::Duration::from_secs(5));
        assert!(*seen.lock().expect("no test panics") > 20);
    }
}
