//! What strangers can make a node do, and what they cannot, token or not.

use std::net::SocketAddr;
use std::time::Duration;

use crate::craft::{self, EPOCH, Mention, member};
use crate::lab::{Lab, ME, addr};
use swim_core::{Command, DropReason, Event, NodeId, Options, Payload, Status};

const STRANGER: u64 = 99;
const HOUR_MS: u64 = 3_600_000;

fn lab_with(change: impl FnOnce(&mut Options)) -> Lab {
    let mut options = Lab::quiet_options();
    change(&mut options);
    Lab::new(options)
}

/// A stranger's ping for a later epoch of the node.
fn ping_for_a_later_epoch(lab: &mut Lab, source: u64) {
    let later = lab.my_mention();
    let later = later.epoch(later.epoch + 1);
    let ping =
        lab.craft(member(source), craft::PING).head(&craft::ping(later, Some(Status::Alive as u8), 1, 0));
    lab.feed(addr(source), &ping);
}

/// The nonce of the last Join that the node sent to the stranger.
fn asked(lab: &Lab) -> Option<u64> {
    let joins = lab.sent_of(craft::JOIN);
    let (_, join) = joins.iter().rev().find(|(target, _)| *target == addr(STRANGER))?;
    Some(craft::u64_at(craft::head_of(join), 0))
}

/// A lone node that a stranger has made ask, and given a token; the nonce that it waits for.
fn lured() -> (Lab, u64) {
    let mut lab = Lab::quiet();
    ping_for_a_later_epoch(&mut lab, STRANGER);
    lab.tick();
    let nonce = asked(&lab).expect("a node that is alone asks");
    let challenge = lab.craft(member(STRANGER), craft::CHALLENGE).head(&craft::two(nonce, 5));
    lab.feed(addr(STRANGER), &challenge);
    lab.tick();
    lab.forget();
    (lab, nonce)
}

fn welcome(lab: &mut Lab, head: &[u8], updates: &[Vec<u8>]) {
    let welcome = lab.craft(member(STRANGER), craft::WELCOME).head(head).updates(updates);
    lab.feed(addr(STRANGER), &welcome);
}

/// `sender` at `source` announces itself as living at `addr`.
fn announce(lab: &mut Lab, sender: Mention, source: SocketAddr, addr: SocketAddr) {
    let token = lab.token(source, sender);
    announce_with(lab, token, sender, source, addr);
}

fn announce_with(lab: &mut Lab, token: u64, sender: Mention, source: SocketAddr, addr: SocketAddr) {
    let announce = lab.craft(sender, craft::ANNOUNCE).head(&craft::two(token, 9));
    lab.feed(source, &announce.updates(&[craft::alive(sender, addr, b"")]));
}

#[test]
fn a_member_asks_no_stranger_to_let_it_in() {
    let mut lab = Lab::quiet();
    lab.meet(3);
    for _ in 0..10 {
        ping_for_a_later_epoch(&mut lab, STRANGER);
        lab.run_for(Duration::from_millis(300));
    }
    assert_eq!(asked(&lab), None);
    assert!(lab.sent.iter().all(|(target, _)| *target != addr(STRANGER)));
}

#[test]
fn a_welcome_counts_only_from_a_peer_that_asked_for_proof() {
    let mut lab = Lab::quiet();
    ping_for_a_later_epoch(&mut lab, STRANGER);
    lab.tick();
    let nonce = asked(&lab).expect("a node that is alone asks");
    let before = lab.dropped(DropReason::UnexpectedAnswer);
    welcome(&mut lab, &craft::welcome(nonce, true, member(ME), EPOCH, 5), &[]);
    assert_eq!(lab.dropped(DropReason::UnexpectedAnswer), before + 1);
    assert!(lab.node.is_running());
}

#[test]
fn a_stranger_that_made_a_lone_node_ask_cannot_set_its_clock_nor_its_epoch_back() {
    for clock in [5, EPOCH - 25 * HOUR_MS, EPOCH + 25 * HOUR_MS, (1 << 48) - 1] {
        let (mut lab, nonce) = lured();
        welcome(&mut lab, &craft::welcome(nonce, false, member(ME).epoch(0), clock, 5), &[]);
        assert_eq!(lab.my_mention(), member(ME), "{clock}");
        let later = member(8).epoch(EPOCH + 26 * HOUR_MS);
        announce(&mut lab, later, addr(8), addr(8));
        assert_eq!(lab.status(8), None, "its clock reads what it did");
    }
}

#[test]
fn a_stranger_that_made_a_lone_node_ask_can_introduce_only_itself() {
    let (mut lab, nonce) = lured();
    let others =
        [member(STRANGER), member(7), member(8)].map(|mention| craft::alive(mention, addr(mention.id), b""));
    welcome(&mut lab, &craft::welcome(nonce, false, member(ME).epoch(0), EPOCH, 5), &others);
    let known: Vec<u64> = lab.node.members().map(|member| member.id.0).filter(|id| *id != ME).collect();
    assert_eq!(known, [STRANGER]);
}

