//! The same action among other hosts.

use std::net::SocketAddr;

use super::Action;
use crate::World;
use crate::host::HostId;
use crate::net::born_at;

impl Action {
    /// The same with each host under the name that `name` gives it, birthplaces included; `None`: a host that
    /// it cannot do without has none. Groups and lists just lose those that have none.
    #[must_use]
    pub fn renamed(&self, name: &impl Fn(HostId) -> Option<HostId>) -> Option<Self> {
        let place = |addr: SocketAddr| match born_at(addr) {
            Some(host) => name(host).map(World::birthplace),
            None => Some(addr),
        };
        let places = |addrs: &[SocketAddr]| -> Vec<SocketAddr> {
            addrs.iter().filter_map(|addr| place(*addr)).collect()
        };
        let mut renamed = self.clone();
        match &mut renamed {
            Self::Crash(host)
            | Self::Restart(host)
            | Self::Resume(host)
            | Self::Leave(host)
            | Self::Unplug(host)
            | Self::Plug(host)
            | Self::Unmask(host)
            | Self::ResetLinksOf(host)
            | Self::Quicken(host)
            | Self::Pause { host, .. }
            | Self::SetLinksOf { host, .. }
            | Self::Slow { host, .. }
            | Self::Drift { host, .. }
            | Self::Jump { host, .. }
            | Self::LateTicks { host, .. }
            | Self::Calendar { host, .. }
            | Self::Garbage { host, .. }
            | Self::Mutants { host, .. }
            | Self::Replay { host, .. }
            | Self::Strangers { host, .. }
            | Self::SetMetadata { host, .. }
            | Self::Broadcast { host, .. } => *host = name(*host)?,
            Self::RestartAs { host, addr, .. } => {
                *host = name(*host)?;
                if let Some(addr) = addr {
                    *addr = place(*addr)?;
                }
            }
            Self::Reflect { host, victim, .. } => (*host, *victim) = (name(*host)?, place(*victim)?),
            Self::Forge { host, speaker, victim, addr, .. } => {
                (*host, *victim) = (name(*host)?, name(*victim)?);
                if let Some(speaker) = speaker {
                    *speaker = name(*speaker)?;
                }
                if let Some(addr) = addr {
                    *addr = place(*addr)?;
                }
            }
            Self::Foreigner { like, addr, seeds, .. } => {
                *like = name(*like)?;
                if let Some(addr) = addr {
                    *addr = place(*addr)?;
                }
                *seeds = places(seeds);
            }
            Self::Move { host, addr } | Self::Mask { host, addr } => {
                (*host, *addr) = (name(*host)?, place(*addr)?)
            }
            Self::Start { like: host, seeds }
            | Self::Twin { of: host, seeds }
            | Self::Join { host, seeds } => {
                *host = name(*host)?;
                *seeds = places(seeds);
            }
            Self::Partition(groups) => {
                for group in groups {
                    *group = group.iter().filter_map(|host| name(*host)).collect();
                }
            }
            Self::Cut { source, target }
            | Self::Mend { source, target }
            | Self::SetLink { source, target, .. }
            | Self::ResetLink { source, target }
            | Self::Send { host: source, target, .. }
            | Self::SpoofAcks { host: source, subject: target, .. }
            | Self::Remove { host: source, target } => (*source, *target) = (name(*source)?, name(*target)?),
            Self::Heal | Self::SetDefaultLink(_) | Self::Peace => {}
        }
        Some(renamed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_get_their_new_names_and_what_needs_a_lost_one_is_lost() {
        let up_one = |host: HostId| host.0.checked_sub(1).map(HostId);
        let [a, b, c] = [0, 1, 2].map(HostId);
        assert_eq!(Action::Crash(b).renamed(&up_one), Some(Action::Crash(a)));
        assert_eq!(Action::Cut { source: a, target: b }.renamed(&up_one), None);
        let split = Action::Partition(vec![vec![a, b], vec![c]]);
        assert_eq!(split.renamed(&up_one), Some(Action::Partition(vec![vec![a], vec![b]])));
        let join = |host, seed| Action::Join { host, seeds: vec![World::birthplace(seed)] };
        assert_eq!(join(c, b).renamed(&up_one), Some(join(b, a)));
    }
}
