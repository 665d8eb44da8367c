//! Every reason to drop something has a datagram that is dropped for it, and is counted under its own
//! name and under no other.

use std::net::SocketAddr;

use crate::craft::{self, Datagram, EPOCH, member};
use crate::lab::{Lab, ME, addr};
use swim_core::{Command, DropReason, Input, Options, Status};

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
    use DropReason as R;
    let (mut lab, gossip) = among_members(Lab::quiet_options());
    let stranger: SocketAddr = "192.0.2.9:9".parse().expect("an address");
    let mut feed = |datagram: &Datagram| lab.feed(addr(2), datagram);
    let altered = |at: usize, byte: u8| {
        let mut altered = gossip.clone();
        altered.0[at] = byte;
        altered
    };
    match reason {
        R::Length => feed(&Datagram(gossip.0[..31].to_vec())),
        R::Magic => feed(&altered(0, b'X')),
        R::Version => feed(&altered(2, 2)),
        R::Flags => feed(&altered(3, 1)),
        R::Label => feed(&altered(8, !gossip.0[8])),
        R::UnknownKind => feed(&altered(4, 14)),
        R::Malformed => feed(&altered(4, craft::PING)),
        R::TrailingBytes => feed(&Datagram([&gossip.0[..], &[1, 0]].concat())),
        R::UnknownPart => feed(&gossip.with_part(5, b"later")),
        R::UnknownUpdate => feed(&gossip.updates(&[vec![4; 22]])),
        R::InsaneEpoch => feed(&lab_craft(&gossip, member(2).epoch(EPOCH + 2 * DAY_MS), craft::GOSSIP)),
        R::StaleSender => feed(&lab_craft(&gossip, member(2).epoch(EPOCH - 1), craft::GOSSIP)),
        R::UnknownMember => feed(&gossip.updates(&[craft::suspect(member(99), &[2])])),
        R::ClaimEpoch => {
            feed(&gossip.updates(&[craft::alive(member(99).epoch(EPOCH + 2 * DAY_MS), addr(99), b"")]));
        }
        R::ClaimAddress => {
            feed(&gossip.updates(&[craft::alive(member(99), "0.0.0.0:1".parse().expect("an address"), b"")]));
        }
        R::UnexpectedAnswer => {
            feed(&lab_craft(&gossip, member(2), craft::ACK).head(&craft::ack(8, None, None, false)));
        }
        R::RelayTarget => {
            feed(&lab_craft(&gossip, member(2), craft::PING_REQ).head(&craft::ping_req(99, 1, 1_000)));
        }
        R::RelayLimit => {
            let request = lab_craft(&gossip, member(2), craft::PING_REQ).head(&craft::ping_req(3, 1, 1_000));
            (0..5).for_each(|_| feed(&request));
        }
        R::NotForMe => {
            feed(&lab_craft(&gossip, member(2), craft::PING).head(&craft::ping(
                member(3),
                Status::Alive as u8,
                1,
                0,
            )));
        }
        R::DuplicateBroadcast => {
            let twice = gossip.broadcasts(&[craft::broadcast(member(3), 1, b"x")]);
            (0..2).for_each(|_| feed(&twice));
        }
        R::Stranger => lab.feed(stranger, &lab_craft(&gossip, member(99), craft::GOSSIP)),
        R::WrongSource => lab.feed(stranger, &gossip),
        R::FromMyself => lab.feed(addr(ME), &lab_craft(&gossip, member(ME), craft::GOSSIP)),
        R::Token => {
            lab.feed(stranger, &lab_craft(&gossip, member(99), craft::JOIN).head(&craft::two(1, 0xbad)));
        }
        R::AttemptLimit => {
            // Seventeen joiners claim the ids of members that live elsewhere.
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
            return Some(lab);
        }
        R::PageLimit => {
            let (mut lab, gossip) = among_members(quiet_with(|o| o.pages_per_second = 1));
            lab.run_for(std::time::Duration::from_secs(1));
            let pull = lab_craft(&gossip, member(2), craft::SYNC_PULL);
            let pull = pull.head(&craft::sync_pull(1, 0, 0, [0; 16]));
            (0..2).for_each(|_| lab.feed(addr(2), &pull));
            assert_eq!(lab.stats().pages_served, 1);
            return Some(lab);
        }
        R::MembersFull => {
            let (mut lab, gossip) = among_members(quiet_with(|o| o.members_max = 5));
            lab.feed(addr(2), &gossip.updates(&[craft::alive(member(6), addr(6), b"")]));
            assert_eq!(lab.status(6), None);
            return Some(lab);
        }
        R::BroadcastLimit => {
            let (mut lab, gossip) = among_members(quiet_with(|o| o.broadcasts_max = 1));
            let two = [craft::broadcast(member(3), 1, b"x"), craft::broadcast(member(4), 1, b"y")];
            lab.feed(addr(2), &gossip.broadcasts(&two));
            assert_eq!(lab.stats().broadcasts_delivered, 2, "it is delivered here all the same");
            return Some(lab);
        }
        R::OutboxFull => {
            let ping = lab.ping(member(2), 1);
            for _ in 0..33 {
                lab.node.handle(lab.now, Input::Datagram { source: addr(2), bytes: &ping.0 });
            }
        }
        R::NotRunning => {
            let mut lab = Lab::quiet();
            lab.command(Command::Leave);
            lab.feed(addr(2), &gossip);
            return Some(lab);
        }
        R::Amplification => return None,
        _ => panic!("{reason:?} has no test"),
    }
    Some(lab)
}

/// Another datagram in the same cluster.
fn lab_craft(like: &Datagram, sender: craft::Mention, kind: u8) -> Datagram {
    Datagram::new(craft::u32_at(&like.0, 8), sender, kind)
}

#[test]
fn every_reason_is_counted_under_its_own_name_and_under_no_other() {
    for reason in DropReason::ALL {
        let Some(lab) = provoke(reason) else { continue };
        assert!(lab.dropped(reason) >= 1, "{reason:?}");
        // Joiners whose place is in question are strangers until it is decided.
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
