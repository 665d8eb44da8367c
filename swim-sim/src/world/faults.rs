//! What is done to the hosts and to the network.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use swim_core::{Command, Config, Epoch, Input, Metadata, Payload, Seed};

use super::World;
use crate::action::{Action, Inbox};
use crate::census::{Fact, Presence};
use crate::evidence::{Fate, Happening};
use crate::host::{Host, HostId, Spec};
use crate::net::{Arrival, Datagram, Directory, Network, Verdict};
use crate::random::{Random, purpose};

/// Interventions, in the fingerprint.
const MARK_ACTION: u64 = 0xac71;
const MARK_FORGED: u64 = 0xf049;

impl World {
    /// Starts a host. Its node knows only itself until it is told to join.
    ///
    /// # Panics
    /// If its address is in use.
    pub fn start(&mut self, spec: Spec) -> HostId {
        let number = HostId(u32::try_from(self.hosts.len()).expect("fewer hosts than 2^32"));
        let host = Host::new(number, &spec);
        let fact = Fact { id: host.id, addr: host.addr, epoch: Epoch(0), presence: Presence::Crashed };
        self.census.enter(fact);
        self.hosts.push(host);
        self.note(number, &format_args!("start {number:?}"));
        self.begin_process(number);
        number
    }

    /// Starts `n` hosts with the defaults and this configuration.
    pub fn start_many(&mut self, n: usize, config: &Arc<Config>) -> Vec<HostId> {
        (0..n).map(|_| self.start(Spec::new(Arc::clone(config)))).collect()
    }

    /// The process of `host` dies without a goodbye. `false`: there is none.
    pub fn crash(&mut self, host: HostId) -> bool {
        self.perform(&Action::Crash(host))
    }

    /// Starts a process on `host` again, at the same address. `false`: there is one, or its address is
    /// taken.
    pub fn restart(&mut self, host: HostId) -> bool {
        self.perform(&Action::Restart(host))
    }

    /// Starts a process on `host` again, at another address. `false`: there is one, or the address is
    /// taken.
    pub fn restart_at(&mut self, host: HostId, addr: SocketAddr) -> bool {
        if self.hosts[host.index()].node.is_none() && self.fabric.directory.host_at(addr).is_none() {
            self.hosts[host.index()].addr = addr;
        }
        self.hosts[host.index()].addr == addr && self.restart(host)
    }

    /// Stops the process of `host`; its socket goes on collecting. `false`: it does not run.
    pub fn pause(&mut self, host: HostId) -> bool {
        self.perform(&Action::Pause { host, inbox: Inbox::Kept })
    }

    /// Lets a stopped process go on. `false`: it is not stopped.
    pub fn resume(&mut self, host: HostId) -> bool {
        self.perform(&Action::Resume(host))
    }

    /// Gives `host` another address, and tells its node. `false`: it does not run, or the address is
    /// taken.
    pub fn move_to(&mut self, host: HostId, addr: SocketAddr) -> bool {
        self.perform(&Action::Move { host, addr })
    }

    /// Sets how far the host's calendar is ahead, in ms; its next life's epoch follows it.
    pub fn set_calendar_ms(&mut self, host: HostId, ahead: i64) {
        self.hosts[host.index()].calendar_ms = ahead;
    }

    /// The links, the partition and the cuts, to be changed.
    pub fn network(&mut self) -> &mut Network {
        &mut self.fabric.network
    }

    /// Splits the hosts into groups that do not hear each other; those not named are one more group.
    pub fn partition(&mut self, groups: &[&[HostId]]) {
        self.perform(&Action::Partition(groups.iter().map(|group| group.to_vec()).collect()));
    }

    /// Ends every partition and cut.
    pub fn heal(&mut self) {
        self.perform(&Action::Heal);
    }

