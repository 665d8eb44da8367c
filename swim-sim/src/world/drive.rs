//! How a host's node is driven: what both real drivers do, without sockets.

use std::net::SocketAddr;

use swim_core::{Event, Input, NodeId, Output};

use super::World;
use crate::ground_truth::{Death, Presence};
use crate::ground_truth::{Happening, Scene};
use crate::host::{HostId, Logged};
use crate::queue::PacketId;

/// Ticks in a row at one instant after which a node is said to hang: each does a bounded part of what is
/// due, so a million members' worth of expiries needs some 20,000.
const TICKS_AT_ONE_INSTANT_MAX: u32 = 100_000;
/// Refused sends in a row that one input may cause.
const REFUSALS_MAX: u32 = 10_000;

impl World {
    /// A datagram has reached its target address.
    pub(super) fn arrive(&mut self, packet: PacketId) {
        let Some(id) = self.fabric.receiver(packet) else { return };
        let host = &mut self.hosts[id.index()];
        if !host.unplugged && !host.makes_wait() {
            self.read(id, packet);
            return self.rearm(id);
        }
        let len = self.fabric.packets.get(packet).bytes.len();
        if host.unplugged {
            self.fabric.traffic.lost.add(len);
        } else if host.inbox.len() < host.inbox_max(self.setup.inbox_max) {
            host.inbox.push_back(packet);
            return self.rearm(id);
        } else {
            self.fabric.traffic.overflowed.add(len);
            host.traffic.overflowed.add(len);
        }
        self.fabric.packets.discard(packet);
    }

    /// A host's timer fires: what has arrived is read first, then the clock ticks if its time has come.
    pub(super) fn wake(&mut self, id: HostId, generation: u32) {
        let now = self.fabric.now;
        if !self.fabric.alarms.rings(&mut self.fabric.queue, id, generation, now) {
            return;
        }
        let host = &mut self.hosts[id.index()];
        if !host.is_running() {
            return;
        }
        if host.slowness.busy_until() > now {
            return self.rearm(id);
        }
        let is_due = host.deadline().is_some_and(|deadline| deadline <= now);
        for _ in 0..host.slowness.reads(is_due) {
            let Some(kept) = self.hosts[id.index()].inbox.pop_front() else { break };
            self.read(id, kept);
            self.hosts[id.index()].slowness.read(now, is_due);
        }
        let host = &mut self.hosts[id.index()];
        let idle = host.slowness.busy_until() <= now;
        if idle && host.deadline().is_some_and(|deadline| deadline <= now) {
            host.slowness.ticked();
            self.count_tick(id);
            self.notify(&Happening::Ticked { host: id });
            self.input(id, Input::Tick);
        }
        self.rearm(id);
    }

    /// One input, and everything that comes out of it.
    pub(super) fn input(&mut self, id: HostId, input: Input<'_>) {
        let host = &mut self.hosts[id.index()];
        let local = host.local(self.fabric.now);
        let Some(node) = &mut host.node else { return };
        if let Some(recorder) = &mut host.recorder {
            recorder.input(node, local, &input);
        }
        self.fabric.fingerprint.input(self.fabric.now, id, local, &input);
        node.handle(local, input);
        let mut refusals = 0;
        while let Some(refused) = self.pump(id) {
            refusals += refused.len();
            assert!(refusals <= REFUSALS_MAX as usize, "{id:?} answers refused sends with sends for ever");
            for target in refused {
                let host = &mut self.hosts[id.index()];
                let Some(node) = &mut host.node else { continue };
                let input = Input::Undelivered { target };
                if let Some(recorder) = &mut host.recorder {
                    recorder.input(node, local, &input);
                }
                self.fabric.fingerprint.input(self.fabric.now, id, local, &input);
                node.handle(local, input);
            }
        }
        let host = &mut self.hosts[id.index()];
        if let Some(node) = &host.node {
            let is_changed = node.revision() != host.revision;
            self.fabric.fingerprint.settled(node.deadline());
            if self.setup.fingerprint_states {
                self.fabric.fingerprint.stats(&node.stats());
            }
            if is_changed && self.setup.fingerprint_states {
                self.fabric.fingerprint.members(node);
            }
            if is_changed {
                host.revision = node.revision();
                self.stir += 1;
            }
        }
        self.settled(id);
    }

    /// Arms the host's timer for its node's deadline, or for at once if something waits to be read.
    pub(super) fn rearm(&mut self, id: HostId) {
        let host = &self.hosts[id.index()];
        if !host.is_running() {
            return self.fabric.alarms.doubt(id);
        }
        let now = self.fabric.now;
        let wanted = if host.inbox.is_empty() { host.deadline().map(|at| at.max(now)) } else { Some(now) };
        match wanted.map(|at| at.max(host.slowness.busy_until())) {
            Some(wanted) => self.fabric.alarms.set(&mut self.fabric.queue, id, wanted),
            None => self.fabric.alarms.doubt(id),
        }
    }

