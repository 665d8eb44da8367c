//! Addresses as text: `"192.0.2.1:7946"`, or `"#3"` for the address that host #3 is born at.

use std::net::SocketAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::host_id::HostId;

/// One address.
struct Address(SocketAddr);

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match HostId::born_at(self.0) {
            Some(host) => host.serialize(serializer),
            None => serializer.collect_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.starts_with('#') {
            let host: HostId = text.parse().map_err(serde::de::Error::custom)?;
            if host.0 > 0xff_fffe {
                return Err(serde::de::Error::custom(format!("{host} has no address to be born at")));
            }
            return Ok(Self(host.birthplace()));
        }
        let wrong =
            |_| format!("{text:?} is no address: \"192.0.2.1:7946\", or \"#3\" for a host's birthplace");
        text.parse().map(Self).map_err(wrong).map_err(serde::de::Error::custom)
    }
}

pub(crate) fn serialize<S: Serializer>(addr: &SocketAddr, serializer: S) -> Result<S::Ok, S::Error> {
    Address(*addr).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    Address::deserialize(deserializer).map(|address| address.0)
}

/// Addresses that need not be given.
pub(crate) mod option {
    use super::{Address, Deserialize, Deserializer, Serialize, Serializer, SocketAddr};

    pub(crate) fn serialize<S: Serializer>(
        addr: &Option<SocketAddr>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        addr.map(Address).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SocketAddr>, D::Error> {
        Ok(Option::<Address>::deserialize(deserializer)?.map(|address| address.0))
    }
}

/// Lists of addresses.
pub(crate) mod list {
    use super::{Address, Deserialize, Deserializer, Serializer, SocketAddr};

    pub(crate) fn serialize<S: Serializer>(addrs: &[SocketAddr], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(addrs.iter().copied().map(Address))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<SocketAddr>, D::Error> {
        Ok(Vec::<Address>::deserialize(deserializer)?.into_iter().map(|address| address.0).collect())
    }
}
