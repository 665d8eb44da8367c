//! A datagram that was read, once for all properties; and which addresses have been proven, and to which
//! host, by the tokens that were given out and came back.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Deref;

use swim_core::{DropReason, MessageKind};
use swim_trace::{Inspection, Said, SaidMember, inspect};

use crate::ground_truth::{Fate, Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;

/// Bytes at the end of a datagram that are kept free for sealing (`docs/wire.md`): a nonce and its like are to
/// fit into every datagram of today.
pub(crate) const SEAL_ROOM: usize = 37;

/// What a datagram says, and every record that it carries and a node would not skip.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    head: Inspection<'a>,
    records: Vec<Said<'a>>,
    /// It shows the token that its receiver has sent to where it comes from: that address is proven.
    pub(crate) shows_token: bool,
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
        Ok(Self { head, records, shows_token: false })
    }

    /// Its records: claims about members, then broadcasts.
    #[must_use]
    pub fn records(&self) -> &[Said<'a>] {
        &self.records
    }

    /// Its claims about members.
    pub fn members(&self) -> impl Iterator<Item = &SaidMember<'a>> {
        self.records.iter().filter_map(|said| match said {
            Said::Member(member) => Some(member),
            _ => None,
        })
    }
}

impl<'a> Deref for Reading<'a> {
    type Target = Inspection<'a>;

    fn deref(&self) -> &Self::Target {
        &self.head
    }
}

/// Whether a datagram that a node sent is of this kind: the fifth byte of its header. For
/// monitors that have no time to read each one.
pub(crate) fn is_kind(bytes: &[u8], kind: MessageKind) -> bool {
    bytes.get(4) == Some(&(kind as u8))
}

/// Whether a datagram that a node sent carries broadcasts.
pub(crate) fn carries_broadcasts(bytes: &[u8]) -> bool {
    inspect(bytes).is_ok_and(|said| said.said().flatten().any(|said| matches!(said, Said::Broadcast(_))))
}

/// Hosts that took their clock from a welcome that was garbled on the way, or from such a host.
#[derive(Default)]
pub(crate) struct Misled(BTreeSet<HostId>);

impl Misled {
    /// Needs what is sent.
    pub(crate) fn note(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        match *what {
            Happening::Sent { host, target, bytes, fate, .. }
                if (fate == Fate::Corrupted || self.contains(host))
                    && is_kind(bytes, MessageKind::Welcome) =>
            {
                self.0.extend(scene.hosts().find(|host| scene.identity(*host).addr == target));
            }
            Happening::Began { host, .. } => drop(self.0.remove(&host)),
            _ => {}
        }
    }

    pub(crate) fn contains(&self, host: HostId) -> bool {
        self.0.contains(&host)
    }
}

/// The tokens that each node has given out.
#[derive(Default)]
pub(crate) struct Tokens(PerHost<BTreeSet<(SocketAddr, u64)>>);

impl Tokens {
    pub(crate) fn on_datagram(&mut self, what: &Happening<'_>, said: &mut Reading<'_>) {
        let Some(token) = said.token else { return };
        match (what, said.kind) {
            (Happening::Sent { host, target, .. }, MessageKind::Challenge) => {
                self.0.of(*host).insert((*target, token));
            }
            (Happening::Arrived { host, source, .. }, MessageKind::Join | MessageKind::Announce) => {
                said.shows_token = self.0.of(*host).contains(&(*source, token));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

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
