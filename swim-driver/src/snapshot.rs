//! A copy of the member table at one moment, cheap to hand around.
//!
//! Making one costs a pass over the table and a sort, so it is made when it is asked for and only if the
//! table changed since the last; copying one costs a reference count.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use swim_core::{Epoch, Incarnation, Instant, KnownPeer, Member, Node, NodeId, Status};

/// One row of a [`Snapshot`]: an owned [`Member`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct OwnedMember {
    /// Its lasting name.
    pub id: NodeId,
    /// Where it is reached.
    pub addr: SocketAddr,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its incarnation within that epoch.
    pub incarnation: Incarnation,
    /// What it is believed to be.
    pub status: Status,
    /// Smoothed round-trip time of direct pings; `None` until the first is answered.
    pub rtt: Option<Duration>,
    /// How long after the driver's start the status last changed, in whole seconds.
    pub since: Duration,
    /// What it attached to itself.
    pub metadata: Arc<[u8]>,
    /// Whether this row is the node itself.
    pub is_me: bool,
}

impl OwnedMember {
    /// A copy of a row. Metadata that `earlier` holds already is shared with it.
    pub(crate) fn of(member: &Member<'_>, earlier: Option<&Self>) -> Self {
        let metadata = match earlier {
            Some(earlier) if *earlier.metadata == *member.metadata => Arc::clone(&earlier.metadata),
            _ => Arc::from(member.metadata),
        };
        Self {
            id: member.id,
            addr: member.addr,
            epoch: member.epoch,
            incarnation: member.incarnation,
            status: member.status,
            rtt: member.rtt,
            since: member.since,
            metadata,
            is_me: member.is_me,
        }
    }
}

/// The member table at one moment. Clones share it. The default has no rows.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    rows: Arc<[OwnedMember]>,
    revision: u64,
    taken: Instant,
}

impl Snapshot {
    /// How old the round-trip times of a snapshot may get while nothing else changes.
    pub const RTT_LAG: Duration = Duration::from_secs(1);

    /// A copy of `node`'s table. Metadata that `earlier` holds already is shared with it.
    #[must_use]
    pub fn of(node: &Node, now: Instant, earlier: Option<&Self>) -> Self {
        let own =
            |member: Member<'_>| OwnedMember::of(&member, earlier.and_then(|earlier| earlier.get(member.id)));
        let mut rows: Vec<OwnedMember> = node.members().map(own).collect();
        rows.sort_unstable_by_key(|row| row.id);
        Self { rows: rows.into(), revision: node.revision(), taken: now }
    }

    /// Whether it still shows a table of `revision` at `now`, save round-trip times younger than
    /// [`Snapshot::RTT_LAG`].
    #[must_use]
    pub fn is_current(&self, revision: u64, now: Instant) -> bool {
        self.revision == revision && now.since(self.taken) < Self::RTT_LAG
    }

    /// All rows, by ascending id.
    pub fn iter(&self) -> std::slice::Iter<'_, OwnedMember> {
        self.rows.iter()
    }

    /// One member.
    #[must_use]
    pub fn get(&self, id: NodeId) -> Option<&OwnedMember> {
        let index = self.rows.binary_search_by_key(&id, |row| row.id).ok()?;
        self.rows.get(index)
    }

    /// Rows, tombstones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row, not even the node's own.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// [`Node::revision`] when it was taken.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// The other members as known peers for a later epoch: keep them, and give them back with a restart.
    #[must_use]
    pub fn known_peers(&self) -> Vec<KnownPeer> {
        let others = self.rows.iter().filter(|row| !row.is_me && row.status.is_active());
        others
            .map(|row| KnownPeer {
                id: row.id,
                addr: row.addr,
                epoch: row.epoch,
                incarnation: row.incarnation,
            })
            .collect()
    }
}

impl<'a> IntoIterator for &'a Snapshot {
    type Item = &'a OwnedMember;
    type IntoIter = std::slice::Iter<'a, OwnedMember>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
