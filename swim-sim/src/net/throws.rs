//! What links will do to the next datagrams of a host, drawn ahead.
//!
//! A stream of random numbers is some hundred bytes, and a world has two for every host. Drawing for several
//! datagrams at once leaves one cache line of them in use; what is drawn, and in which order, stays the same.

use super::dice::Dice;
use crate::random::{Random, purpose};

/// Datagrams that are drawn for at once.
const AHEAD: usize = 8;

/// What decides over one datagram: five words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throw {
    pub(crate) loss: u64,
    pub(crate) doubling: u64,
    /// Of the first copy and of the second.
    pub(crate) latencies: [u64; 2],
    /// Everything else.
    pub(crate) dice: Dice,
}

/// The throws of one host.
pub(crate) struct Throws {
    ahead: [Throw; AHEAD],
    next: usize,
    streams: Box<[Random; 2]>,
}

impl Throws {
    /// The throws of the host with this number.
    pub(crate) fn new(seed: u64, host: u64) -> Self {
        let streams = [purpose::LINK, purpose::DICE].map(|purpose| Random::new(seed, purpose, host));
        let none = Throw { loss: 0, doubling: 0, latencies: [0; 2], dice: Dice(0) };
        Self { ahead: [none; AHEAD], next: AHEAD, streams: Box::new(streams) }
    }

    /// Looks at the next one.
    pub(crate) fn warm(&self) -> u64 {
        self.ahead[self.next % AHEAD].loss
    }

    pub(crate) fn next(&mut self) -> Throw {
        if self.next == AHEAD {
            self.draw();
        }
        self.next += 1;
        self.ahead[self.next - 1]
    }

    #[cold]
    fn draw(&mut self) {
        let [link, dice] = &mut *self.streams;
        for throw in &mut self.ahead {
            *throw = Throw {
                loss: link.bits(),
                doubling: link.bits(),
                latencies: [link.bits(), link.bits()],
                dice: Dice(dice.bits()),
            };
        }
        self.next = 0;
    }
}
