//! How fast news travel: from the first member that knows to each of the others, and from a crash to the
//! last survivor that calls it Dead.
//!
//! A story begins when a first member knows. Members that were not there at that moment are no part of it,
//! and one that learns the same again has learnt the beginning of the next story.

use std::collections::{BTreeMap, BTreeSet};

/// What a story is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum News {
    Alive,
    Suspect,
    Dead,
    Left,
    Broadcast,
}

impl News {
    pub(crate) const ALL: [Self; 5] = [Self::Alive, Self::Suspect, Self::Dead, Self::Left, Self::Broadcast];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Suspect => "suspect",
            Self::Dead => "dead",
            Self::Left => "left",
            Self::Broadcast => "broadcast",
        }
    }
}

/// Stories that are under way at most; further ones are not followed.
const STORIES_MAX: usize = 20_000;

/// Durations in ns.
#[derive(Clone, Default, Debug)]
pub(crate) struct Samples {
    pub(crate) values: Vec<u64>,
    /// How many more there would be.
    pub(crate) skipped: u64,
}

impl Samples {
    fn add(&mut self, value: u64, max: usize) {
        if self.values.len() < max {
            self.values.push(value);
        } else {
            self.skipped += 1;
        }
    }
}

struct Story {
    since: u64,
    heard: BTreeSet<u32>,
}

/// All news.
#[derive(Default)]
pub(crate) struct Spread {
    /// By what happened, to which member, and what distinguishes it from another of its kind.
    stories: BTreeMap<(News, u32, u64), Story>,
    samples: BTreeMap<News, Samples>,
    counts: BTreeMap<News, u64>,
}

impl Spread {
    /// `observer`, whose epoch began at `began`, learns at `at` what happened to `subject`.
    pub(crate) fn hear(&mut self, key: (News, u32, u64), observer: u32, began: u64, at: u64, max: usize) {
        if self.stories.len() >= STORIES_MAX && !self.stories.contains_key(&key) {
            return;
        }
        let story = self.stories.entry(key).or_insert_with(|| Story { since: at, heard: BTreeSet::new() });
        if !story.heard.insert(observer) {
            *story = Story { since: at, heard: [observer].into() };
        }
        if story.heard.len() == 1 {
            *self.counts.entry(key.0).or_default() += 1;
        } else if began <= story.since {
            self.samples.entry(key.0).or_default().add(at - story.since, max);
        }
    }

    /// A subject starts a new epoch: what is said of it from now on is another story.
    pub(crate) fn restarted(&mut self, subject: u32) {
        for news in [News::Suspect, News::Dead, News::Left] {
            self.stories.remove(&(news, subject, 0));
        }
    }

    /// How many stories there were of a kind, and how long they took to each further member.
    pub(crate) fn of(&self, news: News) -> (u64, Option<&Samples>) {
        (self.counts.get(&news).copied().unwrap_or(0), self.samples.get(&news))
    }
}

/// A crash, and which survivors have noticed. Times in ns.
#[derive(Clone, Debug)]
pub(crate) struct Detected {
    pub(crate) host: u32,
    pub(crate) at: u64,
    /// Survivors that held the victim Alive or Suspect, and do not yet call it Dead.
    pub(crate) waiting: BTreeSet<u32>,
    /// How long each of the others took.
    pub(crate) took: Vec<u64>,
    over: bool,
}

/// All crashes.
#[derive(Default)]
pub(crate) struct Detection {
    cases: BTreeMap<u32, Vec<Detected>>,
}

impl Detection {
    pub(crate) fn crashed(&mut self, subject: u32, host: u32, at: u64, waiting: BTreeSet<u32>) {
        let case = Detected { host, at, waiting, took: Vec::new(), over: false };
        self.cases.entry(subject).or_default().push(case);
    }

    pub(crate) fn called_dead(&mut self, subject: u32, observer: u32, at: u64) {
        for case in self.open(subject) {
            if case.waiting.remove(&observer) {
                case.took.push(at - case.at);
            }
        }
    }

    /// The victim is back: a member that has not noticed by now never will.
    pub(crate) fn restarted(&mut self, subject: u32) {
        self.open(subject).for_each(|case| case.over = true);
    }

    /// An observer ends or stands still: it cannot notice anything.
    pub(crate) fn absent(&mut self, observer: u32) {
        for case in self.cases.values_mut().flatten().filter(|case| !case.over) {
            case.waiting.remove(&observer);
        }
    }

    /// In the order of time.
    pub(crate) fn cases(&self) -> Vec<&Detected> {
        let mut cases: Vec<&Detected> = self.cases.values().flatten().collect();
        cases.sort_by_key(|case| (case.at, case.host));
        cases
    }

    fn open(&mut self, subject: u32) -> impl Iterator<Item = &mut Detected> {
        self.cases.get_mut(&subject).into_iter().flatten().filter(|case| !case.over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_timed_from_the_first_who_knows_and_only_to_those_who_were_there() {
        let mut spread = Spread::default();
        let key = (News::Dead, 7, 0);
        for (observer, began, at) in [(1, 0, 100), (2, 0, 130), (3, 110, 150), (4, 100, 160)] {
            spread.hear(key, observer, began, at, 10);
        }
        let (stories, samples) = spread.of(News::Dead);
        assert_eq!((stories, samples.expect("two heard it").values.as_slice()), (1, [30, 60].as_slice()));
    }

    #[test]
    fn hearing_it_again_begins_another_story() {
        let mut spread = Spread::default();
        for (observer, at) in [(1, 100), (2, 130), (1, 500), (2, 505)] {
            spread.hear((News::Suspect, 7, 0), observer, 0, at, 10);
        }
        let (stories, samples) = spread.of(News::Suspect);
        assert_eq!((stories, samples.expect("some heard it").values.as_slice()), (2, [30, 5].as_slice()));
    }

    #[test]
    fn a_victim_that_is_back_and_an_observer_that_is_gone_are_waited_for_no_more() {
        let mut detection = Detection::default();
        detection.crashed(9, 9, 1000, [1, 2, 3].into());
        detection.called_dead(9, 1, 1500);
        detection.absent(2);
        detection.restarted(9);
        detection.called_dead(9, 3, 9000);
        let cases = detection.cases();
        assert_eq!((cases[0].took.as_slice(), &cases[0].waiting), ([500].as_slice(), &[3].into()));
    }
}
