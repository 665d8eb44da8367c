//! Datagrams in flight, in buffers that are used again.

use std::net::SocketAddr;

use swim_core::Instant;

use crate::queue::PacketId;

/// A datagram between its sender and its target.
#[derive(Clone, Debug)]
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

/// A pool: after warming up, nothing is allocated for a datagram.
#[derive(Default)]
pub(crate) struct Packets {
    slots: Vec<Option<Packet>>,
    free: Vec<u32>,
    spare: Vec<Vec<u8>>,
}

impl Packets {
    pub(crate) fn put(&mut self, source: SocketAddr, target: SocketAddr, bytes: &[u8]) -> PacketId {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.extend_from_slice(bytes);
        let packet = Packet { source, target, bytes: buffer };
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Some(packet);
            return PacketId(slot);
        }
        self.slots.push(Some(packet));
        PacketId(u32::try_from(self.slots.len() - 1).expect("fewer datagrams in flight than 2^32"))
    }

    /// Takes a packet out; its buffer should come back through [`Packets::recycle`].
    pub(crate) fn take(&mut self, id: PacketId) -> Packet {
        self.free.push(id.0);
        self.slots[id.0 as usize].take().expect("every packet is queued once, so it arrives once")
    }

    pub(crate) fn recycle(&mut self, packet: Packet) {
        let mut buffer = packet.bytes;
        buffer.clear();
        self.spare.push(buffer);
    }
}
