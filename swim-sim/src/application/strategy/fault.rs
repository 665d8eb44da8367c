//! One fault: begun, and ended.

use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use super::Topology;
use crate::action::{Action, FaultClass, Inbox, Memory, Origin, Says};
use crate::host_id::HostId;
use crate::net::{Burst, Latency, Rate};
use crate::scenario::Step;
use crate::{Directions, Link, PER_CENT};

/// The unit of the times that are drawn: coarse, so that what fails is soon shrunk, and easily read.
pub(super) const UNIT: Duration = Duration::from_millis(100);
/// Wrong wall clocks are wrong by so much at most: clusters whose clocks are a day apart stay apart, by design.
const WALL_CLOCK_MS: i64 = 10 * 3_600_000;

/// What was drawn. Small numbers are simple ones.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    class: FaultClass,
    /// When it begins, in units.
    at: u32,
    /// How long it lasts, in units.
    lasts: u32,
    host: u32,
    other: u32,
    /// How bad it is.
    dial: u32,
    /// Which hosts are on one side.
    side: u16,
}

/// Faults of these classes on so many hosts within so many units of time.
pub(super) fn faults(classes: Vec<FaultClass>, hosts: u32, horizon: u32) -> impl Strategy<Value = Fault> {
    let lasts = prop_oneof![1..=1 + horizon / 30, 1..=1 + horizon / 6, 1..=horizon];
    let host = 0..hosts.max(1);
    (select(classes), 0..horizon, lasts, host.clone(), host, 0..WORST, any::<u16>()).prop_map(
        |(class, at, lasts, host, other, dial, side)| Fault { class, at, lasts, host, other, dial, side },
    )
}

impl Fault {
    /// What is done, and when: the end of it included, at the horizon at the latest.
    pub(super) fn steps(&self, topology: &Topology, horizon: u32) -> Vec<Step> {
        let (begin, end) = (UNIT * self.at, UNIT * (self.at + self.lasts).min(horizon));
        let once = |action| vec![Step { at: begin, action }];
        let from_to = |first, last| vec![Step { at: begin, action: first }, Step { at: end, action: last }];
        let host = HostId(self.host % topology.hosts);
        match self.class {
            FaultClass::Restart => {
                from_to(Action::Crash(host), Action::RestartAs { host, memory: Memory::Kept, addr: None })
            }
            FaultClass::Leave => from_to(Action::Leave(host), Action::Restart(host)),
            FaultClass::Move => self.moves(topology, begin, end),
            FaultClass::WallClock => self.wall_clock(host, begin, end),
            FaultClass::Jump => once(Action::Jump { host, by: UNIT * self.lasts }),
            FaultClass::DuplicateId => once(Action::Twin { of: host, seeds: Vec::new() }),
            class if class.is_of_links() => self.bad_links(host, topology.link, begin, end),
            _ => match self.lasting(host, topology.hosts) {
                Some(action) => match action.ended_by() {
                    Some(last) => from_to(action, last),
                    None => once(action),
                },
                None => self.hostile(host, topology.hosts).map(once).unwrap_or_default(),
            },
        }
    }

    /// What begins and has one end.
    fn lasting(&self, host: HostId, hosts: u32) -> Option<Action> {
        Some(match self.class {
            FaultClass::Crash => Action::Crash(host),
            FaultClass::Pause => {
                let inbox = if self.dial < 66 { Inbox::Kept } else { Inbox::Dropped };
                Action::Pause { host, inbox }
            }
            FaultClass::Partition => Action::Partition(vec![self.side(hosts)]),
            FaultClass::OneWayCut => Action::Cut { source: host, target: self.other(host, hosts) },
            FaultClass::Unplug => Action::Unplug(host),
            FaultClass::SendBuffer => Action::FillSendBuffer(host),
            FaultClass::WrongSource => Action::Mask {
                host,
                addr: SocketAddr::from(([10, 98, 0, 1], 7000 + self.host as u16 % 1000)),
            },
            FaultClass::Slow => {
                Action::Slow { host, service: Duration::from_millis((1 + self.dial).into()), queue: 1024 }
            }
            FaultClass::Drift => {
                let ppm = 1_000 * (1 + i32::try_from(self.dial).unwrap_or(0));
                Action::Drift { host, ppm: if self.side.is_multiple_of(2) { ppm } else { -ppm } }
            }
            FaultClass::LateTicks => {
                Action::LateTicks { host, up_to: Duration::from_millis((10 * (1 + self.dial)).into()) }
            }
            _ => return None,
        })
    }

    /// The drawn host and those whose bits are set.
    fn side(&self, hosts: u32) -> Vec<HostId> {
        let on_it = |n: &u32| *n == self.host % hosts || self.side >> (n % 16) & 1 == 1;
        (0..hosts).filter(on_it).map(HostId).collect()
    }

