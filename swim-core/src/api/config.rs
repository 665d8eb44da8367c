//! Everything that can be tuned, with ranges and defaults.
//!
//! [`Options`] is plain data to fill in; a [`Config`] is options that have been checked, and the only
//! thing a [`crate::Node`] takes. What depends on the size of the cluster (suspicion timeouts, how often
//! an update is repeated) follows the size by itself and is not configured.
//!
//! A few deviations from the papers are switches, so that a simulation can show what goes wrong without them.

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::payload::{METADATA_MAX, PAYLOAD_MAX};

/// Tunables, unchecked. Begin with [`Options::lan`], [`Options::wan`] or [`Options::local`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Options {
    /// The cluster's name, at most 255 bytes; datagrams of other clusters are dropped. Default: `""`.
    pub label: String,

    /// Protocol period T′: one member is probed in each. SWIM section 3.1. 10 ms to 1 h. LAN 1 s, local 500 ms,
    /// WAN 5 s.
    pub period: Duration,
    /// How long a direct ping may take before relays are asked: 1 ms or more, less than `period`. LAN 500 ms, local 200 ms,
    /// WAN 3 s.
    pub direct_timeout: Duration,
    /// Further direct pings within one period when the first stays unanswered, 0 to 2. Default 2
    /// (SWIM: 0).
    pub retries: u8,
    /// Members asked to ping on our behalf, k of SWIM section 3.1, 0 to 8. Default 3.
    pub relays: u8,

    /// Suspicion: α, shortest timeout = α · max(1, log₁₀ n) · period. 1 to 32. Default 4, local 3.
    pub alpha: u8,
    /// Suspicion: β, longest timeout = β · shortest. 1 to 32. Default 6.
    pub beta: u8,
    /// Suspicion: K, independent confirmations that bring the timeout to its shortest, 0 to 6.
    /// Default 3.
    pub confirmations: u8,
    /// Local health: S, the largest value of the multiplier, 0 to 32. Default 8; 0 switches it off.
    pub health_max: u8,

    /// Gossip: λ, an update is sent λ · ⌈log₁₀(n + 1)⌉ times by each member. 1 to 8. Default 4.
    pub lambda: u8,
    /// Time between gossip ticks while there is something to say; 1 ms to 1 h. `None`: piggyback only, as in SWIM.
    /// LAN 200 ms, local 100 ms, WAN 500 ms.
    pub gossip_interval: Option<Duration>,
    /// Members that each gossip tick sends to, 1 to 8. Default 3, WAN 4.
    pub gossip_fanout: u8,

    /// Longest datagram, in bytes of UDP payload, 1,200 to 9,000. Default 1,400, WAN 1,200.
    pub datagram_max: u16,
    /// Alive and Suspect members held, this one included, 2 to 8,000,000. Beyond it newcomers are not admitted.
    /// Default 100,000.
    pub members_max: u32,
    /// Dead and Left members remembered, `members_max` to 8,000,000. Default 100,000.
    pub tombstones_max: u32,
    /// How long a Dead or Left member is remembered, 10 periods to 365 days. Default 24 h.
    pub tombstone_life: Duration,
    /// User broadcasts queued; a further one is refused. Default 256.
    pub broadcasts_max: u16,
    /// Pings on behalf of others in flight at once, at most 8,192. Default 256.
    pub relayed_max: u16,
    /// Pages served to others each second, joins included, at least 1. Default 256.
    pub pages_per_second: u16,

    /// How far ahead of the cluster's epoch clock an epoch may be believed. Default 24 h.
    pub max_epoch_lead: Duration,
    /// Cluster-wide time between two attempts to reconnect to one Dead member; `None`: never. Default 10 s.
    pub heal_interval: Option<Duration>,
    /// Longest time between two digest syncs that found nothing; `None`: no anti-entropy. Default 30 s.
    pub sync_interval_max: Option<Duration>,
    /// First and longest time between two attempts to join through a seed, 10 ms to 1 h, the first not above
    /// the longest. LAN 500 ms and 3 s, local 200 ms and 1 s, WAN 1 s and 5 s.
    pub join_retry: (Duration, Duration),

    /// Dead is believed only over a Suspect that is held. Default on (SWIM: off).
    pub dead_over_suspect_only: bool,
    /// A header newer than what is held counts as a first-hand Alive. Default on (SWIM: off).
    pub header_claims: bool,
    /// Raise no suspicion and let none expire while stalled or isolated. Default on (SWIM: off).
    pub self_doubt: bool,
    /// Accept datagrams of members that come from another address than the advertised one (NAT, several
    /// interfaces), acks with the right request number, and joiners that advertise another address than
    /// their own. A host that guesses a member's id can then impersonate it from any address, and any
    /// stranger can make members send to an address of its choice. Default off.
    pub accept_wrong_source: bool,
    /// Take the address at which two members see this node, when they refuse the one that it advertises (DHCP, roaming). Where
    /// a network translates addresses, others may be able to use that one only for a while. Default off: the user is
    /// reported [`crate::Event::WrongSource`] and may set the address.
    pub follow_address: bool,
}

