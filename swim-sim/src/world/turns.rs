//! How the processes of hosts run: the engine of the real drivers, step by step.
//!
//! A process turns when a datagram arrives, when its timer fires, and when a full send buffer drains. Between
//! two steps of a turn the world looks at the node and hands out its events, and a slow process stays busy.

use std::net::SocketAddr;

use swim_core::{Command, Done, Event, Instant, NodeId, Refusal};
use swim_driver::{Delivery, Received, Step, Turn};

use super::World;
use crate::ground_truth::{Death, Happening, Presence, Scene};
use crate::host::{HostId, Logged, Process};
use crate::queue::PacketId;

impl World {
    /// A datagram has reached its target address.
    pub(super) fn arrive(&mut self, packet: PacketId) {
        let Some(id) = self.fabric.receiver(packet) else { return };
        let host = &mut self.hosts[id.index()];
        if !host.unplugged && host.inbox.len() < host.inbox_max(self.setup.inbox_max) {
            host.inbox.push_back(packet);
            return self.run(id);
        }
        let len = self.fabric.packets.get(packet).bytes.len();
        if host.unplugged {
            self.fabric.traffic.lost.add(len);
        } else {
            self.fabric.traffic.overflowed.add(len);
            host.traffic.overflowed.add(len);
        }
        self.fabric.packets.discard(packet);
    }

    /// A host's timer fires.
    pub(super) fn wake(&mut self, id: HostId, generation: u32) {
        let now = self.fabric.now;
        if self.fabric.alarms.rings(&mut self.fabric.queue, id, generation, now) {
            self.run(id);
        }
    }

    /// Lets the process of a host turn, unless it is stopped or busy.
    fn run(&mut self, id: HostId) {
        let now = self.fabric.now;
        let host = &mut self.hosts[id.index()];
        if let Some(mut turn) = host.begin_turn(now) {
            while self.take_step(id, &mut turn) {}
        }
        self.rearm(id);
    }

    /// Takes the next step of a turn, if there is one.
    fn take_step(&mut self, id: HostId, turn: &mut Turn) -> bool {
        let now = self.fabric.now;
        let host = &mut self.hosts[id.index()];
        let Some(step) = host.next_step(now, turn) else { return false };
        if step == Step::Tick {
            self.ticking = Some(id);
            host.slowness.ticked();
            self.fabric.fingerprint.ticked(now, id, host.local(now));
            self.notify(&Happening::Ticked { host: id });
        }
        self.with_engine(id, |engine, machine| engine.step(machine, turn, step));
        self.settle(id);
        self.ticking = None;
        if step == Step::Flush {
            self.ground_truth.fact_mut(id).holds_sends = self.hosts[id.index()].holds_sends();
        }
        true
    }

    /// Gives a command to the node of a process that runs. `None`: it does not run.
    pub(super) fn give(&mut self, id: HostId, command: Command<'_>) -> Option<Result<Done, Refusal>> {
        if !self.hosts[id.index()].is_running() {
            return None;
        }
        self.notify(&Happening::Commanded { host: id, command: &command });
        let local = self.local(id);
        self.fabric.fingerprint.commanded(self.fabric.now, id, local, &command);
        let result = self.with_engine(id, |engine, machine| engine.command(machine, command))?;
        self.fabric.fingerprint.returned(&command, &result);
        self.notify(&Happening::Returned { host: id, result });
        self.settle(id);
        self.rearm(id);
        Some(result)
    }

    /// An input, and everything that it caused, is over.
    fn settle(&mut self, id: HostId) {
        let host = &mut self.hosts[id.index()];
        let Some(engine) = &host.engine else { return };
        let (node, finished) = (engine.node(), engine.is_finished());
        let is_changed = node.revision() != host.revision;
        host.revision = node.revision();
        self.stir += u64::from(is_changed);
        if finished {
            // As with the drivers: the process ends once its goodbye has been said, or its name is lost.
            self.end_process(id, Presence::Gone);
        } else {
            self.fabric.fingerprint.settled(node.deadline());
            if self.setup.fingerprint_states {
                self.fabric.fingerprint.state(node, is_changed);
            }
        }
        self.settled(id);
    }

    /// Arms the host's timer for its node's deadline, or for at once if there is something to do.
    pub(super) fn rearm(&mut self, id: HostId) {
        let host = &self.hosts[id.index()];
        if !host.is_running() {
            return self.fabric.alarms.uncertain(id);
        }
        let now = self.fabric.now;
        let wanted = if host.has_work() { Some(now) } else { host.deadline().map(|at| at.max(now)) };
        match wanted.map(|at| at.max(host.slowness.busy_until())) {
            Some(wanted) => self.fabric.alarms.set(&mut self.fabric.queue, id, wanted),
            None => self.fabric.alarms.uncertain(id),
        }
    }

