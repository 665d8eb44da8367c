//! The faults of a plan, one after the other.
//!
//! Whatever begins also ends, in the same draw; what does not apply when its time comes (a stop of a process
//! that died meanwhile) changes nothing. Each fault has a stream of its own, so leaving one out, as a reduction
//! does, changes no other.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Plan, SEEDS};
use crate::Directions;
use crate::action::{Action, Inbox, Memory, Origin, Says};
use crate::host_id::HostId;
use crate::random::{Random, purpose};
use crate::scenario::{Profile, Step};

/// The steps so far.
pub(super) struct Drawing<'a> {
    plan: &'a Plan,
    random: Random,
    pub(super) steps: Vec<Step>,
    /// When the next fault comes.
    pub(super) at: Duration,
}

/// What may be drawn, if its dial allows it. Several times where it is to come often.
type Fault<'a> = fn(&mut Drawing<'a>, HostId);

impl<'a> Drawing<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let random = Random::new(plan.seed, purpose::FAULTS, 0);
        let mut drawing = Self { plan, random, steps: Vec::new(), at: Duration::ZERO };
        let faults = drawing.faults();
        for number in 0..plan.faults {
            drawing.random = Random::new(plan.seed, purpose::FAULTS, 1 + u64::from(number));
            let pause = drawing.random.below(2000 * u64::from(plan.pace));
            let slower = if plan.quiet > 0 { 8 } else { 1 };
            drawing.at += drawing.period() * u32::try_from(slower * pause).unwrap_or(u32::MAX) / 1000;
            let host = drawing.host();
            if let Some(fault) = faults.get(drawing.below(faults.len() as u64)) {
                fault(&mut drawing, host);
            }
        }
        drawing.at += drawing.period();
        drawing.steps.sort_by_key(|step| step.at);
        drawing
    }

    /// Everything that the plan allows.
    fn faults(&self) -> Vec<Fault<'a>> {
        let plan = self.plan;
        if plan.quiet > 0 {
            return vec![Self::single_crash, Self::metadata, Self::broadcast, Self::message, Self::newcomer];
        }
        let all: [(u32, Fault<'a>); 29] = [
            (plan.crash, Self::crash),
            (plan.crash, Self::crash),
            (plan.pause, Self::pause),
            (plan.partition, Self::partition),
            (plan.one_way, Self::one_way),
            (plan.unplug, Self::unplug),
            (plan.readdress, Self::readdress),
            (plan.leave, Self::leave),
            (plan.remove, Self::remove),
            (plan.metadata, Self::metadata),
            (plan.broadcast, Self::broadcast),
            (plan.message, Self::message),
            (plan.newcomer, Self::newcomer),
            (plan.twin, Self::twin),
            (plan.bad_card, Self::bad_card),
            (plan.slow, Self::slow),
            (plan.drift, Self::drift),
            (plan.jump, Self::jump),
            (plan.late_ticks, Self::late_ticks),
            (plan.turbulence, Self::turbulence),
            (plan.garbage, Self::garbage),
            (plan.mutants, Self::mutants),
            (plan.replay, Self::replay),
            (plan.forge, Self::forge),
            (plan.spoof_acks, Self::spoof_acks),
            (plan.reflect, Self::reflect),
            (plan.strangers, Self::strangers),
            (plan.mask, Self::mask),
            (plan.send_buffer, Self::send_buffer),
        ];
        all.into_iter().filter(|(dial, _)| *dial > 0).map(|(_, fault)| fault).collect()
    }

    /// Whether wall clocks may be wrong by days: then seeds stay, so that there is always a cluster to join.
    fn days_off(&self) -> bool {
        self.plan.wall_clock_hours() > 24
    }

    fn push(&mut self, at: Duration, action: Action) {
        self.steps.push(Step { at, action });
    }

    /// Does `action`, and what ends it within so many periods.
    fn lasting(&mut self, action: Action, periods: u32) {
        let last = action.ended_by().expect("it lasts");
        self.push(self.at, action);
        let end = self.at + self.up_to_periods(periods);
        self.push(end, last);
    }

    fn period(&self) -> Duration {
        match self.plan.profile() {
            Profile::Lan => Duration::from_secs(1),
            Profile::Local => Duration::from_millis(500),
            Profile::Wan => Duration::from_secs(5),
        }
    }

    /// Half a period to so many.
    fn up_to_periods(&mut self, most: u32) -> Duration {
        let halves = 1 + self.random.below(2 * u64::from(most));
        self.period() * u32::try_from(halves).expect("few") / 2
    }

    fn host(&mut self) -> HostId {
        HostId(u32::try_from(self.random.below(self.plan.hosts.into())).expect("below a u32"))
    }

    fn below(&mut self, n: u64) -> usize {
        usize::try_from(self.random.below(n)).expect("small")
    }
}

