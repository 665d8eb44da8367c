//! How the processes of hosts run: the engine of the real drivers, step by step.
//!
//! A process turns when a datagram arrives, when its timer fires, and when a full send buffer drains. Between
//! two steps of a turn the world looks at the node and hands out its events, and a slow process stays busy.

use std::collections::VecDeque;
use std::net::SocketAddr;

use swim_core::{Command, Done, Event, Input, Instant, NodeId, Refusal};
use swim_driver::{Delivery, Ready, Received, Step, Turn};

use super::World;
use super::watching::Watchers;
use crate::ground_truth::{Death, GroundTruth, Happening, Phase, Presence, Scene};
use crate::host::{HostId, Logged, Process};
use crate::net::Fabric;
use crate::queue::PacketId;
use crate::traffic::Traffic;

/// Turns in a row at one instant after which a process is said to hang: each does a bounded part of what is
/// due, so a million members' worth of expiries needs some 20,000.
const TURNS_AT_ONE_INSTANT_MAX: u32 = 100_000;

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
        let host = &self.hosts[id.index()];
        if host.is_running() && host.slowness.busy_until() <= self.fabric.now {
            self.turn(id);
        }
        self.rearm(id);
    }

    /// One turn, or the rest of one. A slow process leaves it after each datagram.
    fn turn(&mut self, id: HostId) {
        self.count_turn(id);
        let now = self.fabric.now;
        let host = &mut self.hosts[id.index()];
        let local = host.local(now);
        let ready = Ready { readable: !host.inbox.is_empty(), writable: !host.send_buffer_full };
        let Some(engine) = &mut host.engine else { return };
        let mut turn = host.turn.take().unwrap_or_else(|| engine.begin(local, ready));
        while let Some(step) = self.hosts[id.index()].engine.as_ref().and_then(|engine| engine.next(&turn)) {
            if self.take_step(id, &mut turn, step) && self.settle(id) && step == Step::Read {
                let host = &mut self.hosts[id.index()];
                host.slowness.read(self.fabric.now);
                if host.slowness.busy_until() > self.fabric.now {
                    turn.pause();
                    host.turn = Some(turn);
                    return;
                }
                if host.inbox.is_empty() {
                    turn.drained();
                }
            }
        }
        let host = &mut self.hosts[id.index()];
        host.turns_again = host.engine.as_mut().is_some_and(|engine| engine.end(&turn));
    }

    fn take_step(&mut self, id: HostId, turn: &mut Turn, step: Step) -> bool {
        if step == Step::Tick {
            self.hosts[id.index()].slowness.ticked();
            let local = self.local(id);
            self.fabric.fingerprint.input(self.fabric.now, id, local, &Input::Tick);
            self.notify(&Happening::Ticked { host: id });
        }
        self.with_engine(id, |engine, machine| engine.step(machine, turn, step)).unwrap_or(false)
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
        self.report_all(id);
        self.fabric.fingerprint.returned(&command, &result);
        self.notify(&Happening::Returned { host: id, result });
        self.settle(id);
        self.rearm(id);
        Some(result)
    }

    /// An input, and everything that it caused, is over. `false`: so is the process.
    fn settle(&mut self, id: HostId) -> bool {
        self.report_all(id);
        let host = &mut self.hosts[id.index()];
        let Some(engine) = &host.engine else { return false };
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
                self.fabric.fingerprint.stats(&node.stats());
                if is_changed {
                    self.fabric.fingerprint.members(node);
                }
            }
        }
        self.settled(id);
        let truth = self.ground_truth.fact_mut(id);
        if truth.holds_sends {
            truth.holds_sends = self.hosts[id.index()].holds_sends();
        }
        !finished
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

    /// Lends the engine of a host and the machine under it. `None`: there is no process.
    fn with_engine<T>(
        &mut self,
        id: HostId,
        act: impl FnOnce(&mut Process, &mut Machine<'_>) -> T,
    ) -> Option<T> {
        let Self { hosts, fabric, ground_truth, watchers, phase, .. } = self;
        let host = &mut hosts[id.index()];
        let engine = host.engine.as_deref_mut()?;
        let mut machine = Machine {
            id,
            local: host.clock.read(fabric.now),
            source: host.mask.unwrap_or(host.addr),
            unplugged: host.unplugged,
            send_buffer_full: host.send_buffer_full,
            inbox: &mut host.inbox,
            traffic: &mut host.traffic,
            lent: None,
            fabric,
            ground_truth,
            watchers,
            phase: *phase,
        };
        let outcome = act(engine, &mut machine);
        if let Some(packet) = machine.lent {
            fabric.packets.discard(packet);
        }
        Some(outcome)
    }

    fn report_all(&mut self, id: HostId) {
        // Most inputs cause no event, and an event is large to move.
        while let Some(engine) = &mut self.hosts[id.index()].engine
            && engine.has_events()
        {
            if let Some(event) = engine.next_event() {
                self.report(id, event);
            }
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

    fn count_turn(&mut self, id: HostId) {
        let now = self.fabric.now;
        let turned = &mut self.hosts[id.index()].turned;
        let times = match *turned {
            Some((at, times)) if at == now => times + 1,
            _ => 1,
        };
        assert!(
            times <= TURNS_AT_ONE_INSTANT_MAX,
            "{id:?} hangs: it has something to do at {now:?} for ever"
        );
        *turned = Some((now, times));
    }
}

/// What an engine asks of the host under it: a clock, the socket's inbox, the network.
struct Machine<'a> {
    id: HostId,
    /// What the process's clock shows.
    local: Instant,
    /// Where its datagrams seem to come from.
    source: SocketAddr,
    unplugged: bool,
    send_buffer_full: bool,
    inbox: &'a mut VecDeque<PacketId>,
    traffic: &'a mut Traffic,
    /// The datagram that was read, until the step is over.
    lent: Option<PacketId>,
    fabric: &'a mut Fabric,
    ground_truth: &'a GroundTruth,
    watchers: &'a mut Watchers,
    phase: Phase,
}

impl Machine<'_> {
    fn notify(&mut self, what: &Happening<'_>) {
        if !self.watchers.is_empty() {
            let Self { fabric, ground_truth, watchers, phase, .. } = self;
            watchers.on_happening(
                &Scene { now: fabric.now, phase: *phase, ground_truth, network: &fabric.network },
                what,
            );
        }
    }
}

