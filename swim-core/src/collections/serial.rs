//! What serde does not do as it is needed here: addresses with their scope, arrays of any length.

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

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::net::SocketAddr;

    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(PartialEq, Debug, Serialize, Deserialize)]
    struct Both {
        #[serde(with = "addr")]
        one: SocketAddr,
        #[serde(with = "addrs")]
        many: Vec<SocketAddr>,
    }

    #[test]
    fn an_address_keeps_its_flow_and_its_scope() {
        let one = SocketAddr::V6("[fe80::1%7]:7946".parse().expect("a scoped address"));
        let with_flow = SocketAddr::V6(core::net::SocketAddrV6::new([1; 8].into(), 1, 5, 6));
        let both = Both { one, many: Vec::from([one, ([10, 0, 0, 1], 1).into(), with_flow]) };
        let bytes = postcard::to_extend(&both, Vec::new()).expect("memory takes it");
        assert_eq!(postcard::from_bytes(&bytes), Ok(both));
    }
}
