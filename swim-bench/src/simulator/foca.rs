//! The smallest honest loop around `foca`: a heap of timers and datagrams, 1 ms of latency, 1 % of loss.
//!
//! Entries of the heap are small, datagrams lie in buffers that are used again, a node is found by its name
//! without a search: what is left is foca.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroU32;
use std::time::Duration;

use foca::{Config, Foca, Member, NoCustomBroadcast, Notification, PostcardCodec, Runtime, Timer};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::figures::{Loop, Work};
use crate::foca_name::{Address, Name};

/// One-way latency, in ns.
const LATENCY: u64 = 1_000_000;
/// Virtual time until the probes are spread over the period, and nothing is left to say.
const SETTLED_AFTER: Duration = Duration::from_secs(60);

/// One entry of the heap: when, in which order, for whom, and where the rest lies.
type Entry = (u64, u64, u32, What);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Datagram(u32),
    Timer(u32),
}

/// Everything but the nodes.
struct Air<A> {
    now: u64,
    sequence: u64,
    heap: BinaryHeap<Reverse<Entry>>,
    datagrams: Vec<Vec<u8>>,
    free_datagrams: Vec<u32>,
    timers: Vec<Option<Timer<Name<A>>>>,
    free_timers: Vec<u32>,
    random: SmallRng,
    work: Work,
}

/// What one node sees of it.
struct Seat<'a, A> {
    me: u32,
    air: &'a mut Air<A>,
}

impl<A> Air<A> {
    fn push(&mut self, at: u64, node: u32, what: What) {
        self.heap.push(Reverse((at, self.sequence, node, what)));
        self.sequence += 1;
    }
}

impl<A: Address> Runtime<Name<A>> for Seat<'_, A> {
    fn notify(&mut self, _: Notification<'_, Name<A>>) {}

    fn send_to(&mut self, to: Name<A>, data: &[u8]) {
        let air = &mut *self.air;
        air.work.sent += 1;
        air.work.bytes += data.len() as u64;
        if air.random.random_range(0..100) == 0 {
            return;
        }
        let index = air.free_datagrams.pop().unwrap_or_else(|| {
            air.datagrams.push(Vec::new());
            air.datagrams.len() as u32 - 1
        });
        air.datagrams[index as usize].extend_from_slice(data);
        air.push(air.now + LATENCY, to.addr.number(), What::Datagram(index));
    }

    fn submit_after(&mut self, event: Timer<Name<A>>, after: Duration) {
        let air = &mut *self.air;
        let index = air.free_timers.pop().unwrap_or_else(|| {
            air.timers.push(None);
            air.timers.len() as u32 - 1
        });
        air.timers[index as usize] = Some(event);
        air.push(air.now + after.as_nanos() as u64, self.me, What::Timer(index));
    }
}

type Peer<A> = Foca<Name<A>, PostcardCodec, SmallRng, NoCustomBroadcast>;

/// Nodes of foca, and what is between them.
pub(crate) struct Theirs<A: Address> {
    nodes: Vec<Peer<A>>,
    air: Air<A>,
}

impl<A: Address> Theirs<A> {
    /// So many nodes that know no member.
    pub(crate) fn new(nodes: u32) -> Self {
        let config = Config::new_lan(NonZeroU32::new(nodes).unwrap_or(NonZeroU32::MIN));
        let air = Air {
            now: 0,
            sequence: 0,
            heap: BinaryHeap::new(),
            datagrams: Vec::new(),
            free_datagrams: Vec::new(),
            timers: Vec::new(),
            free_timers: Vec::new(),
            random: SmallRng::seed_from_u64(0),
            work: Work::default(),
        };
        let node = |number| {
            let random = SmallRng::seed_from_u64(u64::from(number) + 1);
            Foca::new(Name::of(number), config.clone(), random, PostcardCodec)
        };
        Self { nodes: (0..nodes).map(node).collect(), air }
    }

