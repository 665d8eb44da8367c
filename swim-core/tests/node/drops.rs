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
    if reason == DropReason::Amplification {
        return None;
    }
    let (mut lab, gossip) = among_members(Lab::quiet_options());
    if let Some(datagram) = misshapen(reason, &gossip) {
        lab.feed(addr(2), &datagram);
    } else if let Some(datagrams) = unacceptable(reason, &gossip) {
        datagrams.iter().for_each(|datagram| lab.feed(addr(2), datagram));
    } else if let Some((source, datagram)) = from_elsewhere(reason, &gossip) {
        lab.feed(source, &datagram);
    } else {
        return Some(beyond_what_it_takes(reason));
    }
    Some(lab)
}

/// A datagram that is dropped for its form.
fn misshapen(reason: DropReason, gossip: &Datagram) -> Option<Datagram> {
    use DropReason as R;
    let altered = |at: usize, byte: u8| {
        let mut altered = gossip.clone();
        altered.0[at] = byte;
        altered
    };
    Some(match reason {
        R::Length => Datagram(gossip.0[..31].to_vec()),
        R::Magic => altered(0, b'X'),
        R::Version => altered(2, 2),
        R::Flags => altered(3, 1),
        R::Label => altered(8, !gossip.0[8]),
        R::UnknownKind => altered(4, 14),
        R::Malformed => altered(4, craft::PING),
        R::TrailingBytes => Datagram([&gossip.0[..], &[1, 0]].concat()),
        R::UnknownPart => gossip.clone().with_part(5, b"later"),
        R::UnknownUpdate => gossip.clone().updates(&[vec![4; 22]]),
        _ => return None,
    })
}

/// Datagrams of member 2, of which the last is dropped for what it says.
fn unacceptable(reason: DropReason, gossip: &Datagram) -> Option<Vec<Datagram>> {
    use DropReason as R;
    let of_2 = |kind: u8, head: &[u8]| lab_craft(gossip, member(2), kind).head(head);
    let update = |update: Vec<u8>| gossip.clone().updates(&[update]);
    let later = EPOCH + 2 * DAY_MS;
    let wildcard = "0.0.0.0:1".parse().expect("an address");
    let (count, datagram) = match reason {
        R::InsaneEpoch => (1, lab_craft(gossip, member(2).epoch(later), craft::GOSSIP)),
        R::StaleSender => (1, lab_craft(gossip, member(2).epoch(EPOCH - 1), craft::GOSSIP)),
        R::UnknownMember => (1, update(craft::suspect(member(99), &[2]))),
        R::ClaimEpoch => (1, update(craft::alive(member(99).epoch(later), addr(99), b""))),
        R::ClaimAddress => (1, update(craft::alive(member(99), wildcard, b""))),
        R::UnexpectedAnswer => (1, of_2(craft::ACK, &craft::ack(8, None, None, false))),
        R::RelayTarget => (1, of_2(craft::PING_REQ, &craft::ping_req(99, 1, 1_000))),
        R::RelayLimit => (5, of_2(craft::PING_REQ, &craft::ping_req(3, 1, 1_000))),
        R::NotForMe => (1, of_2(craft::PING, &craft::ping(member(3), Status::Alive as u8, 1, 0))),
        R::DuplicateBroadcast => (2, gossip.clone().broadcasts(&[craft::broadcast(member(3), 1, b"x")])),
        _ => return None,
    };
    Some(vec![datagram; count])
}

/// A datagram that is dropped for where it comes from, and its source.
fn from_elsewhere(reason: DropReason, gossip: &Datagram) -> Option<(SocketAddr, Datagram)> {
    use DropReason as R;
    let elsewhere: SocketAddr = "192.0.2.9:9".parse().expect("an address");
    Some(match reason {
        R::Stranger => (elsewhere, lab_craft(gossip, member(99), craft::GOSSIP)),
        R::WrongSource => (elsewhere, gossip.clone()),
        R::FromMyself => (addr(ME), lab_craft(gossip, member(ME), craft::GOSSIP)),
        R::Token => (elsewhere, lab_craft(gossip, member(99), craft::JOIN).head(&craft::two(1, 0xbad))),
        _ => return None,
    })
}

/// A node at a bound, or one that has left, which has dropped what came then.
fn beyond_what_it_takes(reason: DropReason) -> Lab {
    use DropReason as R;
    let (mut lab, gossip) = among_members(quiet_with(|o| match reason {
        R::PageLimit => o.pages_per_second = 1,
        R::MembersFull => o.members_max = 5,
        R::BroadcastLimit => o.broadcasts_max = 1,
        _ => {}
    }));
    match reason {
        R::AttemptLimit => seventeen_rivals_join(&mut lab),
        R::PageLimit => {
            lab.run_for(std::time::Duration::from_secs(1));
            let pull = lab.craft(member(2), craft::SYNC_PULL).head(&craft::sync_pull(1, 0, 0, [0; 16]));
            (0..2).for_each(|_| lab.feed(addr(2), &pull));
            assert_eq!(lab.stats().pages_served, 1);
        }
        R::MembersFull => {
            lab.feed(addr(2), &gossip.updates(&[craft::alive(member(6), addr(6), b"")]));
            assert_eq!(lab.status(6), None);
        }
        R::BroadcastLimit => {
            let two = [craft::broadcast(member(3), 1, b"x"), craft::broadcast(member(4), 1, b"y")];
            lab.feed(addr(2), &gossip.broadcasts(&two));
            assert_eq!(lab.stats().broadcasts_delivered, 2, "it is delivered here all the same");
        }
        R::OutboxFull => {
            let ping = lab.ping(member(2), 1);
            for _ in 0..33 {
                lab.node.handle(lab.now, Input::Datagram { source: addr(2), bytes: &ping.0 });
            }
        }
        R::NotRunning => {
            // Alone, so that its leave ends at once.
            lab = Lab::quiet();
            lab.command(Command::Leave);
            lab.feed(addr(2), &gossip);
        }
        _ => panic!("{reason:?} has no test"),
    }
    lab
}

/// Seventeen nodes claim the ids of members that are at other addresses.
fn seventeen_rivals_join(lab: &mut Lab) {
    lab.meet(30);
    for id in 3..20_u64 {
        let (joiner, source) = (member(id).epoch(EPOCH + 1), addr(100 + id));
        let token = lab.token(source, joiner);
        let strangers = lab.dropped(DropReason::Stranger);
        let join = lab.craft(joiner, craft::JOIN).head(&craft::two(1, token));
        lab.feed(source, &join);
        assert_eq!(lab.dropped(DropReason::Stranger) > strangers, id < 19, "{id}");
    }
    assert_eq!((lab.dropped(DropReason::Stranger), lab.dropped(DropReason::AttemptLimit)), (16, 1));
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
        // Joiners whose admission is in question are strangers until it is decided.
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
