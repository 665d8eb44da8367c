//! Every reason to drop something has a datagram that is dropped for it, and is counted under its own
//! name and under no other.

use std::net::SocketAddr;

use crate::craft::{self, Datagram, EPOCH, member};
use crate::lab::{Lab, ME, addr};
use swim_core::{Command, DropReason, DropReason as R, Input, Options, Status};

const DAY_MS: u64 = 24 * 3600 * 1000;

/// A node that knows members 2 to 5, and a member's gossip that only has to be finished.
fn among_members(options: Options) -> (Lab, Datagram) {
    let mut lab = Lab::new(options);
    lab.meet(5);
    let gossip = lab.craft(member(2), craft::GOSSIP);
    (lab, gossip)
}

fn quiet_with(change: impl FnOnce(&mut Options)) -> Options {
    let mut options = Lab::quiet_options();
    change(&mut options);
    options
}

/// A node that has just dropped something for `reason`, and for nothing else. `None`: what sends that
/// answer is built so that it cannot happen; the guard behind it has a test of its own.
fn provoke(reason: DropReason) -> Option<Lab> {
    if reason == R::Amplification {
        return None;
    }
    let (mut lab, gossip) = among_members(Lab::quiet_options());
    if let Some(datagram) = unreadable(reason, &gossip) {
        lab.feed(addr(2), &datagram);
    } else if let Some((source, datagram)) = unacceptable(reason, &gossip) {
        lab.feed(source, &datagram);
    } else {
        return Some(one_too_many(reason));
    }
    Some(lab)
}

/// A datagram that the node cannot read, or not all of it.
fn unreadable(reason: DropReason, gossip: &Datagram) -> Option<Datagram> {
    let altered = |at: usize, byte: u8| {
        let mut altered = gossip.clone();
        altered.0[at] = byte;
        altered
    };
    Some(match reason {
        R::Length => Datagram(gossip.0[..26].to_vec()),
        R::Magic => altered(0, b'X'),
        R::Version => altered(2, 1),
        R::Flags => altered(3, 1),
        R::Label => altered(5, !gossip.0[5]),
        R::UnknownKind => altered(4, 15),
        R::Malformed => altered(4, craft::PING),
        R::TrailingBytes => Datagram([&gossip.0[..], &[1, 0]].concat()),
        R::UnknownPart => gossip.clone().with_part(9, b"later"),
        R::UnknownUpdate => gossip.clone().updates(&[vec![4; 22]]),
        _ => return None,
    })
}

/// A datagram in order that the node does not take from its sender, and where it comes from.
fn unacceptable(reason: DropReason, gossip: &Datagram) -> Option<(SocketAddr, Datagram)> {
    let stranger = address("192.0.2.9:9");
    let of = |kind| lab_craft(gossip, member(2), kind);
    let claim = |update: Vec<u8>| gossip.clone().updates(&[update]);
    let insane = EPOCH + 2 * DAY_MS;
    Some(match reason {
        R::InsaneEpoch => (addr(2), lab_craft(gossip, member(2).epoch(insane), craft::GOSSIP)),
        R::StaleSender => (addr(2), lab_craft(gossip, member(2).epoch(EPOCH - 1), craft::GOSSIP)),
        R::UnknownMember => (addr(2), claim(craft::suspect(member(99), &[2]))),
        R::ClaimEpoch => (addr(2), claim(craft::alive(member(99).epoch(insane), addr(99), b""))),
        R::ClaimAddress => (addr(2), claim(craft::alive(member(99), address("0.0.0.0:1"), b""))),
        R::UnexpectedAnswer => (addr(2), of(craft::ACK).head(&craft::ack(8, None, None, false))),
        R::RelayTarget => (addr(2), of(craft::PING_REQ).head(&craft::ping_req(99, 1, 1_000))),
        R::NotForMe => (addr(2), of(craft::PING).head(&craft::ping(member(3), None, 1, 0))),
        R::Stranger => (stranger, lab_craft(gossip, member(99), craft::GOSSIP)),
        R::WrongSource => (stranger, gossip.clone()),
        R::FromMyself => (addr(ME), lab_craft(gossip, member(ME), craft::GOSSIP)),
        R::Token => (stranger, lab_craft(gossip, member(99), craft::JOIN).head(&craft::two(1, 0xbad))),
        _ => return None,
    })
}

