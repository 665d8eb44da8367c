//! Who is measured: three ways to drive a member, and the loops without a protocol beside them.

use clap::ValueEnum;
use serde::Serialize;

/// Something that answers datagrams on one UDP socket.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Contestant {
    /// epoll, level-triggered: one read for each report.
    EpollLevelOne,
    /// epoll, level-triggered: reads until the socket is empty.
    EpollLevel,
    /// epoll, edge-triggered: reads until the socket is empty, as it must.
    EpollEdge,
    /// The same, and each wait ends after a second at the latest.
    EpollTimeout,
    /// epoll, edge-triggered: reads with `recvmmsg`, answers with `sendmmsg`.
    EpollBatch,
    /// The same, but answers of one length to one target are one datagram, which the kernel cuts (`UDP_SEGMENT`).
    EpollSegment,
    /// The same loop on mio.
    Mio,
    /// A member on swim-mio.
    SwimMio,
    /// `recv_from` and `send_to` of tokio's own socket, on one thread.
    TokioCurrent,
    /// A member on swim-tokio, on one thread.
    SwimTokioCurrent,
    /// `recv_from` and `send_to` of tokio's own socket, on several threads.
    TokioMulti,
    /// A member on swim-tokio, on several threads.
    SwimTokioMulti,
}

impl Contestant {
    /// All of them, in the order in which they are shown.
    pub(crate) fn all() -> impl Iterator<Item = Self> + Clone {
        Self::value_variants().iter().copied()
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::EpollLevelOne => "epoll, level, one read a wait",
            Self::EpollLevel => "epoll, level, until empty",
            Self::EpollEdge => "epoll, edge, until empty",
            Self::EpollTimeout => "epoll, edge, with a timeout",
            Self::EpollBatch => "epoll, edge, batched",
            Self::EpollSegment => "epoll, edge, batched, GSO",
            Self::Mio => "mio, bare",
            Self::SwimMio => "swim-mio",
            Self::TokioCurrent => "tokio current_thread, bare",
            Self::SwimTokioCurrent => "swim-tokio current_thread",
            Self::TokioMulti => "tokio multi_thread, bare",
            Self::SwimTokioMulti => "swim-tokio multi_thread",
        }
    }

    /// The same loop without a protocol, if this is a member.
    pub(crate) const fn bare(self) -> Option<Self> {
        match self {
            Self::SwimMio => Some(Self::Mio),
            Self::SwimTokioCurrent => Some(Self::TokioCurrent),
            Self::SwimTokioMulti => Some(Self::TokioMulti),
            _ => None,
        }
    }

    /// Whether it runs the protocol.
    pub(crate) const fn is_member(self) -> bool {
        self.bare().is_some()
    }
}
