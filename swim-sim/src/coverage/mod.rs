//! Rare things that must happen somewhere in a sweep: a search that never reaches them has tried nothing.
//!
//! Properties say what must never happen; this says what must happen now and then: every event, every kind of message,
//! every reason to drop something, every fault, and what the protocol's rarer rules do. Each is a name and a
//! count; a sweep adds them up, and has tried too little while one of [`wanted`] was never seen. What no swarm
//! can reach is listed with the reason, and with the test that does ([`UNREACHED`]).
//!
//! Counting must cost nothing: places in an array, no text. What nodes count themselves is read now and then and
//! at the end, so that the last inputs of a process that ends may be missing.

mod things;

use std::collections::{BTreeMap, BTreeSet};

use swim_core::{Done, Event, MessageKind, NodeId, Refusal, Stats};
use swim_trace::inspect;

use crate::World;
use crate::action::FaultClass;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::world::Watcher;

pub use things::UNREACHED;
use things::{DROPS, KINDS, THINGS, Thing};

/// Inputs of a host between two looks at its node's counters.
const LOOK_EVERY: u32 = 64;
/// A datagram is full if no more than this is left.
const FULL_WITHIN: usize = 100;
/// Kept free at the end of each datagram.
const SEAL_ROOM: usize = 37;

/// What happened in a run, and how often.
#[derive(Debug)]
pub(crate) struct Coverage {
    things: [u64; THINGS.len()],
    drops: [u64; DROPS.len()],
    faults: [u64; FaultClass::ALL.len()],
    /// Who is Dead where.
    dead: BTreeSet<(HostId, NodeId)>,
    nodes: BTreeMap<HostId, (u32, Stats)>,
}

impl Default for Coverage {
    fn default() -> Self {
        Self {
            things: [0; THINGS.len()],
            drops: [0; DROPS.len()],
            faults: [0; FaultClass::ALL.len()],
            dead: BTreeSet::new(),
            nodes: BTreeMap::new(),
        }
    }
}

/// What a sweep of a few thousand seeds must have seen: the name of each, and what it takes.
pub fn wanted() -> impl Iterator<Item = (&'static str, &'static str)> {
    let faults = FaultClass::ALL.map(|class| (class.coverage_name(), "a fault of this class is done"));
    let all = THINGS.iter().chain(&KINDS).chain(&DROPS).copied().chain(faults);
    all.filter(|(name, _)| !UNREACHED.iter().any(|(unreached, _)| unreached == name))
}

impl Coverage {
    /// What was seen, with what the nodes that still run have counted.
    pub(crate) fn counts(&mut self, world: &World) -> BTreeMap<&'static str, u64> {
        world.hosts().for_each(|host| self.look(world, host));
        let faults = FaultClass::ALL.map(FaultClass::coverage_name);
        let names = THINGS.iter().chain(&KINDS).chain(&DROPS).map(|(name, _)| *name).chain(faults);
        let sent = MessageKind::ALL.map(|kind| world.traffic().of_kind(kind as u8).datagrams);
        let counts = self.things.iter().chain(&sent).chain(&self.drops).chain(&self.faults);
        names.zip(counts).filter(|(_, count)| **count > 0).map(|(name, count)| (name, *count)).collect()
    }

    const fn count(&mut self, thing: Thing) {
        self.things[thing as usize] += 1;
    }

    /// Adds what the node of `host` has counted since the last look.
    fn look(&mut self, world: &World, host: HostId) {
        let Some(node) = world.node(host) else { return };
        let (_, before) = self.nodes.entry(host).or_default();
        let now = node.stats();
        let before = std::mem::replace(before, now);
        for (sum, (now, before)) in self.drops.iter_mut().zip(now.drops.iter().zip(before.drops)) {
            *sum += now - before;
        }
        let counted = [
            (Thing::Retry, now.retries, before.retries),
            (Thing::AnsweredByRelay, now.probes_answered_by_relay, before.probes_answered_by_relay),
            (Thing::NackHeard, now.nacks_received, before.nacks_received),
            (Thing::Excused, now.probes_excused, before.probes_excused),
            (Thing::HeaderClaim, now.header_claims, before.header_claims),
            (Thing::ClockBackwards, now.clock_backwards, before.clock_backwards),
        ];
        for (thing, now, before) in counted {
            self.things[thing as usize] += now - before;
        }
        let worst = node.config().health_max;
        self.things[Thing::SickHealth as usize] += u64::from(worst > 0 && now.health == worst);
    }

    fn note_event(&mut self, host: HostId, event: &Event) {
        self.count(Thing::of(event));
        match event {
            Event::Dead { id, .. } => {
                self.dead.insert((host, *id));
            }
            Event::Alive { id, .. } if self.dead.remove(&(host, *id)) => self.count(Thing::BackFromTheDead),
            Event::Forgotten { id } | Event::Left { id, .. } => {
                self.dead.remove(&(host, *id));
            }
            _ => {}
        }
    }

    fn note_sent(&mut self, bytes: &[u8]) {
        // The kind is the fifth byte of a header.
        if bytes.get(4) == Some(&(MessageKind::Ping as u8))
            && let Some(held_claim) = inspect(bytes).ok().and_then(|ping| ping.held_claim)
        {
            match held_claim.status {
                swim_core::Status::Suspect => self.count(Thing::Buddy),
                swim_core::Status::Dead => self.count(Thing::HealingPing),
                _ => {}
            }
        }
        if bytes.len() + SEAL_ROOM + FULL_WITHIN >= 1_200 {
            self.count(Thing::FullDatagram);
        }
    }
}

