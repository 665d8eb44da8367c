//! The same action among other hosts, and simpler forms of an action.

use std::net::SocketAddr;
use std::time::Duration;

use crate::action::Action;
use crate::host_id::HostId;
use crate::net::Link;

impl Action {
    /// The same with each host under the name that `name` gives it, birthplaces included; `None`: a host that
    /// it cannot do without has none. Groups and lists just lose those that have none.
    #[must_use]
    pub fn renamed(&self, name: &impl Fn(HostId) -> Option<HostId>) -> Option<Self> {
        let index = |addr: SocketAddr| match HostId::born_at(addr) {
            Some(host) => name(host).map(HostId::birthplace),
            None => Some(addr),
        };
        let mut renamed = self.clone();
        let names = renamed.names();
        for host in names.hosts {
            *host = name(*host)?;
        }
        for addr in names.addrs {
            *addr = index(*addr)?;
        }
        if let Some(seeds) = names.seeds {
            *seeds = seeds.iter().filter_map(|addr| index(*addr)).collect();
        }
        for group in names.groups {
            *group = group.iter().filter_map(|host| name(*host)).collect();
        }
        Some(renamed)
    }
}

impl Action {
    /// Ways in which this could be said more simply, the simplest first; whether they fail in the same way has to
    /// be tried.
    #[must_use]
    pub(crate) fn simpler(&self) -> Vec<Self> {
        let mut forms = Vec::new();
        let mut form = |change: &dyn Fn(&mut Self)| {
            let mut simpler = self.clone();
            change(&mut simpler);
            if simpler != *self {
                forms.push(simpler);
            }
        };
        match self {
            Self::SetDefaultLink(link) | Self::SetLink { link, .. } | Self::SetLinksOf { link, .. } => {
                for plainer in link.plainer() {
                    form(&|action| {
                        if let Self::SetDefaultLink(link)
                        | Self::SetLink { link, .. }
                        | Self::SetLinksOf { link, .. } = action
                        {
                            *link = plainer;
                        }
                    });
                }
            }
            Self::Slow { .. } | Self::Jump { .. } | Self::LateTicks { .. } => {
                for unit in [1_000, 100, 10] {
                    form(&|action| {
                        if let Self::Slow { service: time, .. }
                        | Self::Jump { by: time, .. }
                        | Self::LateTicks { up_to: time, .. } = action
                            && !rounded(*time, unit).is_zero()
                        {
                            *time = rounded(*time, unit);
                        }
                    });
                }
            }
            Self::Forge { host, speaker, victim, says, epoch_ahead, incarnation_ahead, addr } => {
                let (epoch, incarnation) = (epoch_ahead.signum(), incarnation_ahead.signum());
                for (epoch_ahead, incarnation_ahead, addr) in [
                    (*epoch_ahead, *incarnation_ahead, None),
                    (epoch, *incarnation_ahead, *addr),
                    (*epoch_ahead, incarnation, *addr),
                ] {
                    let (host, speaker, victim, says) = (*host, *speaker, *victim, *says);
                    form(&|action| {
                        *action =
                            Self::Forge { host, speaker, victim, says, epoch_ahead, incarnation_ahead, addr };
                    });
                }
            }
            other if other.clone().amount().is_some() => {
                for part in [16, 2] {
                    form(&|action| action.amount().map_or((), |(count, _)| *count = (*count / part).max(1)));
                }
                for unit in [u32::MAX, 1_000, 100] {
                    form(&|action| action.amount().map_or((), |(_, over)| *over = rounded(*over, unit)));
                }
            }
            _ => {}
        }
        forms
    }

    /// How many datagrams a stranger sends, and in how much time.
    const fn amount(&mut self) -> Option<(&mut u32, &mut Duration)> {
        match self {
            Self::Garbage { count, over, .. }
            | Self::Mutants { count, over, .. }
            | Self::Replay { count, over, .. }
            | Self::SpoofAcks { count, over, .. }
            | Self::Reflect { count, over, .. }
            | Self::Strangers { count, over, .. } => Some((count, over)),
            _ => None,
        }
    }
}

/// Down to a multiple of so many milliseconds.
fn rounded(time: Duration, unit: u32) -> Duration {
    let unit = u64::from(unit);
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX) / unit * unit)
}

impl Link {
    /// This link with one fault less each, the whole one first.
    #[must_use]
    pub(crate) fn plainer(self) -> Vec<Self> {
        let lan = Self::lan();
        let mut links = vec![
            lan,
            Self { latency: lan.latency, ..self },
            Self { loss_ppm: 0, ..self },
            Self { burst: None, ..self },
            Self { duplicate_ppm: 0, ..self },
            Self { reorder_ppm: 0, ..self },
            Self { reorder_by: lan.reorder_by, ..self },
            Self { spike_ppm: 0, ..self },
            Self { spike: lan.spike, ..self },
            Self { corrupt_ppm: 0, ..self },
            Self { rate: None, ..self },
            Self { mtu: None, ..self },
        ];
        links.retain(|link| *link != self);
        links
    }
}

#[cfg(test)]
mod tests {
    use crate::HostId;

    use super::*;

    #[test]
    fn hosts_get_their_new_names_and_what_needs_a_lost_one_is_lost() {
        let up_one = |host: HostId| host.0.checked_sub(1).map(HostId);
        let [a, b, c] = [0, 1, 2].map(HostId);
        assert_eq!(Action::Crash(b).renamed(&up_one), Some(Action::Crash(a)));
        assert_eq!(Action::Cut { source: a, target: b }.renamed(&up_one), None);
        let split = Action::Partition(vec![vec![a, b], vec![c]]);
        assert_eq!(split.renamed(&up_one), Some(Action::Partition(vec![vec![a], vec![b]])));
        let join = |host, seed: HostId| Action::Join { host, seeds: vec![seed.birthplace()] };
        assert_eq!(join(c, b).renamed(&up_one), Some(join(b, a)));
    }

    #[test]
    fn every_simpler_form_differs_and_they_come_to_an_end() {
        let host = HostId(0);
        let noisy = Link { loss_ppm: 7, mtu: Some(900), ..Link::lan() };
        let over = Duration::from_millis(12_345);
        for action in [
            Action::SpoofAcks { host, subject: HostId(1), count: 1_000, over },
            Action::SetDefaultLink(noisy),
            Action::Jump { host, by: over },
            Action::Crash(host),
        ] {
            let mut form = action.clone();
            let mut steps = 0;
            while let Some(simpler) = form.simpler().into_iter().next() {
                assert_ne!(simpler, form);
                form = simpler;
                steps += 1;
                assert!(steps < 30, "{action:?} to {form:?}");
            }
        }
    }

    #[test]
    fn an_amount_goes_down_to_one_at_once() {
        let host = HostId(0);
        let mut form = Action::Strangers { host, count: 300, over: Duration::from_millis(2_500) };
        while let Some(simpler) = form.simpler().into_iter().next() {
            form = simpler;
        }
        assert_eq!(form, Action::Strangers { host, count: 1, over: Duration::ZERO });
    }
}
