//! Which host listens at an address.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::host_id::HostId;

/// Addresses in use. A host is looked for at the address it was born at first, which needs no search:
/// the address is a function of its number. Only those that moved are in the map.
#[derive(Default)]
pub(crate) struct Directory {
    /// By host: whether it listens at its birth address.
    at_birthplace: Vec<bool>,
    elsewhere: BTreeMap<SocketAddr, HostId>,
}

impl Directory {
    pub(crate) fn host_at(&self, addr: SocketAddr) -> Option<HostId> {
        match HostId::born_at(addr) {
            Some(host) if self.at_birthplace.get(host.index()) == Some(&true) => Some(host),
            _ => self.host_elsewhere(addr),
        }
    }

    #[cold]
    fn host_elsewhere(&self, addr: SocketAddr) -> Option<HostId> {
        self.elsewhere.get(&addr).copied()
    }

    /// `host` begins to listen at `addr`.
    ///
    /// # Panics
    /// If another host listens there: two processes cannot bind one address.
    pub(crate) fn bind(&mut self, addr: SocketAddr, host: HostId) {
        assert_eq!(self.host_at(addr), None, "{addr} is in use");
        if HostId::born_at(addr) == Some(host) {
            if self.at_birthplace.len() <= host.index() {
                self.at_birthplace.resize(host.index() + 1, false);
            }
            self.at_birthplace[host.index()] = true;
        } else {
            self.elsewhere.insert(addr, host);
        }
    }

    /// No host listens at `addr` any more.
    pub(crate) fn unbind(&mut self, addr: SocketAddr) {
        match self.host_at(addr) {
            Some(host) if HostId::born_at(addr) == Some(host) => self.at_birthplace[host.index()] = false,
            Some(_) => drop(self.elsewhere.remove(&addr)),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_at_birth_and_after_moving() {
        let mut directory = Directory::default();
        let (home, away) = (HostId(299).birthplace(), "192.0.2.1:9".parse().expect("valid"));
        assert_eq!(home, "10.0.1.44:7946".parse().expect("valid"));
        directory.bind(home, HostId(299));
        assert_eq!(directory.host_at(home), Some(HostId(299)));
        directory.unbind(home);
        directory.bind(away, HostId(299));
        assert_eq!((directory.host_at(home), directory.host_at(away)), (None, Some(HostId(299))));
    }

    #[test]
    fn a_host_can_listen_at_the_birthplace_of_another() {
        let mut directory = Directory::default();
        let home = HostId(0).birthplace();
        directory.bind(home, HostId(7));
        assert_eq!(directory.host_at(home), Some(HostId(7)));
        directory.unbind(home);
        assert_eq!(directory.host_at(home), None);
    }

    #[test]
    #[should_panic(expected = "10.0.0.1:7946 is in use")]
    fn one_address_is_bound_once() {
        let mut directory = Directory::default();
        directory.bind(HostId(0).birthplace(), HostId(0));
        directory.bind(HostId(0).birthplace(), HostId(1));
    }
}