impl swim_driver::Host for Machine<'_> {
    fn now(&mut self) -> Instant {
        self.local
    }

    fn receive(&mut self) -> Received<'_> {
        debug_assert!(self.lent.is_none(), "a step reads one datagram");
        let Some(packet) = self.inbox.pop_front() else { return Received::Empty };
        self.lent = Some(packet);
        let Self { id, local, fabric, traffic, ground_truth, watchers, phase, .. } = self;
        let read = fabric.packets.get(packet);
        let (source, bytes) = (read.source, read.bytes.as_slice());
        fabric.traffic.received.add(bytes.len());
        traffic.received.add(bytes.len());
        if !watchers.is_empty() {
            let scene = Scene { now: fabric.now, phase: *phase, ground_truth, network: &fabric.network };
            watchers.on_happening(&scene, &Happening::Arrived { host: *id, source, bytes });
        }
        fabric.fingerprint.input(fabric.now, *id, *local, &Input::Datagram { source, bytes });
        Received::Datagram { source, bytes }
    }

    fn send(&mut self, target: SocketAddr, bytes: &[u8]) -> Delivery {
        let host = self.id;
        if self.send_buffer_full {
            self.notify(&Happening::Held { host, target });
            return Delivery::Blocked;
        }
        self.fabric.fingerprint.transmit(target, bytes);
        if self.unplugged {
            self.notify(&Happening::Unsendable { host, target });
            let undelivered = Input::Undelivered { target };
            self.fabric.fingerprint.input(self.fabric.now, host, self.local, &undelivered);
            return Delivery::Refused;
        }
        self.traffic.count_sent(bytes);
        let source = self.source;
        let fate = self.fabric.send(host, source, target, bytes);
        self.notify(&Happening::Sent { host, source, target, bytes, fate });
        Delivery::Sent
    }
}
