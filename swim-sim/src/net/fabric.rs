//! Everything between the hosts: a datagram goes in here and comes out later, twice, or not at all.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use swim_core::Instant;

use super::channel::{Channels, Throw, Throws, corrupt};
use super::{Directory, Link, Network};
use crate::alarms::Alarms;
use crate::fingerprint::Fingerprint;
use crate::host_id::HostId;
use crate::hostile::Tape;
use crate::queue::{PacketId, Pending, Queue};
use crate::random::is_chosen;
use crate::traffic::{Fate, Traffic, kind_of};
use crate::transcript::Transcript;

/// The network with its clock, its queue and its books.
#[derive(Default)]
pub(crate) struct Fabric {
    pub(crate) now: Instant,
    pub(crate) queue: Queue,
    pub(crate) alarms: Alarms,
    pub(crate) packets: Packets,
    pub(crate) directory: Directory,
    pub(crate) network: Network,
    pub(crate) hook: Option<Hook>,
    /// Addresses outside that are listened to.
    pub(crate) outside: BTreeMap<SocketAddr, Vec<Arrival>>,
    pub(crate) traffic: Traffic,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) transcript: Transcript,
    pub(crate) channels: Channels,
    pub(crate) tape: Tape,
    seed: u64,
    /// By sending host.
    throws: Vec<Throws>,
}

impl Fabric {
    pub(crate) fn new(seed: u64, link: Link) -> Self {
        Self { network: Network::new(link), seed, ..Self::default() }
    }

    /// A host sends, and counts it in `books`.
    pub(crate) fn send(
        &mut self,
        sender: HostId,
        source: SocketAddr,
        target: SocketAddr,
        bytes: &[u8],
        books: &mut Traffic,
    ) -> Fate {
        let kind = kind_of(bytes);
        books.count_sent(kind, bytes.len());
        self.traffic.count_sent(kind, bytes.len());
        self.tape.record(source, target, bytes);
        let replaced;
        let (bytes, extra) = match self.ask_hook(sender, source, target, bytes) {
            Handling::Pass => (bytes, Duration::ZERO),
            Handling::Delay(extra) => (bytes, extra),
            Handling::Replace(other) => {
                replaced = other;
                (replaced.as_slice(), Duration::ZERO)
            }
            Handling::Drop => return self.lose(source, target, bytes, Fate::Dropped),
        };
        let receiver = self.directory.host_at(target);
        if receiver.is_some_and(|receiver| !self.network.passes(sender, receiver)) {
            return self.lose(source, target, bytes, Fate::Cut);
        }
        // Everything is always drawn: a model that is switched on changes no other datagram's fate.
        let Throw { loss, doubling, latencies: [first, second], dice } = self.throw(sender);
        let link = self.network.way(sender, receiver);
        let lost = is_chosen(loss, link.loss_ppm);
        let delay = link.latency.delay(first) + extra;
        let doubled = is_chosen(doubling, link.duplicate_ppm).then(|| link.latency.delay(second) + extra);
        let passage = match self.channels.pass(link, (sender, receiver), self.now, bytes.len(), dice) {
            Ok(_) if lost => return self.lose(source, target, bytes, Fate::Lost),
            Err(fate) => return self.lose(source, target, bytes, fate),
            Ok(passage) => passage,
        };
        self.traffic.spiked.add_if(passage.spiked, bytes.len());
        self.traffic.reordered.add_if(passage.reordered, bytes.len());
        self.traffic.corrupted.add_if(passage.corrupted, bytes.len());
        let changed;
        let (bytes, fate) = if passage.corrupted {
            let mut copy = bytes.to_vec();
            corrupt(&mut copy, dice);
            changed = copy;
            (changed.as_slice(), Fate::Corrupted)
        } else {
            (bytes, Fate::Sent)
        };
        self.transcript.datagram(self.now, source, target, bytes, fate);
        self.launch(source, target, bytes, delay + passage.queued + passage.held_back);
        if let Some(delay) = doubled {
            self.traffic.duplicated.add(bytes.len());
            self.launch(source, target, bytes, delay + passage.queued);
        }
        fate
    }

    /// Puts a datagram on its way past every model: from a host after its link, or from a stranger.
    pub(crate) fn launch(&mut self, source: SocketAddr, target: SocketAddr, bytes: &[u8], delay: Duration) {
        let packet = self.packets.put(source, target, bytes);
        self.queue.push(self.now.after(delay), Pending::Arrive(packet));
    }