/// A node for which something was one too many, or came too late.
fn one_too_many(reason: DropReason) -> Lab {
    let (mut lab, gossip) = among_members(quiet_with(|o| match reason {
        R::PageLimit => o.pages_per_second = 1,
        R::MembersFull => o.members_max = 5,
        _ => {}
    }));
    match reason {
        R::RelayLimit => {
            let request = lab_craft(&gossip, member(2), craft::PING_REQ).head(&craft::ping_req(3, 1, 1_000));
            (0..5).for_each(|_| lab.feed(addr(2), &request));
        }
        R::DuplicateBroadcast => {
            let twice = gossip.broadcasts(&[craft::broadcast(member(3), 1, b"x")]);
            (0..2).for_each(|_| lab.feed(addr(2), &twice));
        }
        R::AttemptLimit => seventeen_rivals(&mut lab),
        R::PageLimit => {
            lab.run_for(std::time::Duration::from_secs(1));
            let pull = lab_craft(&gossip, member(2), craft::SYNC_PULL);
            let pull = pull.head(&craft::sync_pull(1, 0, 0, [0; 16]));
            (0..2).for_each(|_| lab.feed(addr(2), &pull));
            assert_eq!(lab.stats().pages_served, 1);
        }
        R::MembersFull => {
            lab.feed(addr(2), &gossip.updates(&[craft::alive(member(6), addr(6), b"")]));
            assert_eq!(lab.status(6), None);
        }
        R::BroadcastLimit => {
            let far = [craft::broadcast(member(3), 5_000, b"x")];
            lab.feed(addr(2), &gossip.broadcasts(&far));
            assert_eq!(lab.stats().broadcasts_delivered, 0, "it is asked for when those before it have come");
        }
        R::OutboxFull => {
            let ping = lab.ping(member(2), 1);
            for _ in 0..33 {
                lab.node.handle(lab.now, Input::Datagram { source: addr(2), bytes: &ping.0 });
            }
        }
        R::NotRunning => {
            lab.command(Command::Leave);
            lab.run_for(std::time::Duration::from_secs(5));
            assert!(!lab.node.is_running());
            lab.feed(addr(2), &gossip);
        }
        _ => panic!("{reason:?} has no test"),
    }
    lab
}

/// Joiners claim the ids of members at other addresses; the node asks about sixteen of them at a time.
fn seventeen_rivals(lab: &mut Lab) {
    lab.meet(30);
    for id in 3..20_u64 {
        let (joiner, source) = (member(id).epoch(EPOCH + 1), addr(100 + id));
        let token = lab.token(source, joiner);
        let strangers = lab.dropped(R::Stranger);
        let join = lab.craft(joiner, craft::JOIN).head(&craft::two(1, token));
        lab.feed(source, &join);
        let in_question = id < 19;
        assert_eq!(lab.dropped(R::Stranger) > strangers, in_question, "{id}");
    }
    assert_eq!((lab.dropped(R::Stranger), lab.dropped(R::AttemptLimit)), (16, 1));
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// Another datagram in the same cluster.
fn lab_craft(like: &Datagram, sender: craft::Mention, kind: u8) -> Datagram {
    Datagram::new(craft::label(&like.0), sender, kind)
}

#[test]
fn every_reason_is_counted_under_its_own_name_and_under_no_other() {
    for reason in DropReason::ALL {
        let Some(lab) = provoke(reason) else { continue };
        assert!(lab.dropped(reason) >= 1, "{reason:?}");
        // Joiners whose id is in question are strangers until it is decided.
        let expected =
            |other| other == reason || (reason == DropReason::AttemptLimit && other == DropReason::Stranger);
        for other in DropReason::ALL.into_iter().filter(|other| !expected(*other)) {
            assert_eq!(lab.dropped(other), 0, "{reason:?} was counted as {other:?} too");
        }
    }
}

#[test]
fn a_record_that_cannot_be_used_costs_only_itself() {
    let (mut lab, gossip) = among_members(Lab::quiet_options());
    let updates =
        [vec![4; 22], craft::suspect(member(99), &[2]), vec![0; 3], craft::alive(member(6), addr(6), b"")];
    lab.feed(addr(2), &gossip.with_part(200, b"later").updates(&updates));
    assert_eq!(lab.status(6), Some(Status::Alive));
    for reason in
        [DropReason::UnknownUpdate, DropReason::UnknownMember, DropReason::Malformed, DropReason::UnknownPart]
    {
        assert_eq!(lab.dropped(reason), 1, "{reason:?}");
    }
}
