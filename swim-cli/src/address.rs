//! Addresses as people write them: numbers or names, always with a port.
//!
//! The grammar is checked while the command line is parsed; names are looked up later, because a look-up may
//! take seconds and may fail today and succeed in a minute. A name to *bind* must be known at the start; a
//! name to *join* need not be, and never delays the addresses beside it.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use swim_mio::SeedAddr;

/// `host:port`, grammatically right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HostPort {
    text: String,
}

/// Why a text is not an address, or cannot be turned into one; with what to write instead.
#[derive(thiserror::Error, Debug)]
pub(crate) enum AddressError {
    #[error("an address is missing: write host:port, for example 127.0.0.1:7946")]
    Empty,
    #[error("`{0}` has no port: write {1}")]
    NoPort(String, String),
    #[error("`{text}`: the port `{port}` is not a number from 0 to 65535")]
    BadPort { text: String, port: String },
    #[error("`{0}` is ambiguous: an IPv6 address needs brackets, as in [::1]:7946")]
    Brackets(String),
    #[error("`{0}`: no member can be reached at port 0; write the port that the member listens on")]
    PortZero(String),
    #[error("cannot find the address of `{text}` ({why}); check the name, or write an IP address")]
    Unknown { text: String, why: String },
    #[error("`{0}` has no address; check the name, or write an IP address")]
    NoAddress(String),
}

impl FromStr for HostPort {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.parse::<SocketAddr>().is_ok() {
            return Ok(Self { text: text.to_owned() });
        }
        if text.parse::<std::net::Ipv6Addr>().is_ok() {
            return Err(AddressError::Brackets(text.to_owned()));
        }
        match text.rsplit_once(':') {
            None => Err(AddressError::NoPort(text.to_owned(), format!("{text}:7946"))),
            Some(("", port)) => Err(AddressError::NoPort(text.to_owned(), format!("127.0.0.1:{port}"))),
            Some((host, _)) if host.contains(':') && !host.starts_with('[') => {
                Err(AddressError::Brackets(text.to_owned()))
            }
            Some((_, port)) if port.parse::<u16>().is_err() => {
                Err(AddressError::BadPort { text: text.to_owned(), port: port.to_owned() })
            }
            Some(_) => Ok(Self { text: text.to_owned() }),
        }
    }
}

impl HostPort {
    /// Looks the name up. Blocks for as long as the resolver takes.
    pub(crate) fn resolve(&self) -> Result<Vec<SocketAddr>, AddressError> {
        let found = self
            .text
            .to_socket_addrs()
            .map_err(|error| AddressError::Unknown { text: self.text.clone(), why: error.to_string() })?;
        let addrs: Vec<SocketAddr> = found.collect();
        if addrs.is_empty() {
            return Err(AddressError::NoAddress(self.text.clone()));
        }
        Ok(addrs)
    }

    /// The one address to use; of the same family as `like` if there is such a one.
    pub(crate) fn resolve_one(&self, like: Option<SocketAddr>) -> Result<SocketAddr, AddressError> {
        let addrs = self.resolve()?;
        let preferred = like.and_then(|like| same_family(&addrs, like).next());
        Ok(preferred.unwrap_or(addrs[0]))
    }
}

/// Those of `addrs` that a socket bound to `like` can send to.
fn same_family(addrs: &[SocketAddr], like: SocketAddr) -> impl Iterator<Item = SocketAddr> {
    addrs.iter().copied().filter(move |addr| addr.is_ipv4() == like.is_ipv4())
}

/// One address of `--join`: ready to use, or a name that the driver looks up.
pub(crate) fn seed(text: &str) -> Result<SeedAddr, AddressError> {
    let HostPort { text } = text.parse()?;
    if text.ends_with(":0") {
        return Err(AddressError::PortZero(text));
    }
    Ok(text.parse().map_or_else(|_| SeedAddr::Name(text.into()), SeedAddr::Addr))
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        seed(text).expect_err("refused").to_string()
    }

    #[test]
    fn every_malformed_address_is_refused_by_name_and_with_a_way_out() {
        assert_eq!(refusal("localhost"), "`localhost` has no port: write localhost:7946");
        assert_eq!(refusal(":7946"), "`:7946` has no port: write 127.0.0.1:7946");
        assert_eq!(refusal("host:ssh"), "`host:ssh`: the port `ssh` is not a number from 0 to 65535");
        assert_eq!(refusal("host:65536"), "`host:65536`: the port `65536` is not a number from 0 to 65535");
        assert!(refusal("::1").contains("[::1]:7946"));
        assert!(refusal("fe80::1:7946").contains("brackets"));
        assert!(refusal(" ").contains("missing"));
    }

    #[test]
    fn port_zero_can_be_bound_but_not_joined() {
        assert!("127.0.0.1:0".parse::<HostPort>().is_ok());
        assert!(refusal("127.0.0.1:0").contains("port 0"));
        assert!(refusal("localhost:0").contains("port 0"));
    }

    #[test]
    fn numbers_are_ready_and_names_are_not() {
        assert!(matches!(seed("[::1]:7946"), Ok(SeedAddr::Addr(_))));
        assert!(matches!(seed("seed-1.example:7946"), Ok(SeedAddr::Name(_))));
    }

    #[test]
    fn a_name_is_resolved_to_the_family_of_the_socket() {
        let like: SocketAddr = "127.0.0.1:1".parse().expect("an address");
        let name: HostPort = "localhost:7946".parse().expect("an address");
        assert_eq!(name.resolve_one(Some(like)).expect("localhost is known").to_string(), "127.0.0.1:7946");
    }
}
