//! Two clocks: the node's own calendar, and the slower one of the cluster that it has joined.

use crate::craft::{self, EPOCH, Mention, member};
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
    let nonce = craft::u64_at(craft::part_of(&join, craft::HEAD), 0);
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

fn gossip(lab: &mut Lab, update: Vec<u8>) {
    lab.gossip(member(2).epoch(SLOW), &[update]);
}

fn held(lab: &Lab, id: u64) -> Option<u64> {
    lab.node.member(NodeId(id)).map(|member| member.epoch.0)
}

#[test]
fn a_member_takes_no_epoch_that_lies_between_its_own_clock_and_that_of_those_who_let_it_in() {
    let mut lab = deferred();
    let mine = lab.my_mention();
    let said = |lab: &mut Lab, epoch: u64| {
        let later = mine.epoch(epoch);
        gossip(lab, craft::suspect(later, &[2]));
        gossip(lab, craft::alive(later, addr(ME), b""));
        let ping = craft::ping(later, Status::Dead as u8, 7, 0);
        let ping = lab.craft(member(2).epoch(SLOW), craft::PING).head(&ping);
        lab.feed(addr(2), &ping);
    };
    for epoch in [SLOW + 25 * HOUR_MS, SLOW + 300 * HOUR_MS, EPOCH - 25 * HOUR_MS] {
        said(&mut lab, epoch);
        assert_eq!(lab.my_mention(), mine, "{epoch}");
    }
    said(&mut lab, SLOW + 23 * HOUR_MS);
    assert!(lab.my_mention().epoch > SLOW + 23 * HOUR_MS);
}

#[test]
fn who_is_held_in_an_epoch_of_its_own_calendar_takes_it_and_believes_what_lies_between() {
    let mut lab = deferred();
    let between = SLOW + 300 * HOUR_MS;
    gossip(&mut lab, craft::alive(member(ME).epoch(EPOCH), addr(ME), b""));
    assert_eq!(lab.my_mention(), member(ME).epoch(EPOCH + 1), "those who let it in have heard of its clock");
    gossip(&mut lab, craft::alive(member(3).epoch(between), addr(3), b""));
    assert_eq!((held(&lab, 3), lab.dropped(DropReason::ClaimEpoch)), (Some(between), 0));
}

#[test]
fn what_lies_between_two_clocks_is_believed_by_neither() {
    let mut lab = deferred();
    let alive = |mention: Mention| craft::alive(mention, addr(mention.id), b"");
    gossip(&mut lab, alive(member(3).epoch(SLOW + 300 * HOUR_MS)));
    assert_eq!((held(&lab, 3), lab.dropped(DropReason::ClaimEpoch)), (Some(SLOW), 1));
    for (id, epoch) in [(3, SLOW + HOUR_MS), (4, EPOCH - HOUR_MS), (5, EPOCH + HOUR_MS)] {
        gossip(&mut lab, alive(member(id).epoch(epoch)));
        assert_eq!(held(&lab, id), Some(epoch));
    }
}

#[test]
fn a_header_alone_makes_nobody_believe_a_life_that_others_cannot() {
    let mut lab = deferred();
    let header = |lab: &mut Lab, sender: Mention| {
        let gossip = lab.craft(sender, craft::GOSSIP);
        lab.feed(addr(sender.id), &gossip);
    };
    // A newcomer that has not been let in yet lives by its own calendar; it may be right like this node's.
    header(&mut lab, member(3));
    assert_eq!((held(&lab, 3), lab.status(3)), (Some(SLOW), Some(Status::Alive)));
    header(&mut lab, member(3).epoch(SLOW + HOUR_MS));
    assert_eq!(held(&lab, 3), Some(SLOW + HOUR_MS));
    gossip(&mut lab, craft::alive(member(3), addr(3), b""));
    assert_eq!(held(&lab, 3), Some(EPOCH), "a member that says so has let it in");
}