    fn read(&mut self, id: HostId, packet: PacketId) {
        let (source, bytes) = self.fabric.packets.lend(packet);
        self.fabric.traffic.received.add(bytes.len());
        self.hosts[id.index()].traffic.received.add(bytes.len());
        self.notify(&Happening::Arrived { host: id, source, bytes: &bytes });
        self.input(id, Input::Datagram { source, bytes: &bytes });
        self.fabric.packets.give_back(packet, bytes);
    }

    /// Polls until there is nothing more. `Some`: the targets that the host's stack refused to send to.
    fn pump(&mut self, id: HostId) -> Option<Vec<SocketAddr>> {
        let mut refused = Vec::new();
        while let Some(event) = self.transmit(id, &mut refused) {
            self.report(id, event);
        }
        let host = &mut self.hosts[id.index()];
        let quiet = host.node.as_ref().is_some_and(|node| !node.is_running());
        if host.recorder.is_some() {
            self.settle_recording(id);
        }
        if quiet {
            // As the drivers do: the process ends once its goodbye has been said, or its name is lost.
            self.end_process(id, Presence::Gone);
            return None;
        }
        if refused.is_empty() { None } else { Some(refused) }
    }

    /// Sends what the node has to send, up to the next event, or to the end of what it has to say.
    fn transmit(&mut self, id: HostId, refused: &mut Vec<SocketAddr>) -> Option<Event> {
        let Self { hosts, fabric, ground_truth, watchers, phase, .. } = self;
        let host = &mut hosts[id.index()];
        let node = host.node.as_deref_mut()?;
        while let Some(output) = node.poll() {
            if let Some(recorder) = &mut host.recorder {
                recorder.output(&output);
            }
            let (target, bytes) = match output {
                Output::Transmit(datagram) => (datagram.target, datagram.bytes),
                Output::Event(event) => return Some(event),
            };
            fabric.fingerprint.transmit(target, bytes);
            let happening = if host.unplugged {
                refused.push(target);
                Happening::Unsendable { host: id, target }
            } else {
                host.traffic.count_sent(bytes);
                let source = host.mask.unwrap_or(host.addr);
                let fate = fabric.send(id, source, target, bytes);
                Happening::Sent { host: id, source, target, bytes, fate }
            };
            if !watchers.is_empty() {
                let scene = Scene { now: fabric.now, phase: *phase, ground_truth, network: &fabric.network };
                watchers.on_happening(&scene, &happening);
            }
        }
        None
    }

    /// A node has something to tell its user.
    fn report(&mut self, id: HostId, event: Event) {
        self.stir += 1;
        self.fabric.transcript.event(self.fabric.now, id, &event);
        self.fabric.fingerprint.event(&event);
        self.notify(&Happening::Reported { host: id, event: &event });
        match event {
            Event::Dead { id: subject, by, accuser } => self.judge(id, subject, by, accuser),
            Event::EpochRaised { epoch } => {
                let host = &mut self.hosts[id.index()];
                host.epoch_max = host.epoch_max.max(epoch);
                self.ground_truth.fact_mut(id).epoch = epoch;
            }
            _ => {}
        }
        if self.logs {
            self.hosts[id.index()].log.push(Logged { at: self.fabric.now, event });
        }
    }

    /// Writes down what was really so when somebody was called Dead.
    fn judge(&mut self, observer: HostId, subject: NodeId, by: NodeId, accuser: NodeId) {
        let held = self.hosts[observer.index()].node.as_ref().and_then(|node| node.member(subject));
        let host = self.ground_truth.host_named(subject);
        let fact = host.map(|host| *self.ground_truth.fact(host));
        self.deaths.push(Death {
            at: self.fabric.now,
            observer,
            subject,
            by,
            accuser,
            truth: fact.map(|fact| fact.presence),
            earlier_epoch: held.zip(fact).is_some_and(|(held, fact)| held.epoch != fact.epoch),
            cut_off: host.is_some_and(|host| {
                !self.fabric.network.passes(observer, host) || !self.fabric.network.passes(host, observer)
            }),
        });
    }

    fn count_tick(&mut self, id: HostId) {
        let now = self.fabric.now;
        let ticked = &mut self.hosts[id.index()].ticked;
        let times = match *ticked {
            Some((at, times)) if at == now => times + 1,
            _ => 1,
        };
        assert!(times <= TICKS_AT_ONE_INSTANT_MAX, "{id:?} hangs: its deadline never leaves {now:?}");
        *ticked = Some((now, times));
    }
}