    /// Where a datagram that arrives now ends: at a host, or in the books.
    pub(crate) fn receiver(&mut self, id: PacketId) -> Option<HostId> {
        let packet = self.packets.get(id);
        if let Some(host) = self.directory.host_at(packet.target) {
            return Some(host);
        }
        match self.outside.get_mut(&packet.target) {
            Some(arrivals) => {
                arrivals.push(Arrival { at: self.now, source: packet.source, bytes: packet.bytes.clone() })
            }
            None => self.traffic.unheard.add(packet.bytes.len()),
        }
        self.packets.discard(id);
        None
    }

    /// Whose timers fire next, some `count` of them, if that has not been said yet; nothing otherwise.
    pub(crate) fn ahead(&mut self, count: usize, waking: &mut Vec<HostId>) {
        waking.clear();
        let Self { queue, alarms, .. } = self;
        queue.ahead(count, |at, what| match what {
            Pending::Wake { host, generation } if alarms.will_ring(host, generation, at) => {
                waking.push(host);
                true
            }
            _ => false,
        });
    }

    /// Looks at what will decide over the next datagram of `host`.
    pub(crate) fn warm(&self, host: HostId) {
        std::hint::black_box(self.throws.get(host.index()).map(Throws::warm));
    }

    fn lose(&mut self, source: SocketAddr, target: SocketAddr, bytes: &[u8], fate: Fate) -> Fate {
        self.traffic.lost.add(bytes.len());
        match fate {
            Fate::Burst => self.traffic.lost_in_bursts.add(bytes.len()),
            Fate::Congested => self.traffic.congested.add(bytes.len()),
            Fate::TooLong => self.traffic.too_long.add(bytes.len()),
            _ => {}
        }
        self.transcript.datagram(self.now, source, target, bytes, fate);
        fate
    }

    fn ask_hook(&mut self, sender: HostId, source: SocketAddr, target: SocketAddr, bytes: &[u8]) -> Handling {
        let at = self.now;
        match &mut self.hook {
            None => Handling::Pass,
            Some(hook) => hook(Datagram { at, sender, source, target, bytes }),
        }
    }

    fn throw(&mut self, host: HostId) -> Throw {
        while self.throws.len() <= host.index() {
            self.throws.push(Throws::new(self.seed, self.throws.len() as u64));
        }
        self.throws[host.index()].next()
    }
}

/// A datagram between its sender and its target.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) source: SocketAddr,
    pub(crate) target: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

/// A datagram that arrived at an address outside the cluster; see [`crate::World::listen`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// When.
    pub at: Instant,
    /// From where.
    pub source: SocketAddr,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// A pool: a datagram stays where it is from its sending to its reading, and after warming up nothing is
/// allocated for one. The slot that was freed last is used first, while it is in cache.
#[derive(Default)]
pub(crate) struct Packets {
    slots: Vec<Packet>,
    free: Vec<u32>,
}

impl Packets {
    pub(crate) fn put(&mut self, source: SocketAddr, target: SocketAddr, bytes: &[u8]) -> PacketId {
        if let Some(slot) = self.free.pop() {
            let packet = &mut self.slots[slot as usize];
            (packet.source, packet.target) = (source, target);
            packet.bytes.clear();
            packet.bytes.extend_from_slice(bytes);
            return PacketId(slot);
        }
        self.slots.push(Packet { source, target, bytes: bytes.to_vec() });
        PacketId(u32::try_from(self.slots.len() - 1).expect("fewer datagrams in flight than 2^32"))
    }

    pub(crate) fn get(&self, id: PacketId) -> &Packet {
        &self.slots[id.0 as usize]
    }

    /// It has been read, or will not be. To be called once for each packet.
    pub(crate) fn discard(&mut self, id: PacketId) {
        self.free.push(id.0);
    }
}

/// A datagram that a host is about to send.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// When.
    pub at: Instant,
    /// Who sends it.
    pub sender: HostId,
    /// Where it comes from.
    pub source: SocketAddr,
    /// Where it goes to.
    pub target: SocketAddr,
    /// All of it.
    pub bytes: &'a [u8],
}

/// What becomes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Handling {
    /// The network treats it as usual.
    Pass,
    /// It is lost.
    Drop,
    /// These bytes go on in its slot.
    Replace(Vec<u8>),
    /// It passes, this much later than it would.
    Delay(Duration),
}

