//! A loop without a protocol: what a run costs before any node does anything. For `swim-bench`.
//!
//! Queue, links, books, fingerprint, timers and hosts are a [`World`](crate::World)'s, and so are looking ahead and the rhythm:
//! in each period every host pings another one, is woken once more to see whether the answer has come, asks
//! again if it has not, and answers all that ask. Every host holds all others in a table of as many bytes as a
//! node's, and for every datagram the sender is found in it by its name and its row is written. But nothing is
//! decided: what a world costs beyond this is its nodes.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use swim_core::{Config, Input, Instant};

use crate::host::{Host, HostId, Spec};
use crate::net::Fabric;
use crate::queue::{PacketId, Pending};
use crate::random::{Random, purpose};
use crate::traffic::Traffic;
use crate::world::{HOSTS_MIN, Setup, TOGETHER};

/// Between two pings of a host.
const PERIOD: Duration = Duration::from_secs(1);
/// How long it waits for the answer before it asks again: as long as a node does whose answers come at once.
const RETRY: Duration = Duration::from_millis(20);
/// Words of a row: 48 bytes.
const ROW: usize = 12;
/// Bytes of a ping or an ack: what a node's are on average.
const LEN: usize = 59;
/// Where the parts of a datagram are, after "SW", version and flags.
const KIND: usize = 4;
const SENDER: usize = 8;
const PING: u8 = 1;
const ACK: u8 = 2;
const NONE: u32 = u32::MAX;

/// Hosts that ping and answer, and nothing else.
pub struct Floor {
    fabric: Fabric,
    hosts: Vec<Host>,
    seats: Vec<Seat>,
    waking: Vec<HostId>,
    probed: Vec<(HostId, HostId)>,
}

/// What stands in a node's place.
struct Seat {
    table: Table,
    random: u64,
    period_at: Instant,
    /// When the target of the ping that has no answer yet is asked again, and which it is.
    asked: Option<(Instant, u32)>,
}

/// All hosts by name, as a node holds them: numbers in a hash table, rows elsewhere.
struct Table {
    index: Vec<u32>,
    rows: Vec<[u32; ROW]>,
}

impl Table {
    fn of(hosts: u32) -> Self {
        let mut index = vec![NONE; (hosts as usize * 8 / 7).next_power_of_two()];
        for host in 0..hosts {
            let slot = Self::slot(host, index.len());
            index[slot] = host;
        }
        Self { index, rows: (0..hosts).map(|host| [host; ROW]).collect() }
    }

    /// The row of the host of this name.
    fn find(&mut self, name: u32) -> Option<&mut [u32; ROW]> {
        let number = self.number(name)?;
        self.rows.get_mut(number as usize)
    }

    fn number(&self, name: u32) -> Option<u32> {
        let number = self.index[Self::slot(name, self.index.len())];
        (self.rows.get(number as usize)?[0] == name).then_some(number)
    }

    /// Of as many slots as a power of two: an odd factor gives each host's name one of its own.
    const fn slot(name: u32, slots: usize) -> usize {
        (name as usize).wrapping_mul(0x9e37_79b9) & (slots - 1)
    }
}

impl Seat {
    /// The next target: any host but `me`.
    fn draw(&mut self, me: HostId) -> u32 {
        let (random, drawn) = self.ahead(me);
        self.random = random;
        drawn
    }

    /// What will be drawn next, and what follows from it.
    fn ahead(&self, me: HostId) -> (u64, u32) {
        let random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let others = self.table.rows.len() as u64 - 1;
        let drawn = u32::try_from(((random >> 32) * others) >> 32).unwrap_or(0);
        (random, drawn + u32::from(drawn >= me.0))
    }

    fn deadline(&self) -> Instant {
        self.asked.map_or(self.period_at, |(retry_at, _)| retry_at.min(self.period_at))
    }
}

impl Floor {
    /// At least two hosts that know each other, with these links between them.
    #[must_use]
    pub fn new(setup: &Setup, hosts: u32) -> Self {
        let config = Arc::new(Config::lan());
        let mut floor = Self {
            fabric: Fabric::new(setup.seed, setup.link),
            hosts: Vec::new(),
            seats: Vec::new(),
            waking: Vec::new(),
            probed: Vec::new(),
        };
        for id in (0..hosts.max(2)).map(HostId) {
            let index = u64::from(id.0);
            let mut random = Random::new(setup.seed, purpose::NODE, index);
            let late = Random::new(setup.seed, purpose::LATE, index);
            let period_at = Instant::ORIGIN.after(Duration::from_nanos(random.below(1_000_000_000)));
            let host = Host::new(id, &Spec::new(Arc::clone(&config)), late);
            floor.fabric.directory.bind(host.addr, id);
            floor.hosts.push(host);
            let table = Table::of(hosts.max(2));
            floor.seats.push(Seat { table, random: random.bits(), period_at, asked: None });
            floor.rearm(id);
        }
        floor
    }

