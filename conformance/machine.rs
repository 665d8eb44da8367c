//! Scenarios that need a machine (seeds by name: its resolver knows `localhost`, and not `no-such-host.invalid`; state
//! files), or what only handles offer.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use swim_core::{
    Config, Done, Epoch, Event, JoinFailure, Joined, NodeId, Options, Refusal, SEEDS_MAX, Status,
};
use swim_driver::os::{SeedAddr, Settings, State};
use swim_driver::{CommandError, Outcome, OwnedCommand, OwnedMember, Start, Update};

use crate::conformance::stories::lists_alive;
use crate::conformance::{Cluster, Member, Ticket, settings, wait_for, wait_until};

/// Members whose seeds can be replaced.
pub(crate) trait Real: Cluster {
    /// Replaces a member's seeds.
    fn set_seeds(&mut self, member: Member, seeds: Vec<SeedAddr>) -> Result<(), CommandError>;
    /// One member of its table.
    fn member(&mut self, member: Member, id: NodeId) -> Option<OwnedMember>;
    /// A further consumer of its events. Returns its number.
    fn subscribe(&mut self, member: Member, start: Start) -> usize;
    /// All that waits for a consumer.
    fn updates(&mut self, subscription: usize) -> Vec<Update>;
    /// Broadcasts without waiting for room.
    fn try_broadcast(&mut self, member: Member, payload: &[u8]) -> Result<u32, CommandError>;
}

fn ids() -> [NodeId; 2] {
    ["ada", "bob"].map(NodeId::from_name)
}

pub(crate) fn a_seed_by_name_is_found_beside_one_that_is_unknown(cluster: &mut impl Real) {
    let ada = cluster.start(settings("ada"));
    let names = ["no-such-host.invalid:1".to_owned(), format!("localhost:{}", cluster.addr(ada).port())];
    let seeds = names.iter().map(|name| name.parse().expect("a name")).collect();
    let bob = cluster.start(Settings { seeds, ..settings("bob") });
    wait_until(cluster, "bob to join by name", |cluster| lists_alive(cluster, bob, &ids()));
    wait_until(cluster, "word of the name that is unknown", |cluster| {
        let unknown =
            |event: &Event| matches!(event, Event::SeedUnresolved { seed, .. } if **seed == *names[0]);
        cluster.history(bob).iter().any(unknown)
    });
}

pub(crate) fn a_name_that_gives_only_the_member_itself_harms_nothing(cluster: &mut impl Real) {
    let own = cluster.free_addr();
    let seeds = vec![format!("localhost:{}", own.port()).parse().expect("a name")];
    let ada = cluster.start(Settings { bind: own, seeds, ..settings("ada") });
    cluster.pass(Duration::from_millis(700));
    let failed = |event: &Event| matches!(event, Event::JoinFailed { .. } | Event::SeedUnresolved { .. });
    assert!(!cluster.history(ada).iter().any(failed));
    let bob = cluster.start(Settings { seeds: vec![own.into()], ..settings("bob") });
    wait_until(cluster, "both to list each other", |cluster| {
        [ada, bob].iter().all(|member| lists_alive(cluster, *member, &ids()))
    });
}

pub(crate) fn seeds_are_replaced_and_forgotten(cluster: &mut impl Real) {
    let ada = cluster.start(settings("ada"));
    let dead_end = cluster.free_addr();
    let bob = cluster.start(settings("bob"));
    let join = cluster.begin(bob, OwnedCommand::Join { seeds: vec![dead_end] });
    cluster.pass(Duration::from_millis(100));
    // Far more than a member holds at once: each list forgets the one before it.
    for _ in 0..8 {
        let seeds = (0..SEEDS_MAX as u16).map(|_| SeedAddr::from(cluster.free_addr())).collect();
        assert_eq!(cluster.set_seeds(bob, seeds), Ok(()));
    }
    let many = (1..=SEEDS_MAX as u16 + 1).map(|port| SocketAddr::from(([127, 0, 0, 1], port)).into());
    let refused = CommandError::Refused(Refusal::TooManySeeds { limit: SEEDS_MAX as u32 });
    assert_eq!(cluster.set_seeds(bob, many.collect()), Err(refused));
    assert_eq!(cluster.outcome(join), None, "there were always seeds to ask");
    let name = format!("localhost:{}", cluster.addr(ada).port()).parse().expect("a name");
    assert_eq!(cluster.set_seeds(bob, vec![SeedAddr::from(dead_end), name]), Ok(()));
    let outcome = wait_for(cluster, "the named seed's answer", |cluster| cluster.outcome(join));
    assert_eq!(outcome, Ok(Outcome::Joined(Joined { via: cluster.addr(ada), members: 2 })));
    assert_eq!(cluster.set_seeds(bob, Vec::new()), Ok(()));
}

