//! What an operation alone does not show: long queues, full datagrams, filling a table, the longest step.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::BufMut;
use foca::{Codec, Header, Member, Message, PostcardCodec, State};

use super::foca::{Peer, encode};
use super::longest_call::worst;
use super::members::addr;
use super::meter::{Allocations, Nothing, Wall, median};
use super::operation::{FULL, Operation, SOURCE, Side};
use super::swim::{Swim, options};
use crate::foca_name::{Address as _, Name, Usual};
use crate::measure::{Claim, Measure};
use crate::table::Presenter;

/// Repetitions of which the median is shown.
const REPEATS: usize = 9;
/// Updates that wait to be sent.
const QUEUED: u32 = 2_000;
/// The table in which they wait.
const QUEUED_AMONG: u32 = 3_000;
/// A table that holds as many others as a full datagram names, and hardly more: the shortest way for a member that
/// looks members up one by one.
const FEW: u32 = FULL as u32 + 4;

/// All of these, or one.
pub(super) fn compare(
    presenter: &mut Presenter,
    sizes: &[u32],
    only: Option<&str>,
) -> Result<(), Box<dyn Error>> {
    presenter.heading("queues, datagrams, tables, the longest step")?;
    let all: [(&str, Compare); 5] = [
        ("queued", |presenter, _| queued(presenter)),
        ("codec", |presenter, _| codec(presenter)),
        ("allocations", allocations),
        ("load", |presenter, _| load(presenter)),
        ("worst", longest),
    ];
    let mut wanted = all.into_iter().filter(|(name, _)| only.is_none_or(|only| only == *name));
    wanted.try_for_each(|(_, compare)| compare(presenter, sizes))
}

/// A comparison, at all sizes or at one of its own.
type Compare = fn(&mut Presenter, &[u32]) -> Result<(), Box<dyn Error>>;

/// The longest call of all that a node ever does.
fn longest(presenter: &mut Presenter, sizes: &[u32]) -> Result<(), Box<dyn Error>> {
    let most = sizes.iter().copied().max().unwrap_or(1_000_000);
    for (what, longest) in worst(most, 3) {
        let measure = Measure::new(format!("longest call: {what}"), Some(most.into()), "µs", longest);
        presenter.show(measure.claiming(Claim::AtMost(2_000.0)))?;
    }
    Ok(())
}

/// An ack while much waits to be sent.
fn queued(presenter: &mut Presenter) -> Result<(), Box<dyn Error>> {
    let look = Wall::look();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut swim = Swim::at_rest(QUEUED_AMONG);
    let mut peer = Peer::<Usual>::at_rest(QUEUED_AMONG);
    for round in 0..REPEATS as u32 {
        swim.change(2..QUEUED, round + 1);
        peer.change(2..QUEUED, round + 1);
        ours.push(swim.timed(Operation::Ping, 256, look));
        theirs.push(peer.timed(Operation::Ping, 16, look));
    }
    let measure = Measure::new(
        format!("ack while {QUEUED} updates wait"),
        Some(QUEUED_AMONG.into()),
        "ns",
        median(&mut ours),
    );
    presenter.show(measure.beside(Usual::WHAT, median(&mut theirs)).claiming(Claim::AtMost(3_000.0)))?;
    Ok(())
}

/// A full datagram of gossip, made by one node and heard by another, beside one with as many updates of theirs.
fn codec(presenter: &mut Presenter) -> Result<(), Box<dyn Error>> {
    let look = Wall::look();
    let [mut ours, mut usual, mut alone]: [Vec<f64>; 3] = Default::default();
    let mut swims = [Swim::at_rest(FEW), Swim::at_rest(FEW)];
    let mut peers = [Peer::<Usual>::at_rest(FEW), Peer::<Usual>::at_rest(FEW)];
    for _ in 0..REPEATS {
        ours.push(sent_and_received(&mut swims, look));
        usual.push(sent_and_received(&mut peers, look));
        alone.push(postcard_alone());
    }
    let what = format!("{FULL} updates sent and received");
    let measure = Measure::new(what, Some(FEW.into()), "ns", median(&mut ours));
    let usual = measure.clone().beside(Usual::WHAT, median(&mut usual));
    presenter.show(usual.claiming(Claim::TimesLess(3.0)))?;
    presenter.show(measure.beside("foca's codec, no foca", median(&mut alone)))?;
    Ok(())
}

