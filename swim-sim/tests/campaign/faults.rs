//! The troubled time of a run, and the peace after it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use swim_core::{Config, Instant};
use swim_sim::{Action, HostId, Link, Presence, Random, Setup, World};

use crate::plan::{FAULTS, Plan, SEEDS};

const HOUR_MS: i64 = 3_600_000;

/// A world that a plan is carried out in, and what the judge will want to know.
pub(crate) struct Stage {
    pub(crate) plan: Plan,
    pub(crate) config: Arc<Config>,
    pub(crate) world: World,
    pub(crate) hosts: Vec<HostId>,
    random: Random,
    /// When hosts, or the network between them, were last in trouble that may explain a burial.
    pub(crate) cut_until: Instant,
    pub(crate) stopped_until: BTreeMap<HostId, Instant>,
    /// What each host's present life has attached to itself.
    pub(crate) metadata: BTreeMap<HostId, Vec<u8>>,
    pub(crate) broadcasts: u32,
    moves: u8,
}

impl Stage {
    pub(crate) fn set(plan: &Plan) -> Self {
        let config = plan.config();
        let mut world = World::with(Setup::new(plan.seed));
        let hosts = world.start_many(plan.hosts as usize, &config);
        let mut stage = Self {
            plan: plan.clone(),
            config,
            world,
            random: Random::new(plan.seed, FAULTS, 0),
            cut_until: Instant::ORIGIN,
            stopped_until: BTreeMap::new(),
            metadata: BTreeMap::new(),
            broadcasts: 0,
            moves: 0,
            hosts,
        };
        for host in stage.hosts.clone() {
            stage.join(host);
        }
        stage.world.run_for(stage.periods(10));
        stage.world.network().set_default_link(plan.link());
        stage
    }

    pub(crate) fn periods(&self, n: u32) -> Duration {
        self.config.period * n
    }

    /// Where the seeds were born; they never move.
    fn join(&mut self, host: HostId) {
        let seeds: Vec<SocketAddr> =
            (0..SEEDS).map(HostId).filter(|seed| *seed != host).map(World::birthplace).collect();
        self.world.join_at(host, &seeds);
    }

    fn below(&mut self, n: u64) -> u64 {
        self.random.below(n)
    }

    pub(crate) fn trouble(&mut self) {
        for _ in 0..self.plan.faults {
            self.fault();
            let pace = u64::from(self.plan.pace);
            let pause = self.below(2 * pace * 1000);
            self.world.run_for(self.config.period * u32::try_from(pause).expect("small") / 1000);
        }
    }

    fn fault(&mut self) {
        let count = self.hosts.len() as u64;
        let number = self.below(count);
        let host = self.hosts[usize::try_from(number).expect("small")];
        let is_seed = host.0 < SEEDS;
        let now = self.world.now();
        match self.below(10) {
            0 if self.plan.pauses && self.world.pause(host) => {
                let time = self.periods(1) * u32::try_from(1 + self.below(30)).expect("small") / 2;
                self.world.schedule(time, Action::Resume(host));
                self.stopped_until.insert(host, now.after(time));
            }
            1 | 2 if self.plan.crashes && !(is_seed && self.plan.days_off()) => {
                self.world.crash(host);
            }
            3 | 4 if self.plan.crashes || self.plan.leaves => {
                self.restart(host);
            }
            5 if self.plan.partitions => self.part(),
            6 if self.plan.moves && !is_seed => {
                self.moves += 1;
                let addr = SocketAddr::from(([10, 99, 0, self.moves], 7000));
                self.world.move_to(host, addr);
            }
            7 if self.plan.leaves && !(is_seed && self.plan.days_off()) => {
                self.world.leave(host);
            }
            8 if self.plan.metadata => {
                let text = format!("word {}", self.below(1000)).into_bytes();
                if self.world.set_metadata(host, &text) {
                    self.metadata.insert(host, text);
                }
            }
            9 if self.plan.broadcasts => {
                self.broadcasts += 1;
                let text = format!("broadcast {}", self.broadcasts).into_bytes();
                self.world.broadcast(host, &text);
            }
            _ => {}
        }
    }

    fn restart(&mut self, host: HostId) {
        if self.world.node(host).is_some() {
            return;
        }
        let hours = i64::from(self.plan.calendar_hours);
        let off = i64::try_from(self.below(2 * self.plan.calendar_hours as u64 + 1)).expect("small") - hours;
        self.world.set_calendar_ms(host, off * HOUR_MS);
        if self.world.restart(host) {
            self.metadata.remove(&host);
            self.join(host);
        }
    }

    /// A partition or a few one-way cuts, for up to 60 periods.
    fn part(&mut self) {
        let hosts = self.hosts.clone();
        if self.plan.one_way && self.below(2) == 0 {
            for _ in 0..=self.below(hosts.len() as u64) {
                let pair = [self.below(hosts.len() as u64), self.below(hosts.len() as u64)];
                let [source, target] = pair.map(|place| hosts[usize::try_from(place).expect("small")]);
                self.world.perform(&Action::Cut { source, target });
            }
        } else {
            let side: Vec<HostId> = hosts.into_iter().filter(|_| self.random.below(3) == 0).collect();
            self.world.partition(&[&side]);
        }
        let time = self.periods(1) * u32::try_from(1 + self.below(60)).expect("small");
        self.world.schedule(time, Action::Heal);
        // An earlier one's end may come first; the explanation lasts to the latest.
        self.cut_until = self.cut_until.max(self.world.now().after(time));
    }

    /// Whole links, nobody stopped, and nine of ten crashed hosts back again.
    pub(crate) fn peace(&mut self) {
        self.world.heal();
        self.world.network().set_default_link(Link::lan());
        for host in self.hosts.clone() {
            self.world.resume(host);
            let wanted = host.0 < SEEDS || self.below(10) > 0;
            // Whoever left stays away, unless it is a seed.
            let back = match self.world.presence(host) {
                Presence::Crashed => wanted,
                Presence::Gone => host.0 < SEEDS,
                Presence::Up | Presence::Paused => false,
            };
            if back {
                self.restart(host);
            }
        }
    }
}
