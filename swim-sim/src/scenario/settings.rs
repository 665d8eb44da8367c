//! The members' options by name, so that every one of them can be printed, and overridden in a file or on a
//! command line.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use swim_core::Options;

use super::ScenarioError;
use crate::text::Text;

/// A value of an option, as it is written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// A switch.
    Bool(bool),
    /// A number.
    Int(i64),
    /// A duration such as `1.5s`, `never`, or any other text.
    Text(String),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
        }
    }
}

impl FromStr for Setting {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match (text.parse(), text.parse()) {
            (Ok(value), _) => Self::Bool(value),
            (_, Ok(value)) => Self::Int(value),
            _ => Self::Text(text.to_owned()),
        })
    }
}

/// Options that differ from their profile's, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(pub BTreeMap<String, Setting>);

impl Settings {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes them into `options`.
    ///
    /// # Errors
    /// A name that is no option's, or a value that is not of its kind.
    pub fn apply(&self, options: &mut Options) -> Result<(), ScenarioError> {
        self.0.iter().try_for_each(|(name, value)| set(options, name, value))
    }
}

macro_rules! plain {
    ($($field:ty: $kind:literal,)*) => {$(
        impl Text for $field {
            const KIND: &'static str = $kind;
            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }
            fn print(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

plain! {
    u8: "a whole number of u8",
    u16: "a whole number of u16",
    u32: "a whole number of u32",
    bool: "true or false",
    String: "a text",
}

impl Text for Option<Duration> {
    const KIND: &'static str = "a duration such as 1.5s, or never";
    fn parse(text: &str) -> Option<Self> {
        if text == "never" { Some(None) } else { Duration::parse(text).map(Some) }
    }
    fn print(&self) -> String {
        self.as_ref().map_or_else(|| "never".to_owned(), Text::print)
    }
}

impl Text for (Duration, Duration) {
    const KIND: &'static str = "two durations such as 500ms..3s";
    fn parse(text: &str) -> Option<Self> {
        let (first, longest) = text.split_once("..")?;
        Some((Duration::parse(first)?, Duration::parse(longest)?))
    }
    fn print(&self) -> String {
        format!("{}..{}", Text::print(&self.0), Text::print(&self.1))
    }
}

fn put<F: Text>(field: &mut F, name: &str, value: &Setting) -> Result<(), ScenarioError> {
    *field = F::parse(&value.to_string())
        .ok_or_else(|| ScenarioError(format!("option `{name}` is `{value}`; expected {}", F::KIND)))?;
    Ok(())
}

macro_rules! options {
    ($($name:ident),* $(,)?) => {
        /// The names of all options, in the order of [`Options`].
        #[must_use]
        pub const fn option_names() -> &'static [&'static str] {
            &[$(stringify!($name)),*]
        }

        /// Every option and its value, as it would be written.
        #[must_use]
        pub fn option_values(options: &Options) -> Vec<(&'static str, String)> {
            vec![$((stringify!($name), Text::print(&options.$name))),*]
        }

        fn set(options: &mut Options, name: &str, value: &Setting) -> Result<(), ScenarioError> {
            match name {
                $(stringify!($name) => put(&mut options.$name, name, value),)*
                _ => Err(ScenarioError(format!(
                    "there is no option `{name}`; there are: {}",
                    option_names().join(", ")
                ))),
            }
        }
    };
}

options! {
    label, period, direct_timeout, retries, relays, alpha, beta, confirmations, health_max, lambda,
    gossip_interval, gossip_fanout, datagram_max, members_max, tombstones_max, tombstone_life,
    broadcasts_max, relayed_max, pages_per_second, max_epoch_lead, heal_interval, sync_interval_max, join_retry,
    dead_over_suspect_only, header_claims, self_doubt, accept_wrong_source, follow_address,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_printed_and_can_be_set_to_what_was_printed() {
        let printed = format!("{:?}", Options::wan());
        for (name, value) in option_values(&Options::wan()) {
            assert!(printed.contains(&format!("{name}: ")), "{name}");
            let mut options = Options::wan();
            let setting: Setting = value.parse().expect("any text is a setting");
            Settings(BTreeMap::from([(name.to_owned(), setting)])).apply(&mut options).expect("as printed");
            assert_eq!(options, Options::wan(), "{name} = {value}");
        }
        assert_eq!(printed.matches(": ").count(), option_names().len());
    }

    #[test]
    fn a_wrong_value_is_named_with_what_was_expected() {
        let error = |name: &str, value: &str| {
            let setting = value.parse().expect("any text is a setting");
            Settings(BTreeMap::from([(name.to_owned(), setting)]))
                .apply(&mut Options::lan())
                .expect_err("wrong")
                .0
        };
        assert_eq!(error("period", "5"), "option `period` is `5`; expected a duration such as 1.5s or 200ms");
        assert!(error("perod", "5s").starts_with("there is no option `perod`; there are: label, period"));
        assert_eq!(error("retries", "300"), "option `retries` is `300`; expected a whole number of u8");
    }
}
