//! The epoch clock, which says for all members which epochs are plausible, and a node whose own wall clock is a month ahead.

use crate::craft::{self, EPOCH, member};
use crate::lab::{Lab, ME, addr};
use swim_core::{Command, DropReason, NodeId, Status};

const HOUR_MS: u64 = 3_600_000;
/// What the cluster's clock reads: a month less than the node's own.
const SLOW: u64 = EPOCH - 720 * HOUR_MS;

/// A node that member 2 has let into a cluster a month behind it, with member 3.
fn deferred() -> Lab {
    let mut lab = Lab::quiet();
    lab.command(Command::Join { seeds: &[addr(2)] });
    lab.tick();
    let (_, join) = lab.sent_of(craft::JOIN).pop().expect("it asks its seed");
    let nonce = craft::u64_at(craft::head_of(&join), 0);
    let seed = member(2).epoch(SLOW);
    let challenge = lab.craft(seed, craft::CHALLENGE).head(&craft::two(nonce, 5));
    lab.feed(addr(2), &challenge);
    lab.tick();
    let members = [seed, member(3).epoch(SLOW)].map(|member| craft::alive(member, addr(member.id), b""));
    let head = craft::welcome(nonce, false, member(ME).epoch(0), SLOW, 2);
    let welcome = lab.craft(seed, craft::WELCOME).head(&head).updates(&members);
    lab.feed(addr(2), &welcome);
    assert_eq!((lab.my_mention(), lab.status(3)), (member(ME).epoch(SLOW), Some(Status::Alive)));
    lab.forget();
    lab
}

#[test]
fn a_node_that_has_admitted_others_is_held_by_them_and_keeps_its_epoch() {
    let mut lab = Lab::quiet();
    lab.command(Command::Join { seeds: &[addr(2)] });
    lab.tick();
    let (_, join) = lab.sent_of(craft::JOIN).pop().expect("it asks its seed");
    let nonce = craft::u64_at(craft::head_of(&join), 0);
    let token = lab.token(addr(3), member(3));
    lab.feed(addr(3), &lab.craft(member(3), craft::JOIN).head(&craft::two(9, token)));
    assert_eq!(lab.sent_of(craft::WELCOME).len(), 1);
    let mine = lab.my_mention();
    lab.feed(addr(2), &lab.craft(member(2), craft::CHALLENGE).head(&craft::two(nonce, 5)));
    lab.tick();
    let head = craft::welcome(nonce, false, mine, EPOCH, 3);
    lab.feed(addr(2), &lab.craft(member(2), craft::WELCOME).head(&head));
    assert_eq!(lab.my_mention(), mine, "the seed holds it from member 3");
}

fn gossip(lab: &mut Lab, update: Vec<u8>) {
    lab.gossip(member(2).epoch(SLOW), &[update]);
}

fn held(lab: &Lab, id: u64) -> Option<u64> {
    lab.node.member(NodeId(id)).map(|member| member.epoch.0)
}

#[test]
fn a_member_takes_no_epoch_that_those_who_let_it_in_cannot_believe() {
    let mut lab = deferred();
    let mine = lab.my_mention();
    let said = |lab: &mut Lab, epoch: u64| {
        let later = mine.epoch(epoch);
        gossip(lab, craft::suspect(later, &[2]));
        gossip(lab, craft::alive(later, addr(ME), b""));
        let ping = craft::ping(later, Some(Status::Dead as u8), 7, 0);
        let ping = lab.craft(member(2).epoch(SLOW), craft::PING).head(&ping);
        lab.feed(addr(2), &ping);
    };
    for epoch in [SLOW + 25 * HOUR_MS, SLOW + 300 * HOUR_MS, EPOCH - HOUR_MS, EPOCH] {
        said(&mut lab, epoch);
        assert_eq!(lab.my_mention(), mine, "{epoch}");
    }
    said(&mut lab, SLOW + 23 * HOUR_MS);
    assert!(lab.my_mention().epoch > SLOW + 23 * HOUR_MS);
}

#[test]
fn a_node_accepts_the_epochs_that_its_cluster_accepts_whatever_its_own_wall_clock_reads() {
    let mut lab = deferred();
    for epoch in [SLOW + 25 * HOUR_MS, SLOW + 300 * HOUR_MS, EPOCH, EPOCH + HOUR_MS] {
        let later = member(3).epoch(epoch);
        gossip(&mut lab, craft::alive(later, addr(3), b""));
        let header = lab.craft(later, craft::GOSSIP);
        lab.feed(addr(3), &header);
        assert_eq!((held(&lab, 3), lab.status(3)), (Some(SLOW), Some(Status::Alive)), "{epoch}");
    }
    assert_eq!((lab.dropped(DropReason::ClaimEpoch), lab.dropped(DropReason::InsaneEpoch)), (4, 4));
    gossip(&mut lab, craft::alive(member(3).epoch(SLOW + 23 * HOUR_MS), addr(3), b""));
    assert_eq!(held(&lab, 3), Some(SLOW + 23 * HOUR_MS));
}

/// Others may not have heard what this node has heard, and would have to believe the second claim without the first.
#[test]
fn what_was_believed_of_one_member_makes_nothing_more_believable() {
    let mut lab = deferred();
    gossip(&mut lab, craft::alive(member(3).epoch(SLOW + 23 * HOUR_MS), addr(3), b""));
    gossip(&mut lab, craft::alive(member(4).epoch(SLOW + 25 * HOUR_MS), addr(4), b""));
    gossip(&mut lab, craft::suspect(member(ME).epoch(SLOW + 25 * HOUR_MS), &[2]));
    assert_eq!((held(&lab, 3), held(&lab, 4)), (Some(SLOW + 23 * HOUR_MS), None));
    assert_eq!(lab.my_mention(), member(ME).epoch(SLOW));
}