    /// Lets `hook` see every datagram that a host sends, and decide what becomes of it. Replaces an
    /// earlier hook.
    pub fn set_hook(&mut self, hook: impl FnMut(Datagram<'_>) -> Verdict + Send + 'static) {
        self.fabric.hook = Some(Box::new(hook));
    }

    /// Takes the hook away.
    pub fn clear_hook(&mut self) {
        self.fabric.hook = None;
    }

    /// A stranger sends a datagram that seems to come from `source`: no link, no loss, it arrives at once.
    pub fn inject(&mut self, source: SocketAddr, target: SocketAddr, bytes: &[u8]) {
        self.fabric.fingerprint.absorb(MARK_FORGED);
        self.fabric.fingerprint.absorb_bytes(bytes);
        self.fabric.transcript.datagram(self.fabric.now, source, target, bytes, Fate::Forged);
        self.testify(&Happening::Forged { source, target, bytes });
        self.fabric.launch(source, target, bytes, Duration::ZERO);
    }

    /// Collects what arrives at an address where no host is; see [`World::heard`].
    pub fn listen(&mut self, addr: SocketAddr) {
        self.fabric.outside.entry(addr).or_default();
    }

    /// What arrived at an address that is listened to.
    #[must_use]
    pub fn heard(&self, addr: SocketAddr) -> &[Arrival] {
        self.fabric.outside.get(&addr).map_or(&[], Vec::as_slice)
    }

    /// Does something to the world. `false`: it was not applicable, and nothing changed.
    pub fn perform(&mut self, action: &Action) -> bool {
        self.stir += 1;
        match action {
            Action::Crash(host) => self.note(*host, &format_args!("crash {host:?}")),
            Action::Restart(host) => self.note(*host, &format_args!("restart {host:?}")),
            Action::Pause { host, inbox: Inbox::Kept } => self.note(*host, &format_args!("pause {host:?}")),
            Action::Pause { host, inbox: Inbox::Dropped } => {
                self.note(*host, &format_args!("pause {host:?}, deaf meanwhile"));
            }
            Action::Resume(host) => self.note(*host, &format_args!("resume {host:?}")),
            Action::Leave(host) => self.note(*host, &format_args!("leave {host:?}")),
            Action::Unplug(host) => self.note(*host, &format_args!("unplug {host:?}")),
            Action::Plug(host) => self.note(*host, &format_args!("plug {host:?}")),
            other => self.note(HostId(u32::MAX), &format_args!("{other:?}")),
        }
        let done = self.carry_out(action);
        self.testify(&Happening::Acted { action, done });
        done
    }

    fn carry_out(&mut self, action: &Action) -> bool {
        match action {
            Action::Crash(host) => self.end_process(*host, Presence::Crashed),
            Action::Restart(host) => self.try_restart(*host),
            Action::Pause { host, inbox } => self.try_pause(*host, *inbox),
            Action::Resume(host) => self.try_resume(*host),
            Action::Join { host, seeds } => self.tell(*host, Command::Join { seeds }),
            Action::Leave(host) => self.tell(*host, Command::Leave),
            Action::Move { host, addr } => self.try_move(*host, *addr),
            Action::Unplug(host) => self.set_unplugged(*host, true),
            Action::Plug(host) => self.set_unplugged(*host, false),
            Action::Partition(groups) => {
                let groups: Vec<&[HostId]> = groups.iter().map(Vec::as_slice).collect();
                self.fabric.network.partition(&groups);
                true
            }
            Action::Cut { source, target } => {
                self.fabric.network.cut(*source, *target);
                true
            }
            Action::Mend { source, target } => {
                self.fabric.network.mend(*source, *target);
                true
            }
            Action::Heal => {
                self.fabric.network.heal();
                true
            }
            Action::SetDefaultLink(link) => {
                self.fabric.network.set_default_link(*link);
                true
            }
            Action::SetMetadata { host, text } => {
                Metadata::new(text.as_bytes()).is_ok_and(|data| self.tell(*host, Command::SetMetadata(data)))
            }
            Action::Broadcast { host, text } => Payload::new(text.as_bytes())
                .is_ok_and(|payload| self.tell(*host, Command::Broadcast(payload))),
            Action::Send { host, target, text } => {
                let target = self.id(*target);
                let payload = Payload::new(text.as_bytes());
                payload.is_ok_and(|payload| self.tell(*host, Command::Send { target, payload }))
            }
            Action::Remove { host, target } => {
                let target = self.id(*target);
                self.tell(*host, Command::Remove { target })
            }
        }
    }

    /// Hands a command to a node whose process runs.
    pub(super) fn tell(&mut self, host: HostId, command: Command<'_>) -> bool {
        if !self.hosts[host.index()].is_running() {
            return false;
        }
        self.testify(&Happening::Commanded { host, command: &command });
        self.input(host, Input::Command(command));
        self.rearm(host);
        true
    }

    /// Writes an intervention into the transcript and into the fingerprint.
    pub(super) fn note(&mut self, host: HostId, what: &std::fmt::Arguments<'_>) {
        self.fabric.mark(MARK_ACTION, host);
        self.fabric.scratch.clear();
        write!(self.fabric.scratch, "{what}").expect("writing to a string cannot fail");
        self.fabric.fingerprint.absorb_bytes(self.fabric.scratch.as_bytes());
        self.fabric.transcript.action(self.fabric.now, what);
    }

    /// Ends the process of `host`, which then is what `presence` says.
    pub(super) fn end_process(&mut self, id: HostId, presence: Presence) -> bool {
        let host = &mut self.hosts[id.index()];
        if host.node.take().is_none() {
            return false;
        }
        host.paused = false;
        host.timer.armed = None;
        host.timer.generation = host.timer.generation.wrapping_add(1);
        for kept in host.inbox.drain(..) {
            let packet = self.fabric.packets.take(kept);
            self.fabric.packets.recycle(packet);
        }
        self.fabric.directory.unbind(host.addr);
        self.census.fact_mut(id).presence = presence;
        self.testify(&Happening::Ended { host: id, presence });
        true
    }

    fn begin_process(&mut self, id: HostId) {
        let host = &mut self.hosts[id.index()];
        self.fabric.directory.bind(host.addr, id);
        self.fabric.transcript.name(host.addr, id);
        let index = u64::from(id.0) << 32 | u64::from(host.lives);
        let seed = Seed(Random::new(self.setup.seed, purpose::NODE, index).key());
        let unix_ms = self.setup.unix_ms.saturating_add(self.fabric.now.as_nanos() / 1_000_000);
        let me = host.boot(self.fabric.now, unix_ms, seed);
        *self.census.fact_mut(id) =
            Fact { id: me.id, addr: me.addr, epoch: me.epoch, presence: Presence::Up };
        self.testify(&Happening::Began { host: id, me });
        self.rearm(id);
    }

    fn try_restart(&mut self, id: HostId) -> bool {
        let host = &self.hosts[id.index()];
        if host.node.is_some() || self.fabric.directory.host_at(host.addr).is_some() {
            return false;
        }
        self.begin_process(id);
        true
    }

    fn try_pause(&mut self, id: HostId, inbox: Inbox) -> bool {
        let host = &mut self.hosts[id.index()];
        if !host.is_running() {
            return false;
        }
        host.paused = true;
        host.inbox_while_paused = inbox;
        if self.is_up(id) {
            self.census.fact_mut(id).presence = Presence::Paused;
        }
        true
    }

    fn try_resume(&mut self, id: HostId) -> bool {
        let host = &mut self.hosts[id.index()];
        if !host.paused {
            return false;
        }
        host.paused = false;
        if self.census.fact(id).presence == Presence::Paused {
            self.census.fact_mut(id).presence = Presence::Up;
        }
        self.rearm(id);
        true
    }

    fn try_move(&mut self, id: HostId, addr: SocketAddr) -> bool {
        if !self.hosts[id.index()].is_running() || self.fabric.directory.host_at(addr).is_some() {
            return false;
        }
        let old = std::mem::replace(&mut self.hosts[id.index()].addr, addr);
        self.fabric.directory.unbind(old);
        self.fabric.directory.bind(addr, id);
        self.fabric.transcript.name(addr, id);
        self.census.fact_mut(id).addr = addr;
        self.tell(id, Command::SetAddress(addr))
    }

    fn set_unplugged(&mut self, id: HostId, unplugged: bool) -> bool {
        let host = &mut self.hosts[id.index()];
        std::mem::replace(&mut host.unplugged, unplugged) != unplugged
    }
}

impl World {
    /// The address that a host with this number is born at: 10.0.0.1:7946 for host 0.
    #[must_use]
    pub fn birthplace(host: HostId) -> SocketAddr {
        Directory::birthplace(host)
    }
}
