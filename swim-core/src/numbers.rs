//! The numbers that tie an answer to its question.
//!
//! An ack proves something only if nobody but the one who was asked could have known its number. So a
//! number is 48 unpredictable bits, and 16 bits that say, to the asker alone, which question it was and
//! where that question is kept: finding an open question is an array access, not a search.
//!
//! | bits 16–63 | bits 3–15 | bits 0–2 |
//! | --- | --- | --- |
//! | random | place in the table of open questions, or the attempt | what the question was |

/// What a question was asked for, and where its record is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Question {
    /// This node's own probe; the attempt within the period.
    Probe { attempt: u8 },
    /// A ping on behalf of another member; its place in the relay table.
    Relayed { place: u16 },
    /// A contact to a member held Dead; its place among the open contacts.
    Healing { place: u16 },
    /// A ping to the holder of an id that a joiner claims; its place among the admissions.
    Incumbent { place: u16 },
    /// A ping to a rival that claims this node's id.
    Rival,
    /// An announcement; the place of its contact.
    Announce { place: u16 },
    /// A digest pull; its place in the window.
    Pull { place: u16 },
}

/// Places that fit into a number.
pub(crate) const PLACES: u16 = 1 << 13;

/// A number for `question`, unpredictable if `random` is.
pub(crate) const fn compose(random: u64, question: Question) -> u64 {
    let (kind, place) = match question {
        Question::Probe { attempt } => (0, attempt as u64),
        Question::Relayed { place } => (1, place as u64),
        Question::Healing { place } => (2, place as u64),
        Question::Incumbent { place } => (3, place as u64),
        Question::Rival => (4, 0),
        Question::Announce { place } => (5, place as u64),
        Question::Pull { place } => (6, place as u64),
    };
    (random & !0xffff) | (place << 3) | kind
}

/// What `number` would be the answer to, if it is genuine: compare it with the one that was sent.
pub(crate) const fn question(number: u64) -> Option<Question> {
    let place = (number & 0xffff) as u16 >> 3_u32;
    match number & 7 {
        0 => Some(Question::Probe { attempt: if place > u8::MAX as u16 { u8::MAX } else { place as u8 } }),
        1 => Some(Question::Relayed { place }),
        2 => Some(Question::Healing { place }),
        3 => Some(Question::Incumbent { place }),
        4 => Some(Question::Rival),
        5 => Some(Question::Announce { place }),
        6 => Some(Question::Pull { place }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_gives_its_question_back() {
        for asked in [
            Question::Probe { attempt: 2 },
            Question::Relayed { place: 2047 },
            Question::Healing { place: 3 },
            Question::Incumbent { place: 15 },
            Question::Rival,
            Question::Announce { place: 79 },
            Question::Pull { place: 3 },
        ] {
            assert_eq!(question(compose(u64::MAX, asked)), Some(asked));
            assert_eq!(question(compose(0, asked)), Some(asked));
        }
        assert_eq!(question(7), None);
    }
}
