//! Everything between the hosts: a datagram goes in here and comes out later, twice, or not at all.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use swim_core::Instant;

use super::channel::{Channels, Passage, corrupt};
use super::throws::{Throw, Throws};
use super::{Arrival, Datagram, Directory, Hook, Link, Network, Packets, Verdict};
use crate::alarms::Alarms;
use crate::fingerprint::Fingerprint;
use crate::ground_truth::Fate;
use crate::host::HostId;
use crate::hostile::Tape;
use crate::queue::{PacketId, Pending, Queue};
use crate::random::is_chosen;
use crate::traffic::Traffic;
use crate::transcript::Transcript;

/// What becomes of a datagram, in the fingerprint.
const MARK_SENT: u64 = 0x5e57;
const MARK_LOST: u64 = 0x1057;
const MARK_CORRUPTED: u64 = 0xc044;

/// The network with its clock, its queue and its books.
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
    /// For what is formatted only to be hashed.
    pub(crate) scratch: String,
    pub(crate) channels: Channels,
    pub(crate) tape: Tape,
    seed: u64,
    /// By sending host.
    throws: Vec<Throws>,
}

impl Fabric {
    pub(crate) fn new(seed: u64, link: Link) -> Self {
        Self {
            now: Instant::ORIGIN,
            queue: Queue::default(),
            alarms: Alarms::default(),
            packets: Packets::default(),
            directory: Directory::default(),
            network: Network::new(link),
            hook: None,
            outside: BTreeMap::new(),
            traffic: Traffic::default(),
            fingerprint: Fingerprint::new(),
            transcript: Transcript::default(),
            scratch: String::new(),
            channels: Channels::default(),
            tape: Tape::default(),
            seed,
            throws: Vec::new(),
        }
    }

    /// A host sends.
    pub(crate) fn send(
        &mut self,
        sender: HostId,
        source: SocketAddr,
        target: SocketAddr,
        bytes: &[u8],
    ) -> Fate {
        self.traffic.count_sent(bytes);
        self.mark(MARK_SENT, sender);
        self.fingerprint.absorb_bytes(bytes);
        self.tape.record(source, target, bytes);
        let replaced;
        let (bytes, extra) = match self.ask_hook(sender, source, target, bytes) {
            Verdict::Pass => (bytes, Duration::ZERO),
            Verdict::Delay(extra) => (bytes, extra),
            Verdict::Replace(other) => {
                replaced = other;
                (replaced.as_slice(), Duration::ZERO)
            }
            Verdict::Drop => return self.lose(sender, source, target, bytes, Fate::Dropped),
        };
        let receiver = self.directory.host_at(target);
        if receiver.is_some_and(|receiver| !self.network.passes(sender, receiver)) {
            return self.lose(sender, source, target, bytes, Fate::Cut);
        }
        // Everything is always drawn: a model that is switched on changes no other datagram's fate.
        let Throw { loss, doubling, latencies: [first, second], dice } = self.throw(sender);
        let link = self.network.way(sender, receiver);
        let lost = is_chosen(loss, link.loss_ppm);
        let delay = link.latency.delay(first) + extra;
        let doubled = is_chosen(doubling, link.duplicate_ppm).then(|| link.latency.delay(second) + extra);
        let passage = match self.channels.pass(link, (sender, receiver), self.now, bytes.len(), dice) {
            Ok(_) if lost => return self.lose(sender, source, target, bytes, Fate::Lost),
            Err(fate) => return self.lose(sender, source, target, bytes, fate),
            Ok(passage) => passage,
        };
        self.count(&passage, bytes.len());
        let changed;
        let (bytes, fate) = if passage.corrupted {
            let mut copy = bytes.to_vec();
            corrupt(&mut copy, dice);
            self.mark(MARK_CORRUPTED, sender);
            self.fingerprint.absorb_bytes(&copy);
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

    fn count(&mut self, passage: &Passage, len: usize) {
        let traffic = &mut self.traffic;
        let happened = [
            (passage.spiked, &mut traffic.spiked),
            (passage.reordered, &mut traffic.reordered),
            (passage.corrupted, &mut traffic.corrupted),
        ];
        for (_, count) in happened.into_iter().filter(|(happened, _)| *happened) {
            count.add(len);
        }
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

    /// Adds a step of `host` to the fingerprint.
    pub(crate) fn mark(&mut self, what: u64, host: HostId) {
        self.fingerprint.absorb(self.now.as_nanos());
        self.fingerprint.absorb(what << 32 | u64::from(host.0));
    }

    fn lose(
        &mut self,
        sender: HostId,
        source: SocketAddr,
        target: SocketAddr,
        bytes: &[u8],
        fate: Fate,
    ) -> Fate {
        self.traffic.lost.add(bytes.len());
        match fate {
            Fate::Burst => self.traffic.lost_in_bursts.add(bytes.len()),
            Fate::Congested => self.traffic.congested.add(bytes.len()),
            Fate::TooLong => self.traffic.too_long.add(bytes.len()),
            _ => {}
        }
        self.mark(MARK_LOST, sender);
        self.transcript.datagram(self.now, source, target, bytes, fate);
        fate
    }

    fn ask_hook(&mut self, sender: HostId, source: SocketAddr, target: SocketAddr, bytes: &[u8]) -> Verdict {
        let at = self.now;
        match &mut self.hook {
            None => Verdict::Pass,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Burst, PER_CENT};

    /// When each of a thousand numbered datagrams arrives, by number.
    fn arrivals(link: Link) -> BTreeMap<u32, Vec<Instant>> {
        let mut fabric = Fabric::new(5, link);
        let target: SocketAddr = "192.0.2.1:1".parse().expect("a valid address");
        fabric.outside.insert(target, Vec::new());
        for number in 0..1000_u32 {
            fabric.send(HostId(0), Directory::birthplace(HostId(0)), target, &number.to_le_bytes());
        }
        while let Some((at, what)) = fabric.queue.pop() {
            fabric.now = at;
            let Pending::Arrive(packet) = what else { panic!("only datagrams are queued") };
            assert!(fabric.receiver(packet).is_none(), "nobody lives there");
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
            b"drop" => Verdict::Drop,
            b"replace" => Verdict::Replace(b"other".to_vec()),
            b"delay" => Verdict::Delay(Duration::from_secs(1)),
            _ => Verdict::Pass,
        }));
        let texts: [&[u8]; 4] = [b"delay", b"drop", b"replace", b"pass"];
        for text in texts {
            fabric.send(HostId(0), Directory::birthplace(HostId(0)), target, text);
        }
        let mut arrived = Vec::new();
        while let Some((at, Pending::Arrive(packet))) = fabric.queue.pop() {
            arrived.push((at, fabric.packets.get(packet).bytes.clone()));
        }
        let expected = [(1, b"other".to_vec()), (1, b"pass".to_vec()), (1001, b"delay".to_vec())];
        assert_eq!(arrived, expected.map(|(millis, text)| (Instant::from_millis(millis), text)));
    }
}
