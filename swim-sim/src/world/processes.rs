//! Processes begin, stop, go on and end, and the machines under them are as good or bad as they are.

use std::net::SocketAddr;

use swim_core::{Command, Instant, Seed};

use super::World;
use crate::action::{Inbox, Memory};
use crate::ground_truth::Happening;
use crate::ground_truth::{HostTruth, Presence};
use crate::host::{Host, HostId};
use crate::random::{Random, purpose};

impl World {
    /// Ends the process of `host`, which then is what `presence` says.
    pub(super) fn end_process(&mut self, id: HostId, presence: Presence) -> bool {
        let host = &mut self.hosts[id.index()];
        if host.engine.take().is_none() {
            return false;
        }
        host.paused = false;
        self.fabric.alarms.clear(id);
        for kept in host.inbox.drain(..) {
            self.fabric.packets.discard(kept);
        }
        self.fabric.directory.unbind(host.addr);
        if let Some(mask) = host.mask {
            self.fabric.directory.unbind(mask);
        }
        self.ground_truth.fact_mut(id).presence = presence;
        self.fabric.fingerprint.ended(self.fabric.now, id);
        self.notify(&Happening::Ended { host: id, presence });
        true
    }

    pub(super) fn begin_process(&mut self, id: HostId) {
        self.stir += 1;
        let host = &mut self.hosts[id.index()];
        self.fabric.directory.bind(host.addr, id);
        self.fabric.transcript.name(host.addr, id);
        host.mask = host.mask.filter(|mask| self.fabric.directory.host_at(*mask).is_none());
        if let Some(mask) = host.mask {
            self.fabric.directory.bind(mask, id);
        }
        let index = u64::from(id.0) << 32 | u64::from(host.starts);
        let seed = Seed(Random::new(self.setup.seed, purpose::NODE, index).key());
        let unix_ms = self.setup.unix_ms.saturating_add(self.fabric.now.as_nanos() / 1_000_000);
        let me = host.boot(self.fabric.now, unix_ms, seed);
        let holds_sends = host.send_buffer_full;
        *self.ground_truth.fact_mut(id) =
            HostTruth { id: me.id, addr: me.addr, epoch: me.epoch, presence: Presence::Up, holds_sends };
        self.begin_recording(id, me, unix_ms, seed);
        self.fabric.fingerprint.began(self.fabric.now, id, me);
        self.notify(&Happening::Began { host: id, me });
        self.rearm(id);
    }

    pub(super) fn try_pause(&mut self, id: HostId, inbox: Inbox) -> bool {
        let host = &mut self.hosts[id.index()];
        if !host.is_running() {
            return false;
        }
        host.paused = true;
        host.inbox_while_paused = inbox;
        self.fabric.alarms.uncertain(id);
        if self.is_up(id) {
            self.ground_truth.fact_mut(id).presence = Presence::Paused;
        }
        true
    }

    pub(super) fn try_resume(&mut self, id: HostId) -> bool {
        let host = &mut self.hosts[id.index()];
        if !host.paused {
            return false;
        }
        host.paused = false;
        if self.ground_truth.fact(id).presence == Presence::Paused {
            self.ground_truth.fact_mut(id).presence = Presence::Up;
        }
        self.rearm(id);
        true
    }

    pub(super) fn try_move(&mut self, id: HostId, addr: SocketAddr) -> bool {
        if !self.hosts[id.index()].is_running() || self.fabric.directory.host_at(addr).is_some() {
            return false;
        }
        let old = std::mem::replace(&mut self.hosts[id.index()].addr, addr);
        self.fabric.directory.unbind(old);
        self.fabric.directory.bind(addr, id);
        self.fabric.transcript.name(addr, id);
        self.ground_truth.fact_mut(id).addr = addr;
        self.give(id, Command::SetAddress(addr)).is_some()
    }

    pub(super) fn set_unplugged(&mut self, id: HostId, unplugged: bool) -> bool {
        let host = &mut self.hosts[id.index()];
        std::mem::replace(&mut host.unplugged, unplugged) != unplugged
    }

    /// A send buffer that drains lets a held datagram go at once.
    pub(super) fn set_send_buffer_full(&mut self, id: HostId, full: bool) -> bool {
        let host = &mut self.hosts[id.index()];
        let changes = std::mem::replace(&mut host.send_buffer_full, full) != full;
        self.ground_truth.fact_mut(id).holds_sends = host.holds_sends();
        if changes {
            self.rearm(id);
        }
        changes
    }

    /// `None`: it is seen where it is. `false`: it is already, or another host is there.
    pub(super) fn set_mask(&mut self, id: HostId, mask: Option<SocketAddr>) -> bool {
        let directory = &mut self.fabric.directory;
        let host = &mut self.hosts[id.index()];
        if host.mask == mask || mask.is_some_and(|addr| directory.host_at(addr).is_some()) {
            return false;
        }
        let old = std::mem::replace(&mut host.mask, mask);
        if host.engine.is_some() {
            old.into_iter().for_each(|old| directory.unbind(old));
            mask.into_iter().for_each(|mask| directory.bind(mask, id));
        }
        true
    }

    pub(super) fn try_restart(
        &mut self,
        id: HostId,
        memory: Option<Memory>,
        addr: Option<SocketAddr>,
    ) -> bool {
        let host = &self.hosts[id.index()];
        let addr = addr.unwrap_or(host.addr);
        if host.engine.is_some() || self.fabric.directory.host_at(addr).is_some() {
            return false;
        }
        let host = &mut self.hosts[id.index()];
        host.addr = addr;
        host.persistent = memory.map_or(host.persistent, |memory| memory == Memory::Kept);
        self.begin_process(id);
        true
    }

    /// Changes how fast the machine under a process is, or its clock.
    pub(super) fn tune(&mut self, id: HostId, change: impl FnOnce(&mut Host, Instant)) -> bool {
        change(&mut self.hosts[id.index()], self.fabric.now);
        self.rearm(id);
        true
    }
}
