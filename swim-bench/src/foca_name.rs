//! The members that foca is given: by number, and called in the two ways that it is compared in.

use std::fmt::Debug;
use std::net::SocketAddr;

use foca::Identity;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What tells members apart.
pub(crate) trait Address: Copy + Eq + Debug + Serialize + DeserializeOwned {
    /// What foca with such addresses is called in a table.
    const WHAT: &'static str;

    /// Of member `number`.
    fn of(number: u32) -> Self;
    /// Whose it is.
    fn number(self) -> u32;
}

impl Address for SocketAddr {
    const WHAT: &'static str = "foca 2 (usual)";

    fn of(number: u32) -> Self {
        let [_, a, b, c] = number.to_be_bytes();
        Self::from(([10, a, b, c], 7946))
    }

    fn number(self) -> u32 {
        match self {
            Self::V4(addr) => addr.ip().to_bits() & 0xff_ffff,
            Self::V6(_) => u32::MAX,
        }
    }
}

impl Address for u32 {
    const WHAT: &'static str = "foca 2 (lean)";

    fn of(number: u32) -> Self {
        number
    }

    fn number(self) -> u32 {
        self
    }
}

/// An address and a count of restarts, as in foca's examples.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Name<A> {
    pub(crate) addr: A,
    bump: u16,
}

/// With a socket address, as applications have it.
pub(crate) type Usual = SocketAddr;
/// As little as will do where addresses are looked up elsewhere.
pub(crate) type Lean = u32;

impl<A: Address> Name<A> {
    /// Member `number` in its first epoch.
    pub(crate) fn of(number: u32) -> Self {
        Self { addr: A::of(number), bump: 0 }
    }
}

impl<A: Address> Identity for Name<A> {
    type Addr = A;

    fn renew(&self) -> Option<Self> {
        Some(Self { bump: self.bump.wrapping_add(1), ..*self })
    }

    fn addr(&self) -> A {
        self.addr
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self.bump > adversary.bump
    }
}