    /// Takes the engine of a host out of it, so that it can act on the machine under it, and hands out its events.
    /// `None`: there is no process.
    fn with_engine<T>(
        &mut self,
        id: HostId,
        act: impl FnOnce(&mut Process, &mut Machine<'_>) -> T,
    ) -> Option<T> {
        let mut engine = self.hosts[id.index()].engine.take()?;
        let mut machine = Machine { world: self, id, lent: None };
        let outcome = act(&mut engine, &mut machine);
        if let Some(packet) = machine.lent {
            self.fabric.packets.discard(packet);
        }
        // Most inputs cause no event.
        let reports = engine.has_events();
        self.hosts[id.index()].engine = Some(engine);
        if reports {
            self.report_all(id);
        }
        Some(outcome)
    }

    fn report_all(&mut self, id: HostId) {
        while let Some(event) = self.hosts[id.index()].engine.as_mut().and_then(|engine| engine.next_event())
        {
            self.report(id, event);
        }
    }

    /// A node reports an event to its user.
    fn report(&mut self, id: HostId, event: Event) {
        self.stir += 1;
        self.fabric.transcript.event(self.fabric.now, id, &event);
        self.fabric.fingerprint.event(&event);
        self.notify(&Happening::Reported { host: id, event: &event });
        match event {
            Event::Dead { id: subject, by, accuser } => self.note_death(id, subject, by, accuser),
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

    /// Writes down what was really so when a member was called Dead.
    fn note_death(&mut self, observer: HostId, subject: NodeId, by: NodeId, accuser: NodeId) {
        let held = self.node(observer).and_then(|node| node.member(subject)).map(|row| row.epoch);
        let host = self.ground_truth.host_named(subject);
        let fact = host.map(|host| *self.ground_truth.fact(host));
        self.deaths.push(Death {
            at: self.fabric.now,
            observer,
            subject,
            by,
            accuser,
            truth: fact.map(|fact| fact.presence),
            earlier_epoch: held.zip(fact).is_some_and(|(held, fact)| held != fact.epoch),
            cut_off: host.is_some_and(|host| {
                !self.fabric.network.passes(observer, host) || !self.fabric.network.passes(host, observer)
            }),
        });
    }
}

/// What an engine asks of the host under it: a clock, the socket's inbox, the network.
struct Machine<'a> {
    world: &'a mut World,
    id: HostId,
    /// The datagram that was read, until the step is over.
    lent: Option<PacketId>,
}

impl swim_driver::Host for Machine<'_> {
    fn now(&mut self) -> Instant {
        self.world.local(self.id)
    }

    fn receive(&mut self) -> Received<'_> {
        debug_assert!(self.lent.is_none(), "a step reads one datagram");
        let World { hosts, fabric, ground_truth, watchers, phase, .. } = &mut *self.world;
        let (phase, ticking) = (*phase, None);
        let host = &mut hosts[self.id.index()];
        let Some(packet) = host.inbox.pop_front() else { return Received::Empty };
        self.lent = Some(packet);
        let read = fabric.packets.get(packet);
        let (source, bytes) = (read.source, read.bytes.as_slice());
        fabric.traffic.received.add(bytes.len());
        host.traffic.received.add(bytes.len());
        host.slowness.read(fabric.now);
        if !watchers.is_empty() {
            let scene = Scene { now: fabric.now, phase, ticking, ground_truth, network: &fabric.network };
            watchers.on_happening(&scene, &Happening::Arrived { host: self.id, source, bytes });
        }
        let (now, local) = (fabric.now, host.local(fabric.now));
        fabric.fingerprint.received(now, self.id, local, source, bytes);
        Received::Datagram { source, bytes }
    }

    fn send(&mut self, target: SocketAddr, bytes: &[u8]) -> Delivery {
        let (world, id) = (&mut *self.world, self.id);
        let host = &mut world.hosts[id.index()];
        if host.send_buffer_full {
            world.notify(&Happening::Held { host: id, target });
            return Delivery::Blocked;
        }
        world.fabric.fingerprint.transmit(target, bytes);
        if host.unplugged {
            let local = host.local(world.fabric.now);
            world.notify(&Happening::Unsendable { host: id, target });
            world.fabric.fingerprint.undelivered(world.fabric.now, id, local, target);
            return Delivery::Refused;
        }
        let source = host.mask.unwrap_or(host.addr);
        let fate = world.fabric.send(id, source, target, bytes, &mut host.traffic);
        world.notify(&Happening::Sent { host: id, source, target, bytes, fate });
        Delivery::Sent
    }
}
