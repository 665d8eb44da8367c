//! A scenario: everything that a run depends on, as data that people can read, write and reduce.
//!
//! A seed is enough to repeat a run, but not to understand one, to change one thing in it, or to make it
//! smaller. So a seed is first turned into a scenario (see [`crate::swarm`]), and only scenarios are carried
//! out (see [`crate::run`]): the same type is what a failing seed shrinks to, and what users write by hand:
//!
//! ```
//! # let text = r##"
//! name = "one-way-link"
//! about = "#3 can send to #1 but not hear it"
//! seed = 7
//! hosts = 5
//! profile = "lan"
//! trouble = "60s"
//!
//! [[steps]]
//! at = "5s"
//! do = { cut = { source = "#1", target = "#3" } }
//! # "##;
//! # let scenario: swim_sim::scenario::Scenario = toml::from_str(text).unwrap();
//! # assert_eq!(scenario.steps.len(), 1);
//! ```

mod expect;
mod settings;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use swim_core::{Config, Options};

use crate::action::Action;
use crate::host_id::HostId;
use crate::net::Link;
use crate::text::{self, Text};

pub use expect::{EventKind, Expect, HeldStatus, Reported, Sent, Unchanged, Views};
pub use settings::{Setting, Settings, option_names, option_values};

/// Reads a duration as scenarios have it: `1.5s`, `200ms`, `2m`.
///
/// # Errors
/// If it is not one.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    text::read(text)
}

/// Writes a duration so that [`parse_duration`] reads the same one.
#[must_use]
pub fn print_duration(duration: Duration) -> String {
    duration.print()
}

/// Periods of one measurement of the rest, and how many there are: what a member still learns may disturb one
/// stretch of time, but not every one.
pub(crate) const REST_PERIODS: u32 = 40;
pub(crate) const RESTS: u32 = 3;

/// Most hosts of a scenario.
pub const HOSTS_MAX: u32 = 100_000;

/// A run, before it is carried out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What to call it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Everything random follows from it.
    #[serde(default)]
    pub seed: u64,
    /// Hosts at the beginning; `#1` is the first.
    pub hosts: u32,
    /// The first so many hosts are the seeds of all. Default 3.
    #[serde(default = "three")]
    pub seeds: u32,
    /// Which defaults the members' options have.
    #[serde(default)]
    pub profile: Profile,
    /// A deliberately broken core, in a build that has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutant: Option<String>,
    /// How long the trouble lasts; it begins when all have had ten periods to join. Default: until the last
    /// step.
    #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Duration>,
    /// Hosts that stay down in the end if they were down when the trouble ended; all others come back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<HostId>,
    /// Options of the members that are not their profile's, by name.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub options: Settings,
    /// The link of every pair while there is trouble.
    #[serde(default = "Link::lan", skip_serializing_if = "Link::is_lan")]
    pub link: Link,
    /// What must hold beyond the properties.
    #[serde(default, skip_serializing_if = "Expect::is_default")]
    pub expect: Expect,
    /// What happens, in any order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// How long after the trouble began.
    #[serde(with = "text")]
    pub at: Duration,
    /// What.
    #[serde(rename = "do")]
    pub action: Action,
}

/// Which defaults the members' options have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// [`Options::lan`].
    #[default]
    Lan,
    /// [`Options::local`].
    Local,
    /// [`Options::wan`].
    Wan,
}

const fn three() -> u32 {
    3
}

impl Scenario {
    /// So many hosts with this seed, and no trouble.
    #[must_use]
    pub fn calm(seed: u64, hosts: u32) -> Self {
        Self {
            name: String::new(),
            about: String::new(),
            seed,
            hosts,
            seeds: three(),
            profile: Profile::Lan,
            mutant: None,
            trouble: None,
            absent: Vec::new(),
            options: Settings::default(),
            link: Link::lan(),
            expect: Expect::default(),
            steps: Vec::new(),
        }
    }

