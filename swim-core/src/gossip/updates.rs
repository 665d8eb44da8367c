//! What happened to members and is still being told.
//!
//! One entry for each subject: a newer claim about a member replaces the older one by itself, since the
//! text is made from the member table when it is sent. So the queue can never hold more than one entry
//! for each member, and what it tells is never out of date.

use alloc::vec::Vec;

use super::least_sent::LeastSent;
use crate::NodeId;
use crate::members::Slot;
use crate::wire::Writer;

/// One thing to tell: the claim that the table holds about `slot`, and whose verdict it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct News {
    pub(crate) slot: Slot,
    /// Who declared it Dead or removed it; the member itself otherwise.
    pub(crate) by: NodeId,
    /// Who accused it first, where it is Dead.
    pub(crate) accuser: NodeId,
}

/// Entries that may fail to fit before a datagram is taken as full.
const MISFITS_MAX: usize = 4;

/// All of them; each member's record holds the place of its entry.
#[derive(Debug)]
pub(crate) struct Updates {
    news: Vec<Option<News>>,
    free: Vec<u32>,
    order: LeastSent,
}

impl Updates {
    pub(crate) const fn new() -> Self {
        Self { news: Vec::new(), free: Vec::new(), order: LeastSent::new() }
    }

    pub(crate) const fn len(&self) -> u32 {
        self.order.len()
    }

    /// Tells something new; returns its place.
    pub(crate) fn push(&mut self, news: News) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.news.push(None);
            self.news.len() as u32 - 1
        });
        self.news[place as usize] = Some(news);
        self.order.push(place);
        place
    }

    /// Stops telling it.
    pub(crate) fn remove(&mut self, place: u32) -> Option<News> {
        let news = self.news.get_mut(place as usize)?.take()?;
        self.order.remove(place);
        self.free.push(place);
        Some(news)
    }

    /// Begins a datagram: what [`Updates::told`] says of it from now on is not written again.
    pub(crate) const fn begin(&mut self) {
        self.order.begin();
    }

    /// `place` is in the datagram already. `true` if that was the last time: it is taken out.
    pub(crate) fn told(&mut self, place: u32, limit: usize) -> bool {
        let last = self.order.sent(place) >= limit;
        if last {
            self.remove(place);
        }
        last
    }

    /// Writes as many entries as fit and are allowed, least sent first. Those that were sent `limit`
    /// times are taken out and handed to `done`. Returns how many were written.
    pub(crate) fn write(
        &mut self,
        writer: &mut Writer<'_>,
        leave_room: usize,
        count_max: usize,
        limit: usize,
        mut put: impl FnMut(&mut Writer<'_>, &News) -> bool,
        mut done: impl FnMut(News),
    ) -> usize {
        let (mut written, mut misfits) = (0, 0);
        let mut next = self.order.first();
        while let Some(place) = next {
            if written >= count_max || misfits >= MISFITS_MAX || writer.room() <= leave_room {
                break;
            }
            next = self.order.after(place);
            let Some(news) = self.news[place as usize] else { continue };
            if !put(writer, &news) {
                misfits += 1;
                continue;
            }
            written += 1;
            if self.told(place, limit) {
                done(news);
            }
        }
        written
    }
}
