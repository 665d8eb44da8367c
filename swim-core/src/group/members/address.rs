//! An address in six bytes, when it is a v4 one.
//!
//! Most clusters speak v4, and a v6 address is three times as long. So a record holds four bytes and a
//! port; a v6 address (with its scope id, which a link-local one is useless without) lies in a slab at
//! the side, and the four bytes are its number there.

use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use serde::{Deserialize, Serialize};

use crate::collections::Slab;

/// An address as a record holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PackedAddr {
    /// The v4 address, or the number of the v6 one.
    pub(super) ip: u32,
    pub(super) port: u16,
    pub(super) is_v6: bool,
}

impl PackedAddr {
    #[inline]
    pub(super) const fn v4(addr: SocketAddrV4) -> Self {
        Self { ip: addr.ip().to_bits(), port: addr.port(), is_v6: false }
    }

    #[inline]
    pub(super) fn as_v4(self) -> Option<SocketAddrV4> {
        (!self.is_v6).then(|| SocketAddrV4::new(Ipv4Addr::from_bits(self.ip), self.port))
    }
}

/// The v6 addresses of a table.
#[derive(Serialize, Deserialize)]
pub(super) struct Addresses {
    v6: Slab<(Ipv6Addr, u32)>,
}

impl Addresses {
    pub(super) const fn new() -> Self {
        Self { v6: Slab::new() }
    }

    /// Keeps a canonical address.
    pub(super) fn pack(&mut self, addr: SocketAddr) -> PackedAddr {
        match addr {
            SocketAddr::V4(v4) => PackedAddr::v4(v4),
            SocketAddr::V6(v6) => {
                let ip = self.v6.insert((*v6.ip(), v6.scope_id()));
                PackedAddr { ip, port: v6.port(), is_v6: true }
            }
        }
    }

    /// Gives back what [`Self::pack`] took.
    pub(super) fn release(&mut self, packed: PackedAddr) {
        debug_assert!(self.holds(packed), "an address is released once");
        if packed.is_v6 {
            self.v6.remove(packed.ip);
        }
    }

    /// The address that was packed.
    #[inline]
    pub(super) fn unpack(&self, packed: PackedAddr) -> SocketAddr {
        if let Some(v4) = packed.as_v4() {
            return SocketAddr::V4(v4);
        }
        let (ip, scope) = self.v6.get(packed.ip).expect("a packed address is held until it is released");
        SocketAddr::V6(SocketAddrV6::new(*ip, packed.port, 0, *scope))
    }

    /// Whether what was packed is held.
    pub(super) fn holds(&self, packed: PackedAddr) -> bool {
        !packed.is_v6 || self.v6.get(packed.ip).is_some()
    }

    /// Whether it hangs together.
    pub(super) fn is_sound(&self) -> bool {
        self.v6.is_sound()
    }

    /// How many v6 addresses are held.
    #[cfg(test)]
    pub(super) const fn len(&self) -> u32 {
        self.v6.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_back_as_it_went_in() {
        let mut addresses = Addresses::new();
        for text in ["10.1.2.3:7946", "255.255.255.254:65535", "[2001:db8::7]:1", "[fe80::1%3]:7946"] {
            let addr: SocketAddr = text.parse().expect("a valid address");
            let packed = addresses.pack(addr);
            assert_eq!(addresses.unpack(packed), addr);
        }
        assert_eq!(addresses.len(), 2);
    }

    #[test]
    fn a_released_v6_address_leaves_nothing_behind() {
        let mut addresses = Addresses::new();
        let packed = addresses.pack("[2001:db8::7]:1".parse().expect("a valid address"));
        addresses.release(packed);
        assert_eq!(addresses.len(), 0);
    }
}