pub(crate) fn a_search_without_any_seed_left_ends_as_cancelled(cluster: &mut impl Real) {
    let dead_end = cluster.free_addr();
    let ada = cluster.start(settings("ada"));
    let join = cluster.begin(ada, OwnedCommand::Join { seeds: vec![dead_end] });
    cluster.pass(Duration::from_millis(100));
    assert_eq!(cluster.set_seeds(ada, Vec::new()), Ok(()));
    let outcome = wait_for(cluster, "the end of the join", |cluster| cluster.outcome(join));
    assert_eq!(outcome, Err(CommandError::JoinFailed(JoinFailure::Cancelled)));
}

/// Two members that list each other, with room for `room` broadcasts that are to be pushed.
fn pair_with_room_for(cluster: &mut impl Real, room: u16) -> [Member; 2] {
    let mut options = Options::clone(&settings("ada").config);
    options.broadcasts_max = room;
    let config = Arc::new(Config::new(options).expect("in range"));
    let ada = cluster.start(Settings { config: Arc::clone(&config), ..settings("ada") });
    let seeds = vec![cluster.addr(ada).into()];
    let bob = cluster.start(Settings { config, seeds, ..settings("bob") });
    wait_until(cluster, "both to list each other", |cluster| {
        [ada, bob].iter().all(|member| lists_alive(cluster, *member, &ids()))
    });
    [ada, bob]
}

/// What a member heard of Ada's broadcasts.
fn heard(cluster: &mut impl Cluster, member: Member) -> Vec<Box<[u8]>> {
    let payload = |event| match event {
        Event::Broadcast { payload, .. } => Some(payload),
        _ => None,
    };
    cluster.history(member).into_iter().filter_map(payload).collect()
}

pub(crate) fn broadcasts_beyond_the_room_wait_and_all_arrive(cluster: &mut impl Real) {
    let [ada, bob] = pair_with_room_for(cluster, 4);
    let payloads: Vec<Box<[u8]>> = (0..100_u32).map(|number| Box::from(number.to_be_bytes())).collect();
    let begin = |payload: &[u8]| cluster.begin(ada, OwnedCommand::Broadcast(payload.into()));
    let tickets: Vec<Ticket> = payloads.iter().map(|payload| payload.as_ref()).map(begin).collect();
    for ticket in tickets {
        let outcome = wait_for(cluster, "room for a broadcast", |cluster| cluster.outcome(ticket));
        assert!(matches!(outcome, Ok(Outcome::Done(Done::BroadcastQueued { .. }))), "{outcome:?}");
    }
    wait_until(cluster, "all broadcasts", |cluster| heard(cluster, bob).len() >= payloads.len());
    let mut arrived = heard(cluster, bob);
    // The callers were many, and in no order.
    arrived.sort_unstable();
    assert_eq!(arrived, payloads);
}

pub(crate) fn a_broadcast_that_does_not_wait_is_refused_at_once(cluster: &mut impl Real) {
    let [ada, bob] = pair_with_room_for(cluster, 4);
    let full = CommandError::Refused(Refusal::QueueFull { limit: 4 });
    let mut accepted = Vec::new();
    // A queue of four is emptied every 10 ms: a loop is faster, sooner or later.
    for number in 0.. {
        match cluster.try_broadcast(ada, &u32::to_be_bytes(number)) {
            Ok(_) => accepted.push(Box::from(number.to_be_bytes())),
            Err(error) => {
                assert_eq!(error, full);
                break;
            }
        }
    }
    let last = cluster.command(ada, OwnedCommand::Broadcast(Box::from(*b"last")));
    assert!(matches!(last, Ok(Outcome::Done(Done::BroadcastQueued { .. }))), "{last:?}");
    accepted.push(Box::from(*b"last"));
    wait_until(cluster, "all that were accepted", |cluster| heard(cluster, bob).len() >= accepted.len());
    assert_eq!(heard(cluster, bob), accepted);
}

