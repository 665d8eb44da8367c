//! Who accuses whom by its own probe, and what that probe was: kept once, for all laws that judge accusations
//! ([`Monitor::accused`](crate::properties::Monitor::accused)).

use swim_core::{Event, NodeId};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::evidence::per_host::PerHost;
use crate::properties::evidence::probes::{Probe, Probes};

/// A failed probe, or what was taken for one.
#[derive(Clone, Debug)]
pub struct Accusation {
    /// Who is accused.
    pub subject: NodeId,
    /// The latest probe of the subject; `None`: it was never asked.
    pub(in crate::properties) probe: Option<Probe>,
}

/// All of the present input.
#[derive(Default)]
pub(in crate::properties) struct Accusations {
    probes: Probes,
    made: PerHost<Vec<Accusation>>,
    /// The node's timers run. An accusation of its own that it hears of in a datagram is an earlier one, or an
    /// earlier life's.
    ticks: PerHost<bool>,
}

impl Accusations {
    pub(in crate::properties) fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
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

    pub(in crate::properties) fn on_datagram(
        &mut self,
        scene: &Scene<'_>,
        what: &Happening<'_>,
        said: &Reading<'_>,
    ) {
        self.probes.on_datagram(scene, what, said);
    }

    /// Those of an input that is over.
    pub(in crate::properties) fn take(&mut self, world: &World, host: HostId) -> Vec<Accusation> {
        self.probes.after_input(world, host);
        *self.ticks.of(host) = false;
        std::mem::take(self.made.of(host))
    }
}
