//! Which links there are between the hosts, and which of them are cut.
//!
//! Everything is directed. A datagram from one host to another passes if both are in the same group of
//! the partition and that direction is not cut on its own; the link decides the rest.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Link;
use crate::host_id::HostId;

/// Which of a host's links.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Directions {
    /// From it and to it.
    #[default]
    Both,
    /// Of what it sends.
    Out,
    /// Of what is sent to it.
    In,
}

/// The links, the partition and the cuts. Changes hold for what is sent from then on; what is already
/// under way still arrives.
#[derive(Clone, Default, Debug)]
pub struct Network {
    default: Link,
    links: BTreeMap<(HostId, HostId), Link>,
    /// Links of everything that a host sends, and of everything that is sent to it.
    links_from: BTreeMap<HostId, Link>,
    links_to: BTreeMap<HostId, Link>,
    /// By host; hosts beyond the end are in group 0.
    groups: Vec<u32>,
    cuts: BTreeSet<(HostId, HostId)>,
}

impl Network {
    pub(crate) fn new(default: Link) -> Self {
        Self { default, ..Self::default() }
    }

    /// Replaces the link of every pair that has none of its own, and whose hosts have none either.
    pub fn set_default_link(&mut self, link: Link) {
        self.default = link;
    }

    /// Gives one direction a link of its own.
    pub fn set_link(&mut self, source: HostId, target: HostId, link: Link) {
        self.links.insert((source, target), link);
    }

    /// Takes one direction's own link away again.
    pub fn reset_link(&mut self, source: HostId, target: HostId) {
        self.links.remove(&(source, target));
    }

    /// Gives a host a link for everything that it sends, or gets, or both. A pair's own link comes first,
    /// then the sender's, then the receiver's.
    pub fn set_links_of(&mut self, host: HostId, directions: Directions, link: Link) {
        if directions != Directions::In {
            self.links_from.insert(host, link);
        }
        if directions != Directions::Out {
            self.links_to.insert(host, link);
        }
    }

    /// Takes what [`Network::set_links_of`] gave away again.
    pub fn reset_links_of(&mut self, host: HostId) {
        self.links_from.remove(&host);
        self.links_to.remove(&host);
    }

    /// Takes all links away again that pairs or hosts have of their own.
    pub fn reset_links(&mut self) {
        self.links.clear();
        self.links_from.clear();
        self.links_to.clear();
    }

    /// Splits the hosts into groups that cannot reach each other; hosts that are not named form one more
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
    pub fn uncut(&mut self, source: HostId, target: HostId) {
        self.cuts.remove(&(source, target));
    }

    /// Ends the partition and undoes every cut. Links keep their loss.
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
        *self.way(source, Some(target))
    }

    /// The link from `source` to `target`, or to addresses where no host is. Nothing is looked for as long as
    /// no pair and no host has a link of its own.
    pub(crate) fn way(&self, source: HostId, target: Option<HostId>) -> &Link {
        if self.links.is_empty() && self.links_from.is_empty() && self.links_to.is_empty() {
            return &self.default;
        }
        let of_pair = target.and_then(|target| self.links.get(&(source, target)));
        of_pair
            .or_else(|| self.links_from.get(&source))
            .or_else(|| target.and_then(|target| self.links_to.get(&target)))
            .unwrap_or(&self.default)
    }

    /// The link of every pair that has none of its own, and whose hosts have none either.
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
    fn groups_are_apart_and_the_unnamed_are_a_group() {
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
        network.uncut(A, B);
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

    #[test]
    fn a_host_s_links_have_directions_and_a_pair_s_own_comes_first() {
        let mut network = Network::new(Link::lan());
        let [out, back, own] = [10, 20, 30].map(|share| Link::lan().loss(share * crate::PER_CENT));
        network.set_links_of(A, Directions::Out, out);
        network.set_links_of(B, Directions::In, back);
        network.set_link(A, C, own);
        assert_eq!([network.link(A, B), network.link(A, C), *network.way(A, None)], [out, own, out]);
        assert_eq!(
            [network.link(C, B), network.link(B, C), network.link(C, A)],
            [back, Link::lan(), Link::lan()]
        );
        network.reset_link(A, C);
        assert_eq!(network.link(A, C), out);
        network.reset_links_of(A);
        assert_eq!(network.link(A, C), Link::lan());
    }
}