    /// So many nodes that all know all from the beginning, and whose periods begin at different times.
    pub(crate) fn loaded(nodes: u32) -> Self {
        let mut theirs = Self::new(nodes);
        for me in 0..nodes {
            theirs.run_for(Duration::from_secs(1) / nodes);
            let all = (0..nodes).filter(|other| *other != me).map(|other| Member::alive(Name::of(other)));
            let node = &mut theirs.nodes[me as usize];
            let loaded = node.apply_many(all, false, Seat { me, air: &mut theirs.air });
            loaded.unwrap_or_else(|error| panic!("a fresh node takes members: {error}"));
        }
        theirs.run_for(SETTLED_AFTER);
        theirs
    }

    /// So many nodes of which the second and all further ask the first to let them in.
    #[cfg(test)]
    pub(crate) fn gathering(nodes: u32) -> Self {
        let mut theirs = Self::new(nodes);
        for me in 1..nodes {
            theirs.nodes[me as usize]
                .announce(Name::of(0), Seat { me, air: &mut theirs.air })
                .unwrap_or_else(|error| panic!("a fresh node announces itself: {error}"));
        }
        theirs
    }

    /// How many others each node holds as members, added up.
    #[cfg(test)]
    pub(crate) fn rows(&self) -> u64 {
        self.nodes.iter().map(|node| node.num_members() as u64).sum()
    }

    fn step(&mut self) {
        let Some(Reverse((at, _, node, what))) = self.air.heap.pop() else { return };
        let air = &mut self.air;
        air.now = at;
        air.work.events += 1;
        // What foca objects to, it ignores; no loop could do more.
        match what {
            What::Datagram(index) => {
                air.work.arrivals += 1;
                let mut bytes = std::mem::take(&mut air.datagrams[index as usize]);
                let _ = self.nodes[node as usize].handle_data(&bytes, Seat { me: node, air });
                bytes.clear();
                air.datagrams[index as usize] = bytes;
                air.free_datagrams.push(index);
            }
            What::Timer(index) => {
                air.free_timers.push(index);
                if let Some(timer) = air.timers[index as usize].take() {
                    let _ = self.nodes[node as usize].handle_timer(timer, Seat { me: node, air });
                }
            }
        }
    }
}

impl<A: Address> Loop for Theirs<A> {
    fn run_for(&mut self, time: Duration) {
        let end = self.air.now + time.as_nanos() as u64;
        while self.air.heap.peek().is_some_and(|Reverse((at, ..))| *at <= end) {
            self.step();
        }
        self.air.now = end;
    }

    fn work(&self) -> Work {
        self.air.work
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foca_name::{Lean, Usual};

    fn all_know_all<A: Address>(mut theirs: Theirs<A>) -> bool {
        let nodes = theirs.nodes.len() as u64;
        theirs.run_for(Duration::from_secs(300));
        theirs.rows() == nodes * (nodes - 1)
    }

    #[test]
    fn twenty_nodes_of_foca_find_each_other_through_one() {
        assert!(all_know_all(Theirs::<Usual>::gathering(20)));
        assert!(all_know_all(Theirs::<Lean>::gathering(20)));
    }

    #[test]
    fn those_that_know_each_other_from_the_beginning_go_on_knowing_each_other() {
        assert_eq!(Theirs::<Usual>::loaded(20).rows(), 380);
        assert!(all_know_all(Theirs::<Usual>::loaded(20)) && all_know_all(Theirs::<Lean>::loaded(20)));
    }

    #[test]
    fn every_node_probes_once_a_second() {
        let mut theirs = Theirs::<Usual>::loaded(20);
        let before = theirs.work();
        theirs.run_for(Duration::from_secs(100));
        let sent = theirs.work().sent - before.sent;
        // A ping and an ack of each, an announcement and its answer every thirty seconds, and what loss costs.
        assert!((4_000..5_000).contains(&sent), "{sent}");
    }
}
