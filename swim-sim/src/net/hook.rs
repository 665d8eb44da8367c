//! A test's hand on the wire.

use std::net::SocketAddr;
use std::time::Duration;

use swim_core::Instant;

use crate::host::HostId;

/// A datagram that a host is about to send.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// When.
    pub at: Instant,
    /// Who sends it.
    pub sender: HostId,
    /// Where it comes from.
    pub source: SocketAddr,
    /// Where it goes to.
    pub target: SocketAddr,
    /// All of it.
    pub bytes: &'a [u8],
}

/// What becomes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// The network treats it as usual.
    Pass,
    /// It is lost.
    Drop,
    /// These bytes go on in its place.
    Replace(Vec<u8>),
    /// It passes, this much later than it would.
    Delay(Duration),
}

/// Sees every datagram that a host sends, before cuts, loss and latency.
pub(crate) type Hook = Box<dyn FnMut(Datagram<'_>) -> Verdict + Send>;