pub(crate) fn one_member_is_what_the_table_says_also_after_the_end(cluster: &mut impl Real) {
    let [ada, bob] = pair_with_room_for(cluster, 4);
    let [ada_id, bob_id] = ids();
    let said: &[u8] = b"role=db";
    cluster.command(bob, OwnedCommand::SetMetadata(said.into())).expect("short enough");
    wait_until(cluster, "the new metadata", |cluster| {
        cluster.member(ada, bob_id).is_some_and(|row| *row.metadata == *said)
    });
    let row = cluster.member(ada, bob_id).expect("listed");
    assert_eq!((row.addr, row.status, row.is_me), (cluster.addr(bob), Status::Alive, false));
    assert!(cluster.member(ada, ada_id).is_some_and(|row| row.is_me));
    assert_eq!(cluster.member(ada, NodeId(1)), None);
    cluster.kill(ada);
    assert_eq!(cluster.member(ada, bob_id).map(|row| row.id), Some(bob_id));
}

pub(crate) fn each_consumer_has_its_own_queue_and_a_snapshot_stands_for_what_it_lost(
    cluster: &mut impl Real,
) {
    let ada = cluster.start(Settings { events_max: 2, ..settings("ada") });
    let seeds = vec![cluster.addr(ada).into()];
    let bob = cluster.start(Settings { seeds, ..settings("bob") });
    wait_until(cluster, "both to list each other", |cluster| {
        [ada, bob].iter().all(|member| lists_alive(cluster, *member, &ids()))
    });
    let events = cluster.subscribe(ada, Start::Now);
    let table = cluster.subscribe(ada, Start::Snapshot);
    let first = cluster.updates(table);
    let [Update::Members { members, lost: 0 }] = &first[..] else { panic!("{first:?}") };
    assert_eq!(members.iter().map(|row| row.id).collect::<BTreeSet<_>>(), BTreeSet::from(ids()));
    for number in 0..8 {
        let said = OwnedCommand::SetMetadata([number].into());
        cluster.command(bob, said).expect("short enough");
        wait_until(cluster, "the new metadata", |cluster| {
            cluster.member(ada, ids()[1]).is_some_and(|row| *row.metadata == [number])
        });
    }
    // What a handle consumes is not lost to a subscription.
    cluster.history(ada);
    let heard = cluster.updates(events);
    let updated = |update: &Update| matches!(update, Update::Event(Event::Updated { .. }));
    assert!(heard.iter().any(updated), "{heard:?}");
    assert!(heard.iter().any(|update| matches!(update, Update::Event(Event::Lost { .. }))), "{heard:?}");
    let updates = cluster.updates(table);
    let snapshot = updates.iter().rev().find_map(|update| match update {
        Update::Members { members, lost } => Some((members, *lost)),
        Update::Event(_) => None,
    });
    let (members, lost) = snapshot.expect("more was lost than fits");
    assert!(lost > 0 && members.get(ids()[1]).is_some_and(|row| *row.metadata == [7]), "{updates:?}");
}

/// A folder for state files, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("swim-state-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("a folder");
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn epochs(cluster: &mut impl Cluster, member: Member) -> Vec<(NodeId, Epoch)> {
    let mut epochs: Vec<_> = cluster.members(member).iter().map(|row| (row.id, row.epoch)).collect();
    epochs.sort_unstable();
    epochs
}

pub(crate) fn members_with_a_state_file_find_each_other_without_a_seed(cluster: &mut impl Real) {
    let folder = Folder::new();
    let persisted = |name: &str| Settings { state_file: Some(folder.file(name)), ..settings(name) };
    let names: Vec<String> = (0..5).map(|nth| format!("member-{nth}")).collect();
    let all: Vec<NodeId> = names.iter().map(|name| NodeId::from_name(name)).collect();
    let addrs: Vec<SocketAddr> = names.iter().map(|_| cluster.free_addr()).collect();
    let mut former = Vec::new();
    for round in 0..3 {
        let mut members = Vec::new();
        for (name, addr) in names.iter().zip(&addrs) {
            // Only the first start has a seed; the clock is set back for all others.
            let seeds = if round == 0 { vec![addrs[0].into()] } else { Vec::new() };
            let unix_ms = (round > 0).then_some(1_000);
            members.push(cluster.start(Settings { bind: *addr, seeds, unix_ms, ..persisted(name) }));
        }
        wait_until(cluster, "all to list each other", |cluster| {
            members.iter().all(|member| lists_alive(cluster, *member, &all))
        });
        let now = epochs(cluster, members[0]);
        let pairs: Vec<_> = std::iter::zip(&former, &now).collect();
        assert!(pairs.iter().all(|(earlier, later)| earlier < later), "an epoch went back: {pairs:?}");
        former = now;
        members.into_iter().for_each(|member| cluster.kill(member));
    }
}