impl Options {
    /// For a local area network: period 1 s, direct timeout 500 ms, α = 4, β = 6, K = 3, S = 8, λ = 4.
    #[must_use]
    pub fn lan() -> Self {
        Self {
            label: String::new(),
            period: Duration::from_secs(1),
            direct_timeout: Duration::from_millis(500),
            retries: 2,
            relays: 3,
            alpha: 4,
            beta: 6,
            confirmations: 3,
            health_max: 8,
            lambda: 4,
            gossip_interval: Some(Duration::from_millis(200)),
            gossip_fanout: 3,
            datagram_max: 1400,
            members_max: 100_000,
            tombstones_max: 100_000,
            tombstone_life: Duration::from_secs(24 * 3600),
            broadcasts_max: 256,
            relayed_max: 256,
            pages_per_second: 256,
            max_epoch_lead: Duration::from_secs(24 * 3600),
            heal_interval: Some(Duration::from_secs(10)),
            sync_interval_max: Some(Duration::from_secs(30)),
            join_retry: (Duration::from_millis(500), Duration::from_secs(3)),
            dead_over_suspect_only: true,
            header_claims: true,
            self_doubt: true,
            accept_wrong_source: false,
            follow_address: false,
        }
    }

    /// For one machine or one rack: period 500 ms, direct timeout 200 ms, gossip every 100 ms, α = 3.
    #[must_use]
    pub fn local() -> Self {
        Self {
            period: Duration::from_millis(500),
            direct_timeout: Duration::from_millis(200),
            alpha: 3,
            gossip_interval: Some(Duration::from_millis(100)),
            join_retry: (Duration::from_millis(200), Duration::from_secs(1)),
            ..Self::lan()
        }
    }

    /// Across sites: period 5 s, direct timeout 3 s, gossip every 500 ms to 4, datagrams of 1,200 bytes.
    #[must_use]
    pub fn wan() -> Self {
        Self {
            period: Duration::from_secs(5),
            direct_timeout: Duration::from_secs(3),
            gossip_interval: Some(Duration::from_millis(500)),
            gossip_fanout: 4,
            datagram_max: 1200,
            join_retry: (Duration::from_secs(1), Duration::from_secs(5)),
            ..Self::lan()
        }
    }
}

/// Options that have been checked. Cheap to share: put it into an `Arc`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    options: Options,
    label_hash: u32,
}

impl Config {
    /// Checks `options`.
    ///
    /// # Errors
    /// The first field that is out of its range, with its value and the range.
    pub fn new(options: Options) -> Result<Self, ConfigError> {
        check(&options)?;
        let label_hash = crate::collections::hash::label(&options.label);
        Ok(Self { options, label_hash })
    }

    /// [`Options::lan`], checked.
    #[must_use]
    pub fn lan() -> Self {
        Self::new(Options::lan()).expect("the lan preset is in range: tested")
    }

    /// [`Options::local`], checked.
    #[must_use]
    pub fn local() -> Self {
        Self::new(Options::local()).expect("the local preset is in range: tested")
    }

    /// [`Options::wan`], checked.
    #[must_use]
    pub fn wan() -> Self {
        Self::new(Options::wan()).expect("the wan preset is in range: tested")
    }

    /// The options it was made of.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// What stands for the label in every header.
    #[must_use]
    pub const fn label_hash(&self) -> u32 {
        self.label_hash
    }
}

/// A configuration is saved as its options.
pub(crate) mod as_options {
    use alloc::sync::Arc;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Config, Options};

    pub(crate) fn serialize<S: Serializer>(config: &Config, serializer: S) -> Result<S::Ok, S::Error> {
        config.options.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Config>, D::Error> {
        Config::new(Options::deserialize(deserializer)?).map(Arc::new).map_err(D::Error::custom)
    }
}