impl Watcher for Coverage {
    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) {
        match what {
            Happening::Reported { host, event } => self.note_event(*host, event),
            Happening::Sent { bytes, .. } => self.note_sent(bytes),
            Happening::Returned { result, .. } => {
                if let Some(thing) = thing_of_result(result) {
                    self.count(thing);
                }
            }
            Happening::Unsendable { .. } => self.count(Thing::SendRefused),
            Happening::Held { .. } => self.count(Thing::SendHeld),
            Happening::Acted { action, done: true } => {
                for class in action.fault_classes() {
                    self.faults[class as usize] += 1;
                }
            }
            Happening::Began { host, .. } => {
                self.nodes.remove(host);
                self.dead.retain(|(observer, _)| observer != host);
            }
            _ => {}
        }
    }

    fn after_input(&mut self, world: &World, host: HostId) {
        let (inputs, _) = self.nodes.entry(host).or_default();
        *inputs += 1;
        if inputs.is_multiple_of(LOOK_EVERY) {
            self.look(world, host);
        }
    }
}

const fn thing_of_result(result: &Result<Done, Refusal>) -> Option<Thing> {
    Some(match result {
        Ok(Done::MetadataSet { .. }) => Thing::MetadataSet,
        Ok(Done::AddressSet) => Thing::AddressSet,
        Ok(Done::BroadcastQueued { .. }) => Thing::BroadcastQueued,
        Ok(Done::Sent) => Thing::MessageSent,
        Ok(Done::Restored { .. }) => Thing::Restored,
        Err(_) => Thing::Refused,
        Ok(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use swim_core::DropReason;

    /// `TrailingBytes` as `drop-trailing-bytes`.
    fn in_kebab_case(prefix: &str, name: &str) -> String {
        name.chars().fold(prefix.to_owned(), |mut text, letter| {
            if letter.is_uppercase() {
                text.push('-');
            }
            text.extend(letter.to_lowercase());
            text
        })
    }

    #[test]
    fn every_reason_is_named_at_its_own_counter() {
        for (reason, (name, _)) in DropReason::ALL.iter().zip(DROPS) {
            // What scripts read keeps the name that it had.
            let renamed = *reason == DropReason::AttemptLimit;
            let expected = if renamed { "ContactLimit".into() } else { format!("{reason:?}") };
            assert_eq!(in_kebab_case("drop", &expected), name);
        }
    }

    #[test]
    fn no_name_is_used_twice_and_what_is_out_of_reach_is_no_longer_wanted() {
        let wanted: Vec<&str> = wanted().map(|(name, _)| name).collect();
        let distinct: BTreeSet<&str> = wanted.iter().copied().collect();
        assert_eq!(wanted.len(), distinct.len());
        let all = THINGS.len() + KINDS.len() + DROPS.len() + FaultClass::ALL.len();
        assert_eq!(wanted.len() + UNREACHED.len(), all);
    }
}
