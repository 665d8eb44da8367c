//! S22: a relay that hears nothing says so when four fifths of its time are over.
//!
//! The asker holds a silent relay against itself: it may be deaf. So whoever was asked in time, runs, and has not
//! heard the target, must say so while the asker still listens. Judged by the relay's own clock; a relay that was
//! stopped, is slow, or whose timers are late has an excuse.

use crate::World;
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::evidence::per_host::PerHost;
use crate::properties::evidence::relaying::{ROUNDING, Relay, Relaying};
use crate::properties::{Broken, Case, Check, Monitor, declare};
use crate::{Action, ActionPhase, FaultClass};

/// S22.
pub(super) struct Nacks {
    relaying: Relaying,
    enabled: bool,
    /// What keeps each host from being punctual.
    lasting: PerHost<Vec<FaultClass>>,
    looked: u64,
}

impl Nacks {
    pub(super) fn new(case: &Case) -> Self {
        let config = &case.config;
        let longest = config.period * (u32::from(config.health_max) + 1);
        Self {
            relaying: Relaying::new(longest),
            enabled: config.nacks,
            lasting: PerHost::default(),
            looked: 0,
        }
    }

    fn note(&mut self, action: &Action) {
        use FaultClass::{Drift, Jump, LateTicks, Pause, Slow, Unplug};
        let unpunctual =
            |class: &FaultClass| matches!(class, Pause | Slow | Jump | LateTicks | Drift | Unplug);
        let Some(class) = action.fault_class().filter(unpunctual) else { return };
        for host in action.hosts() {
            self.relaying.excuse(host);
            let lasting = self.lasting.of(host);
            match action.phase() {
                ActionPhase::Begins => lasting.push(class),
                ActionPhase::Ends => lasting.retain(|begun| *begun != class),
                ActionPhase::Once => {}
            }
        }
    }

    /// By when it had to be told, at the latest.
    fn due(relay: &Relay) -> swim_core::Instant {
        relay.at.after(relay.budget * 4 / 5 + ROUNDING)
    }
}

impl Monitor for Nacks {
    declare! { "S22", "nacks", ARRIVED | TICKED | REPORTED | READ | AFTER_INPUT,
    "a relay that hears nothing says so when four fifths of its time are over" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        self.relaying.on_happening(what);
        match what {
            Happening::Acted { action: Action::Peace, .. } | Happening::Entered { phase: Phase::Peace } => {
                for host in scene.hosts() {
                    self.relaying.excuse(host);
                    self.lasting.of(host).clear();
                }
            }
            Happening::Acted { action, done: true } => self.note(action),
            // Whoever stood still was not punctual.
            Happening::Began { host, .. } => {
                self.lasting.of(*host).retain(|class| *class != FaultClass::Pause)
            }
            _ => {}
        }
        Ok(())
    }

    fn on_datagram(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        self.relaying.on_datagram(what, said);
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        if !self.enabled {
            return Ok(());
        }
        let excused = !self.lasting.of(host).is_empty() || world.scene().holds_sends(host);
        let now = world.local(host);
        let (_, open, over) = self.relaying.after_input(world, host);
        if excused {
            open.iter_mut().for_each(Relay::excuse);
            return Ok(());
        }
        let late = |relay: &&Relay| match relay.told_at {
            Some(told_at) => told_at == now && told_at > Self::due(relay),
            None => !relay.told && now > Self::due(relay),
        };
        let never = over.iter().find(|relay| !relay.told);
        self.looked += over.len() as u64;
        let Some(relay) = open.iter().find(late).or(never) else { return Ok(()) };
        let why = format!(
            "{host:?} was asked at {:?} to ping somebody for {} within {:?}, heard nothing, and did not say so in time",
            relay.at, relay.origin.0, relay.budget
        );
        Err(Broken::by(&[host], why))
    }
}

#[cfg(test)]
mod tests {
    use swim_core::MessageKind;

    use super::*;
    use crate::properties::evidence::datagram::is_kind;
    use crate::properties::test_worlds;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = test_worlds::troubled(|case| Box::new(Nacks::new(case)));
        assert_eq!(broken, None);
        assert!(looked > 5, "{looked}");
    }

    #[test]
    fn a_relay_that_never_says_no_is_found() {
        let (broken, _) = test_worlds::doctored(
            Box::new(Nacks::new(&test_worlds::case(8))),
            |what| !matches!(what, Happening::Sent { bytes, .. } if is_kind(bytes, MessageKind::Nack)),
        );
        assert_eq!(broken, Some("S22"));
    }
}
