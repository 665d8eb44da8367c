//! What a node believes of one member, as its user sees it.

use core::net::SocketAddr;
use core::time::Duration;

use crate::api::claim::{Claim, Status};
use crate::api::identity::{Epoch, Incarnation, NodeId};

/// One row of [`crate::Node::members`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Member<'a> {
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
    /// How long after the driver's origin the status last changed, in whole seconds.
    pub since: Duration,
    /// What it attached to itself.
    pub metadata: &'a [u8],
    /// Whether this row is the node itself.
    pub is_me: bool,
}

impl Member<'_> {
    /// The row's epoch, incarnation and status in one.
    #[must_use]
    pub const fn claim(&self) -> Claim {
        Claim { epoch: self.epoch, incarnation: self.incarnation, status: self.status }
    }
}
