//! A claim about a member, as a record of the wire.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

/// What is claimed of somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// It lives.
    Alive,
    /// It is suspected.
    Suspect,
    /// It is dead.
    Dead,
    /// It said goodbye, or was removed.
    Left,
}

/// Whom a claim is about, in which life and incarnation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Whom.
    pub id: u64,
    /// Which of its lives.
    pub epoch: u64,
    /// Which incarnation within that life.
    pub incarnation: u32,
}

impl Claim {
    /// "It lives, there."
    #[must_use]
    pub fn alive(self, addr: SocketAddr) -> Vec<u8> {
        let mut rest = addr.port().to_le_bytes().to_vec();
        let v6 = match addr.ip() {
            IpAddr::V4(ip) => {
                rest.extend(ip.octets());
                0
            }
            IpAddr::V6(ip) => {
                rest.extend(ip.octets());
                1
            }
        };
        // It speaks versions 1 to 1.
        rest.extend([1, 1]);
        self.record(0, v6, &rest)
    }

    /// "It is suspect": `by` accuses it.
    #[must_use]
    pub fn suspect(self, by: u64) -> Vec<u8> {
        self.record(1, 0, &[&[1], &by.to_le_bytes()[..]].concat())
    }

    /// "It is dead": accusation and verdict are those of `by`.
    #[must_use]
    pub fn dead(self, by: u64) -> Vec<u8> {
        self.record(2, 0, &[by.to_le_bytes(), by.to_le_bytes()].concat())
    }

    /// "It left": by itself if `by` is its own id, removed by an operator otherwise.
    #[must_use]
    pub fn left(self, by: u64) -> Vec<u8> {
        self.record(3, 0, &by.to_le_bytes())
    }

    fn record(self, status: u8, flags: u8, rest: &[u8]) -> Vec<u8> {
        let mut record = vec![status, flags];
        record.extend(self.id.to_le_bytes());
        record.extend(self.epoch.to_le_bytes());
        record.extend(self.incarnation.to_le_bytes());
        record.extend(rest);
        record
    }
}
