//! What happened to members and is still being gossiped.
//!
//! One entry for each subject: a newer claim about a member replaces the older one by itself, since the
//! text is made from the member table when it is sent. So the queue can never hold more than one entry
//! for each member, and what it says is never out of date.

use serde::{Deserialize, Serialize};

use crate::NodeId;
use crate::collections::{LeastSent, Slab};
use crate::group::members::{Members, Slot};
use crate::wire::Writer;

/// One thing to gossip: the claim that the table holds about `slot`, and which node declared it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct News {
    pub(crate) slot: Slot,
    /// Who declared it Dead or removed it; the member itself otherwise.
    pub(crate) by: NodeId,
    /// Who accused it first, where it is Dead.
    pub(crate) accuser: NodeId,
}

/// Entries that may fail to fit before a datagram is taken as full.
const MISFITS_MAX: usize = 4;

/// All of them; each member's record holds the index of its entry.
#[derive(Serialize, Deserialize)]
pub(crate) struct Updates {
    /// In chunks of 4 KiB: most nodes gossip about a few members at once, and what is empty gives back all but one.
    news: Slab<News, 128>,
    order: LeastSent,
}

impl Updates {
    pub(crate) const fn new() -> Self {
        Self { news: Slab::new(), order: LeastSent::new() }
    }

    pub(crate) const fn len(&self) -> u32 {
        self.order.len()
    }

    /// Begins to gossip something; returns its index.
    #[inline]
    pub(crate) fn push(&mut self, news: News) -> u32 {
        let index = self.news.insert(news);
        self.order.push(index);
        debug_assert_eq!(self.news.len(), self.order.len(), "every entry is in the order");
        index
    }

    /// Stops gossiping it.
    #[inline]
    pub(crate) fn remove(&mut self, index: u32) -> Option<News> {
        let news = self.news.remove(index)?;
        self.order.remove(index);
        debug_assert_eq!(self.news.len(), self.order.len(), "nothing else is in the order");
        Some(news)
    }

    /// After loading: whether it hangs together, and with the table.
    pub(crate) fn is_sound(&self, members: &Members) -> bool {
        let is_mine = |slot, index| self.news.get(index).is_some_and(|news| news.slot == slot);
        let queued = || members.slots().filter_map(|slot| Some((slot, members.queue(slot)?)));
        queued().all(|(slot, index)| is_mine(slot, index))
            && queued().count() == self.len() as usize
            && self.news.is_sound()
            && self.order.is_sound(self.news.len(), |index| self.news.get(index).is_some())
    }

    /// Begins a datagram: what [`Updates::sent`] says of it from now on is not written again.
    pub(crate) const fn begin(&mut self) {
        self.order.begin();
    }

    /// `index` is in the datagram already. `true` if that was the last time: it is taken out.
    #[inline]
    pub(crate) fn sent(&mut self, index: u32, limit: usize) -> bool {
        let last = self.order.sent(index) >= limit;
        if last {
            self.remove(index);
        }
        last
    }

    /// Writes as many entries as fit and are allowed, least sent first. Those that were sent `limit`
    /// times are taken out and handed to `done`. Returns how many were written.
    pub(crate) fn write(
        &mut self,
        writer: &mut Writer<'_>,
        count_max: usize,
        limit: usize,
        mut put: impl FnMut(&mut Writer<'_>, &News) -> bool,
        mut done: impl FnMut(News),
    ) -> usize {
        let (mut written, mut misfits) = (0, 0);
        let mut next = self.order.first();
        while let Some(index) = next {
            if written >= count_max || misfits >= MISFITS_MAX || writer.room() == 0 {
                break;
            }
            next = self.order.after(index);
            let Some(news) = self.news.get(index).copied() else { continue };
            if !put(writer, &news) {
                misfits += 1;
                continue;
            }
            written += 1;
            if self.sent(index, limit) {
                done(news);
            }
        }
        debug_assert!(written <= count_max, "a datagram carries a bounded number of updates");
        written
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::api::{Epoch, Incarnation};
    use crate::wire::{Header, Kind, Message};

    fn header() -> Header {
        let (kind, sender, epoch) = (Kind::Gossip, NodeId(1), Epoch(1));
        Header { kind, label: 0, sender, epoch, incarnation: Incarnation(0) }
    }

    /// What the queue does, done slowly: entries in the order in which they stand, with their sends.
    #[derive(Default)]
    struct Model {
        entries: Vec<(u32, News, usize)>,
    }

    impl Model {
        fn remove(&mut self, index: u32) -> Option<News> {
            let at = self.entries.iter().position(|entry| entry.0 == index)?;
            Some(self.entries.remove(at).1)
        }

        /// One more time: behind all that was sent as often. `true` if that was the last time.
        fn sent(&mut self, index: u32, limit: usize) -> bool {
            let at = self.entries.iter().position(|entry| entry.0 == index).expect("it is held");
            let (index, news, sends) = self.entries.remove(at);
            if sends + 1 < limit {
                self.entries.push((index, news, sends + 1));
            }
            sends + 1 >= limit
        }

        /// Writes by the same rules: least sent first and first come first served, until `count_max` are
        /// written or four did not fit; never `gossiped`. Returns what was written, and what is done with.
        fn write(
            &mut self,
            gossiped: Option<u32>,
            count_max: usize,
            limit: usize,
            fits: impl Fn(&News) -> bool,
        ) -> [Vec<News>; 2] {
            let mut order = self.entries.clone();
            order.retain(|entry| Some(entry.0) != gossiped);
            order.sort_by_key(|entry| entry.2);
            let [mut written, mut done] = [Vec::new(), Vec::new()];
            let mut misfits = 0;
            for (index, news, _) in order {
                if written.len() >= count_max || misfits >= MISFITS_MAX {
                    break;
                }
                if !fits(&news) {
                    misfits += 1;
                    continue;
                }
                written.push(news);
                if self.sent(index, limit) {
                    done.push(news);
                }
            }
            [written, done]
        }
    }

    #[derive(Clone, Debug)]
    enum Op {
        Push(u32),
        Remove(prop::sample::Index),
        /// A datagram, into which one entry was put beforehand.
        Write {
            gossiped: Option<prop::sample::Index>,
            count_max: usize,
            limit: usize,
            refused: u32,
        },
    }

    fn an_op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => (0..1_000_u32).prop_map(Op::Push),
            2 => any::<prop::sample::Index>().prop_map(Op::Remove),
            3 => (any::<Option<prop::sample::Index>>(), 0..9_usize, 1..6_usize, 1..5_u32).prop_map(
                |(gossiped, count_max, limit, refused)| Op::Write { gossiped, count_max, limit, refused }
            ),
        ]
    }