    /// Another host, if there is one.
    const fn other(&self, host: HostId, hosts: u32) -> HostId {
        let other = self.other % hosts;
        HostId(if other == host.0 { (other + 1) % hosts } else { other })
    }

    /// To an address of its own, and back. Seeds stay where they are, or no host would find them.
    fn moves(&self, topology: &Topology, begin: Duration, end: Duration) -> Vec<Step> {
        let others = topology.hosts - topology.seeds;
        if others == 0 {
            return Vec::new();
        }
        let host = HostId(topology.seeds + self.host % others);
        let [high, low] = self.side.to_be_bytes();
        let away = SocketAddr::from(([10, 99, high, low], 7000));
        [(begin, away), (end, host.birthplace())]
            .map(|(at, addr)| Step { at, action: Action::Move { host, addr } })
            .into()
    }

    /// Epochs follow wall clocks when processes start, so one starts.
    fn wall_clock(&self, host: HostId, begin: Duration, end: Duration) -> Vec<Step> {
        let ahead_ms = WALL_CLOCK_MS * (i64::from(self.dial) - 50) / 50 + 1;
        [
            (begin, Action::WallClock { host, ahead_ms }),
            (begin, Action::Crash(host)),
            (end, Action::Restart(host)),
            (end, Action::WallClock { host, ahead_ms: 0 }),
        ]
        .map(|(at, action)| Step { at, action })
        .into()
    }

    /// One host's links, or all.
    fn bad_links(&self, host: HostId, usual: Link, begin: Duration, end: Duration) -> Vec<Step> {
        let link = bad(usual, self.class, self.dial);
        let directions = [Directions::Both, Directions::Out, Directions::In][usize::from(self.side % 3)];
        let (first, last) = if self.other.is_multiple_of(3) {
            (Action::SetDefaultLink(link), Action::SetDefaultLink(usual))
        } else {
            (Action::SetLinksOf { host, directions, link }, Action::ResetLinksOf(host))
        };
        vec![Step { at: begin, action: first }, Step { at: end, action: last }]
    }

    /// What others do who are no members.
    fn hostile(&self, host: HostId, hosts: u32) -> Option<Action> {
        let (count, over, from) = (1 + 10 * self.dial, UNIT * self.lasts, Origin::Any);
        let other = self.other(host, hosts);
        Some(match self.class {
            FaultClass::Garbage => Action::Garbage { host, count, len_max: 1500, from, over },
            FaultClass::Mutation => Action::Mutants { host, count, from, over },
            FaultClass::Replay => Action::Replay { host, count, from, over },
            FaultClass::Forgery => Action::Forge {
                host,
                speaker: None,
                victim: other,
                says: [Says::Dead, Says::Suspect, Says::Left, Says::Alive][usize::from(self.side % 4)],
                epoch_ahead: 0,
                incarnation_ahead: i32::try_from(self.dial).unwrap_or(0),
                addr: None,
            },
            FaultClass::SpoofedAck => Action::SpoofAcks { host, subject: other, count, over },
            FaultClass::Reflection => {
                Action::Reflect { host, victim: SocketAddr::from(([192, 0, 2, 1], 7946)), count, over }
            }
            FaultClass::Strangers => Action::Strangers { host, count, over },
            _ => return None,
        })
    }
}

/// How bad a link can be: below this.
const WORST: u32 = 100;
/// How bad a link can be that is so all the time.
pub(super) const MILD: u32 = 25;

/// `link` with a fault of this class; the worse, the higher the dial, from 0 to 99.
pub(super) fn bad(link: Link, class: FaultClass, dial: u32) -> Link {
    let ms = |n: u32| Duration::from_millis(n.into());
    let per_cent = (dial + 1) * PER_CENT;
    match class {
        FaultClass::Loss => link.loss(per_cent),
        FaultClass::Burst => {
            link.burst(Burst { begin_ppm: 2 * PER_CENT, end_ppm: 5 * PER_CENT, loss_ppm: per_cent })
        }
        FaultClass::Duplication => link.duplication(per_cent),
        FaultClass::Reordering => link.reordering(per_cent, ms(10 + 5 * dial)),
        FaultClass::Corruption => link.corruption(per_cent / 10),
        FaultClass::Rate => {
            link.rate(Rate { bytes_per_second: u64::from(40_000 - 350 * dial), queue_bytes: 16_000 })
        }
        FaultClass::Mtu => link.mtu(1_280 - 7 * dial),
        FaultClass::Latency => {
            link.latency(Latency::Exponential { min: ms(1), mean_extra: ms(2 * (dial + 1)) })
        }
        FaultClass::Spike => link.spikes(per_cent / 10, ms(2_000)),
        _ => link,
    }
}
