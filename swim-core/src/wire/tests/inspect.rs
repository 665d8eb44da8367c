//! What a program sees of a datagram is what the line for eyes shows.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;

use super::golden::{golden, messages};
use super::roundtrip::datagram;
use super::*;
use crate::{describe, inspect};

/// The line of a record, as `describe` shows it, made from what `inspect` gives (all but versions).
fn record(said: &Result<Said<'_>, DropReason>) -> String {
    let said = match said {
        Err(reason) => return format!("{reason:?}"),
        Ok(Said::Broadcast(SaidBroadcast { origin, epoch, sequence, payload })) => {
            return format!("broadcast {origin:?}@{} no. {sequence} of {} bytes", epoch.0, payload.len());
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
        (Some(_), Some(_)) => panic!("an address is said of the living, a outcome of others"),
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
    let held_claim = |held_claim: Claim| match inspection.target {
        Some(target) => format!(
            "target={target:?}@{}.{} believed={}",
            held_claim.epoch.0,
            held_claim.incarnation.0,
            held_claim.status.name()
        ),
        None => {
            format!("held={}@{}.{}", held_claim.status.name(), held_claim.epoch.0, held_claim.incarnation.0)
        }
    };
    let target = inspection.target.filter(|_| inspection.held_claim.is_none());
    let outcome = |outcome| match outcome {
        JoinOutcome::Admitted => "outcome=admitted",
        JoinOutcome::IdTaken => "outcome=id-taken",
        JoinOutcome::Refused => "outcome=refused",
    };
    [
        inspection.held_claim.map(held_claim),
        target.map(|target| format!("target={target:?}")),
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
        ("held_", inspection.held_claim.is_some()),
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

proptest! {
    #[test]
    fn whatever_is_written_is_seen_alike_by_eyes_and_by_programs(datagram in datagram()) {
        assert_agrees(&datagram.write());
    }
}

#[test]
fn what_a_later_version_appended_is_seen_alike_by_eyes_and_by_programs() {
    for (name, _) in messages() {
        assert_agrees(&golden(name));
        assert_agrees(&golden(&format!("{name} from a later version")));
    }
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
