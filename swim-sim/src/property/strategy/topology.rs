//! What a cluster is before anything happens to it.

use proptest::prelude::*;
use proptest::sample::select;

use super::Shape;
use super::links;
use crate::Link;
use crate::action::FaultClass;
use crate::scenario::{Profile, Scenario};

/// Most seeds that are drawn; one host at least is none, if there are two.
const SEEDS_MAX: u32 = 3;
/// So many clusters are on good networks for each whose network is always bad in some way.
const GOOD_NETWORKS: u32 = 3;

/// How many hosts, which of them are seeds, and what is between them.
#[derive(Clone, PartialEq, Debug)]
pub struct Topology {
    /// Hosts at the beginning.
    pub hosts: u32,
    /// The first so many are everybody's seeds.
    pub seeds: u32,
    /// Which defaults the members' options have.
    pub profile: Profile,
    /// The link of every pair while there is trouble.
    pub link: Link,
}

impl Topology {
    /// A scenario in which nothing happens to it.
    #[must_use]
    pub fn scenario(&self, seed: u64) -> Scenario {
        Scenario {
            seeds: self.seeds,
            profile: self.profile,
            link: self.link,
            ..Scenario::calm(seed, self.hosts)
        }
    }
}

/// Topologies of this shape: its numbers of hosts, its profiles, and links with at most one of its classes.
///
/// # Panics
/// If the shape's range of hosts is empty, or it has no profile.
pub fn topologies(shape: &Shape) -> impl Strategy<Value = Topology> + use<> {
    let bad: Vec<FaultClass> =
        shape.classes.iter().copied().filter(|class| links::is_of_links(*class)).collect();
    let always_good = bad.is_empty();
    let bad = if always_good { vec![FaultClass::Loss] } else { bad };
    let network = (0..GOOD_NETWORKS + 1, select(bad), 0..links::MILD);
    let (hosts, profile) = (shape.hosts.clone(), select(shape.profiles.clone()));
    (hosts, 1..=SEEDS_MAX, profile, network).prop_map(
        move |(hosts, seeds, profile, (quality, class, dial))| {
            let good = always_good || quality < GOOD_NETWORKS;
            let link = if good { Link::lan() } else { links::bad(Link::lan(), class, dial) };
            Topology { hosts, seeds: seeds.min(hosts.saturating_sub(1)).max(1), profile, link }
        },
    )
}
