//! S13: a node that stalled accuses no member on that account.
//! S20: a probe of an earlier epoch, or of an earlier address, accuses no member.
//! S21: no member is accused by a node that did not probe it, or that got its answer.
//!
//! S13: a process that was stopped while its probe was open, or whose clock leapt, finds a question
//! unanswered and much time gone; it must give the member another chance. That is certain only where nothing
//! else was wrong: the member runs, no link loses anything, no other host was in trouble lately. So only then
//! it is checked. (A node whose pings do not leave accuses only after it has said so: S21. A node that receives nothing
//! counts as isolated for a while only: a matter of chance.)
//!
//! S20: a member that started a new epoch while it was probed, or moved away from where it was probed, cannot
//! have answered. So an accusation is of the very epoch that the first ping of the failed probe named, at the
//! very address that it went to.
//!
//! S21: an accusation says that a probe has failed. So a ping of this node's own left it, for that member (or none could
//! leave, for so long that the node has said that it is isolated);
//! and no ack of that member, in the epoch that was probed, from where it was probed, and no answer of a
//! relay that was asked, arrived before the probe ended. Excused is a member that is held at this node's own
//! address, since it moved there: it is probed without a datagram.

use std::time::Duration;

use swim_core::{Config, Event, Instant};

use crate::action::Action;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;
use crate::properties::{Accusation, Broken, Check, Monitor, declare};
use crate::{Presence, World};

/// Periods that other trouble has to be over for.
const QUIET_PERIODS: u32 = 10;

/// S13.
#[derive(Default)]
pub(super) struct Stalls {
    enabled: bool,
    quiet: Duration,
    /// When each host was last stopped, and when it went on.
    hosts: PerHost<Option<(Instant, Option<Instant>)>>,
    /// What lasts, other than stops: neither crashes nor wrong clocks keep a living member from answering.
    lasting: Vec<Action>,
    /// When anything else went wrong, last.
    other: Option<Instant>,
    /// Who was stopped last, and before that.
    stopped: Option<(HostId, Instant)>,
    looked: u64,
}

impl Stalls {
    pub(super) fn new(config: &Config) -> Self {
        Self { enabled: config.self_doubt, quiet: config.period * QUIET_PERIODS, ..Self::default() }
    }

    fn stop(&mut self, now: Instant, host: HostId, until: Option<Instant>) {
        *self.hosts.of(host) = Some((now, until));
        if let Some((before, at)) = self.stopped.replace((host, now))
            && before != host
        {
            // Two at a time are each other's trouble.
            self.other = self.other.max(Some(at));
        }
    }

    fn resume(&mut self, now: Instant, host: HostId) {
        if let Some((_, until @ None)) = self.hosts.of(host) {
            *until = Some(now);
            if self.stopped.is_some_and(|(last, _)| last != host) {
                self.other = Some(now);
            }
            self.looked += u64::from(self.is_quiet(now));
        }
    }

    /// Nothing but stops was wrong before `now` for long enough.
    fn is_quiet(&self, now: Instant) -> bool {
        self.lasting.is_empty() && self.other.is_none_or(|other| other.after(self.quiet) < now)
    }

    fn note(&mut self, scene: &Scene<'_>, action: &Action) {
        let now = scene.now();
        match action {
            Action::Pause { host, .. } => self.stop(now, *host, None),
            Action::Jump { host, .. } => {
                self.stop(now, *host, Some(now));
                self.looked += u64::from(self.is_quiet(now));
            }
            Action::Resume(host) => self.resume(now, *host),
            Action::Peace => {
                self.lasting.clear();
                self.other = Some(now);
                scene.hosts().for_each(|host| self.resume(now, host));
            }
            Action::Join { .. }
            | Action::SetMetadata { .. }
            | Action::Broadcast { .. }
            | Action::Send { .. }
            | Action::WallClock { .. }
            | Action::Drift { .. } => {}
            other => {
                self.other = Some(now);
                let heal = *other == Action::Heal;
                self.lasting.retain(|begun| {
                    let healed = heal && matches!(begun, Action::Cut { .. });
                    !healed && begun.ended_by().as_ref() != Some(other)
                });
                if other.ended_by().is_some() && !matches!(other, Action::Crash(_)) {
                    self.lasting.push(other.clone());
                }
            }
        }
    }
}

