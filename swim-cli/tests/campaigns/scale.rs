//! Sizes, which may be set from outside, and the bounds that follow from a profile and a size.

use std::time::Duration;

use swim_core::Options;

/// Members of a long campaign.
pub(crate) fn nodes(default: usize) -> usize {
    size("SWIM_CAMPAIGN_NODES", default)
}

/// How long a long campaign lasts.
pub(crate) fn seconds(default: usize) -> Duration {
    Duration::from_secs(size("SWIM_CAMPAIGN_SECONDS", default) as u64)
}

/// How many datagrams of garbage are sent.
pub(crate) fn datagrams(default: usize) -> usize {
    size("SWIM_CAMPAIGN_DATAGRAMS", default)
}

/// `default`, unless the environment variable `name` says otherwise.
fn size(name: &str, default: usize) -> usize {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is `{text}`; expected a number")),
        Err(_) => default,
    }
}

/// The timing of a profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Profile {
    Local,
    Lan,
}

impl Profile {
    /// As it is given on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Lan => "lan",
        }
    }

    pub(crate) fn options(self) -> Options {
        match self {
            Self::Local => Options::local(),
            Self::Lan => Options::lan(),
        }
    }

    pub(crate) fn period(self) -> Duration {
        self.options().period
    }

    /// Within it every survivor of a cluster of `n` calls a killed member Dead: the core's own bound, and 2 s for
    /// a machine with more processes than cores.
    pub(crate) fn detection_bound(self, n: usize) -> Duration {
        let config = swim_core::Config::new(self.options()).expect("a preset is in range");
        config.detection_bound(n as u32) + Duration::from_secs(2)
    }

    /// How long one update is sent by each member: λ · ⌈log₁₀(n + 1)⌉ gossip ticks.
    pub(crate) fn dissemination(self, n: usize) -> Duration {
        let options = self.options();
        let ticks = f64::from(options.lambda) * log10(n + 1).ceil();
        options.gossip_interval.unwrap_or(options.period).mul_f64(ticks)
    }
}

fn log10(n: usize) -> f64 {
    (n as f64).log10()
}
