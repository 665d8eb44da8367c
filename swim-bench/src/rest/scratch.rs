//! A folder for the length of a measurement, and ports that are free.

use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

/// A folder that is removed when this is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A new one among the system's temporary files.
    pub(crate) fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("swim-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is what temporary folders are for.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// `count` ports on the loopback that are free now, for UDP nor for TCP.
pub(crate) fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    // All are held until all are found, so that none is found twice.
    let mut held = Vec::new();
    while held.len() < count {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = udp.local_addr()?.port();
        if let Ok(tcp) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            held.push((port, udp, tcp));
        }
    }
    Ok(held.iter().map(|(port, ..)| *port).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ports_are_free_and_each_is_another() {
        let ports = free_ports(20).expect("a few");
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), 20);
        let bound: Vec<_> = ports.iter().map(|port| UdpSocket::bind(("127.0.0.1", *port))).collect();
        assert!(bound.iter().all(Result::is_ok));
    }
}
