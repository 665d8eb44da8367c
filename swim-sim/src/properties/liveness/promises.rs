//! L8: every command ends in an event.
//!
//! All but two of the commands end within the input that brings them. A `Join` may take as long as there is
//! nobody to join, so it must have ended when all agree with each other; a `Leave` is watched by L7. A process
//! that ends takes its commands with it, and whoever lost events may have lost those.

use std::collections::BTreeMap;

use swim_core::{Command, CommandKind, Event};

use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::{Broken, Check, Monitor, declare};
use crate::{Presence, World};

/// L8.
#[derive(Default)]
pub(super) struct Promises {
    /// The command of this input, until it has ended.
    asked: Option<(HostId, CommandKind)>,
    joining: BTreeMap<HostId, u32>,
    looked: u64,
}

/// Whether `event` may be the end of a command of this kind.
fn ends(kind: CommandKind, event: &Event) -> bool {
    match event {
        Event::Joined { .. } => matches!(kind, CommandKind::Join),
        Event::JoinFailed { .. } => matches!(kind, CommandKind::Join | CommandKind::CancelJoin),
        Event::LeaveSent { .. } => matches!(kind, CommandKind::Leave),
        Event::MetadataSet { .. } => matches!(kind, CommandKind::SetMetadata),
        Event::AddressSet { .. } => matches!(kind, CommandKind::SetAddress),
        Event::BroadcastQueued { .. } => matches!(kind, CommandKind::Broadcast),
        Event::Sent { .. } => matches!(kind, CommandKind::Send),
        Event::Left { by, .. } => matches!(kind, CommandKind::Remove) && by.is_some(),
        Event::Restored { .. } => matches!(kind, CommandKind::Restore),
        Event::Refused { command, .. } => *command == kind,
        Event::Lost { .. } => true,
        _ => false,
    }
}

impl Monitor for Promises {
    declare! { "L8", "promises", REPORTED | AFTER_INPUT,
    "every command ends in an event of its kind" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Commanded { host, command } => {
                self.looked += 1;
                match command {
                    Command::Join { .. } => *self.joining.entry(*host).or_default() += 1,
                    Command::Leave => {}
                    other => self.asked = Some((*host, other.kind())),
                }
            }
            Happening::Reported { host, event } => {
                if self.asked.is_some_and(|(asked, kind)| asked == *host && ends(kind, event)) {
                    self.asked = None;
                }
                if ends(CommandKind::Join, event) {
                    self.joining.remove(host);
                }
            }
            Happening::Ended { host, .. } => {
                self.joining.remove(host);
                if self.asked.is_some_and(|(asked, _)| asked == *host) {
                    self.asked = None;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        if world.scene().holds_sends(host) {
            return Ok(());
        }
        match self.asked.take_if(|(asked, _)| *asked == host) {
            Some((_, kind)) => Err(Broken::by(&[host], format!("{kind:?} at {host:?} ended in no event"))),
            None => Ok(()),
        }
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        let up = |host: &HostId| world.presence(*host) == Presence::Up;
        if phase != Phase::Rest || world.hosts().filter(up).count() < 2 {
            return Ok(());
        }
        match self.joining.keys().find(|host| up(host)) {
            Some(host) => {
                let why =
                    format!("{host:?} is among its cluster and has reported neither Joined nor JoinFailed");
                Err(Broken::by(&[*host], why))
            }
            None => Ok(()),
        }
    }
}
