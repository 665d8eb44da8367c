//! A datagram in one line for eyes, and as data for programs: both see the same.

use swim_core::wire::{BroadcastRecord, JoinOutcome, Kind, Mark};
use swim_core::{Claim, DropReason, Status};
use swim_trace::{Inspection, Said, describe, inspect};

/// The datagrams that fix the format, by name.
fn goldens() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    let text = include_str!("../../../swim-core/src/wire/tests/golden.txt");
    text.split("\n= ").skip(1).map(|datagram| {
        let (name, hex) = datagram.split_once('\n').expect("a name stands before its bytes");
        let hex = hex.lines().flat_map(|line| line.split('#').next().unwrap_or_default().split_whitespace());
        (name, hex.map(|byte| u8::from_str_radix(byte, 16).expect("two hex digits")).collect())
    })
}

fn golden(name: &str) -> Vec<u8> {
    goldens().find(|golden| golden.0 == name).expect("a golden datagram").1
}

/// One of each message and of each update, as this version writes it.
fn today() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    goldens().filter(|(name, _)| !name.ends_with("later version") && *name != "everything at once")
}

fn line(bytes: &[u8]) -> String {
    format!("{}", describe(bytes))
}

#[test]
fn every_message_and_every_update_has_its_line() {
    let lines = today().map(|(_, bytes)| line(&bytes) + "\n").collect::<String>();
    assert_eq!(lines, include_str!("lines.txt"));
}

#[test]
fn a_ping_with_every_part_is_one_line() {
    let expected = "Ping from #102030405060708@1700000000000.7 target=#a1 number=1112131415161718 \
        root=2122232425262728 held=suspect@1600000000000.5 \
        | alive #c1@1600000000000.2 at 10.0.0.1:7946 speaks 2-2 \
        | dead #d1@1600000000000.4 by #b1, accused by #b2 \
        | broadcast #b1@1600000000000 no. 9 of 2 bytes \
        | broadcast #b1@1600000000000 no. 10 of 0 bytes \
        | keeps #b1@1600000000000 3..=10";
    assert_eq!(line(&golden("everything at once")), expected);
}

#[test]
fn what_is_not_understood_is_named() {
    assert_eq!(line(b"SW"), "2 bytes, Length");
    let mut bytes = golden("Nack from a later version");
    let expected = "Nack from #102030405060708@1700000000000.7 number=1112131415161718 | UnknownUpdate \
        | dead #d1@1600000000000.4 by #b1, accused by #b2 | broadcast #b1@1600000000000 no. 9 of 2 bytes \
        | 1 unknown parts";
    assert_eq!(line(&bytes), expected);
    bytes.push(0);
    let expected = "Nack from #102030405060708@1700000000000.7, 93 bytes of body, TrailingBytes";
    assert_eq!(line(&bytes), expected);
}

/// The line of a record, as `describe` shows it, made from what `inspect` gives (all but versions).
fn record(said: &Result<Said<'_>, DropReason>) -> String {
    let said = match said {
        Err(reason) => return format!("{reason:?}"),
        Ok(Said::Broadcast(BroadcastRecord { origin, epoch, sequence, payload })) => {
            return format!("broadcast {origin:?}@{} no. {sequence} of {} bytes", epoch.0, payload.len());
        }
        Ok(Said::Mark(Mark { origin, epoch, lowest, highest })) => {
            return format!("keeps {origin:?}@{} {lowest}..={highest}", epoch.0);
        }
        Ok(Said::Member(said)) => said,
    };
    let Claim { epoch, incarnation, status } = said.claim;
    let about = format!("{} {:?}@{}.{}", status.name(), said.id, epoch.0, incarnation.0);
    let accusers = said.accusers().map(|id| format!(" {id:?}")).collect::<String>();
    match (said.addr, said.by) {
        (Some(addr), None) if said.metadata.is_empty() => format!("{about} at {addr}"),
        (Some(addr), None) => format!("{about} at {addr} metadata of {} bytes", said.metadata.len()),
        (None, None) => format!("{about} by{accusers}"),
        (None, Some(by)) if status == Status::Dead => format!("{about} by {by:?}, accused by{accusers}"),
        (None, Some(by)) if by == said.id => about,
        (None, Some(by)) => format!("{about}, removed by {by:?}"),
        (Some(_), Some(_)) => panic!("an address is said of the living, an outcome of others"),
    }
}

