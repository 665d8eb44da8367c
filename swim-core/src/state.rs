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

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::net::SocketAddr;
    use std::path::Path;
    use std::process::Command;
    use std::{fs, string::String};

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

    /// What `build.rs` prints in a folder that holds it and these sources, with this environment.
    fn source_of(build: &Path, name: &str, files: &[(&str, &str)], mutants: bool) -> String {
        let root = build.with_file_name(name);
        for (file, text) in files {
            let path = root.join("src").join(file);
            fs::create_dir_all(path.parent().expect("below src")).expect("a folder can be made");
            fs::write(path, text).expect("a file can be written");
        }
        let mut command = Command::new(build);
        command.env("CARGO_MANIFEST_DIR", &root).env_remove("CARGO_CFG_SWIM_MUTANTS");
        if mutants {
            command.env("CARGO_CFG_SWIM_MUTANTS", "");
        }
        let output = command.output().expect("it was built for this machine");
        assert!(output.status.success(), "{output:?}");
        fs::remove_dir_all(root).expect("it was made here");
        let text = String::from_utf8(output.stdout).expect("it prints text");
        let line = text.lines().find_map(|line| line.split_once("SWIM_CORE_SOURCE="));
        line.expect("it prints the number").1.into()
    }

    #[test]
    fn the_source_is_told_by_names_and_texts_and_not_by_places_and_line_ends() {
        let folder = std::env::temp_dir().join(std::format!("swim-core-source-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        let build = folder.join("build");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs");
        let rustc = Command::new("rustc").arg("--edition=2024").arg(script).arg("-o").arg(&build).status();
        assert!(rustc.expect("rustc compiles this test, too").success());
        let of = |name, files: &[(&str, &str)], mutants| source_of(&build, name, files, mutants);

        let plain = of("plain", &[("lib.rs", "mod a;\n"), ("a/mod.rs", "")], false);
        assert_eq!(plain, of("elsewhere", &[("a/mod.rs", ""), ("lib.rs", "mod a;\r\n")], false));
        assert_eq!(plain, of("notes", &[("a/mod.rs", ""), ("lib.rs", "mod a;\n"), ("a/notes", "x")], false));
        let others = [
            of("mutants", &[("lib.rs", "mod a;\n"), ("a/mod.rs", "")], true),
            of("text", &[("lib.rs", "mod a; \n"), ("a/mod.rs", "")], false),
            of("name", &[("lib.rs", "mod a;\n"), ("a.rs", "")], false),
            of("moved", &[("lib.rs", ""), ("a/mod.rs", "mod a;\n")], false),
        ];
        assert!(others.iter().all(|other| *other != plain), "{plain} {others:?}");
        fs::remove_dir_all(folder).expect("it was made here");
    }
}
