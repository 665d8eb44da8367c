//! Everything between the hosts: a datagram goes in here and comes out later, twice, or not at all.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use swim_core::Instant;

use super::{Arrival, Datagram, Directory, Hook, Link, Network, Packets, Verdict};
use crate::evidence::Fate;
use crate::fingerprint::Fingerprint;
use crate::host::HostId;
use crate::queue::{PacketId, Pending, Queue};
use crate::random::{Random, purpose};
use crate::traffic::Traffic;
use crate::transcript::Transcript;

/// What becomes of a datagram, in the fingerprint.
const MARK_SENT: u64 = 0x5e57;
const MARK_LOST: u64 = 0x1057;

/// The network with its clock, its queue and its books.
pub(crate) struct Fabric {
    pub(crate) now: Instant,
    pub(crate) queue: Queue,
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
    seed: u64,
    /// By sending host.
    random: Vec<Random>,
}

impl Fabric {
    pub(crate) fn new(seed: u64, link: Link) -> Self {
        Self {
            now: Instant::ORIGIN,
            queue: Queue::default(),
            packets: Packets::default(),
            directory: Directory::default(),
            network: Network::new(link),
            hook: None,
            outside: BTreeMap::new(),
            traffic: Traffic::default(),
            fingerprint: Fingerprint::new(),
            transcript: Transcript::default(),
            scratch: String::new(),
            seed,
            random: Vec::new(),
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
        let link = receiver.map_or(self.network.default_link(), |host| self.network.link(sender, host));
        // All four are always drawn: a link that becomes lossy changes no other datagram's delay.
        let random = self.random_of(sender);
        let (lost, doubled) = (random.chance(link.loss_ppm), random.chance(link.duplicate_ppm));
        let delays = [random.bits(), random.bits()].map(|bits| link.latency.delay(bits) + extra);
        if lost {
            return self.lose(sender, source, target, bytes, Fate::Lost);
        }
        self.transcript.datagram(self.now, source, target, bytes, Fate::Sent);
        self.launch(source, target, bytes, delays[0]);
        if doubled {
            self.traffic.duplicated.add(bytes.len());
            self.launch(source, target, bytes, delays[1]);
        }
        Fate::Sent
    }

    /// Puts a datagram on its way past every model: from a host after its link, or from a stranger.
    pub(crate) fn launch(&mut self, source: SocketAddr, target: SocketAddr, bytes: &[u8], delay: Duration) {
        let packet = self.packets.put(source, target, bytes);
        self.queue.push(self.now.after(delay), Pending::Arrive(packet));
    }

    /// Where a datagram that arrives now ends: at a host, or in the books.
    pub(crate) fn receiver(&mut self, id: PacketId) -> Option<(HostId, super::packets::Packet)> {
        let packet = self.packets.take(id);
        if let Some(host) = self.directory.host_at(packet.target) {
            return Some((host, packet));
        }
        match self.outside.get_mut(&packet.target) {
            Some(arrivals) => {
                arrivals.push(Arrival { at: self.now, source: packet.source, bytes: packet.bytes.clone() })
            }
            None => self.traffic.unheard.add(packet.bytes.len()),
        }
        self.packets.recycle(packet);
        None
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

    fn random_of(&mut self, host: HostId) -> &mut Random {
        while self.random.len() <= host.index() {
            self.random.push(Random::new(self.seed, purpose::LINK, self.random.len() as u64));
        }
        &mut self.random[host.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PER_CENT;

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
            arrived.push((at, fabric.packets.take(packet).bytes));
        }
        let expected = [(1, b"other".to_vec()), (1, b"pass".to_vec()), (1001, b"delay".to_vec())];
        assert_eq!(arrived, expected.map(|(millis, text)| (Instant::from_millis(millis), text)));
    }
}
