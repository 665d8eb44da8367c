//! Which host listens at an address.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::host::HostId;

/// The port of every birth address.
const PORT: u16 = 7946;

/// Addresses in use. A host is looked for at the address it was born at first, which needs no search:
/// the address is a function of its number. Only those that moved are in the map.
#[derive(Default)]
pub(crate) struct Directory {
    /// By host: whether it listens at its birth address.
    at_birthplace: Vec<bool>,
    elsewhere: BTreeMap<SocketAddr, HostId>,
}

impl Directory {
    /// `10.a.b.c:7946` for host number a·65,536 + b·256 + c − 1: the first is 10.0.0.1.
    pub(crate) fn birthplace(host: HostId) -> SocketAddr {
        let [_, a, b, c] = (host.0 + 1).to_be_bytes();
        SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, a, b, c)), PORT)
    }

    pub(crate) fn host_at(&self, addr: SocketAddr) -> Option<HostId> {
        if let Some(host) = born_at(addr)
            && self.at_birthplace.get(host.index()) == Some(&true)
        {
            return Some(host);
        }
        if self.elsewhere.is_empty() { None } else { self.elsewhere.get(&addr).copied() }
    }

    /// `host` begins to listen at `addr`.
    ///
    /// # Panics
    /// If another host listens there: two processes cannot bind one address.
    pub(crate) fn bind(&mut self, addr: SocketAddr, host: HostId) {
        assert_eq!(self.host_at(addr), None, "{addr} is in use");
        if born_at(addr) == Some(host) {
            if self.at_birthplace.len() <= host.index() {
                self.at_birthplace.resize(host.index() + 1, false);
            }
            self.at_birthplace[host.index()] = true;
        } else {
            self.elsewhere.insert(addr, host);
        }
    }

    /// Nobody listens at `addr` any more.
    pub(crate) fn unbind(&mut self, addr: SocketAddr) {
        match self.host_at(addr) {
            Some(host) if born_at(addr) == Some(host) => self.at_birthplace[host.index()] = false,
            Some(_) => drop(self.elsewhere.remove(&addr)),
            None => {}
        }
    }
}

/// Which host is born at `addr`, if any can be.
pub(crate) fn born_at(addr: SocketAddr) -> Option<HostId> {
    let SocketAddr::V4(v4) = addr else { return None };
    let [ten, a, b, c] = v4.ip().octets();
    let number = u32::from_be_bytes([0, a, b, c]);
    if ten == 10 && v4.port() == PORT { number.checked_sub(1).map(HostId) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_at_birth_and_after_moving() {
        let mut directory = Directory::default();
        let (home, away) = (Directory::birthplace(HostId(299)), "192.0.2.1:9".parse().expect("valid"));
        assert_eq!(home, "10.0.1.44:7946".parse().expect("valid"));
        directory.bind(home, HostId(299));
        assert_eq!(directory.host_at(home), Some(HostId(299)));
        directory.unbind(home);
        directory.bind(away, HostId(299));
        assert_eq!((directory.host_at(home), directory.host_at(away)), (None, Some(HostId(299))));
    }

    #[test]
    fn a_stranger_can_move_in_where_somebody_was_born() {
        let mut directory = Directory::default();
        let home = Directory::birthplace(HostId(0));
        directory.bind(home, HostId(7));
        assert_eq!(directory.host_at(home), Some(HostId(7)));
        directory.unbind(home);
        assert_eq!(directory.host_at(home), None);
    }

    #[test]
    #[should_panic(expected = "10.0.0.1:7946 is in use")]
    fn one_address_is_bound_once() {
        let mut directory = Directory::default();
        directory.bind(Directory::birthplace(HostId(0)), HostId(0));
        directory.bind(Directory::birthplace(HostId(0)), HostId(1));
    }
}
