//! Counters. All of them only grow; gauges are named as such.

use serde::{Deserialize, Serialize};

/// Declares the reasons once: the variants, their number, and the list of them.
macro_rules! drop_reasons {
    ($($(#[$doc:meta])* $reason:ident,)*) => {
        /// Why a datagram, or a part of one, was not used. Each reason has its own counter.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum DropReason {
            $($(#[$doc])* $reason,)*
        }

        impl DropReason {
            /// All of them, in the order of their counters.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$reason,)*];
            /// How many there are.
            pub const COUNT: usize = [$(stringify!($reason),)*].len();
        }
    };
}

drop_reasons! {
    /// Shorter than a header, or longer than any datagram may be.
    Length,
    /// Not ours: the magic does not match.
    Magic,
    /// A version of the wire format that this node does not speak.
    Version,
    /// A flag that must be understood and is not (encryption among them).
    Flags,
    /// Another cluster's label.
    Label,
    /// A kind of message that this version does not know.
    UnknownKind,
    /// The message's head does not decode.
    Malformed,
    /// Bytes after the last part, or a part that overruns the datagram.
    TrailingBytes,
    /// A part of a kind that this version does not know: skipped, the rest was used.
    UnknownPart,
    /// An update that does not decode, or of a kind that this version does not know: skipped.
    UnknownUpdate,
    /// The sender has this node's own id or address: an echo or a forgery.
    FromMyself,
    /// The sender's header is of an earlier epoch than the one held.
    StaleSender,
    /// The sender's header is too far ahead of the cluster's epoch clock.
    InsaneEpoch,
    /// The message is for another node (an address that changed hands).
    NotForMe,
    /// A stranger's message of a kind that only members may send.
    Stranger,
    /// A member's message from an address that is not the member's, or from one of no member.
    WrongSource,
    /// An answer to a request that is not open: too late, replayed or forged.
    UnexpectedAnswer,
    /// A relay was asked to ping a node that is not a member.
    RelayTarget,
    /// A relay has too many pings in flight, or too many for one member.
    RelayLimit,
    /// An address token that does not verify.
    Token,
    /// More pages were asked for than are served in a second.
    PageLimit,
    /// More handshake attempts of one purpose, or more admissions, were open than are kept.
    AttemptLimit,
    /// An update about a member that is not known and cannot be learnt from it.
    UnknownMember,
    /// A claim whose epoch is too far ahead of the cluster's epoch clock.
    ClaimEpoch,
    /// A claim of an address at which no node can be reached.
    ClaimAddress,
    /// A newcomer beyond [`crate::Options::members_max`].
    MembersFull,
    /// A broadcast that was seen before.
    DuplicateBroadcast,
    /// A broadcast that cannot be kept yet; it is asked for when there is room.
    BroadcastLimit,
    /// A datagram that was not sent because the outbox was full.
    OutboxFull,
    /// An answer that was not sent because it would have been longer than a stranger's question.
    Amplification,
    /// This node has left, or lost its id, and reads no datagrams any more.
    NotRunning,
}

/// What a node has done and seen. Cheap to copy: [`crate::Node::stats`] does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stats {
    /// Datagrams handed in.
    pub datagrams_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// Datagrams put into the outbox.
    pub datagrams_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// One counter for each [`DropReason`], in the order of [`DropReason::ALL`].
    #[serde(with = "crate::collections::serial::array")]
    pub drops: [u64; DropReason::COUNT],

    /// Probes begun.
    pub probes: u64,
    /// Probes answered by the target itself.
    pub probes_answered: u64,
    /// Probes answered only through a relay.
    pub probes_answered_by_relay: u64,
    /// Probes that ended without an answer.
    pub probes_failed: u64,
    /// Probes without an answer that raised no suspicion, because this node was stalled or isolated, or
    /// the ping was never sent.
    pub probes_excused: u64,
    /// Further direct pings within a period.
    pub retries: u64,
    /// Members asked to ping on our behalf.
    pub relays_asked: u64,
    /// Nacks that came in time.
    pub nacks_received: u64,
    /// Pings made on behalf of others.
    pub relayed: u64,

    /// Suspicions raised here, by this node's own probes.
    pub suspicions_raised: u64,
    /// Suspicions learnt from others.
    pub suspicions_learnt: u64,
    /// Suspicions that ended in a refutation.
    pub suspicions_refuted: u64,
    /// Suspicions that ran out here.
    pub suspicions_expired: u64,
    /// Times that this node refuted an accusation of itself.
    pub refutations: u64,

    /// Updates taken from gossip, sync or headers because they were news.
    pub updates_applied: u64,
    /// Updates received that said nothing new.
    pub updates_known: u64,
    /// Updates sent, piggybacked or on a gossip tick.
    pub updates_sent: u64,
    /// Headers that were news of their sender.
    pub header_claims: u64,
    /// User broadcasts delivered to this node's user.
    pub broadcasts_delivered: u64,
    /// User broadcasts that this node has missed for good.
    pub broadcasts_missed: u64,
    /// Requests for missing broadcasts.
    pub broadcasts_asked: u64,

    /// Digest pages asked for.
    pub pages_asked: u64,
    /// Digest pages served.
    pub pages_served: u64,
    /// Attempts to reconnect to Dead members or to seeds, so that a partition heals.
    pub reconnects: u64,

    /// Times that this node found itself run late.
    pub stalls: u64,
    /// Nanoseconds lost by that.
    pub stalled_ns: u64,
    /// Times that this node became isolated.
    pub isolations: u64,
    /// Inputs whose time was before an earlier one's; they were taken at the earlier time.
    pub clock_backwards: u64,
    /// Events that were lost because they were not polled in time.
    pub events_lost: u64,

    /// Round-trip times measured, of direct pings.
    pub rtts: u64,
    /// The last of them, in microseconds; 0 before the first.
    pub rtt_last_us: u32,

    /// Gauge: Alive members held, this one included.
    pub alive: u32,
    /// Gauge: Suspect members held.
    pub suspect: u32,
    /// Gauge: Dead members remembered.
    pub dead: u32,
    /// Gauge: members remembered that left.
    pub left: u32,
    /// Gauge: updates waiting to be gossiped.
    pub updates_queued: u32,
    /// Gauge: user broadcasts waiting to be gossiped.
    pub broadcasts_queued: u32,
    /// Gauge: the local health multiplier, 0 is healthy.
    pub health: u8,
}

impl Stats {
    /// How often something was dropped for `reason`.
    #[must_use]
    pub const fn dropped(&self, reason: DropReason) -> u64 {
        self.drops[reason as usize]
    }

    pub(crate) const fn drop(&mut self, reason: DropReason) {
        self.drops[reason as usize] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_stands_at_its_own_counter() {
        for (index, reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, index);
        }
    }
}
