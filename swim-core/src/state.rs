//! A node in bytes: what it takes to stop one here and go on with it elsewhere, bit for bit.
//!
//! A recording of a node that has run for a month begins in the middle: with the whole state of the node
//! at some moment. So everything that decides what a node does next can be saved and loaded
//! ([`crate::Node::save`], [`crate::Node::load`]). The bytes are no format to keep: they are the fields of
//! this very source, one after the other, and only a core of the same [`SOURCE`] reads them.
//!
//! What serde does not do as it is needed here stands in this file: addresses with their scope, arrays
//! of any length.

use core::fmt;

use crate::config::ConfigError;

/// The version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A hash of this crate's sources, the same on every machine: two builds with the same number do the same
/// with the same inputs, and read each other's saved nodes. Comments count, line ends do not; a build for
/// mutation tests (`--cfg swim_mutants`) has another one. Dependencies do not count: `Cargo.lock` pins them.
pub const SOURCE: u64 = match u64::from_str_radix(env!("SWIM_CORE_SOURCE"), 16) {
    Ok(source) => source,
    Err(_) => panic!("build.rs writes a number"),
};

/// Why bytes are not a node.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StateError {
    /// They were saved by another core, whose [`SOURCE`] this is.
    OtherSource(u64),
    /// They do not decode, at the part of this name.
    Malformed(&'static str),
    /// They decode, but what this part says contradicts itself or another part.
    Unsound(&'static str),
    /// Its configuration is none.
    Config(ConfigError),
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherSource(source) => {
                write!(f, "the node was saved by a core of source {source:016x}; this one is {SOURCE:016x}")
            }
            Self::Malformed(part) => write!(f, "not a saved node: `{part}` does not decode"),
            Self::Unsound(part) => write!(f, "a damaged node: `{part}` does not hang together"),
            Self::Config(error) => write!(f, "not a saved node: {error}"),
        }
    }
}

impl core::error::Error for StateError {}

/// Whether `free` names every empty place, and each of them once.
pub(crate) fn is_free_list<T>(places: &[Option<T>], free: &[u32]) -> bool {
    let mut sorted = free.to_vec();
    sorted.sort_unstable();
    sorted.into_iter().eq((0_u32..).zip(places).filter(|(_, entry)| entry.is_none()).map(|(place, _)| place))
}

/// Addresses with everything that they say: serde's own form leaves the scope of a v6 address out.
pub(crate) mod addr {
    use core::net::{SocketAddr, SocketAddrV6};

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// A v6 address has its flow information and its scope beside it.
    #[derive(Serialize, Deserialize)]
    pub(super) struct Full(SocketAddr, Option<(u32, u32)>);

    impl From<&SocketAddr> for Full {
        fn from(addr: &SocketAddr) -> Self {
            match addr {
                SocketAddr::V4(_) => Self(*addr, None),
                SocketAddr::V6(v6) => Self(*addr, Some((v6.flowinfo(), v6.scope_id()))),
            }
        }
    }

    impl From<Full> for SocketAddr {
        fn from(Full(addr, more): Full) -> Self {
            match (addr, more) {
                (Self::V6(v6), Some((flow, scope))) => {
                    Self::V6(SocketAddrV6::new(*v6.ip(), v6.port(), flow, scope))
                }
                _ => addr,
            }
        }
    }

    pub(crate) fn serialize<S: Serializer>(addr: &SocketAddr, serializer: S) -> Result<S::Ok, S::Error> {
        Full::from(addr).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
        Full::deserialize(deserializer).map(SocketAddr::from)
    }
}

/// Lists of addresses, in the same form.
pub(crate) mod addrs {
    use alloc::vec::Vec;
    use core::net::SocketAddr;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::addr::Full;

    pub(crate) fn serialize<'a, C, S>(list: &'a C, serializer: S) -> Result<S::Ok, S::Error>
    where
        &'a C: IntoIterator<Item = &'a SocketAddr>,
        S: Serializer,
    {
        serializer.collect_seq(list.into_iter().map(Full::from))
    }

    pub(crate) fn deserialize<'de, C, D>(deserializer: D) -> Result<C, D::Error>
    where
        C: FromIterator<SocketAddr>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<Full>::deserialize(deserializer)?.into_iter().map(SocketAddr::from).collect())
    }
}

/// Arrays of more than the 32 items that serde knows.
pub(crate) mod array {
    use alloc::vec::Vec;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T: Serialize, S: Serializer, const N: usize>(
        array: &[T; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        array.as_slice().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[T; N], D::Error> {
        let items = Vec::deserialize(deserializer)?;
        items.try_into().map_err(|_| D::Error::custom("an array of another length"))
    }
}
