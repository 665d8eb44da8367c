//! Who has accused whom, and who has called whom Dead: by what they told their own users.
//!
//! A claim that names an accuser nobody knows of was made up by whoever sent it, or came out of nowhere: from a
//! forger, or garbled on the way. What a node sends is judged when its input is over (its user may hear of it
//! after the datagram); what is handed to a node and fits nobody's word is excused from then on.

use std::collections::BTreeSet;

use swim_core::{NodeId, Said, SaidMember, Status};

use crate::properties::evidence::datagram::Reading;

/// By whom, about whom.
pub(in crate::properties) type Pair = (NodeId, NodeId);

/// All of it.
#[derive(Default)]
pub(in crate::properties) struct Pairs {
    accused: BTreeSet<Pair>,
    judged: BTreeSet<Pair>,
    forged: BTreeSet<Pair>,
}

impl Pairs {
    /// `by` told its user that it doubts `id`.
    pub(in crate::properties) fn accuses(&mut self, by: NodeId, id: NodeId) {
        self.accused.insert((by, id));
    }

    /// `by` told its user that `id` is Dead.
    pub(in crate::properties) fn judges(&mut self, by: NodeId, id: NodeId) {
        self.judged.insert((by, id));
    }

    /// Whoever calls somebody Dead accuses him as well.
    pub(in crate::properties) fn has_accused(&self, by: NodeId, id: NodeId) -> bool {
        let pair = (by, id);
        [&self.accused, &self.judged, &self.forged].into_iter().any(|pairs| pairs.contains(&pair))
    }

    pub(in crate::properties) fn has_judged(&self, by: NodeId, id: NodeId) -> bool {
        let pair = (by, id);
        [&self.judged, &self.forged].into_iter().any(|pairs| pairs.contains(&pair))
    }

    /// What is wrong with a datagram: of each claim, who is named and did not do it.
    pub(in crate::properties) fn unknown(&self, said: &Reading<'_>) -> impl Iterator<Item = Pair> {
        let members = said.records().iter().filter_map(|said| match said {
            Said::Member(member) if matches!(member.claim.status, Status::Suspect | Status::Dead) => {
                Some(member)
            }
            _ => None,
        });
        members.flat_map(|member| self.unknown_of(member))
    }

    fn unknown_of(&self, member: &SaidMember<'_>) -> Vec<Pair> {
        let id = member.id;
        let judge = member.by.filter(|by| !self.has_judged(*by, id));
        let accusers = member.accusers().filter(|accuser| !self.has_accused(*accuser, id));
        judge.into_iter().chain(accusers).map(|by| (by, id)).collect()
    }

    /// A datagram is handed to a node: whatever is wrong with it is excused from now on.
    pub(in crate::properties) fn excuse(&mut self, said: &Reading<'_>) {
        let unknown: Vec<Pair> = self.unknown(said).collect();
        // Who repeats it becomes its accuser, where the one named is the one who is told.
        let told = said.records().iter().filter_map(|record| match record {
            Said::Member(member) if member.claim.status == Status::Dead => Some((said.sender, member.id)),
            _ => None,
        });
        let told: Vec<Pair> = told.filter(|(by, id)| !self.has_judged(*by, *id)).collect();
        self.forged.extend(unknown.into_iter().chain(told));
    }
}