impl Monitor for Stalls {
    declare! { "S13", "stalls", NONE,
    "a node that stalled accuses no member on that account" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        if let Happening::Acted { action, done: true } = what {
            self.note(scene, action);
        }
        Ok(())
    }

    fn on_accusation(&mut self, world: &World, host: HostId, accusation: &Accusation) -> Check {
        let scene = world.scene();
        let Some(probe) = accusation.probe.as_ref().filter(|_| self.enabled) else { return Ok(()) };
        let Some((from, Some(until))) = *self.hosts.of(host) else { return Ok(()) };
        let Some(subject) = scene.host_named(accusation.subject) else { return Ok(()) };
        let quiet = self.is_quiet(from) && scene.network().default_link().faults().is_empty();
        let well = scene.presence(subject) == Presence::Up && scene.connected(host, subject);
        if until < probe.at || !quiet || !well {
            return Ok(());
        }
        let why = format!(
            "{host:?} did not run from {from:?} to {until:?} and accuses {:?}, which runs, by its probe of {:?}",
            accusation.subject, probe.at
        );
        Err(Broken::by(&[host, subject], why))
    }
}

/// S20.
#[derive(Default)]
pub(super) struct Former {
    looked: u64,
}

impl Monitor for Former {
    declare! { "S20", "former", NONE,
    "a probe of an earlier epoch, or of an earlier address, accuses no member" }

    fn on_accusation(&mut self, world: &World, host: HostId, accusation: &Accusation) -> Check {
        let held = world.node(host).and_then(|node| node.member(accusation.subject));
        let asked = accusation.probe.as_ref().and_then(|probe| probe.asked);
        let (Some(held), Some((addr, epoch))) = (held, asked) else { return Ok(()) };
        self.looked += 1;
        if held.epoch == epoch && held.addr == addr {
            return Ok(());
        }
        let why = format!(
            "{host:?} accuses {:?} in {:?} at {}; it had asked for {:?} at {}",
            accusation.subject, held.epoch, held.addr, epoch, addr
        );
        Err(Broken::about(&world.scene(), host, accusation.subject, why))
    }
}

/// S21.
#[derive(Default)]
pub(super) struct Unasked {
    /// Which nodes have said that they are isolated.
    isolated: PerHost<bool>,
    looked: u64,
}

