//! What a property is, and what watches it over a run.
//!
//! A [`Monitor`] names its property and what it is interested in with `declare!`, keeps what it needs to
//! remember, and answers each call with whether the property still holds.

use std::fmt;
use std::sync::Arc;

use swim_core::{Config, Instant};

use super::evidence::datagram::Reading;
use super::evidence::probes::Accusation;
use super::evidence::tables::RowChange;
use crate::World;
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::scenario::{Scenario, ScenarioError};

/// A property of `docs/invariants.md`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Property {
    /// Its id there: S, L, Q or B and a number.
    pub id: &'static str,
    /// A word or two, in kebab case.
    pub name: &'static str,
    /// What it claims, in one sentence.
    pub claim: &'static str,
}

impl Property {
    /// The kind, by the letter of the id.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.id.as_bytes()[0] {
            b'L' => Kind::Liveness,
            b'Q' => Kind::Quality,
            _ => Kind::Safety,
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.name)
    }
}

/// The kind of a property.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Never broken, whatever the network does; bounds are of this kind.
    Safety,
    /// Comes true once the network lets it.
    Liveness,
    /// How well.
    Quality,
}

/// How a property was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// What was seen that must not be.
    pub why: String,
    /// The hosts concerned: the one that did it first, then the one it was done to.
    pub hosts: Vec<HostId>,
}

impl Broken {
    /// With these hosts concerned.
    #[must_use]
    pub fn by(hosts: &[HostId], why: impl Into<String>) -> Self {
        Self { why: why.into(), hosts: hosts.to_vec() }
    }

    /// By `host`, about the member `id`.
    pub(super) fn about(scene: &Scene<'_>, host: HostId, id: swim_core::NodeId, why: String) -> Self {
        let hosts = [Some(host), scene.host_named(id)].into_iter().flatten().collect();
        Self { why, hosts }
    }
}

/// A broken property, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Which property.
    pub property: Property,
    /// When it was found, by the world's clock.
    pub at: Instant,
    /// In which part of the run.
    pub phase: Phase,
    /// How.
    pub broken: Broken,
}

/// Whether a property holds so far.
pub type Check = Result<(), Broken>;

/// What a run is about.
#[derive(Clone, Debug)]
pub struct Case {
    /// The scenario that is carried out.
    pub scenario: Arc<Scenario>,
    /// Every member's configuration.
    pub config: Arc<Config>,
}

impl Case {
    /// What a run of this scenario is about.
    ///
    /// # Errors
    /// Its options are none that members can have.
    pub fn of(scenario: &Scenario) -> Result<Self, ScenarioError> {
        Ok(Self { config: scenario.config()?, scenario: Arc::new(scenario.clone()) })
    }
}

/// Kinds of frequent happenings, a bit for each: a run has millions of them, and most monitors need few. Every
/// monitor gets what is rare: what is done to hosts, starts and ends of processes, commands, phases, forgeries.
pub type Interest = u8;

/// [`Happening::Sent`].
pub(super) const SENT: Interest = 1;
/// [`Happening::Arrived`].
pub(super) const ARRIVED: Interest = 1 << 1;
/// [`Happening::Ticked`].
pub(super) const TICKED: Interest = 1 << 2;
/// [`Happening::Reported`].
pub(super) const REPORTED: Interest = 1 << 3;
/// From a datagram to the reading of it.
const READING: u32 = 4;
/// What a datagram says that is sent.
pub(super) const READ_SENT: Interest = SENT << READING;
/// What a datagram says that arrives.
pub(super) const READ_ARRIVED: Interest = ARRIVED << READING;
/// The end of an input.
pub(super) const AFTER_INPUT: Interest = 1 << 6;
/// What every datagram says that a node sends or receives.
pub(super) const READ: Interest = READ_SENT | READ_ARRIVED;
/// Nothing that is frequent.
pub(super) const NONE: Interest = 0;
/// How many kinds there are.
pub(super) const KINDS: usize = 7;

/// The kind of a happening; `None`: it is rare.
pub(super) const fn kind_of(what: &Happening<'_>) -> Option<Interest> {
    match what {
        Happening::Sent { .. } => Some(SENT),
        Happening::Arrived { .. } => Some(ARRIVED),
        Happening::Ticked { .. } => Some(TICKED),
        Happening::Reported { .. } => Some(REPORTED),
        _ => None,
    }
}

/// The kind of reading the datagram of a happening; `None`: it is rare.
pub(super) fn kind_of_reading(what: &Happening<'_>) -> Option<Interest> {
    kind_of(what).map(|kind| kind << READING)
}

/// Watches one property over a run. It decides by evidence: what was sent, delivered, done and promised.
#[expect(clippy::missing_errors_doc, reason = "each: the property is broken")]
pub trait Monitor: Send {
    /// The property.
    fn property(&self) -> Property;

    /// How often there was something to check: a monitor that never looked has proved nothing.
    fn looked(&self) -> u64;

    /// What it needs of what is frequent.
    fn interest(&self) -> Interest;

    /// Something happened.
    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        let _ = (scene, what);
        Ok(())
    }

    /// A datagram can be read that was just sent, forged, or handed to a node: after
    /// [`Monitor::on_happening`].
    fn on_datagram(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        let _ = (scene, what, said);
        Ok(())
    }

    /// An input that is over changed the table of `host`. `changes` may be empty, where only metadata changed.
    fn on_rows_changed(&mut self, world: &World, host: HostId, changes: &[RowChange]) -> Check {
        let _ = (world, host, changes);
        Ok(())
    }

    /// In an input that is over the node of `host` accused a member by a probe of its own.
    fn on_accusation(&mut self, world: &World, host: HostId, accusation: &Accusation) -> Check {
        let _ = (world, host, accusation);
        Ok(())
    }

    /// One input of the node of `host`, and all that it caused, is over: after the two above.
    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        let _ = (world, host);
        Ok(())
    }

    /// A part of the run is over.
    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        let _ = (world, phase);
        Ok(())
    }
}

/// What every monitor begins with: the id, the name, what it is interested in, and the claim; or an expression
/// for its property, and what it is interested in. It counts in its field `looked`.
macro_rules! declare {
    ($id:expr, $name:expr, $interest:expr, $claim:expr) => {
        declare! { self, $crate::properties::Property { id: $id, name: $name, claim: $claim }, $interest }
    };
    ($self:ident, $property:expr, $interest:expr) => {
        fn property(&$self) -> $crate::properties::Property {
            $property
        }

        fn looked(&self) -> u64 {
            self.looked
        }

        fn interest(&self) -> $crate::properties::Interest {
            use $crate::properties::monitor::*;
            $interest
        }
    };
}
pub(super) use declare;