/// Sees every datagram that a host sends, before cuts, loss and latency.
pub(crate) type Hook = Box<dyn FnMut(Datagram<'_>) -> Handling + Send>;

#[cfg(test)]
mod tests {
    use crate::{Burst, PER_CENT};

    use super::*;

    /// When each of a thousand numbered datagrams arrives, by number.
    fn arrivals(link: Link) -> BTreeMap<u32, Vec<Instant>> {
        let mut fabric = Fabric::new(5, link);
        let target: SocketAddr = "192.0.2.1:1".parse().expect("a valid address");
        fabric.outside.insert(target, Vec::new());
        for number in 0..1000_u32 {
            fabric.send(
                HostId(0),
                HostId(0).birthplace(),
                target,
                &number.to_le_bytes(),
                &mut Traffic::default(),
            );
        }
        while let Some((at, what)) = fabric.queue.pop() {
            fabric.now = at;
            let Pending::Arrive(packet) = what else { panic!("only datagrams are queued") };
            assert!(fabric.receiver(packet).is_none(), "no host is there");
        }
        let mut by_number = BTreeMap::<u32, Vec<Instant>>::new();
        for arrival in &fabric.outside[&target] {
            let number = u32::from_le_bytes(arrival.bytes[..4].try_into().expect("four bytes were sent"));
            by_number.entry(number).or_default().push(arrival.at);
        }
        by_number
    }

    #[test]
    fn a_lossy_link_loses_its_share_and_leaves_every_other_datagram_s_delay_alone() {
        let (whole, lossy) = (arrivals(Link::lan()), arrivals(Link::lan().loss(30 * PER_CENT)));
        assert_eq!(whole.len(), 1000);
        assert!((630..770).contains(&lossy.len()), "{}", lossy.len());
        for (number, at) in lossy {
            assert_eq!(at, whole[&number]);
        }
    }

    #[test]
    fn whatever_else_a_link_does_it_loses_and_delays_the_same_datagrams() {
        let plain = arrivals(Link::lan().loss(20 * PER_CENT));
        let burst = Burst { begin_ppm: PER_CENT, end_ppm: 20 * PER_CENT, loss_ppm: 50 * PER_CENT };
        let held = Duration::from_millis(5);
        let busy = Link::lan().loss(20 * PER_CENT).burst(burst).reordering(30 * PER_CENT, held);
        let mut on_time = 0;
        for (number, at) in arrivals(busy) {
            let expected = &plain[&number];
            on_time += usize::from(at == *expected);
            assert!(at == *expected || at[0] == expected[0].after(held), "datagram {number}");
        }
        assert!((400..plain.len()).contains(&on_time), "{on_time}");
    }

    #[test]
    fn a_doubling_link_doubles_its_share() {
        let doubled = arrivals(Link::lan().duplication(30 * PER_CENT));
        let twice = doubled.values().filter(|arrivals| arrivals.len() == 2).count();
        assert_eq!(doubled.len(), 1000);
        assert!((230..370).contains(&twice), "{twice}");
    }

    #[test]
    fn a_replaced_or_delayed_datagram_arrives_as_the_hook_says() {
        let mut fabric = Fabric::new(5, Link::constant(Duration::from_millis(1)));
        let target: SocketAddr = "192.0.2.1:1".parse().expect("a valid address");
        fabric.hook = Some(Box::new(|datagram| match datagram.bytes {
            b"drop" => Handling::Drop,
            b"replace" => Handling::Replace(b"other".to_vec()),
            b"delay" => Handling::Delay(Duration::from_secs(1)),
            _ => Handling::Pass,
        }));
        let texts: [&[u8]; 4] = [b"delay", b"drop", b"replace", b"pass"];
        for text in texts {
            fabric.send(HostId(0), HostId(0).birthplace(), target, text, &mut Traffic::default());
        }
        let mut arrived = Vec::new();
        while let Some((at, Pending::Arrive(packet))) = fabric.queue.pop() {
            arrived.push((at, fabric.packets.get(packet).bytes.clone()));
        }
        let expected = [(1, b"other".to_vec()), (1, b"pass".to_vec()), (1001, b"delay".to_vec())];
        assert_eq!(arrived, expected.map(|(millis, text)| (Instant::from_millis(millis), text)));
    }
}
