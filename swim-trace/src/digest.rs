//! One number for everything that came out: two replays of the same trace have the same one.
//!
//! 64-bit FNV-1a. It withstands no attack: to be sure, compare the traces.

use std::net::SocketAddr;

use swim_core::Event;

use crate::record::{put_event, put_transmit};

pub(crate) struct Digest {
    sum: u64,
    scratch: Vec<u8>,
}

impl Default for Digest {
    fn default() -> Self {
        Self { sum: 0xcbf2_9ce4_8422_2325, scratch: Vec::new() }
    }
}

impl Digest {
    pub(crate) fn transmit(&mut self, target: SocketAddr, bytes: &[u8]) {
        self.scratch.clear();
        put_transmit(&mut self.scratch, target);
        self.add_scratch();
        self.add(bytes);
    }

    pub(crate) fn event(&mut self, event: &Event) {
        self.scratch.clear();
        // What was read from a trace can be written to one.
        let _ = put_event(&mut self.scratch, event);
        self.add_scratch();
    }

    pub(crate) const fn sum(&self) -> u64 {
        self.sum
    }

    fn add_scratch(&mut self) {
        let scratch = std::mem::take(&mut self.scratch);
        self.add(&scratch);
        self.scratch = scratch;
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.sum = (self.sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