impl core::ops::Deref for Config {
    type Target = Options;

    fn deref(&self) -> &Options {
        &self.options
    }
}

/// An option out of range.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// The field of [`Options`].
    pub field: &'static str,
    /// Its value, as text.
    pub value: String,
    /// What it may be.
    pub expected: &'static str,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "option `{}` is {}; expected {}", self.field, self.value, self.expected)
    }
}

impl core::error::Error for ConfigError {}

fn check(o: &Options) -> Result<(), ConfigError> {
    const HOUR: Duration = Duration::from_secs(3600);
    const MILLI: Duration = Duration::from_millis(1);
    let ranges: [(&'static str, &dyn fmt::Debug, bool, &'static str); 19] = [
        ("label", &o.label, o.label.len() <= 255, "at most 255 bytes"),
        ("period", &o.period, o.period >= 10 * MILLI && o.period <= HOUR, "10 ms to 1 h"),
        (
            "direct_timeout",
            &o.direct_timeout,
            o.direct_timeout >= MILLI && o.direct_timeout < o.period,
            "at least 1 ms and less than `period`",
        ),
        ("retries", &o.retries, o.retries <= 2, "0 to 2"),
        ("relays", &o.relays, o.relays <= 8, "0 to 8"),
        ("alpha", &o.alpha, (1..=32).contains(&o.alpha), "1 to 32"),
        ("beta", &o.beta, (1..=32).contains(&o.beta), "1 to 32"),
        ("confirmations", &o.confirmations, o.confirmations <= 6, "0 to 6"),
        ("health_max", &o.health_max, o.health_max <= 32, "0 to 32"),
        ("lambda", &o.lambda, (1..=8).contains(&o.lambda), "1 to 8"),
        (
            "gossip_interval",
            &o.gossip_interval,
            o.gossip_interval.is_none_or(|i| i >= MILLI && i <= HOUR),
            "1 ms to 1 h, or none",
        ),
        ("gossip_fanout", &o.gossip_fanout, (1..=8).contains(&o.gossip_fanout), "1 to 8"),
        ("datagram_max", &o.datagram_max, (1200..=9000).contains(&o.datagram_max), "1200 to 9000 bytes"),
        ("members_max", &o.members_max, (2..=LARGEST_TABLE).contains(&o.members_max), "2 to 8000000"),
        (
            "tombstones_max",
            &o.tombstones_max,
            o.tombstones_max >= o.members_max && o.tombstones_max <= LARGEST_TABLE,
            "at least `members_max`, at most 8000000",
        ),
        (
            "tombstone_life",
            &o.tombstone_life,
            o.tombstone_life >= o.period * 10 && o.tombstone_life <= HOUR * 24 * 365,
            "10 periods to one year",
        ),
        ("relayed_max", &o.relayed_max, o.relayed_max <= 8192, "at most 8192"),
        ("pages_per_second", &o.pages_per_second, o.pages_per_second >= 1, "at least 1"),
        (
            "join_retry",
            &o.join_retry,
            o.join_retry.0 >= 10 * MILLI && o.join_retry.0 <= o.join_retry.1 && o.join_retry.1 <= HOUR,
            "(first, longest): 10 ms ≤ first ≤ longest ≤ 1 h",
        ),
    ];
    for (field, value, in_range, expected) in ranges {
        if !in_range {
            return Err(ConfigError { field, value: alloc::format!("{value:?}"), expected });
        }
    }
    Ok(())
}

/// As many as `members_max` and `tombstones_max` may be: both together are counted in three bytes.
pub(crate) const LARGEST_TABLE: u32 = 8_000_000;

const _: () = assert!(METADATA_MAX < PAYLOAD_MAX && PAYLOAD_MAX < 1200 - 128);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_are_in_range() {
        let _ = (Config::lan(), Config::local(), Config::wan());
    }

    #[test]
    fn an_option_out_of_range_is_named_with_its_value() {
        let mut options = Options::lan();
        options.direct_timeout = Duration::from_secs(2);
        let error = Config::new(options).expect_err("longer than the period");
        assert_eq!(
            alloc::format!("{error}"),
            "option `direct_timeout` is 2s; expected at least 1 ms and less than `period`"
        );
    }
}
