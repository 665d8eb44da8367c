//! How long things may take, from the profile's own formulas.
//!
//! These are the demo's timeout, not the protocol's promises: twice the longest that a step can take on a
//! machine that keeps up, and some seconds more for one that does not.

use std::time::Duration;

use swim_core::Config;

use crate::args::Profile;

/// Times that follow from profile and size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Protocol period.
    pub(crate) period: Duration,
    /// No member can be called Dead sooner after the first accusation: Lifeguard's minimum.
    pub(crate) suspicion_min: Duration,
    /// All members calls a crashed member Dead by then, if the machine keeps up: the protocol's promise.
    pub(crate) detection_bound: Duration,
    /// No member stays suspected longer without refuting: Lifeguard's maximum.
    pub(crate) suspicion_max: Duration,
}

/// For processes to start, and for a machine that is busy.
const SLACK: Duration = Duration::from_secs(15);

impl Pace {
    /// The pace of `nodes` members on `profile`.
    pub(crate) fn new(profile: Profile, nodes: usize) -> Self {
        let config = Config::new(profile.options()).expect("the presets are in range: the core tests them");
        Self::of(&config, u32::try_from(nodes).unwrap_or(u32::MAX))
    }

    fn of(config: &Config, nodes: u32) -> Self {
        // α · max(1, log₁₀ n) · period, and β times that: Lifeguard, section IV.B.
        let scale = f64::from(nodes).log10().max(1.0);
        let suspicion_min = config.period.mul_f64(f64::from(config.alpha) * scale);
        let suspicion_max = suspicion_min * u32::from(config.beta);
        Self {
            period: config.period,
            suspicion_min,
            suspicion_max,
            detection_bound: config.detection_bound(nodes),
        }
    }

    /// For all members to list all members.
    pub(crate) fn converge(&self) -> Duration {
        self.period * 20 + SLACK
    }

    /// For a change that its subject announces itself (back, left) to be known everywhere.
    pub(crate) fn spread(&self) -> Duration {
        self.period * 10 + SLACK
    }

    /// For the first accusation of a member that is silent.
    pub(crate) fn accuse(&self) -> Duration {
        self.period * 20 + SLACK
    }

    /// For all members to call a silent member Dead.
    pub(crate) fn detection(&self) -> Duration {
        self.detection_bound.max(self.suspicion_max) * 2 + SLACK
    }

    /// From the first accusation of a stopped member until it is woken: long enough to be known to all,
    /// short enough that not even the quickest suspicion has run out.
    pub(crate) fn pause_after_accusation(&self) -> Duration {
        self.suspicion_min / 2
    }

    /// How long a woken member is watched: it has probed several others by then.
    pub(crate) fn watch(&self) -> Duration {
        self.period * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suspicion_times_are_lifeguards() {
        let pace = Pace::new(Profile::Lan, 5);
        assert_eq!(
            (pace.suspicion_min, pace.suspicion_max),
            (Duration::from_secs(4), Duration::from_secs(24))
        );
        let pace = Pace::new(Profile::Lan, 100);
        assert_eq!(
            (pace.suspicion_min, pace.suspicion_max),
            (Duration::from_secs(8), Duration::from_secs(48))
        );
    }

    #[test]
    fn a_stopped_member_is_woken_before_any_suspicion_can_run_out() {
        for profile in [Profile::Local, Profile::Lan, Profile::Wan] {
            for nodes in [2, 5, 50, 250] {
                let pace = Pace::new(profile, nodes);
                assert!(pace.pause_after_accusation() < pace.suspicion_min);
                assert!(pace.pause_after_accusation() >= pace.period, "{profile:?}: time to hear of it");
            }
        }
    }
}