#[test]
fn a_stranger_that_made_a_lone_node_ask_cannot_take_its_id() {
    let (mut lab, nonce) = lured();
    let rival = craft::alive(member(ME).epoch(EPOCH + 9), addr(98), b"");
    welcome(&mut lab, &craft::welcome(nonce, true, member(ME).epoch(EPOCH + 9), EPOCH, 5), &[rival]);
    lab.run_for(Duration::from_secs(5));
    assert!(lab.node.is_running());
    assert!(lab.sent_of(craft::PING).is_empty(), "no node is asked because of its claim: {:?}", lab.sent);
}

#[test]
fn an_announcement_is_for_the_address_that_it_comes_from_and_no_other_is_sent_to() {
    let victim = addr(77);
    let announced = |accept| {
        let mut lab = lab_with(|options| options.accept_wrong_source = accept);
        lab.meet(3);
        announce(&mut lab, member(STRANGER), addr(STRANGER), victim);
        lab.run_for(Duration::from_secs(30));
        lab
    };
    let lab = announced(false);
    assert_eq!((lab.status(STRANGER), lab.dropped(DropReason::ClaimAddress)), (None, 1));
    assert!(lab.sent.iter().all(|(target, _)| *target != victim));
    let answer = lab.sent_of(craft::WELCOME).pop().expect("an answer");
    assert_eq!((answer.0, craft::head_of(&answer.1)[8]), (addr(STRANGER), 2), "refused");
    // A node with the check switched off accepts the announced address.
    let lab = announced(true);
    assert!(lab.node.member(NodeId(STRANGER)).is_some_and(|member| member.addr == victim));
}

#[test]
fn one_token_lets_in_no_more_members_than_the_budget_of_pages() {
    let mut lab = lab_with(|options| options.pages_per_second = 8);
    lab.run_for(Duration::from_secs(1));
    let token = lab.token(addr(STRANGER), member(STRANGER));
    for id in 1_000..2_000 {
        announce_with(&mut lab, token, member(id), addr(STRANGER), addr(STRANGER));
    }
    assert_eq!(lab.node.members().count(), 1 + 8);
    assert_eq!(lab.dropped(DropReason::PageLimit), 992);
}

#[test]
fn a_claim_to_the_id_of_a_living_member_is_refused_in_any_epoch() {
    for (epoch, incarnation) in [(EPOCH, 1), (EPOCH + 1, 0), (EPOCH + HOUR_MS, 7)] {
        let mut lab = Lab::quiet();
        lab.meet(5);
        let claimed = member(4).epoch(epoch).incarnation(incarnation);
        announce(&mut lab, claimed, addr(STRANGER), addr(STRANGER));
        assert_eq!(lab.node.member(NodeId(4)).map(|member| member.addr), Some(addr(4)), "not at once");
        lab.forget();
        lab.tick();
        let pings = lab.sent_of(craft::PING);
        let (_, ping) = pings.iter().find(|(target, _)| *target == addr(4)).expect("the incumbent is asked");
        let number = craft::u64_at(craft::head_of(ping), 8);
        let ack = lab.craft(member(4), craft::ACK).head(&craft::ack(number, None, None, false));
        lab.feed(addr(4), &ack);
        announce(&mut lab, claimed, addr(STRANGER), addr(STRANGER));
        lab.run_for(Duration::from_secs(2));
        assert_eq!(lab.node.member(NodeId(4)).map(|member| member.addr), Some(addr(4)));
        let won = |event: &Event| matches!(event, Event::Conflict { id: NodeId(4), won: true, .. });
        assert_eq!(lab.events.iter().filter(|event| won(event)).count(), 1);
    }
}

#[test]
fn pings_from_a_dead_member_s_address_raise_the_incarnation_once_a_period_at_most() {
    let mut lab = Lab::quiet();
    lab.meet(3);
    lab.gossip(member(2), &[craft::left(member(3), 3)]);
    for _ in 0..2_000 {
        let ping = craft::ping(lab.my_mention(), Some(Status::Dead as u8), 7, 0);
        lab.feed(addr(3), &lab.craft(member(3), craft::PING).head(&ping));
        lab.now = lab.now.after(Duration::from_millis(10));
    }
    let periods = 20_000 / lab.node.config().period.as_millis() as u32;
    assert!(lab.my_mention().incarnation <= periods + 1, "{}", lab.my_mention().incarnation);
}

#[test]
fn a_number_that_was_used_in_a_node_s_name_is_outbid() {
    for used in [40, u32::MAX] {
        let mut lab = lab_with(|options| options.gossip_interval = Options::local().gossip_interval);
        lab.meet(3);
        let forged = craft::broadcast(lab.my_mention(), used, b"forged");
        let gossip = lab.craft(member(2), craft::GOSSIP).broadcasts(&[forged]);
        lab.feed(addr(2), &gossip);
        assert!(
            !lab.events.iter().any(|event| matches!(event, Event::Broadcast { .. })),
            "no node pings itself"
        );
        lab.forget();
        lab.command(Command::Broadcast(Payload::new(b"real").expect("short")));
        lab.run_for(Duration::from_secs(1));
        let sent = lab.sent.iter().flat_map(|(_, bytes)| craft::records(bytes, craft::BROADCASTS));
        let (epoch, number) = sent
            .map(|record| (craft::u64_at(record, 8), craft::u32_at(record, 16)))
            .next()
            .expect("an answer");
        assert!((epoch, number) > (EPOCH, used), "{epoch} {number}");
    }
}