impl Monitor for Unasked {
    declare! { "S21", "unasked", REPORTED,
    "no member is accused by a node that did not probe it, or that got its answer" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Began { host, .. } => *self.isolated.of(*host) = false,
            Happening::Reported { host, event: Event::Isolated { isolated } } => {
                *self.isolated.of(*host) = *isolated;
            }
            _ => {}
        }
        Ok(())
    }

    fn on_accusation(&mut self, world: &World, host: HostId, accusation: &Accusation) -> Check {
        self.looked += 1;
        if *self.isolated.of(host) {
            return Ok(());
        }
        let subject = accusation.subject;
        let how = match &accusation.probe {
            Some(probe) if !probe.answered => return Ok(()),
            Some(probe) => format!("which has answered the probe of {:?}", probe.at),
            None => {
                let held = world.node(host).and_then(|node| node.member(subject));
                if held.is_some_and(|held| held.addr == world.addr(host)) {
                    return Ok(());
                }
                "which it has not asked".to_owned()
            }
        };
        Err(Broken::about(&world.scene(), host, subject, format!("{host:?} accuses {subject:?}, {how}")))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use swim_core::Epoch;

    use super::*;
    use crate::Inbox;
    use crate::ground_truth::Happening;
    use crate::properties::Checker;
    use crate::properties::evidence::probes::Probe;
    use crate::properties::tests::worlds;

    #[test]
    fn it_is_silent_while_one_member_stops_again_and_again() {
        let (mut world, hosts) = worlds::calm(5);
        let monitor: Vec<Box<dyn Monitor>> = vec![Box::new(Stalls::new(&worlds::case(5).config))];
        let checker = Arc::new(Mutex::new(Checker::of(monitor)));
        world.attach(Arc::clone(&checker));
        for tenths in 0..60 {
            let inbox = if tenths % 2 == 0 { Inbox::Kept } else { Inbox::Dropped };
            world.perform(&Action::Pause { host: hosts[1], inbox });
            world.run_for(Duration::from_millis(100 * tenths));
            world.perform(&Action::Resume(hosts[1]));
            world.run_for(Duration::from_millis(4_370));
        }
        let checker = checker.lock().expect("no test panics");
        assert_eq!(checker.violation(), None);
        assert_eq!(checker.looked()[0].1, 60);
    }

    /// What the property says if the second host is accused by the first, by a probe that began so many seconds
    /// before the first went on, after other trouble so many seconds before it was stopped.
    fn accused(probe_before: u64, trouble_before: u64) -> Check {
        let (mut world, hosts) = worlds::calm(3);
        let mut monitor = Stalls::new(&worlds::case(3).config);
        let mut act = |world: &World, action| {
            monitor
                .on_happening(&world.scene(), &Happening::Acted { action: &action, done: true })
                .expect("no accusation yet");
        };
        act(&world, Action::Crash(hosts[2]));
        world.run_for(Duration::from_secs(trouble_before));
        act(&world, Action::Pause { host: hosts[0], inbox: Inbox::Kept });
        world.run_for(Duration::from_secs(5));
        let went_on = world.now();
        act(&world, Action::Resume(hosts[0]));
        world.run_for(Duration::from_secs(1));
        let (subject, addr) = (world.id(hosts[1]), world.addr(hosts[1]));
        let at = Instant::from_nanos(went_on.as_nanos() - probe_before * 1_000_000_000);
        let probe = Some(Probe::unanswered(subject, Some((addr, Epoch(1))), at));
        monitor.on_accusation(&world, hosts[0], &Accusation { subject, probe })
    }

    #[test]
    fn an_accusation_by_a_probe_that_was_open_while_the_accuser_stood_still_is_found() {
        assert!(accused(5, 30).is_err());
    }

    #[test]
    fn where_anything_else_was_wrong_no_node_is_blamed() {
        assert!(accused(5, 3).is_ok());
    }

    #[test]
    fn an_accusation_of_another_epoch_or_elsewhere_is_found() {
        let (world, hosts) = worlds::calm(3);
        let (subject, row) = (world.id(hosts[1]), worlds::row(&world, hosts[0], hosts[1]));
        let check = |epoch, addr| {
            let probe = Probe::unanswered(subject, Some((addr, epoch)), world.now());
            let accusation = Accusation { subject, probe: Some(probe) };
            Former::default().on_accusation(&world, hosts[0], &accusation).is_ok()
        };
        assert!(check(row.claim.epoch, row.addr));
        assert!(!check(Epoch(row.claim.epoch.0 - 1), row.addr));
        assert!(!check(row.claim.epoch, world.addr(hosts[2])));
    }

    #[test]
    fn an_accusation_without_a_question_is_found() {
        let (broken, _) = worlds::doctored(Box::new(Unasked::default()), |what| {
            !matches!(what, Happening::Sent { host: HostId(0), .. })
        });
        assert_eq!(broken, Some("S21"));
    }

    #[test]
    fn an_accusation_of_a_member_that_has_answered_is_found() {
        let (world, hosts) = worlds::calm(3);
        let subject = world.id(hosts[1]);
        let probe = Probe::unanswered(subject, Some((world.addr(hosts[1]), Epoch(1))), world.now());
        for answered in [false, true] {
            let mut probe = probe.clone();
            probe.answered = answered;
            let probe = Some(probe);
            let check = Unasked::default().on_accusation(&world, hosts[0], &Accusation { subject, probe });
            assert_eq!(check.is_err(), answered);
        }
    }
}