/// `describe`'s parts, without the versions that an Alive speaks.
fn described(bytes: &[u8]) -> Vec<String> {
    let line = describe(bytes).to_string();
    line.split(" | ")
        .map(|part| match part.split_once(" speaks ") {
            Some((before, after)) => match after.split_once(' ') {
                Some((_, metadata)) => format!("{before} {metadata}"),
                None => before.to_string(),
            },
            None => part.to_string(),
        })
        .collect()
}

/// The fields that an inspection has, as far as `describe` shows them under these names.
fn fields(inspection: &Inspection<'_>) -> Vec<String> {
    let nonce = matches!(inspection.kind, Kind::Join | Kind::Challenge | Kind::Welcome);
    let held_claim = |held_claim: Claim| {
        format!("held={}@{}.{}", held_claim.status.name(), held_claim.epoch.0, held_claim.incarnation.0)
    };
    let outcome = |outcome| match outcome {
        JoinOutcome::Admitted => "outcome=admitted",
        JoinOutcome::IdTaken => "outcome=id-taken",
        JoinOutcome::Refused => "outcome=refused",
    };
    [
        inspection.held_claim.map(held_claim),
        inspection.target.map(|target| format!("target={target:?}")),
        inspection.number.map(|number| format!("{}={number:x}", if nonce { "nonce" } else { "number" })),
        inspection.root.map(|root| format!("root={root:x}")),
        inspection.stranger.then(|| "stranger".to_string()),
        inspection.token.map(|token| format!("token={token:x}")),
        inspection.outcome.map(|found| outcome(found).to_string()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn assert_agrees(bytes: &[u8]) {
    let inspection = inspect(bytes).expect("readable");
    let mut parts = described(bytes).into_iter();
    let head = parts.next().expect("a head") + " ";
    let Inspection { kind, sender, epoch, incarnation, .. } = inspection;
    let from = format!("{kind:?} from {sender:?}@{}.{} ", epoch.0, incarnation.0);
    assert!(head.starts_with(&from), "{head:?} begins with {from:?}");
    for field in fields(&inspection) {
        assert!(head.contains(&format!(" {field} ")), "{head:?} has {field:?}");
    }
    for (name, seen) in [
        ("target=", inspection.target.is_some()),
        ("number=", inspection.number.is_some()),
        ("nonce=", inspection.number.is_some()),
        ("root=", inspection.root.is_some()),
        ("held=", inspection.held_claim.is_some() || kind == Kind::Welcome),
        ("token=", inspection.token.is_some()),
        ("outcome=", inspection.outcome.is_some()),
        ("stranger", inspection.stranger),
    ] {
        assert!(seen || !head.contains(name), "{head:?}: {name:?} was not seen");
    }
    let mut rest = inspection.said().map(|said| record(&said)).collect::<Vec<_>>();
    rest.extend(inspection.payload.map(|payload| format!("payload of {} bytes", payload.len())));
    rest.extend(
        (inspection.unknown_parts > 0).then(|| format!("{} unknown parts", inspection.unknown_parts)),
    );
    assert_eq!(parts.collect::<Vec<_>>(), rest);
}

#[test]
fn whatever_is_written_is_seen_alike_by_eyes_and_by_programs() {
    goldens().for_each(|(_, bytes)| assert_agrees(&bytes));
}

#[test]
fn what_a_node_would_drop_is_refused_for_the_same_reason() {
    let mut bytes = golden("Ping");
    bytes.push(0);
    assert_eq!(inspect(&bytes).err(), Some(DropReason::TrailingBytes));
    bytes[0] = 0;
    assert_eq!(inspect(&bytes).err(), Some(DropReason::Magic));
}

#[test]
fn every_kind_has_a_name_of_its_own() {
    let names = Kind::ALL.map(Kind::name);
    assert!((1..names.len()).all(|at| !names[..at].contains(&names[at])), "{names:?}");
}
