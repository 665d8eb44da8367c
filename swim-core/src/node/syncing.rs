//! Digests that differ: asking for what is missing, and serving others. `sync.rs` has the picture.

use core::net::SocketAddr;
use core::ops::ControlFlow;

use super::Node;
use super::receive::Gossip;
use super::telling::{Cargo, row_len};
use crate::claim::Status;
use crate::identity::NodeId;
use crate::members::Slot;
use crate::numbers::{self, Question};
use crate::stats::DropReason;
use crate::wire::{Message, PART_LEN, SyncPage, SyncPull};

impl Node {
    /// A member's root is known to differ from ours (`Some`), or not stated because it is the same.
    pub(super) fn compare(&mut self, peer: NodeId, root: Option<u64>) {
        if root.is_some_and(|root| root != self.core.digest_root()) {
            let urgent = self.core.members.count(Status::Suspect) > 0;
            self.touched = true;
            self.sync.differs(peer, urgent, self.core.cx.doubt.awake());
        }
    }

    /// Asks for as many pages as the window and the quantum allow.
    pub(super) fn pull(&mut self) {
        let now = self.core.cx.now();
        self.sync.expire(now);
        while self.core.cx.outbox.quantum_left() > 0
            && let Some((range, peer, place)) = self.sync.next_pull()
        {
            let known = self.core.members.find(peer).filter(|slot| self.core.members.claim(*slot).status.is_active());
            let Some(slot) = known else {
                self.sync.drop_peer(peer, now);
                continue;
            };
            let Some(hashes) = self.core.members.child_hashes(range.prefix, range.depth) else { return };
            let number = numbers::compose(self.core.cx.number(), Question::Pull { place });
            let addr = self.core.members.addr(slot);
            self.sync.asked(place, addr, number, now);
            self.core.cx.stats.pages_asked += 1;
            let pull = SyncPull { number, prefix: range.prefix, depth: range.depth, hashes };
            self.core.send(addr, &Message::SyncPull(pull), Cargo::EMPTY);
        }
    }

    /// A member asks for what differs below a prefix.
    pub(super) fn hear_pull(&mut self, source: SocketAddr, pull: SyncPull) -> Result<(), DropReason> {
        self.touched = true;
        let mine = self.core.members.child_hashes(pull.prefix, pull.depth).ok_or(DropReason::Malformed)?;
        if !self.core.cx.page_budget.take(self.core.cx.doubt.awake()) {
            return Err(DropReason::PageLimit);
        }
        let head = SyncPage { number: pull.number, prefix: pull.prefix, depth: pull.depth, more: 0 };
        let overhead = crate::wire::HEADER_LEN + PART_LEN + SyncPage::LEN + PART_LEN;
        let mut room = self.core.datagram_room() - overhead;
        let mut more = 0_u16;
        let mut rows = core::mem::take(&mut self.page_rows);
        rows.clear();
        for (nibble, hash) in (0_u32..).zip(mine) {
            if hash == pull.hashes[nibble as usize] {
                continue;
            }
            let shift = 28_u32.saturating_sub(4 * u32::from(pull.depth));
            let kept = if pull.depth == 0 { 0 } else { pull.prefix & (u32::MAX << (shift + 4)) };
            if !self.collect(kept | (nibble << shift), pull.depth + 1, &mut rows, &mut room) {
                more |= 1 << nibble;
            }
        }
        let page = Message::SyncPage(SyncPage { more, ..head });
        self.core.cx.stats.pages_served += 1;
        self.core.send(source, &page, Cargo { rows: &rows, ..Cargo::EMPTY });
        self.page_rows = rows;
        Ok(())
    }

    /// Collects all members below a prefix; if they do not fit into `room`, none, and `false`. At the
    /// last level, where nobody can ask more finely, as many as fit.
    fn collect(&self, prefix: u32, depth: u8, rows: &mut alloc::vec::Vec<Slot>, room: &mut usize) -> bool {
        let (start, before) = (rows.len(), *room);
        let finest = depth >= crate::digest::DEPTH_MAX;
        let mut complete = true;
        let _ = self.core.members.for_each_in(prefix, depth, |slot| {
            let len = row_len(&self.core.members, slot);
            if len > *room {
                complete = false;
                return ControlFlow::Break(());
            }
            *room -= len;
            if len > 0 {
                rows.push(slot);
            }
            ControlFlow::Continue(())
        });
        if !complete && !finest {
            rows.truncate(start);
            *room = before;
        }
        complete
    }

    /// A page that was asked for. Its updates have been heard already.
    pub(super) fn hear_page(
        &mut self,
        source: SocketAddr,
        page: SyncPage,
        gossip: &Gossip,
    ) -> Result<(), DropReason> {
        self.touched = true;
        let Some(Question::Pull { place }) = numbers::question(page.number) else {
            return Err(DropReason::UnexpectedAnswer);
        };
        let range = self.sync.page(place, page.number, source).ok_or(DropReason::UnexpectedAnswer)?;
        self.sync.progress(range, page.more, gossip.news, self.core.cx.doubt.awake());
        Ok(())
    }

    /// Pulls what a cluster holds, from the member that let us in and a few others.
    pub(super) fn catch_up(&mut self, sender: NodeId) {
        let now = self.core.cx.now();
        self.touched = true;
        self.sync.at_once(now);
        self.sync.differs(sender, false, now);
        let mut helpers = [Slot::ME; crate::members::SAMPLE_MAX];
        let streams = &mut self.core.cx.streams;
        let random = &mut |n| streams.below(crate::random::Purpose::Joining, n);
        let count = self.core.members.sample(random, &mut helpers, crate::members::SAMPLE_MAX, |_| true);
        for helper in &helpers[..count] {
            self.sync.add_peer(self.core.members.id(*helper));
        }
    }
}
