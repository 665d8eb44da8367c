//! The numbers that tie an answer to its request.
//!
//! An ack proves something only if no node but the one that was asked could have known its number. So a
//! number is 48 unpredictable bits, and 16 bits that say, to the asker alone, what was asked and,
//! where many requests may be open, at which index that one is kept.
//!
//! | bits 16–63 | bits 3–15 | bits 0–2 |
//! | --- | --- | --- |
//! | random | index in the table of open requests, or the attempt | kind of request |

/// What was asked for, and where its record is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RequestKind {
    /// This node's own probe; the attempt within the period.
    Probe { attempt: u8 },
    /// A ping on behalf of another member; its index in the relay table.
    Relayed { index: u16 },
    /// A ping to a member held Dead.
    Reconnect,
    /// A ping to the holder of an id that a joiner claims.
    Incumbent,
    /// A ping to a rival that claims this node's id.
    Rival,
    /// A handshake.
    Handshake,
    /// A digest pull; its index in the window.
    Pull { index: u16 },
}

/// A number for a request of this kind, unpredictable if `random` is.
pub(crate) const fn compose(random: u64, kind: RequestKind) -> u64 {
    let (kind, index) = match kind {
        RequestKind::Probe { attempt } => (0, attempt as u64),
        RequestKind::Relayed { index } => (1, index as u64),
        RequestKind::Reconnect => (2, 0),
        RequestKind::Incumbent => (3, 0),
        RequestKind::Rival => (4, 0),
        RequestKind::Handshake => (5, 0),
        RequestKind::Pull { index } => (6, index as u64),
    };
    debug_assert!(index < 1_u64 << 13_u32, "an index has 13 bits");
    (random & !0xffff) | (index << 3) | kind
}

/// What `number` would be the answer to, if it is genuine: compare it with the one that was sent.
pub(crate) const fn kind(number: u64) -> Option<RequestKind> {
    let index = (number & 0xffff) as u16 >> 3_u32;
    match number & 7 {
        0 => Some(RequestKind::Probe { attempt: if index > u8::MAX as u16 { u8::MAX } else { index as u8 } }),
        1 => Some(RequestKind::Relayed { index }),
        2 => Some(RequestKind::Reconnect),
        3 => Some(RequestKind::Incumbent),
        4 => Some(RequestKind::Rival),
        5 => Some(RequestKind::Handshake),
        6 => Some(RequestKind::Pull { index }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_gives_its_question_back() {
        for asked in [
            RequestKind::Probe { attempt: 2 },
            RequestKind::Relayed { index: 2047 },
            RequestKind::Reconnect,
            RequestKind::Incumbent,
            RequestKind::Rival,
            RequestKind::Handshake,
            RequestKind::Pull { index: 3 },
        ] {
            assert_eq!(kind(compose(u64::MAX, asked)), Some(asked));
            assert_eq!(kind(compose(0, asked)), Some(asked));
        }
        assert_eq!(kind(7), None);
    }
}
