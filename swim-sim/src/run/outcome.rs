//! How a run ended.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use swim_core::Instant;

use super::Run;
use crate::Fingerprint;
use crate::properties::{Kind, Property, Violation};
use crate::text::{moment, time};

/// How a run ended, and what it saw.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Finished {
    /// How it ended.
    pub outcome: Outcome,
    /// Equal for equal runs, and only for them.
    pub digest: Fingerprint,
    /// The world's clock at the end.
    pub ended: Instant,
    /// How long after peace came all agreed.
    pub agreed: Option<Duration>,
    /// Each property, and how often it had something to check.
    pub properties: Vec<(Property, u64)>,
    /// Rare things that happened, and how often.
    pub sometimes: BTreeMap<&'static str, u64>,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// Every property held.
    Passed,
    /// It was stopped before its end, and every property held so far.
    CutShort,
    /// A property was broken.
    Broken(Violation),
    /// The core or the simulator panicked.
    Panicked(String),
    /// The same scenario gave another digest.
    Nondeterministic {
        /// First.
        first: Fingerprint,
        /// Then.
        second: Fingerprint,
    },
}

impl Outcome {
    /// Whether nothing was found.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Passed | Self::CutShort)
    }

    /// One word for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::CutShort => "cut-short",
            Self::Broken(violation) => match violation.property.kind() {
                Kind::Safety => "safety",
                Kind::Liveness => "liveness",
                Kind::Quality => "quality",
            },
            Self::Panicked(_) => "panic",
            Self::Nondeterministic { .. } => "nondeterminism",
        }
    }

    /// The id of the property that was broken.
    #[must_use]
    pub const fn property(&self) -> Option<&'static str> {
        match self {
            Self::Broken(violation) => Some(violation.property.id),
            _ => None,
        }
    }
}

impl Finished {
    /// Each property by its id, and how often it had something to check.
    pub fn looked(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.properties.iter().map(|(property, looked)| (property.id, *looked))
    }

    /// How it ended, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match &self.outcome {
            Outcome::Passed => {
                let agreed = match self.agreed {
                    None => String::new(),
                    Some(Duration::ZERO) => ", all agreed as soon as there was peace".to_owned(),
                    Some(agreed) => format!(", all agreed after {} of peace", time(agreed)),
                };
                format!("every property held for {}{agreed}", moment(self.ended))
            }
            Outcome::CutShort => format!("every property held until {}", moment(self.ended)),
            Outcome::Broken(violation) => format!("{}: {}", violation.property, violation.broken.why),
            Outcome::Panicked(text) => format!("panics: {text}"),
            Outcome::Nondeterministic { first, second } => {
                format!("the same scenario gave {first}, then {second}")
            }
        }
    }

    pub(super) fn of(run: &Run, cut_short: bool) -> Self {
        let outcome = match run.violation() {
            Some(violation) => Outcome::Broken(violation),
            None if cut_short => Outcome::CutShort,
            None => Outcome::Passed,
        };
        Self {
            outcome,
            digest: run.world.fingerprint(),
            ended: run.world.now(),
            agreed: run.agreed,
            properties: run.checker().looked(),
            sometimes: run.sometimes.lock().unwrap_or_else(PoisonError::into_inner).counts(&run.world),
        }
    }
}
