//! S10: an answer to somebody whose address is not proven is never longer than the question, and carries no
//! gossip.
//!
//! Otherwise whoever can write somebody else's address on a datagram makes members send more there than he
//! sends himself. Proven is the address of a member, as it is held, and one that has shown the token that was
//! sent to it. A member is also who was called Dead there until its own header, in this very question, said a newer
//! word, wherever else the question may place it: bits were flipped in that, or it moves. All that a node sends to
//! where a datagram came from, in the same input, is the answer to it.

use std::net::SocketAddr;

use swim_core::{Claim, NodeId, Status};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::evidence::per_host::PerHost;
use crate::properties::evidence::tokens::Tokens;
use crate::properties::formulas::supersedes;
use crate::properties::{Broken, Check, Monitor, Row, RowChange, declare};

/// S10.
pub(super) struct Answers {
    any_source: bool,
    tokens: Tokens,
    asked: PerHost<Option<Question>>,
    looked: u64,
}

/// What was handed to a node, and what it sent back so far.
struct Question {
    source: SocketAddr,
    /// Whose it is, and what its header says of that; `None`: it cannot be read.
    sender: Option<(NodeId, Claim)>,
    proven: bool,
    len: usize,
    answered: usize,
    gossip: bool,
}

impl Answers {
    pub(super) fn new(any_source: bool) -> Self {
        Self { any_source, tokens: Tokens::default(), asked: PerHost::default(), looked: 0 }
    }

    fn is_member(&self, world: &World, host: HostId, question: &Question) -> bool {
        // Whoever ends with this input can no longer be asked whom it knew.
        let Some(node) = world.node(host) else { return true };
        let Some((sender, word)) = question.sender else { return false };
        let member = node.member(sender).filter(|member| !member.is_me);
        member.is_some_and(|member| self.fits(&Row::of(&member), question.source, word))
    }

    /// Whether a member that is held like this may ask from there, in that life.
    fn fits(&self, row: &Row, source: SocketAddr, word: Claim) -> bool {
        self.is_here(row, source) && row.claim.status.is_active() && word.epoch >= row.claim.epoch
    }

    /// Whether a row changed because its header's word brings back who was buried there.
    fn revives(&self, moved: &RowChange, source: SocketAddr, word: Claim) -> bool {
        let (Some(before), Some(after)) = (moved.before, moved.after) else { return false };
        self.is_here(&before, source) && after.claim.status.is_active() && supersedes(&before.claim, &word)
    }

    fn is_here(&self, row: &Row, source: SocketAddr) -> bool {
        self.any_source || row.addr == source
    }
}