pub(crate) fn a_state_file_of_no_use_is_set_aside_and_stops_no_member(cluster: &mut impl Real) {
    let folder = Folder::new();
    let path = folder.file("state");
    let persisted = || Settings { state_file: Some(path.clone()), ..settings("ada") };
    let first = cluster.start(persisted());
    cluster.kill(first);
    let good = std::fs::read(&path).expect("written at the end");
    let mut foreign = State::from_bytes(&good).expect("it is a state");
    foreign.id = NodeId(1);
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 4;
        bytes
    };
    let bad = [
        Vec::new(),
        good[..good.len() / 2].to_vec(),
        flipped(0),
        flipped(20),
        foreign.to_bytes(),
        vec![7; 100_000],
    ];
    for bytes in bad {
        std::fs::write(&path, &bytes).expect("written");
        let member = cluster.start(persisted());
        wait_until(cluster, "word of the bad file", |cluster| {
            let reported =
                |event: &Event| matches!(event, Event::StateNotKept { error, .. } if error.contains(".bad"));
            cluster.history(member).iter().any(reported)
        });
        assert!(cluster.is_running(member));
        assert_eq!(std::fs::read(folder.file("state.bad")).expect("set aside"), bytes);
        assert!(State::from_bytes(&std::fs::read(&path).expect("a new one")).is_ok());
        cluster.kill(member);
    }
}

pub(crate) fn a_state_file_that_cannot_be_written_is_reported_until_it_can(cluster: &mut impl Real) {
    let folder = Folder::new();
    let path = folder.file("missing").join("state");
    let ada = cluster.start(Settings { state_file: Some(path.clone()), ..settings("ada") });
    let reported = |history: Vec<Event>| {
        history.iter().filter(|event| matches!(event, Event::StateNotKept { .. })).count()
    };
    wait_until(cluster, "word of it", |cluster| reported(cluster.history(ada)) == 1);
    std::fs::create_dir(folder.file("missing")).expect("a folder");
    let seeds = vec![cluster.addr(ada).into()];
    let bob = cluster.start(Settings { seeds, ..settings("bob") });
    wait_until(cluster, "the file", |_| {
        let state = std::fs::read(&path).ok().and_then(|bytes| State::from_bytes(&bytes).ok());
        state.is_some_and(|state| state.known_peers.iter().any(|peer| peer.id == NodeId::from_name("bob")))
    });
    assert_eq!(reported(cluster.history(ada)), 1, "once is enough");
    assert!(cluster.is_running(ada) && cluster.is_running(bob));
}

/// One test for each scenario, each on a cluster of its own.
macro_rules! machine {
    ($cluster:expr) => {
        machine!(@ $cluster,
            a_seed_by_name_is_found_beside_one_that_is_unknown
            a_name_that_gives_only_the_member_itself_harms_nothing
            seeds_are_replaced_and_forgotten
            a_search_without_any_seed_left_ends_as_cancelled
            broadcasts_beyond_the_room_wait_and_all_arrive
            a_broadcast_that_does_not_wait_is_refused_at_once
            one_member_is_what_the_table_says_also_after_the_end
            each_consumer_has_its_own_queue_and_a_snapshot_stands_for_what_it_lost
            members_with_a_state_file_find_each_other_without_a_seed
            a_state_file_of_no_use_is_set_aside_and_stops_no_member
            a_state_file_that_cannot_be_written_is_reported_until_it_can
        );
    };
    (@ $cluster:expr, $($scenario:ident)*) => {
        $(
            #[test]
            fn $scenario() {
                crate::machine::$scenario(&mut $cluster);
            }
        )*
    };
}
