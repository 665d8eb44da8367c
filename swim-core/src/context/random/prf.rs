//! A keyed function that cannot be computed without the key: proof that a host receives at an address.
//!
//! A node that has never heard of an address must not be talked into flooding it, nor remember anything
//! about it. So it answers a stranger with a number that only it can compute from the address and the
//! hour, forgets all about it, and believes the address once the number comes back.
//!
//! `ChaCha` is such a function of 128 bits (counter and nonce); two of them in a row take an address, a
//! port and a time: the IP address selects a key, that key and the rest give the number. All inputs
//! have the same length, which is what makes the cascade as strong as its parts.

use core::net::{IpAddr, SocketAddr};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::api::canonical;

/// 32-bit words in one block of `ChaCha`: its generator counts words, the cipher blocks.
const WORDS_PER_BLOCK: u128 = 16;

/// The function, with its key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Prf {
    key: [u8; 32],
}

impl Prf {
    /// The function of this key, which no other node may know.
    #[must_use]
    pub(crate) const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The number that stands for `addr` in this `bucket` of time. Never 0, which is left free to mean
    /// "none". The two forms of a v4 address give the same number.
    #[must_use]
    pub(crate) fn token(&self, addr: SocketAddr, bucket: u64) -> u64 {
        let addr = canonical(addr);
        let ip = match addr.ip() {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        };
        let scope = match addr {
            SocketAddr::V4(_) => 0,
            SocketAddr::V6(v6) => v6.scope_id(),
        };
        let ip = u128::from(ip);
        let mut key = [0; 32];
        block(self.key, (ip >> 64) as u64, ip as u64).fill_bytes(&mut key);
        let endpoint = (u64::from(scope) << 16_u32) | u64::from(addr.port());
        block(key, endpoint, bucket).next_u64().max(1)
    }
}

impl core::fmt::Debug for Prf {
    /// Keeps the key to itself.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Prf")
    }
}

/// `ChaCha20` at one block of one stream.
fn block(key: [u8; 32], counter: u64, nonce: u64) -> ChaCha20Rng {
    let mut generator = ChaCha20Rng::from_seed(key);
    generator.set_stream(nonce);
    generator.set_word_pos(u128::from(counter) * WORDS_PER_BLOCK);
    generator
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().expect("a valid address")
    }

    fn prf() -> Prf {
        Prf::new(core::array::from_fn(|i| i as u8))
    }

    #[test]
    fn the_blocks_are_those_of_chacha20() {
        // RFC 8439, appendix A.1, test vectors 1 and 2: key and nonce zero, blocks 0 and 1.
        assert_eq!(
            block([0; 32], 0, 0).next_u64().to_le_bytes(),
            [0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90]
        );
        assert_eq!(
            block([0; 32], 1, 0).next_u64().to_le_bytes(),
            [0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a]
        );
    }

    #[test]
    fn tokens_never_change_for_a_key() {
        assert_eq!(prf().token(addr("10.0.0.1:7946"), 0), 0xb29f_6064_2deb_dbf7);
        assert_eq!(prf().token(addr("[2001:db8::1]:7946"), u64::MAX), 0xea4a_c907_7ba6_0de9);
    }

    #[test]
    fn every_part_of_the_input_and_the_key_matters() {
        let base = prf().token(addr("[fe80::1%3]:7946"), 5);
        let others = [
            prf().token(addr("[fe80::1%3]:7946"), 6),
            prf().token(addr("[fe80::1%3]:7947"), 5),
            prf().token(addr("[fe80::1%4]:7946"), 5),
            prf().token(addr("[fe80::2%3]:7946"), 5),
            prf().token(addr("[fe80:0:0:1::1%3]:7946"), 5),
            Prf::new([7; 32]).token(addr("[fe80::1%3]:7946"), 5),
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(base, *other, "{index}");
        }
    }

    #[test]
    fn both_forms_of_a_v4_address_have_one_token() {
        let mapped = prf().token(addr("[::ffff:10.0.0.1]:7946"), 1);
        assert_eq!(mapped, prf().token(addr("10.0.0.1:7946"), 1));
    }

    #[test]
    fn the_largest_inputs_are_inputs_like_any_other() {
        let last = prf().token(addr("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"), u64::MAX);
        assert_ne!(last, prf().token(addr("[::]:0"), 0));
    }
}