impl Plan {
    /// Members of two clusters whose clocks differ by more than a day ignore each other. So either wall clocks
    /// differ by less, or the cluster stays in one piece.
    const fn wall_clock_hours(&self) -> u32 {
        let torn = self.partition > 0 || self.one_way > 0 || self.unplug > 0;
        if torn && self.wall_clock > 11 { 1 } else { self.wall_clock }
    }
}

const HOUR_MS: i64 = 3_600_000;

impl Drawing<'_> {
    fn crash(&mut self, host: HostId) {
        if host.0 < SEEDS && self.days_off() {
            return;
        }
        self.push(self.at, Action::Crash(host));
        if self.below(4) > 0 {
            let back = self.at + self.up_to_periods(40);
            self.wall_clock(back, host);
            let memory = if self.below(4) == 0 { Memory::Kept } else { Memory::Lost };
            let again = if self.below(4) > 0 {
                Action::Restart(host)
            } else {
                Action::RestartAs { host, memory, addr: None }
            };
            self.push(back, again);
        }
    }

    fn pause(&mut self, host: HostId) {
        let inbox = if self.below(3) == 0 { Inbox::Dropped } else { Inbox::Kept };
        self.lasting(Action::Pause { host, inbox }, 15);
    }

    fn readdress(&mut self, host: HostId) {
        if host.0 >= SEEDS {
            let [high, low] = [self.random.below(256), self.random.below(256)]
                .map(|byte| u8::try_from(byte).expect("below 256"));
            let addr = SocketAddr::from(([10, 99, high, low], 7000));
            self.push(self.at, Action::Move { host, addr });
        }
    }

    fn leave(&mut self, host: HostId) {
        if host.0 < SEEDS && self.days_off() {
            return;
        }
        self.push(self.at, Action::Leave(host));
        if self.below(2) == 0 {
            let back = self.at + self.up_to_periods(40);
            self.wall_clock(back, host);
            self.push(back, Action::Restart(host));
        }
    }

    fn remove(&mut self, host: HostId) {
        let target = self.host();
        self.push(self.at, Action::Remove { host, target });
    }

    /// The wall clock of a host that is about to start.
    fn wall_clock(&mut self, at: Duration, host: HostId) {
        let hours = i64::from(self.plan.wall_clock_hours());
        if hours > 0 {
            let off = i64::try_from(self.random.below(2 * hours.unsigned_abs() + 1)).unwrap_or(hours) - hours;
            self.push(at, Action::WallClock { host, ahead_ms: off * HOUR_MS });
        }
    }

    /// A process is killed, for good, and nothing else happens until all members know.
    fn single_crash(&mut self, host: HostId) {
        // A host that newcomers know must be left.
        if self.below(2) == 0 && host.0 > 0 {
            self.at += self.period() * 60;
            self.push(self.at, Action::Crash(host));
            self.at += self.period() * 90;
        }
    }

    /// One more host, that no member knew before.
    fn newcomer(&mut self, host: HostId) {
        self.push(self.at, Action::Start { like: host, seeds: Vec::new() });
    }

    /// One more host, that bears the name of another.
    fn twin(&mut self, host: HostId) {
        if host.0 >= SEEDS {
            self.push(self.at, Action::Twin { of: host, seeds: Vec::new() });
        }
    }
}

impl Drawing<'_> {
    /// Each datagram takes the process a while.
    fn slow(&mut self, host: HostId) {
        let service = self.period() / 1000 * [1, 5, 20, 100][self.below(4)];
        let queue = [16, 1024][self.below(2)];
        self.lasting(Action::Slow { host, service, queue }, 30);
    }

    /// The clock runs wrong from now on.
    fn drift(&mut self, host: HostId) {
        let ppm = [-20_000, -500, 500, 20_000][self.below(4)];
        self.push(self.at, Action::Drift { host, ppm });
    }

    /// The clock leaps, as that of a machine which was suspended.
    fn jump(&mut self, host: HostId) {
        let by = [self.period() / 2, self.period() * 5, self.period() * 60, Duration::from_secs(3600)]
            [self.below(4)];
        self.push(self.at, Action::Jump { host, by });
    }

    /// Timers fire late.
    fn late_ticks(&mut self, host: HostId) {
        let up_to = self.period() / 1000 * [10, 100, 1000][self.below(3)];
        self.lasting(Action::LateTicks { host, up_to }, 30);
    }
}

