//! Which node held what of which, at every moment of a run.
//!
//! The matrix of a large cluster is too big to be kept for every instant, so it is kept once, at the
//! beginning, together with every change since. When there are too many changes the oldest ones are folded
//! into that first matrix: the story then begins later, and is whole from there on.

use std::collections::VecDeque;

use swim_core::Status;

/// No member: a change that no other member caused.
pub(crate) const NO_MEMBER: u32 = u32::MAX;

/// What one member holds of another; `None`: nothing.
pub(crate) type Held = Option<Status>;

/// The number of a cell on the page: 0 for nothing, then those of the statuses.
pub(crate) const fn code(held: Held) -> u8 {
    match held {
        None => 0,
        Some(status) => status as u8 + 1,
    }
}

/// What changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// The subject is held to be this from now on.
    Becomes(Held),
    /// It is held to be alive again because it refuted.
    Refuted,
    /// It has one more accuser.
    Confirmed,
    /// The whole row is empty: the observer's process began, ended, or started over.
    Emptied,
}

impl Turn {
    /// What the subject is held to be afterwards; `None`: the row is emptied.
    const fn held(self) -> Option<Held> {
        match self {
            Self::Becomes(held) => Some(held),
            Self::Refuted => Some(Some(Status::Alive)),
            Self::Confirmed => Some(Some(Status::Suspect)),
            Self::Emptied => None,
        }
    }

    /// Its number on the page: the cell's own, then 5, 6 and 7.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Becomes(held) => code(held),
            Self::Refuted => 5,
            Self::Confirmed => 6,
            Self::Emptied => 7,
        }
    }
}

/// One change, with its time in ns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Change {
    pub(crate) at: u64,
    pub(crate) observer: u32,
    pub(crate) subject: u32,
    pub(crate) turn: Turn,
    /// The member that said so, as a subject's number; or [`NO_MEMBER`].
    pub(crate) by: u32,
}

/// One row for each observer; what is missing at its end is `None`.
#[derive(Clone, Default, Debug)]
pub(crate) struct Matrix {
    pub(crate) rows: Vec<Vec<Held>>,
    /// By row: how many cells hold each, by its number.
    counts: Vec<[u32; 5]>,
}

impl Matrix {
    pub(crate) fn of(&self, observer: u32, subject: u32) -> Held {
        let row = self.rows.get(observer as usize);
        row.and_then(|row| row.get(subject as usize)).copied().unwrap_or_default()
    }

    /// How many of the observer's row are Alive, Suspect, Dead and Left.
    fn count(&self, observer: u32) -> [u32; 4] {
        let [_, known @ ..] = self.counts.get(observer as usize).copied().unwrap_or_default();
        known
    }

    fn apply(&mut self, change: &Change) {
        let (observer, subject) = (change.observer as usize, change.subject as usize);
        if self.rows.len() <= observer {
            self.rows.resize_with(observer + 1, Vec::new);
            self.counts.resize(observer + 1, [0; 5]);
        }
        let (row, counts) = (&mut self.rows[observer], &mut self.counts[observer]);
        match change.turn.held() {
            None => {
                row.clear();
                *counts = [0; 5];
            }
            Some(held) => {
                if row.len() <= subject {
                    counts[0] += u32::try_from(subject + 1 - row.len()).unwrap_or(u32::MAX);
                    row.resize(subject + 1, None);
                }
                counts[code(row[subject]) as usize] -= 1;
                counts[code(held) as usize] += 1;
                row[subject] = held;
            }
        }
    }
}

/// The matrix now, the matrix at the beginning, and what lies between.
#[derive(Default)]
pub(crate) struct Views {
    now: Matrix,
    first: Matrix,
    /// When `first` was so, in ns.
    first_at: u64,
    pub(crate) changes: VecDeque<Change>,
    /// How many changes are only in the first matrix.
    pub(crate) folded: u64,
}

impl Views {
    /// Takes a change in; at most `max` are kept apart.
    pub(crate) fn change(&mut self, change: Change, max: usize) {
        self.now.apply(&change);
        self.changes.push_back(change);
        while self.changes.len() > max {
            let oldest = self.changes.pop_front().expect("there are more than `max` of them");
            self.first.apply(&oldest);
            self.first_at = oldest.at;
            self.folded += 1;
        }
    }

    pub(crate) fn now(&self, observer: u32, subject: u32) -> Held {
        self.now.of(observer, subject)
    }

    /// Whether the observer's row has as many of each status as its node says.
    pub(crate) fn counts_agree(&self, observer: u32, counts: [u32; 4]) -> bool {
        self.now.count(observer) == counts
    }

    pub(crate) const fn first(&self) -> (u64, &Matrix) {
        (self.first_at, &self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(at: u64, observer: u32, subject: u32, turn: Turn) -> Change {
        Change { at, observer, subject, turn, by: NO_MEMBER }
    }

    #[test]
    fn the_first_matrix_and_the_changes_kept_make_up_the_matrix_now() {
        let mut views = Views::default();
        let turns = [
            Turn::Becomes(Some(Status::Alive)),
            Turn::Becomes(Some(Status::Dead)),
            Turn::Refuted,
            Turn::Emptied,
        ];
        for step in 0..60_u32 {
            let turn = turns[(step * 7 % 11 % 4) as usize];
            views.change(change(u64::from(step), step % 3, step % 5, turn), 10);
        }
        assert_eq!((views.changes.len(), views.folded, views.first().0), (10, 50, 49));
        let mut replayed = views.first.clone();
        views.changes.iter().for_each(|change| replayed.apply(change));
        for (observer, subject) in (0..3).flat_map(|observer| (0..5).map(move |subject| (observer, subject)))
        {
            assert_eq!(replayed.of(observer, subject), views.now(observer, subject));
        }
    }

    #[test]
    fn an_emptied_row_counts_no_member() {
        let mut views = Views::default();
        views.change(change(1, 2, 0, Turn::Becomes(Some(Status::Suspect))), 10);
        assert!(views.counts_agree(2, [0, 1, 0, 0]));
        views.change(change(2, 2, 0, Turn::Emptied), 10);
        assert!(views.counts_agree(2, [0; 4]));
    }
}
