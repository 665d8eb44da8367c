//! Who accuses whom by its own probe, and what that probe was: kept once, for all laws that judge accusations
//! ([`Invariant::accused`](super::Invariant::accused)).

use swim_core::{Event, NodeId};

use super::per_host::PerHost;
use super::probes::{Probe, Probes};
use super::reading::Reading;
use crate::World;
use crate::evidence::{Happening, Scene};
use crate::host::HostId;

/// A failed probe, or what was taken for one.
#[derive(Clone, Debug)]
pub struct Accusation {
    /// Who is accused.
    pub subject: NodeId,
    /// The latest probe of the subject; `None`: it was never asked.
    pub(super) probe: Option<Probe>,
}

/// All of the present input.
#[derive(Default)]
pub(super) struct Accusations {
    probes: Probes,
    made: PerHost<Vec<Accusation>>,
    /// The node's timers run. An accusation of its own that it hears of in a datagram is an earlier one, or an
    /// earlier life's.
    ticks: PerHost<bool>,
}

impl Accusations {
    pub(super) fn see(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        match what {
            Happening::Began { host, .. } => self.probes.forget(*host),
            Happening::Ticked { host } => *self.ticks.of(*host) = true,
            Happening::Reported {
                host,
                event: Event::Suspect { id, by, .. } | Event::Confirmed { id, by, .. },
            } if *by == scene.identity(*host).id && *self.ticks.of(*host) => {
                let probe = self.probes.of(*host, *id).cloned();
                self.made.of(*host).push(Accusation { subject: *id, probe });
            }
            _ => {}
        }
    }

    pub(super) fn read(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) {
        self.probes.read(scene, what, said);
    }

    /// Those of an input that is over.
    pub(super) fn take(&mut self, world: &World, host: HostId) -> Vec<Accusation> {
        self.probes.settled(world, host);
        *self.ticks.of(host) = false;
        std::mem::take(self.made.of(host))
    }
}