    /// Every member's configuration.
    ///
    /// # Errors
    /// An option that does not exist, or a value that is not in its range.
    pub fn config(&self) -> Result<Arc<Config>, ScenarioError> {
        let mut options = match self.profile {
            Profile::Lan => Options::lan(),
            Profile::Local => Options::local(),
            Profile::Wan => Options::wan(),
        };
        self.options.apply(&mut options)?;
        Config::new(options).map(Arc::new).map_err(|error| ScenarioError(error.to_string()))
    }

    /// How long the trouble lasts.
    #[must_use]
    pub fn trouble(&self) -> Duration {
        let last = self.steps.iter().map(|step| step.at).max().unwrap_or_default();
        self.trouble.unwrap_or(last).max(last)
    }

    /// Whether some link flips bits. Nothing on the wire distinguishes that from a false claim of a member, so
    /// properties about what cannot be verified (another's metadata, who accused whom) have nothing to check then.
    #[must_use]
    pub fn flips_bits(&self) -> bool {
        let links = self.steps.iter().filter_map(|step| step.action.link());
        links.chain([&self.link]).any(|link| link.corrupt_ppm > 0)
    }

    /// Whether it can be carried out.
    ///
    /// # Errors
    /// What is wrong with it, by name and value.
    pub fn check(&self) -> Result<(), ScenarioError> {
        self.config()?;
        crate::mutants::check(self.mutant.as_deref()).map_err(ScenarioError)?;
        if self.hosts < 1 || self.hosts > HOSTS_MAX {
            return Err(ScenarioError(format!("hosts is {}; expected 1 to {HOSTS_MAX}", self.hosts)));
        }
        if self.seeds < 1 {
            return Err(ScenarioError("seeds is 0; expected at least 1, or no hosts ever meet".into()));
        }
        // Hosts can be started on the way: each such step adds one.
        let most = u64::from(self.hosts) + self.steps.len() as u64;
        self.expect.check(most)?;
        for (number, step) in (1..).zip(&self.steps) {
            if let Some(stranger) = step.action.hosts().into_iter().find(|host| u64::from(host.0) >= most) {
                let hosts = self.hosts;
                return Err(ScenarioError(format!(
                    "step {number} names host {stranger:?}; there are {hosts}"
                )));
            }
        }
        Ok(())
    }
}

/// A scenario that cannot be carried out: what is wrong with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScenarioError(pub String);

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScenarioError {}

macro_rules! named {
    ($($name:literal),* $(,)?) => {
        /// Their names, in the order in which they are best read.
        pub const NAMES: &[&str] = &[$($name),*];

        /// The text of one.
        #[must_use]
        pub fn named(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some(include_str!(concat!("../../scenarios/", $name, ".toml"))),)*
                _ => None,
            }
        }
    };
}

named! {
    // What machines do.
    "gc-pause", "clock-jump", "clock-drift", "late-ticks", "slow-member", "flapping-nic", "calendar",
    "calendars-apart", "busy-accuser",
    // What processes and their users do.
    "rolling-restart", "storm", "name-reuse", "name-taken", "name-overtaken", "mass-join", "mass-leave",
    "missed-goodbye", "missed-word",
    "operator-remove", "moving-members",
    // What networks do.
    "one-way-link", "deaf-member", "mute-member", "split-brain", "three-way-split", "lossy-percent",
    "burst-loss", "wan-spikes", "reordering", "narrow-link", "noisy-wire", "address-translator",
    // What others do.
    "garbage-rain", "old-datagrams", "strangers", "wrong-address", "replayed-requests", "later-life-forged",
    "half-heard-epoch",
    // What small tables do.
    "full-table", "coming-and-going", "chatter", "many-seeds", "few-pages",
    // The known holes: docs/known-holes.md.
    "h01-resurrection", "h02-incarnation-overflow", "h03-restart-amnesia", "h04-two-of-one-name",
    "h05-forged-goodbye", "h06-guessed-acks", "h07-reflection", "h08-healing", "h09-one-way",
    "h10-slow-accuser", "h11-late-messages", "h12-stale-tables", "h13-address-reuse",
    "h14-missed-newcomers", "h15-undead-loop", "h16-pause",
}
