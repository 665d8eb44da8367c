//! Which links there are between the hosts, and which of them are cut.
//!
//! Everything is directed. A datagram from one host to another passes if both are in the same group of
//! the partition and that direction is not cut on its own; the link decides the rest.

use std::collections::{BTreeMap, BTreeSet};

use super::Link;
use crate::host::HostId;

/// The links, the partition and the cuts. Changes hold for what is sent from then on; what is already
/// under way still arrives.
#[derive(Clone, Debug)]
pub struct Network {
    default: Link,
    links: BTreeMap<(HostId, HostId), Link>,
    /// By host; hosts beyond the end are in group 0.
    groups: Vec<u32>,
    cuts: BTreeSet<(HostId, HostId)>,
}

impl Network {
    pub(crate) fn new(default: Link) -> Self {
        Self { default, links: BTreeMap::new(), groups: Vec::new(), cuts: BTreeSet::new() }
    }

    /// Replaces the link of every pair that has none of its own.
    pub fn set_default_link(&mut self, link: Link) {
        self.default = link;
    }

    /// Gives one direction a link of its own.
    pub fn set_link(&mut self, source: HostId, target: HostId, link: Link) {
        self.links.insert((source, target), link);
    }

    /// Takes all pairs' own links away again.
    pub fn reset_links(&mut self) {
        self.links.clear();
    }

    /// Splits the hosts into groups that do not hear each other; hosts that are not named form one more
    /// group. Replaces an earlier partition.
    pub fn partition(&mut self, groups: &[&[HostId]]) {
        self.groups.clear();
        for (number, group) in (1..).zip(groups) {
            for host in *group {
                if self.groups.len() <= host.index() {
                    self.groups.resize(host.index() + 1, 0);
                }
                self.groups[host.index()] = number;
            }
        }
    }

    /// Lets nothing pass from `source` to `target`; the other direction stays as it is.
    pub fn cut(&mut self, source: HostId, target: HostId) {
        self.cuts.insert((source, target));
    }

    /// Undoes [`Network::cut`] for one direction.
    pub fn mend(&mut self, source: HostId, target: HostId) {
        self.cuts.remove(&(source, target));
    }

    /// Ends the partition and mends every cut. Links keep their loss.
    pub fn heal(&mut self) {
        self.groups.clear();
        self.cuts.clear();
    }

    /// Whether anything can pass from `source` to `target`.
    #[must_use]
    pub fn passes(&self, source: HostId, target: HostId) -> bool {
        self.group(source) == self.group(target)
            && (self.cuts.is_empty() || !self.cuts.contains(&(source, target)))
    }

    /// The link from `source` to `target`.
    #[must_use]
    pub fn link(&self, source: HostId, target: HostId) -> Link {
        if self.links.is_empty() {
            return self.default;
        }
        self.links.get(&(source, target)).copied().unwrap_or(self.default)
    }

    /// The link of every pair that has none of its own, and of addresses outside.
    #[must_use]
    pub const fn default_link(&self) -> Link {
        self.default
    }

    fn group(&self, host: HostId) -> u32 {
        self.groups.get(host.index()).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: HostId = HostId(0);
    const B: HostId = HostId(1);
    const C: HostId = HostId(2);

    #[test]
    fn groups_do_not_hear_each_other_and_the_unnamed_are_a_group() {
        let mut network = Network::new(Link::lan());
        network.partition(&[&[A]]);
        assert!(!network.passes(A, B) && !network.passes(B, A) && network.passes(B, C));
        network.partition(&[&[B, A], &[C]]);
        assert!(network.passes(A, B) && !network.passes(C, B));
        network.heal();
        assert!(network.passes(A, C));
    }

    #[test]
    fn a_cut_has_a_direction() {
        let mut network = Network::new(Link::lan());
        network.cut(A, B);
        assert!(!network.passes(A, B) && network.passes(B, A));
        network.mend(A, B);
        assert!(network.passes(A, B));
    }

    #[test]
    fn a_pairs_own_link_has_a_direction_too() {
        let mut network = Network::new(Link::lan());
        let lossy = Link::lan().loss(30 * crate::PER_CENT);
        network.set_link(A, B, lossy);
        assert_eq!((network.link(A, B), network.link(B, A)), (lossy, Link::lan()));
        network.reset_links();
        assert_eq!(network.link(A, B), Link::lan());
    }
}
