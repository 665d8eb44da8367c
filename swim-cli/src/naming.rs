//! Names: the protocol knows members by 64-bit ids, people know them by name.
//!
//! A member of this program is called something, its id is derived from that
//! ([`NodeId::from_name`]), and its metadata carry the name to all others: first the name, then a NUL,
//! then the text that the user attached with `meta`. A member that was started by another program has
//! other metadata; it is shown by its id in hexadecimal.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use swim_core::{METADATA_MAX, NodeId};

/// Longest name, in bytes: it leaves most of the metadata to the user.
pub(crate) const NAME_MAX: usize = 64;

/// A name that can be typed, printed and sent: 1 to 64 bytes, no spaces, no control characters.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Name(String);

#[derive(thiserror::Error, PartialEq, Eq, Debug)]
pub(crate) enum NameError {
    #[error("a name has 1 to {NAME_MAX} bytes; `{0}` has {len}", len = .0.len())]
    Length(String),
    #[error("the name {0:?} has a space or a control character in it: write, for example, {1}")]
    Character(String, String),
}

/// Metadata that do not fit.
#[derive(thiserror::Error, PartialEq, Eq, Debug)]
#[error("the text has {len} bytes; beside the name `{name}` there is room for {max}")]
pub(crate) struct MetaTooLong {
    len: usize,
    max: usize,
    name: String,
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.is_empty() || text.len() > NAME_MAX {
            return Err(NameError::Length(text.to_owned()));
        }
        let bad = |c: char| c.is_whitespace() || c.is_control();
        if text.contains(bad) {
            return Err(NameError::Character(text.to_owned(), text.replace(bad, "-")));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Name {
    /// What a member is called that was not given a name: `node-PORT`, and beyond the loopback address,
    /// where the same port is used on every machine, `node-IP-PORT`.
    pub(crate) fn default_for(addr: SocketAddr) -> Self {
        let (ip, port) = (addr.ip().to_canonical(), addr.port());
        let plain = ip == std::net::Ipv4Addr::LOCALHOST || ip == std::net::Ipv6Addr::LOCALHOST;
        Self(if plain { format!("node-{port}") } else { format!("node-{ip}-{port}") })
    }

    pub(crate) fn id(&self) -> NodeId {
        NodeId::from_name(self.0.as_str())
    }

    /// The metadata of a member of this name.
    pub(crate) fn metadata(&self, text: &str) -> Result<Vec<u8>, MetaTooLong> {
        let max = METADATA_MAX - self.0.len() - 1;
        if text.len() > max {
            return Err(MetaTooLong { len: text.len(), max, name: self.0.clone() });
        }
        Ok([self.0.as_bytes(), b"\0", text.as_bytes()].concat())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Name and text in some member's metadata; `None` if they are not of this program's making, or if the
/// name does not belong to `id` (no member can dress up as another member).
pub(crate) fn parse_metadata(id: NodeId, metadata: &[u8]) -> Option<(String, String)> {
    let nul = metadata.iter().position(|byte| *byte == 0)?;
    let name: Name = std::str::from_utf8(&metadata[..nul]).ok()?.parse().ok()?;
    (name.id() == id).then(|| (name.0, String::from_utf8_lossy(&metadata[nul + 1..]).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().expect("a name")
    }

    #[test]
    fn metadata_carry_the_name_and_the_text() {
        let metadata = name("node-1").metadata("role=db").expect("fits");
        assert_eq!(metadata, b"node-1\0role=db");
        let parsed = parse_metadata(NodeId::from_name("node-1"), &metadata);
        assert_eq!(parsed, Some(("node-1".to_owned(), "role=db".to_owned())));
    }

    #[test]
    fn a_name_that_does_not_belong_to_the_id_is_not_believed() {
        let metadata = name("node-1").metadata("").expect("fits");
        assert_eq!(parse_metadata(NodeId::from_name("node-2"), &metadata), None);
    }

    #[test]
    fn foreign_metadata_are_no_name() {
        for metadata in [&b""[..], b"no nul", b"\0", b"\xff\0", b"two words\0"] {
            assert_eq!(parse_metadata(NodeId(1), metadata), None, "{metadata:?}");
        }
    }

    #[test]
    fn names_that_cannot_be_typed_are_refused_with_one_that_can() {
        let error = "my node".parse::<Name>().expect_err("a space").to_string();
        assert!(error.ends_with("my-node"), "{error}");
        assert!("a\nb".parse::<Name>().is_err() && "".parse::<Name>().is_err());
        assert!("x".repeat(NAME_MAX).parse::<Name>().is_ok());
        assert!("x".repeat(NAME_MAX + 1).parse::<Name>().is_err());
    }

    #[test]
    fn text_fills_the_metadata_to_the_last_byte_and_no_further() {
        let room = METADATA_MAX - "node-1".len() - 1;
        assert_eq!(name("node-1").metadata(&"x".repeat(room)).expect("fits").len(), METADATA_MAX);
        let error = name("node-1").metadata(&"x".repeat(room + 1)).expect_err("too long");
        assert!(error.to_string().contains(&room.to_string()), "{error}");
    }

    #[test]
    fn the_default_name_distinguishes_machines_but_not_loopback_addresses() {
        let default = |addr: &str| Name::default_for(addr.parse().expect("an address")).0;
        assert_eq!(default("127.0.0.1:7946"), "node-7946");
        assert_eq!(default("[::1]:7946"), "node-7946");
        assert_eq!(default("10.0.0.5:7946"), "node-10.0.0.5-7946");
        assert!(default("[fd00::1]:7946").parse::<Name>().is_ok());
    }
}