impl Monitor for Answers {
    declare! { "S10", "answers", SENT | ARRIVED | READ | AFTER_INPUT,
    "an answer to an address that is not proven is no longer than the question, without gossip" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Arrived { host, source, bytes } => {
                *self.asked.of(*host) = Some(Question {
                    source: *source,
                    sender: None,
                    proven: false,
                    len: bytes.len(),
                    answered: 0,
                    gossip: false,
                });
            }
            Happening::Sent { host, target, bytes, .. } => {
                if let Some(question) = self.asked.of(*host).as_mut().filter(|asked| asked.source == *target)
                {
                    question.answered += bytes.len();
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn on_datagram(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        self.tokens.on_datagram(what, said);
        match what {
            Happening::Arrived { host, source, .. } => {
                let proven = self.tokens.proves(*host, *source, said);
                if let Some(question) = self.asked.of(*host) {
                    let (epoch, incarnation) = (said.epoch, said.incarnation);
                    let word = Claim { epoch, incarnation, status: Status::Alive };
                    (question.sender, question.proven) = (Some((said.sender, word)), proven);
                }
            }
            Happening::Sent { host, target, .. } => {
                if let Some(question) = self.asked.of(*host).as_mut().filter(|asked| asked.source == *target)
                {
                    question.gossip |= !said.records().is_empty();
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn on_rows_changed(&mut self, _world: &World, host: HostId, moves: &[RowChange]) -> Check {
        let Some(Question { source, sender: Some((sender, word)), .. }) = *self.asked.of(host) else {
            return Ok(());
        };
        // It may have been a member until it said goodbye with this very question, or since its header was read.
        let moved = moves.iter().find(|moved| moved.id == sender);
        let was_member = moved.is_some_and(|moved| {
            moved.before.is_some_and(|row| self.fits(&row, source, word)) || self.revives(moved, source, word)
        });
        if let Some(question) = self.asked.of(host) {
            question.proven |= was_member;
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        let Some(question) = self.asked.of(host).take().filter(|question| question.answered > 0) else {
            return Ok(());
        };
        self.looked += 1;
        let too_much = question.answered > question.len || question.gossip;
        if !too_much || question.proven || self.is_member(world, host, &question) {
            return Ok(());
        }
        let gossip = if question.gossip { ", and tells it news" } else { "" };
        let why = format!(
            "{host:?} answers {} bytes from {}, whose address is not proven, with {}{gossip}",
            question.len, question.source, question.answered
        );
        Err(Broken::by(&[host], why))
    }
}

#[cfg(test)]
mod tests {
    use swim_core::MessageKind;

    use super::*;
    use crate::properties::test_worlds;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = test_worlds::troubled(|_| Box::new(Answers::new(false)));
        assert_eq!(broken, None);
        assert!(looked > 500, "{looked}");
    }

    #[test]
    fn a_welcome_to_an_address_that_has_shown_no_token_is_found() {
        let (broken, _) = test_worlds::doctored(Box::new(Answers::new(false)), |what| {
            let challenge = |bytes: &[u8]| {
                swim_core::inspect(bytes).is_ok_and(|said| said.kind == MessageKind::Challenge)
            };
            !matches!(what, Happening::Sent { bytes, .. } if challenge(bytes))
        });
        assert_eq!(broken, Some("S10"));
    }

    /// What the law says if a datagram from there is answered with so many bytes.
    fn answered(source: SocketAddr, bytes: &[u8], answer: &[u8]) -> Check {
        let (world, hosts) = test_worlds::calm(3);
        let mut law = Answers::new(false);
        let arrived = Happening::Arrived { host: hosts[0], source, bytes };
        let (here, fate) = (world.addr(hosts[0]), crate::Fate::Sent);
        let sent = Happening::Sent { host: hosts[0], source: here, target: source, bytes: answer, fate };
        for what in [arrived, sent] {
            law.on_happening(&world.scene(), &what)?;
            if let Happening::Arrived { bytes, .. } | Happening::Sent { bytes, .. } = what
                && let Ok(said) = Reading::of(bytes)
            {
                law.on_datagram(&world.scene(), &what, &said)?;
            }
        }
        law.after_input(&world, hosts[0])
    }

    #[test]
    fn a_longer_answer_to_anybody_but_a_member_where_it_lives_is_found() {
        let stranger = "192.0.2.1:1".parse().expect("an address");
        let ping = test_worlds::first_ping(HostId(1), HostId(0));
        let long = vec![0; ping.len() + 1];
        assert!(answered(stranger, &ping, &long).is_err());
        assert!(answered(stranger, &ping, &long[1..]).is_ok());
        assert!(answered(World::birthplace(HostId(1)), &ping, &long).is_ok());
        assert!(answered(World::birthplace(HostId(1)), b"garbage", &long).is_err());
    }

    /// Whether somebody held like `before` counts as a member who asks from where it was held, in its life and
    /// in this incarnation, by a question that makes `after` of it.
    fn counts(before: Status, incarnation: u32, after: Status) -> bool {
        let (world, hosts) = test_worlds::calm(3);
        let (sender, source) = (world.id(hosts[1]), world.addr(hosts[1]));
        let held = test_worlds::row(&world, hosts[0], hosts[1]);
        let elsewhere = "192.0.2.1:1".parse().expect("an address");
        let word = Claim { incarnation: swim_core::Incarnation(incarnation), ..held.claim };
        let mut law = Answers::new(false);
        let (len, answered) = (1, 2);
        let question =
            Question { source, sender: Some((sender, word)), proven: false, len, answered, gossip: false };
        *law.asked.of(hosts[0]) = Some(question);
        let row = |status, addr| Some(Row { claim: Claim { status, ..held.claim }, addr });
        let (before, after) = (row(before, source), row(after, elsewhere));
        law.on_rows_changed(&world, hosts[0], &[RowChange { id: sender, before, after, named: true }])
            .expect("it judges when all is over");
        law.asked.of(hosts[0]).take().is_some_and(|question| question.proven)
    }

    #[test]
    fn who_was_buried_counts_as_a_member_once_its_own_header_says_more() {
        use Status::{Alive, Dead, Left};
        assert!(counts(Alive, 0, Alive) && counts(Alive, 0, Left));
        assert!(counts(Dead, 1, Alive));
        assert!(!counts(Dead, 0, Alive) && !counts(Dead, 1, Dead) && !counts(Left, 1, Alive));
    }
}