impl Drawing<'_> {
    fn partition(&mut self, _host: HostId) {
        let side = (0..self.plan.hosts).map(HostId).filter(|_| self.random.below(3) == 0).collect();
        self.lasting(Action::Partition(vec![side]), 60);
    }

    fn one_way(&mut self, _host: HostId) {
        let end = self.at + self.up_to_periods(60);
        for _ in 0..=self.below(u64::from(self.plan.hosts).min(12)) {
            let [source, target] = [self.host(), self.host()];
            if source != target {
                self.push(self.at, Action::Cut { source, target });
                self.push(end, Action::Uncut { source, target });
            }
        }
    }

    fn unplug(&mut self, host: HostId) {
        self.lasting(Action::Unplug(host), 20);
    }

    /// What a host sends waits for a while, mostly a short one.
    fn send_buffer(&mut self, host: HostId) {
        let part = [1, 10, 100, 1000][self.below(4)];
        self.push(self.at, Action::FillSendBuffer(host));
        self.push(self.at + self.period() / 1000 * part, Action::DrainSendBuffer(host));
    }

    /// A host's datagrams come from elsewhere for a while.
    fn mask(&mut self, host: HostId) {
        let [high, low] =
            [self.below(256), self.below(256)].map(|byte| u8::try_from(byte).expect("below 256"));
        let addr = SocketAddr::from(([10, 98, high, low], 7000));
        self.lasting(Action::Mask { host, addr }, 30);
    }

    /// One host's network card is bad for a while, in one direction or in both.
    fn bad_card(&mut self, host: HostId) {
        let directions = [Directions::In, Directions::Out, Directions::Both][self.below(3)];
        let link = self.plan.bad_link(&mut self.random);
        self.lasting(Action::SetLinksOf { host, directions, link }, 40);
    }

    /// The whole network is worse for a while.
    fn turbulence(&mut self, _host: HostId) {
        let link = self.plan.bad_link(&mut self.random);
        self.push(self.at, Action::SetDefaultLink(link));
        let end = self.at + self.up_to_periods(20);
        self.push(end, Action::SetDefaultLink(self.plan.link()));
    }
}

impl Drawing<'_> {
    fn metadata(&mut self, host: HostId) {
        let text = format!("word {}", self.below(1000));
        self.push(self.at, Action::SetMetadata { host, text });
    }

    fn broadcast(&mut self, host: HostId) {
        let text = format!("broadcast {}", self.steps.len());
        self.push(self.at, Action::Broadcast { host, text });
    }

    fn message(&mut self, host: HostId) {
        let target = self.host();
        let text = format!("message {}", self.steps.len());
        self.push(self.at, Action::Send { host, target, text });
    }
}

impl Drawing<'_> {
    /// Noise.
    fn garbage(&mut self, host: HostId) {
        let (count, over) = self.some();
        self.push(self.at, Action::Garbage { host, count, len_max: 1500, from: Origin::Any, over });
    }

    /// Real datagrams with some bits wrong, from nowhere.
    fn mutants(&mut self, host: HostId) {
        let (count, over) = self.some();
        self.push(self.at, Action::Mutants { host, count, from: Origin::Stranger, over });
    }

    /// Real datagrams once more.
    fn replay(&mut self, host: HostId) {
        let (count, over) = self.some();
        self.push(self.at, Action::Replay { host, count, from: Origin::Any, over });
    }

    /// Lies: of a stranger about anything, of a member about who is suspected or dead.
    fn forge(&mut self, host: HostId) {
        let victim = self.host();
        let stranger = self.below(2) == 0;
        let speaker = if stranger { None } else { Some(self.host()) };
        let says = match self.below(if stranger { 4 } else { 2 }) {
            0 => Says::Suspect,
            1 => Says::Dead,
            2 => Says::Left,
            _ => Says::Alive,
        };
        let incarnation_ahead = [0, 0, 1, 1000][self.below(4)];
        self.push(
            self.at,
            Action::Forge { host, speaker, victim, says, epoch_ahead: 0, incarnation_ahead, addr: None },
        );
    }

    /// Answers to questions that were not asked.
    fn spoof_acks(&mut self, host: HostId) {
        let subject = self.host();
        let (count, over) = self.some();
        self.push(self.at, Action::SpoofAcks { host, subject, count, over });
    }

    /// Questions whose answers would hit a third party.
    fn reflect(&mut self, host: HostId) {
        let victim = SocketAddr::from(([192, 0, 2, 66], 53));
        let (count, over) = self.some();
        self.push(self.at, Action::Reflect { host, victim, count, over });
    }

    /// Joins of many who do not exist.
    fn strangers(&mut self, host: HostId) {
        let (count, over) = self.some();
        self.push(self.at, Action::Strangers { host, count, over });
    }

    /// How many, in how much time.
    fn some(&mut self) -> (u32, Duration) {
        let count = [1, 10, 100][self.below(3)];
        (count, if self.below(2) == 0 { Duration::ZERO } else { self.period() * 3 })
    }
}
