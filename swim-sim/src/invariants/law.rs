//! What a law is: a number to cite, a sentence, and who finds it broken.

use std::fmt;
use std::sync::Arc;

use swim_core::{Config, Instant};

use super::heeds::Heeds;
use crate::World;
use crate::evidence::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::invariants::accounts::accusations::Accusation;
use crate::invariants::accounts::reading::Reading;
use crate::invariants::accounts::tables::Move;
use crate::scenario::{Scenario, ScenarioError};

/// A law of `docs/invariants.md`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Law {
    /// Its number there: S, L, Q or B and a number.
    pub number: &'static str,
    /// A word or two, in kebab case.
    pub name: &'static str,
    /// What it promises.
    pub says: &'static str,
}

impl Law {
    /// Which kind of promise it is, by the letter of its number.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.number.as_bytes()[0] {
            b'L' => Kind::Liveness,
            b'Q' => Kind::Quality,
            _ => Kind::Safety,
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.name)
    }
}

/// What kind of promise a law is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Never broken, whatever the network does; bounds are of this kind.
    Safety,
    /// Comes true once the network lets it.
    Liveness,
    /// How well.
    Quality,
}

/// How a law was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// What was seen that must not be.
    pub why: String,
    /// The hosts concerned: who did it first, then about whom.
    pub hosts: Vec<HostId>,
}

impl Broken {
    /// With these hosts concerned.
    #[must_use]
    pub fn by(hosts: &[HostId], why: impl Into<String>) -> Self {
        Self { why: why.into(), hosts: hosts.to_vec() }
    }
}

/// A broken law, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Which.
    pub law: Law,
    /// When it was found, by the world's clock.
    pub at: Instant,
    /// In which part of the run.
    pub phase: Phase,
    /// How.
    pub broken: Broken,
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

/// Whether a law holds so far.
pub type Check = Result<(), Broken>;

/// What a run is about, for those who judge it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The scenario that is carried out.
    pub scenario: Arc<Scenario>,
    /// Every member's configuration.
    pub config: Arc<Config>,
}

/// One law, watched over a run. It judges by evidence: what was sent, delivered, done and promised.
pub trait Invariant: Send {
    /// Which law.
    fn law(&self) -> Law;

    /// How often there was something to judge: a law that never looked has proved nothing.
    fn looked(&self) -> u64;

    /// What it needs to hear of among what happens all the time; of all else it hears anyway.
    fn heeds(&self) -> Heeds {
        Heeds::ALL
    }

    /// Something happened.
    ///
    /// # Errors
    /// The law is broken.
    fn see(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        let _ = (scene, what);
        Ok(())
    }

    /// What the datagram says that was sent, forged, or is handed to a node by what just happened: after
    /// [`Invariant::see`], if it can be read at all.
    ///
    /// # Errors
    /// The law is broken.
    fn read(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        let _ = (scene, what, said);
        Ok(())
    }

    /// The table of `host` was changed by an input that is over: before [`Invariant::settled`]. `moves` may
    /// be empty, where only what a member attached to itself has changed.
    ///
    /// # Errors
    /// The law is broken.
    fn moved(&mut self, world: &World, host: HostId, moves: &[Move]) -> Check {
        let _ = (world, host, moves);
        Ok(())
    }

    /// The node of `host` has accused somebody by a probe of its own, in an input that is over: before
    /// [`Invariant::settled`].
    ///
    /// # Errors
    /// The law is broken.
    fn accused(&mut self, world: &World, host: HostId, accusation: &Accusation) -> Check {
        let _ = (world, host, accusation);
        Ok(())
    }

    /// One input of the node of `host`, and all that it caused, is over.
    ///
    /// # Errors
    /// The law is broken.
    fn settled(&mut self, world: &World, host: HostId) -> Check {
        let _ = (world, host);
        Ok(())
    }

    /// A part of the run is over.
    ///
    /// # Errors
    /// The law is broken.
    fn over(&mut self, world: &World, phase: Phase) -> Check {
        let _ = (world, phase);
        Ok(())
    }
}