    fn news(slot: u32) -> News {
        News { slot: Slot(slot), by: NodeId(u64::from(slot)), accuser: NodeId(7) }
    }

    proptest! {
        #[test]
        fn it_behaves_like_a_list_that_is_sorted_by_sends_each_time(
            ops in proptest::collection::vec(an_op(), 0..120),
        ) {
            let mut updates = Updates::new();
            let mut model = Model::default();
            let header = header();
            for op in ops {
                match op {
                    Op::Push(slot) => {
                        let index = updates.push(news(slot));
                        prop_assert!(model.entries.iter().all(|entry| entry.0 != index), "an index of its own");
                        model.entries.push((index, news(slot), 0));
                    }
                    Op::Remove(which) => {
                        let held = (!model.entries.is_empty()).then(|| which.get(&model.entries).0);
                        let index = held.unwrap_or(0);
                        prop_assert_eq!(updates.remove(index), model.remove(index));
                        prop_assert_eq!(updates.remove(index), None, "once");
                    }
                    Op::Write { gossiped, count_max, limit, refused } => {
                        updates.begin();
                        let gossiped = gossiped.filter(|_| !model.entries.is_empty());
                        let gossiped = gossiped.map(|which| which.get(&model.entries).0);
                        if let Some(index) = gossiped {
                            prop_assert_eq!(updates.sent(index, limit), model.sent(index, limit));
                        }
                        let mut bytes = Vec::new();
                        let mut writer = Writer::begin(&mut bytes, 1400, &header, &Message::Gossip);
                        let fits = |news: &News| news.slot.0 % refused != 1;
                        let [mut written, mut done] = [Vec::new(), Vec::new()];
                        let put = |_: &mut Writer<'_>, news: &News| {
                            let fits = fits(news);
                            if fits {
                                written.push(*news);
                            }
                            fits
                        };
                        let count = updates.write(&mut writer, count_max, limit, put, |news| done.push(news));
                        prop_assert_eq!(count, written.len());
                        prop_assert_eq!([written, done], model.write(gossiped, count_max, limit, fits));
                    }
                }
                prop_assert_eq!(updates.len() as usize, model.entries.len());
            }
        }
    }

    #[test]
    fn room_that_is_left_for_others_is_not_written_into() {
        let mut updates = Updates::new();
        for slot in 0..100 {
            updates.push(news(slot));
        }
        let header = header();
        let mut bytes = Vec::new();
        let mut writer = Writer::begin(&mut bytes, 1000, &header, &Message::Gossip);
        let about =
            |news: &News| crate::wire::About { id: news.by, epoch: Epoch(1), incarnation: Incarnation(0) };
        let put = |writer: &mut Writer<'_>, news: &News| {
            writer.update(&crate::wire::Update::Left { about: about(news), by: news.by })
        };
        writer.set_aside(600);
        let written = updates.write(&mut writer, 99, 9, put, |_| {});
        writer.give_back(600);
        assert!(written > 9 && writer.room() >= 600 && writer.room() < 600 + 40, "{}", writer.room());
    }
}