/// An ack that one makes, full of news, and a datagram of as many updates that another knows already.
fn sent_and_received([sender, hearer]: &mut [impl Side; 2], look: f64) -> f64 {
    sender.timed(Operation::Gossiped, 256, look) + hearer.timed(Operation::Known, 64, look) * FULL as f64
}

/// Reading and writing such a datagram with postcard, and nothing else.
fn postcard_alone() -> f64 {
    let (src, dst) = (Name::<Usual>::of(1), Name::of(0));
    let header = Header { src, src_incarnation: 0, dst, message: Message::Gossip };
    let updates: Vec<_> = (2..2 + FULL as u32).map(|n| Member::new(Name::of(n), 3, State::Alive)).collect();
    let bytes = encode(&header, &updates);
    let mut buffer = Vec::with_capacity(1_400);
    let began = Instant::now();
    let times = 2_000;
    for _ in 0..times {
        buffer.clear();
        let mut written = (&mut buffer).limit(1_400);
        let _ = black_box(PostcardCodec.encode_header(&header, &mut written));
        written.put_u16(FULL as u16);
        for update in &updates {
            let _ = black_box(PostcardCodec.encode_member(update, &mut written));
        }
        let mut rest = black_box(&bytes[..]);
        let _: Result<Header<Name<Usual>>, _> = black_box(PostcardCodec.decode_header(&mut rest));
        rest = &rest[2..];
        for _ in 0..FULL {
            let read: Result<Member<Name<Usual>>, _> = PostcardCodec.decode_member(&mut rest);
            let _ = black_box(read);
        }
    }
    began.elapsed().as_nanos() as f64 / f64::from(times)
}

/// Allocations of everything that happens again and again.
fn allocations(presenter: &mut Presenter, sizes: &[u32]) -> Result<(), Box<dyn Error>> {
    for members in sizes.iter().filter(|members| **members <= 100_000) {
        let mut swim = Swim::at_rest(*members);
        for operation in Operation::ALL {
            if operation == Operation::Newcomer {
                continue;
            }
            swim.perform(operation, 64, &mut Nothing);
            let mut counted = Allocations::default();
            swim.perform(operation, 256, &mut counted);
            let what = format!("allocations: {}", operation.title());
            let measure = Measure::new(what, Some((*members).into()), "allocations", counted.count as f64);
            presenter.show(measure.claiming(Claim::AtMost(0.0)))?;
        }
    }
    Ok(())
}

/// Filling a table of 100,000 members by gossip.
fn load(presenter: &mut Presenter) -> Result<(), Box<dyn Error>> {
    const MEMBERS: u32 = 100_000;
    let mut rounds = Vec::new();
    for _ in 0..5 {
        let mut swim = Swim::new(options());
        let datagrams = swim.changes_of(2..MEMBERS, 0);
        let began = Instant::now();
        datagrams.iter().for_each(|datagram| swim.feed(addr(SOURCE), datagram));
        rounds.push(began.elapsed().as_secs_f64() * 1e3);
        assert_eq!(swim.node.stats().alive, MEMBERS, "all are known");
    }
    let measure = Measure::new("a table filled by gossip", Some(MEMBERS.into()), "ms", median(&mut rounds));
    let began = Instant::now();
    drop(Peer::<Usual>::at_rest(MEMBERS));
    let theirs = began.elapsed().max(Duration::from_nanos(1)).as_secs_f64() * 1e3;
    presenter.show(measure.beside("foca 2, apply_many", theirs).claiming(Claim::AtMost(200.0)))?;
    Ok(())
}
