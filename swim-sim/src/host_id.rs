//! What a host is called, and the address where it listens at first.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The port of every birthplace.
const BIRTH_PORT: u16 = 7946;

/// Number of a host in its world, from 0 in the order of starting. Written as the name that its node has
/// by default, in hexadecimal: host 0 is `#1`, host 9 is `#a`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u32);

impl HostId {
    /// As an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Where it listens at first: `10.a.b.c:7946` for host number a·65,536 + b·256 + c − 1, so the first is 10.0.0.1.
    #[must_use]
    pub const fn birthplace(self) -> SocketAddr {
        let [_, a, b, c] = (self.0 + 1).to_be_bytes();
        SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, a, b, c)), BIRTH_PORT)
    }

    /// The host whose birthplace `addr` is, if it can be one.
    #[must_use]
    pub fn born_at(addr: SocketAddr) -> Option<Self> {
        let SocketAddr::V4(v4) = addr else { return None };
        let [ten, a, b, c] = v4.ip().octets();
        let number = u32::from_be_bytes([0, a, b, c]);
        if ten == 10 && v4.port() == BIRTH_PORT { number.checked_sub(1).map(Self) } else { None }
    }
}

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:x}", u64::from(self.0) + 1)
    }
}

impl fmt::Debug for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for HostId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix('#').filter(|digits| !digits.starts_with('+'));
        let name = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let number = name.and_then(|name| name.checked_sub(1)).and_then(|number| u32::try_from(number).ok());
        let wanted = "a host is called #1, #2, … #a and so on, in hexadecimal";
        number.map(Self).ok_or_else(|| format!("{text:?}: {wanted}"))
    }
}

impl Serialize for HostId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HostId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_as_it_is_written() {
        for host in [0, 8, 9, 255, u32::MAX].map(HostId) {
            assert_eq!(host.to_string().parse(), Ok(host));
        }
        assert_eq!(HostId(9).to_string(), "#a");
        for text in ["", "#", "3", "#0", "#+1", "#g", "#100000001", "# 1"] {
            assert!(text.parse::<HostId>().is_err(), "{text}");
        }
    }
}