    /// The clock.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.fabric.now
    }

    /// When the next thing happens.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.fabric.queue.next_at()
    }

    /// What was sent, lost and received by all.
    #[must_use]
    pub const fn traffic(&self) -> &Traffic {
        &self.fabric.traffic
    }

    /// Does the next thing, and returns its time.
    pub fn step(&mut self) -> Option<Instant> {
        self.warm();
        let (at, what) = self.fabric.queue.pop()?;
        self.fabric.now = at;
        match what {
            Pending::Arrive(packet) => self.arrive(packet),
            Pending::Wake { host, generation } => self.wake(host, generation),
            Pending::Act(_) => {}
        }
        Some(at)
    }

    /// Looks ahead, as a world does.
    fn warm(&mut self) {
        if self.hosts.len() < HOSTS_MIN {
            return;
        }
        let Self { fabric, hosts, seats, waking, probed } = self;
        fabric.ahead(TOGETHER, waking);
        if waking.is_empty() {
            return;
        }
        for id in &*waking {
            black_box((hosts[id.index()].warm(), seats[id.index()].random));
            fabric.warm(*id);
        }
        probed.clear();
        for id in &*waking {
            let seat = &seats[id.index()];
            let (_, target) = seat.ahead(*id);
            black_box(seat.table.number(target));
            probed.push((HostId(target), *id));
        }
        for (id, _) in &*probed {
            black_box((hosts[id.index()].warm(), seats[id.index()].random));
            fabric.warm(*id);
        }
        for (id, sender) in &*probed {
            black_box(seats[id.index()].table.number(sender.0));
        }
    }

    fn arrive(&mut self, packet: PacketId) {
        let Some(id) = self.fabric.receiver(packet) else { return };
        let host = &mut self.hosts[id.index()];
        let (source, bytes) = self.fabric.packets.lend(packet);
        self.fabric.traffic.received.add(bytes.len());
        host.traffic.received.add(bytes.len());
        let now = host.local(self.fabric.now);
        let input = Input::Datagram { source, bytes: &bytes };
        self.fabric.fingerprint.input(self.fabric.now, id, now, &input);
        let seat = &mut self.seats[id.index()];
        let name = bytes[SENDER..SENDER + 4].try_into().map_or(NONE, u32::from_le_bytes);
        let kind = bytes[KIND];
        self.fabric.packets.give_back(packet, bytes);
        if let Some(row) = seat.table.find(name) {
            row[1] = (now.as_nanos() >> 20) as u32;
            if kind == PING {
                self.send(id, name, ACK);
            } else if seat.asked.is_some_and(|(_, target)| target == name) {
                seat.asked = None;
            }
        }
        self.rearm(id);
    }

    fn wake(&mut self, id: HostId, generation: u32) {
        let now = self.fabric.now;
        if !self.fabric.alarms.rings(&mut self.fabric.queue, id, generation, now) {
            return;
        }
        let (host, seat) = (&mut self.hosts[id.index()], &mut self.seats[id.index()]);
        if seat.deadline() <= now {
            host.slowness.ticked();
            self.fabric.fingerprint.input(now, id, host.local(now), &Input::Tick);
            let again = seat.asked.filter(|_| seat.period_at > now).map(|(_, target)| target);
            let target = again.unwrap_or_else(|| {
                seat.period_at = seat.period_at.after(PERIOD);
                seat.draw(id)
            });
            if let Some(row) = seat.table.find(target) {
                row[2] = row[2].wrapping_add(1);
            }
            seat.asked = Some((now.after(RETRY), target));
            self.send(id, target, PING);
        }
        self.rearm(id);
    }

    fn send(&mut self, id: HostId, target: u32, kind: u8) {
        let mut bytes = [0; LEN];
        bytes[..KIND].copy_from_slice(b"SW\x01\x00");
        bytes[KIND] = kind;
        bytes[SENDER..SENDER + 4].copy_from_slice(&id.0.to_le_bytes());
        let host = &mut self.hosts[id.index()];
        host.traffic.count_sent(&bytes);
        let target = HostId(target).birthplace();
        self.fabric.fingerprint.transmit(target, &bytes);
        self.fabric.send(id, host.addr, target, &bytes);
    }

    fn rearm(&mut self, id: HostId) {
        let host = &self.hosts[id.index()];
        let deadline = host.clock.when(self.seats[id.index()].deadline()).after(host.slowness.late());
        let wanted = deadline.max(self.fabric.now).max(host.slowness.busy_until());
        self.fabric.alarms.set(&mut self.fabric.queue, id, wanted);
    }
}
