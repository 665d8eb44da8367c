//! How a timeline hears of things: each happening goes to those who keep a book about it, and after each
//! input the book of beliefs is compared with the table.

use super::Timeline;
use crate::World;
use crate::ground_truth::Presence;
use crate::ground_truth::{Fate, Happening, Scene, Watcher};
use crate::host::HostId;

impl Watcher for Timeline {
    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        let now = scene.now.as_nanos();
        self.end = now;
        if self.phases.is_empty() {
            self.phases.push((now, scene.phase));
        }
        match *what {
            Happening::Began { host, me } => {
                if self.names.hosts().len() < host.index() {
                    self.look(scene);
                }
                self.began(host, me, now);
            }
            Happening::Ended { host, presence } => {
                self.look(scene);
                self.ended(host, presence, now);
            }
            Happening::Acted { action, done: true } => self.acted(scene, action),
            Happening::Sent { host, source, target, bytes, fate } => {
                self.load.sent(host.0, now, bytes.len(), self.limits.slices_max);
                self.sent(now, source, target, bytes, fate);
            }
            Happening::Forged { source, target, bytes } => {
                self.sent(now, source, target, bytes, Fate::Forged);
            }
            Happening::Arrived { host, source, bytes } if self.names.hosts().len() > host.index() => {
                self.arrived(now, source, host, bytes);
            }
            Happening::Reported { host, event } => self.heard(scene, host, event),
            Happening::Entered { phase } => self.phases.push((now, phase)),
            _ => {}
        }
    }

    fn after_input(&mut self, world: &World, host: HostId) {
        if !self.adopted {
            self.adopted = true;
            self.adopt(world);
        }
        if let Some(node) = world.node(host) {
            let revision = node.revision();
            if self.bound.is_none() {
                let n = u32::try_from(world.hosts().count()).unwrap_or(u32::MAX);
                let bound = node.config().detection_bound(n);
                self.bound = Some(u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX));
            }
            let known = self.names.host_mut(host).expect("whoever gets an input has begun");
            if known.revision != revision {
                known.revision = revision;
                let stats = node.stats();
                if !self.beliefs.counts_agree(host.0, [stats.alive, stats.suspect, stats.dead, stats.left]) {
                    self.reconcile(world, host);
                }
            }
        }
        for death in &world.deaths()[self.deaths_seen..] {
            if death.is_false() {
                if death.truth == Some(Presence::Up) && self.spotlight.is_none() {
                    self.keep_around(death.at);
                }
                if self.false_deaths.len() < self.limits.marks_max {
                    self.false_deaths.push(*death);
                }
            }
        }
        self.deaths_seen = world.deaths().len();
    }
}
