//! S2: only a member itself raises its epoch and its incarnation.
//!
//! Whatever is said or held of a member answers a word of its own, which it has said in the header of some
//! datagram of its own before. So of each name the highest word is kept that a host of that name has sent, and
//! everybody else is measured against it.
//!
//! Excused is exactly what was forged or garbled on the way: a word that is *handed* to a node, and that nobody
//! who is run by this world has *sent*, may be believed and passed on from then on. (Whatever a node sends was
//! judged when it was sent, so what is higher can come from nowhere else.)

use std::collections::BTreeMap;

use swim_core::{Epoch, Incarnation, NodeId, Said};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::{Broken, Check, Monitor, RowChange, declare};

/// A member's word about itself.
type Word = (Epoch, Incarnation);

/// S2.
#[derive(Default)]
pub(super) struct OwnWord {
    /// The highest word of each name that its bearer has sent.
    said: BTreeMap<NodeId, Word>,
    /// The highest word of each name that came from nobody.
    forged: BTreeMap<NodeId, Word>,
    looked: u64,
}

impl OwnWord {
    fn has_said(&self, id: NodeId, word: Word) -> bool {
        self.said.get(&id).is_some_and(|said| word <= *said)
    }

    fn judge(&mut self, scene: &Scene<'_>, host: HostId, does: &str, id: NodeId, word: Word) -> Check {
        self.looked += 1;
        if self.has_said(id, word) || self.forged.get(&id).is_some_and(|forged| word <= *forged) {
            return Ok(());
        }
        let said = self.said.get(&id);
        let why = format!("{host:?} {does} {id:?} in {word:?}, but all that it ever said is {said:?}");
        let hosts: Vec<HostId> = [Some(host), scene.host_named(id)].into_iter().flatten().collect();
        Err(Broken::by(&hosts, why))
    }

    fn hear(&mut self, id: NodeId, word: Word) {
        if !self.has_said(id, word) {
            raise(&mut self.forged, id, word);
        }
    }
}

fn raise(words: &mut BTreeMap<NodeId, Word>, id: NodeId, word: Word) {
    let highest = words.entry(id).or_insert(word);
    *highest = word.max(*highest);
}

/// Every word about somebody but the sender, as far as it can be told about whom.
fn words(said: &Reading<'_>) -> impl Iterator<Item = (NodeId, Word)> {
    // Of a ping's target nothing may be known: that is epoch 0.
    let asked = said.target.zip(said.belief).filter(|(_, belief)| belief.epoch > Epoch(0));
    let asked = asked.map(|(id, belief)| (id, (belief.epoch, belief.incarnation)));
    let told = said.records().iter().filter_map(|said| match said {
        Said::Member(member) => Some((member.id, (member.claim.epoch, member.claim.incarnation))),
        _ => None,
    });
    asked.into_iter().chain(told)
}

impl Monitor for OwnWord {
    declare! { "S2", "own-word", READ,
    "only a member itself raises its epoch and incarnation" }

    fn on_datagram(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        match what {
            Happening::Sent { host, .. } => {
                let me = scene.identity(*host).id;
                if said.sender != me {
                    let why = format!("{host:?} is {me:?} and speaks as {:?}", said.sender);
                    return Err(Broken::by(&[*host], why));
                }
                raise(&mut self.said, me, (said.epoch, said.incarnation));
                for (id, word) in words(said) {
                    self.judge(scene, *host, "speaks of", id, word)?;
                }
            }
            Happening::Arrived { .. } => {
                self.hear(said.sender, (said.epoch, said.incarnation));
                for (id, word) in words(said) {
                    self.hear(id, word);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn on_rows_changed(&mut self, world: &World, host: HostId, moves: &[RowChange]) -> Check {
        let me = world.id(host);
        for moved in moves.iter().filter(|moved| moved.id != me) {
            if let Some(row) = moved.after {
                let word = (row.claim.epoch, row.claim.incarnation);
                self.judge(&world.scene(), host, "holds", moved.id, word)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::test_worlds;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = test_worlds::troubled(|_| Box::new(OwnWord::default()));
        assert_eq!(broken, None);
        assert!(looked > 1000, "{looked}");
    }

    #[test]
    fn a_word_that_its_member_was_never_seen_to_say_is_found() {
        // Nothing that the second host sends is shown to the law, nor where it arrives.
        let (broken, _) = test_worlds::doctored(Box::new(OwnWord::default()), |what| {
            !matches!(what, Happening::Sent { host: HostId(1), .. } | Happening::Arrived { .. })
        });
        assert_eq!(broken, Some("S2"));
    }

    #[test]
    fn a_word_that_came_from_nobody_may_be_passed_on() {
        let (broken, looked) = test_worlds::doctored(Box::new(OwnWord::default()), |what| {
            !matches!(what, Happening::Sent { host: HostId(1), .. })
        });
        assert_eq!(broken, None);
        assert!(looked > 0);
    }
}
