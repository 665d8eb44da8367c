//! Datagrams in flight, in buffers that are used again.

use std::net::SocketAddr;

use swim_core::Instant;

use crate::queue::PacketId;

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
/// allocated for one. The place that was freed last is used first, while it is in cache.
#[derive(Default)]
pub(crate) struct Packets {
    places: Vec<Packet>,
    free: Vec<u32>,
}

impl Packets {
    pub(crate) fn put(&mut self, source: SocketAddr, target: SocketAddr, bytes: &[u8]) -> PacketId {
        if let Some(place) = self.free.pop() {
            let packet = &mut self.places[place as usize];
            (packet.source, packet.target) = (source, target);
            packet.bytes.clear();
            packet.bytes.extend_from_slice(bytes);
            return PacketId(place);
        }
        self.places.push(Packet { source, target, bytes: bytes.to_vec() });
        PacketId(u32::try_from(self.places.len() - 1).expect("fewer datagrams in flight than 2^32"))
    }

    pub(crate) fn get(&self, id: PacketId) -> &Packet {
        &self.places[id.0 as usize]
    }

    /// Lends the source and the bytes of a packet to whoever reads it, until [`Packets::give_back`].
    pub(crate) fn lend(&mut self, id: PacketId) -> (SocketAddr, Vec<u8>) {
        let packet = &mut self.places[id.0 as usize];
        (packet.source, std::mem::take(&mut packet.bytes))
    }

    /// It has been read: the place and the buffer are free.
    pub(crate) fn give_back(&mut self, id: PacketId, bytes: Vec<u8>) {
        self.places[id.0 as usize].bytes = bytes;
        self.discard(id);
    }

    /// Nobody will read it. To be called once for each packet.
    pub(crate) fn discard(&mut self, id: PacketId) {
        self.free.push(id.0);
    }
}
