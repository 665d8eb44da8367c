//! The same loop with nothing in it: `swim-sim`'s queue, links and books, and tables of the same size, without
//! the protocol.

use std::time::Duration;

use swim_sim::Floor;

use super::figures::{Loop, Work};
use super::ours::setup;

/// A loop whose steps are counted.
pub(crate) struct Null {
    floor: Floor,
    events: u64,
}

impl Null {
    /// So many hosts that all know all.
    pub(crate) fn new(nodes: u32) -> Self {
        Self { floor: Floor::new(&setup(), nodes), events: 0 }
    }
}

impl Loop for Null {
    fn run_for(&mut self, time: Duration) {
        let end = self.floor.now().after(time);
        while self.floor.next_at().is_some_and(|at| at <= end) {
            self.floor.step();
            self.events += 1;
        }
    }

    fn work(&self) -> Work {
        let traffic = self.floor.traffic();
        Work {
            events: self.events,
            arrivals: traffic.received.datagrams,
            sent: traffic.sent.datagrams,
            bytes: traffic.sent.bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::ours::Ours;

    /// In thousandths of a node's second.
    fn rhythm(run: &mut impl Loop, nodes: u64) -> [u64; 4] {
        let (seconds, before) = (100, run.work());
        run.run_for(Duration::from_secs(seconds));
        let after = run.work();
        let pairs = [
            (before.events, after.events),
            (before.arrivals, after.arrivals),
            (before.sent, after.sent),
            (before.bytes / 59, after.bytes / 59),
        ];
        pairs.map(|(before, after)| (after - before) * 1_000 / (nodes * seconds))
    }

    #[test]
    fn both_loops_do_the_same_number_of_things_of_each_kind() {
        let mut ours = Ours::joined(100, false, |_| {}).expect("a hundred nodes join");
        ours.settle();
        let mut null = Null::new(100);
        null.run_for(Duration::from_secs(10));
        let (ours, null) = (rhythm(&mut ours, 100), rhythm(&mut null, 100));
        for (ours, null) in ours.into_iter().zip(null) {
            assert!(ours * 97 <= null * 100 && null * 97 <= ours * 100, "{ours:?} {null:?}");
        }
        assert!((3_900..4_200).contains(&null[0]) && (1_900..2_100).contains(&null[1]), "{null:?}");
    }
}
