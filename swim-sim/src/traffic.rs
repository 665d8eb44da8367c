//! What became of datagrams, and how much was sent, by kind of message.

/// What became of a datagram when it was sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Fate {
    /// It is on its way.
    Sent,
    /// A link lost it.
    Lost,
    /// A link lost it in a burst.
    Burst,
    /// It found the queue of a narrow link full.
    Congested,
    /// It was longer than a link lets pass.
    TooLong,
    /// It is on its way, with some of its bits flipped.
    Corrupted,
    /// A partition or a cut keeps it back.
    Cut,
    /// A hook dropped it.
    Dropped,
    /// It did not come from a node of the cluster.
    Forged,
}

/// Datagrams and their bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Count {
    /// How many.
    pub datagrams: u64,
    /// Bytes of UDP payload in them.
    pub bytes: u64,
}

impl Count {
    pub(crate) const fn add(&mut self, bytes: usize) {
        self.datagrams += 1;
        self.bytes += bytes as u64;
    }

    pub(crate) const fn add_if(&mut self, happened: bool, bytes: usize) {
        if happened {
            self.add(bytes);
        }
    }
}

/// Counters of datagrams, of one host or of a whole world.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Traffic {
    /// Handed to the network, by kind of message; 0 is what has no readable header.
    pub sent_by_kind: [Count; KINDS],
    /// Handed to the network.
    pub sent: Count,
    /// Handed to a node.
    pub received: Count,
    /// Lost by a link, a cut or a test's hook.
    pub lost: Count,
    /// Of those, lost in a burst.
    pub lost_in_bursts: Count,
    /// Of those, lost at a narrow link whose queue was full.
    pub congested: Count,
    /// Of those, longer than a link lets pass.
    pub too_long: Count,
    /// Arrived where no node listens: a crashed host, or an address that never had one.
    pub unheard: Count,
    /// Arrived at a paused host whose inbox was full.
    pub overflowed: Count,
    /// Second copies made by a link.
    pub duplicated: Count,
    /// Held back by a link, so that others could overtake them.
    pub reordered: Count,
    /// Held back by a link for very long.
    pub spiked: Count,
    /// Changed by a link.
    pub corrupted: Count,
    /// Sent by no node.
    pub forged: Count,
}

/// Kinds of messages that are counted apart; unknown ones count as kind 0.
pub(crate) const KINDS: usize = 16;

impl Traffic {
    /// What was sent of one kind, by its number on the wire.
    #[must_use]
    pub fn of_kind(&self, kind: u8) -> Count {
        self.sent_by_kind.get(usize::from(kind)).copied().unwrap_or_default()
    }

    pub(crate) const fn count_sent(&mut self, kind: usize, len: usize) {
        self.sent.add(len);
        self.sent_by_kind[kind].add(len);
    }
}

/// The kind of message by its number on the wire; 0 for what is not one of ours.
pub(crate) fn kind_of(bytes: &[u8]) -> usize {
    match bytes {
        [b'S', b'W', 2, _, kind, ..] if usize::from(*kind) < KINDS => usize::from(*kind),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_are_counted_by_kind_and_what_is_not_ours_as_kind_zero() {
        let mut traffic = Traffic::default();
        for bytes in [b"SW\x02\x00\x01".as_slice(), b"", b"SW\x02\x00\xff", b"junk"] {
            traffic.count_sent(kind_of(bytes), bytes.len());
        }
        assert_eq!(traffic.of_kind(1), Count { datagrams: 1, bytes: 5 });
        assert_eq!(traffic.of_kind(0), Count { datagrams: 3, bytes: 9 });
        assert_eq!(traffic.sent, Count { datagrams: 4, bytes: 14 });
        assert_eq!(traffic.of_kind(200), Count::default());
    }
}
