//! The scenarios. Each begins with no member and says in its name what must be true.

use std::time::Duration;

use swim_core::{Event, JoinFailure, Joined, METADATA_MAX, NodeId, PAYLOAD_MAX, Refusal, Status};
use swim_driver::os::Settings;
use swim_driver::{CommandError, Outcome, OwnedCommand};

use super::stories::{assert_no_deaths, lists_alive, story};
use super::{Cluster, Member, settings, wait_for, wait_until};

const NAMES: [&str; 3] = ["ada", "bob", "cyd"];

fn ids() -> [NodeId; 3] {
    NAMES.map(NodeId::from_name)
}

/// Three members that all list each other as Alive.
fn three(cluster: &mut impl Cluster) -> [Member; 3] {
    let ada = cluster.start(settings("ada"));
    let seed = cluster.addr(ada);
    let join = |name| Settings { seeds: vec![seed.into()], ..settings(name) };
    let members = [ada, cluster.start(join("bob")), cluster.start(join("cyd"))];
    wait_until(cluster, "three members to list each other", |cluster| {
        members.iter().all(|member| lists_alive(cluster, *member, &ids()))
    });
    members
}

pub(crate) fn members_that_join_through_one_seed_all_list_each_other(cluster: &mut impl Cluster) {
    let members = three(cluster);
    for (member, me) in members.into_iter().zip(ids()) {
        let history = cluster.history(member);
        for other in ids().into_iter().filter(|other| *other != me) {
            assert_eq!(story(&history, other).first(), Some(&"alive"), "{history:#?}");
        }
        assert_no_deaths(&history, &[]);
    }
    for joiner in &members[1..] {
        let history = cluster.history(*joiner);
        let joined = history.iter().filter(|event| matches!(event, Event::Joined { .. })).count();
        assert_eq!(joined, 1, "{history:#?}");
    }
}

pub(crate) fn a_seed_that_comes_up_late_is_found(cluster: &mut impl Cluster) {
    let seed = cluster.free_addr();
    let bob = cluster.start(settings("bob"));
    let join = cluster.begin(bob, OwnedCommand::Join { seeds: vec![seed] });
    cluster.pass(Duration::from_millis(600));
    assert_eq!(cluster.outcome(join), None, "no node answers yet");
    cluster.start(Settings { bind: seed, ..settings("ada") });
    let outcome = wait_for(cluster, "the late seed's answer", |cluster| cluster.outcome(join));
    assert_eq!(outcome, Ok(Outcome::Joined(Joined { via: seed, members: 2 })));
}

pub(crate) fn one_living_seed_among_dead_ones_is_enough(cluster: &mut impl Cluster) {
    let ada = cluster.start(settings("ada"));
    let mut seeds: Vec<_> = (0..9).map(|_| cluster.free_addr()).collect();
    seeds.push(cluster.addr(ada));
    let bob = cluster.start(settings("bob"));
    let outcome = cluster.command(bob, OwnedCommand::Join { seeds });
    assert_eq!(outcome, Ok(Outcome::Joined(Joined { via: cluster.addr(ada), members: 2 })));
}

pub(crate) fn a_killed_member_is_suspected_then_dead_and_no_other_is(cluster: &mut impl Cluster) {
    let [ada, bob, cyd] = three(cluster);
    cluster.kill(cyd);
    expect_death_of_cyd(cluster, &[ada, bob]);
}

/// Survivors hear of `cyd`: alive, …, suspect, dead. The dots are suspicions that were refuted.
fn expect_death_of_cyd(cluster: &mut impl Cluster, survivors: &[Member]) {
    let victim = NodeId::from_name("cyd");
    for survivor in survivors {
        wait_until(cluster, "the survivors to call cyd dead", |cluster| {
            story(&cluster.history(*survivor), victim).last() == Some(&"dead")
        });
        let history = cluster.history(*survivor);
        let chapters = story(&history, victim);
        assert_eq!(chapters.first(), Some(&"alive"), "{chapters:?}");
        assert!(chapters.ends_with(&["suspect", "dead"]), "{chapters:?}");
        assert_no_deaths(&history, &[victim]);
    }
}

pub(crate) fn a_restarted_member_is_alive_again_in_a_higher_epoch(cluster: &mut impl Cluster) {
    let [ada, bob, cyd] = three(cluster);
    let addr = cluster.addr(cyd);
    let epoch_of = |event: &Event| match event {
        Event::Alive { id, epoch, .. } if *id == NodeId::from_name("cyd") => Some(*epoch),
        _ => None,
    };
    let first = cluster.history(ada).iter().find_map(epoch_of).expect("cyd was seen");
    cluster.kill(cyd);
    expect_death_of_cyd(cluster, &[ada, bob]);
    let seeds = vec![cluster.addr(ada).into()];
    cluster.start(Settings { bind: addr, seeds, ..settings("cyd") });
    for survivor in [ada, bob] {
        wait_until(cluster, "cyd to be alive again", |cluster| lists_alive(cluster, survivor, &ids()));
        // A table may be ahead of the events, and a suspicion may follow them on a busy machine.
        wait_until(cluster, "the event that says so", |cluster| {
            let chapters = story(&cluster.history(survivor), NodeId::from_name("cyd"));
            chapters.windows(2).any(|pair| pair == ["dead", "alive"])
        });
        let history = cluster.history(survivor);
        let latest = history.iter().rev().find_map(epoch_of).expect("seen again");
        assert!(latest > first, "{latest:?} after {first:?}");
    }
}

pub(crate) fn a_leave_is_reported_as_left_and_ends_the_driver(cluster: &mut impl Cluster) {
    let [ada, bob, cyd] = three(cluster);
    let outcome = cluster.command(cyd, OwnedCommand::Leave);
    assert!(matches!(outcome, Ok(Outcome::Left { datagrams: 1.. })), "others were informed: {outcome:?}");
    wait_until(cluster, "the driver to end", |cluster| !cluster.is_running(cyd));
    for other in [ada, bob] {
        wait_until(cluster, "the others to hear it", |cluster| {
            story(&cluster.history(other), NodeId::from_name("cyd")).last() == Some(&"left")
        });
        let history = cluster.history(other);
        let goodbye = Event::Left { id: NodeId::from_name("cyd"), by: None };
        assert!(history.contains(&goodbye), "{history:#?}");
        assert_no_deaths(&history, &[]);
    }
}

pub(crate) fn changed_metadata_reaches_all_members(cluster: &mut impl Cluster) {
    let [ada, bob, cyd] = three(cluster);
    let said: &[u8] = b"role=db";
    cluster.command(ada, OwnedCommand::SetMetadata(said.into())).expect("short enough");
    for member in [ada, bob, cyd] {
        wait_until(cluster, "the new metadata", |cluster| {
            let rows = cluster.members(member);
            rows.iter().any(|row| row.id == NodeId::from_name("ada") && *row.metadata == *said)
        });
    }
    for other in [bob, cyd] {
        let history = cluster.history(other);
        let updated =
            |event: &Event| matches!(event, Event::Updated { id, .. } if *id == NodeId::from_name("ada"));
        assert!(history.iter().any(updated), "{history:#?}");
    }
}

pub(crate) fn a_broadcast_reaches_all_members_once(cluster: &mut impl Cluster) {
    let [ada, bob, cyd] = three(cluster);
    for text in ["one", "two"] {
        cluster.command(ada, OwnedCommand::Broadcast(text.as_bytes().into())).expect("room for two");
    }
    let heard = |history: &[Event]| -> Vec<Vec<u8>> {
        let payload = |event: &Event| match event {
            Event::Broadcast { origin, payload } if *origin == NodeId::from_name("ada") => {
                Some(payload.to_vec())
            }
            _ => None,
        };
        let mut heard: Vec<_> = history.iter().filter_map(payload).collect();
        heard.sort_unstable();
        heard
    };
    for other in [bob, cyd] {
        wait_until(cluster, "both broadcasts", |cluster| heard(&cluster.history(other)).len() >= 2);
    }
    cluster.pass(Duration::from_millis(500));
    for other in [bob, cyd] {
        assert_eq!(heard(&cluster.history(other)), [b"one".to_vec(), b"two".to_vec()]);
    }
}

pub(crate) fn a_message_reaches_the_member_it_is_for(cluster: &mut impl Cluster) {
    let [ada, bob, cyd] = three(cluster);
    let send = OwnedCommand::Send { target: NodeId::from_name("bob"), payload: b"hello".as_slice().into() };
    cluster.command(ada, send).expect("bob is a member");
    let message = Event::Message { from: NodeId::from_name("ada"), payload: b"hello".as_slice().into() };
    wait_until(cluster, "the message", |cluster| cluster.history(bob).contains(&message));
    assert!(!cluster.history(cyd).contains(&message));
}

pub(crate) fn a_message_to_a_stranger_is_refused(cluster: &mut impl Cluster) {
    let ada = cluster.start(settings("ada"));
    let send = OwnedCommand::Send { target: NodeId::from_name("stranger"), payload: Box::default() };
    let refused = CommandError::Refused(Refusal::NoSuchMember);
    assert_eq!(cluster.command(ada, send), Err(refused));
}

pub(crate) fn metadata_and_payloads_beyond_their_bounds_are_refused(cluster: &mut impl Cluster) {
    let ada = cluster.start(settings("ada"));
    let long = |len| vec![0; len].into_boxed_slice();
    for command in
        [OwnedCommand::SetMetadata(long(METADATA_MAX + 1)), OwnedCommand::Broadcast(long(PAYLOAD_MAX + 1))]
    {
        let outcome = cluster.command(ada, command);
        assert!(matches!(outcome, Err(CommandError::TooLong(_))), "{outcome:?}");
    }
    cluster.command(ada, OwnedCommand::SetMetadata(long(METADATA_MAX))).expect("the bound itself fits");
}

pub(crate) fn garbage_is_counted_and_changes_nothing(cluster: &mut impl Cluster) {
    let members = three(cluster);
    let target = cluster.addr(members[0]);
    let dropped = |cluster: &mut dyn FnMut() -> swim_core::Stats| cluster().drops.iter().sum::<u64>();
    let before = dropped(&mut || cluster.stats(members[0]));
    let lengths = [0, 1, 7, 40, 500, 1400, 9000, 9001, 20_000];
    for len in lengths {
        cluster.inject(target, &vec![0xa5; len]);
    }
    wait_until(cluster, "every piece of garbage to be counted", |cluster| {
        dropped(&mut || cluster.stats(members[0])) >= before + lengths.len() as u64
    });
    assert!(lists_alive(cluster, members[0], &ids()));
    assert_eq!(cluster.members(members[0]).len(), 3);
}

pub(crate) fn a_member_whose_name_is_taken_reports_it_and_ends(cluster: &mut impl Cluster) {
    let [ada, bob, _] = three(cluster);
    let impostor = cluster.start(settings("bob"));
    let seeds = vec![cluster.addr(ada)];
    let outcome = cluster.command(impostor, OwnedCommand::Join { seeds });
    assert_eq!(outcome, Err(CommandError::JoinFailed(JoinFailure::IdTaken)));
    wait_until(cluster, "the driver to end", |cluster| !cluster.is_running(impostor));
    let history = cluster.history(impostor);
    let lost = |event: &Event| matches!(event, Event::Conflict { won: false, .. });
    assert_eq!(history.iter().filter(|event| lost(event)).count(), 1, "{history:#?}");
    assert_eq!(cluster.command(impostor, OwnedCommand::CancelJoin), Err(CommandError::Stopped));
    assert!(cluster.is_running(bob), "the one who had it keeps it");
}

pub(crate) fn a_cancelled_join_ends_as_cancelled(cluster: &mut impl Cluster) {
    let dead_end = cluster.free_addr();
    let ada = cluster.start(settings("ada"));
    let join = cluster.begin(ada, OwnedCommand::Join { seeds: vec![dead_end] });
    cluster.pass(Duration::from_millis(200));
    cluster.command(ada, OwnedCommand::CancelJoin).expect("there is a join to cancel");
    let outcome = wait_for(cluster, "the end of the join", |cluster| cluster.outcome(join));
    assert_eq!(outcome, Err(CommandError::JoinFailed(JoinFailure::Cancelled)));
    let refused = CommandError::Refused(Refusal::NothingToCancel);
    assert_eq!(cluster.command(ada, OwnedCommand::CancelJoin), Err(refused));
}

pub(crate) fn a_join_without_a_usable_seed_is_refused(cluster: &mut impl Cluster) {
    let ada = cluster.start(settings("ada"));
    let myself = cluster.addr(ada);
    let refused = CommandError::Refused(Refusal::NoUsableAddress);
    assert_eq!(cluster.command(ada, OwnedCommand::Join { seeds: vec![myself] }), Err(refused));
    assert_eq!(cluster.command(ada, OwnedCommand::Join { seeds: Vec::new() }), Err(refused));
}

pub(crate) fn a_flood_of_datagrams_neither_kills_nor_hides_a_death(cluster: &mut impl Cluster) {
    let [ada, bob, cyd] = three(cluster);
    let target = cluster.addr(ada);
    cluster.kill(cyd);
    for round in 0..100_u32 {
        for _ in 0..200 {
            cluster.inject(target, &round.to_le_bytes());
        }
        cluster.pass(Duration::from_millis(5));
    }
    expect_death_of_cyd(cluster, &[ada, bob]);
    let status = |row: &swim_driver::OwnedMember| (row.id, row.status);
    let rows: Vec<_> = cluster.members(bob).iter().map(status).collect();
    assert!(rows.contains(&(NodeId::from_name("ada"), Status::Alive)), "{rows:?}");
}

pub(crate) fn a_consumer_that_is_too_slow_learns_how_much_it_lost(cluster: &mut impl Cluster) {
    let ada = cluster.start(Settings { events_max: 2, ..settings("ada") });
    let dead_end = cluster.free_addr();
    for _ in 0..20 {
        let join = cluster.begin(ada, OwnedCommand::Join { seeds: vec![dead_end] });
        // Commands of two callers may overtake each other.
        wait_until(cluster, "the join to be cancelled", |cluster| {
            cluster.command(ada, OwnedCommand::CancelJoin).is_ok()
        });
        wait_until(cluster, "the join to end", |cluster| cluster.outcome(join).is_some());
    }
    let history = cluster.history(ada);
    assert_eq!(history.len(), 3, "{history:#?}");
    assert_eq!(history[2], Event::Lost { events: 18 }, "{history:#?}");
}

pub(crate) fn broadcasts_push_out_no_death(cluster: &mut impl Cluster) {
    const COUNT: usize = 200;
    let ada = cluster.start(Settings { events_max: 8, ..settings("ada") });
    let seed = cluster.addr(ada);
    let join = |name| Settings { seeds: vec![seed.into()], ..settings(name) };
    let [bob, cyd] = [cluster.start(join("bob")), cluster.start(join("cyd"))];
    wait_until(cluster, "three members to list each other", |cluster| {
        [ada, bob, cyd].iter().all(|member| lists_alive(cluster, *member, &ids()))
    });
    cluster.history(ada);
    for number in 0..COUNT {
        cluster
            .command(bob, OwnedCommand::Broadcast(Box::from(number.to_le_bytes())))
            .expect("there is room");
    }
    wait_until(cluster, "the flood", |cluster| cluster.stats(ada).broadcasts_delivered >= COUNT as u64);
    cluster.kill(cyd);
    wait_until(cluster, "ada to call cyd dead", |cluster| {
        let rows = cluster.members(ada);
        rows.iter().any(|row| row.id == NodeId::from_name("cyd") && row.status == Status::Dead)
    });
    let history = cluster.history(ada);
    assert_eq!(story(&history, NodeId::from_name("cyd")).last(), Some(&"dead"), "{history:#?}");
    let broadcasts = history.iter().map(|event| match event {
        Event::Broadcast { .. } => 1,
        Event::BroadcastsMissed { count, .. } => *count as usize,
        _ => 0,
    });
    assert_eq!(broadcasts.sum::<usize>(), COUNT, "each is heard or counted");
    assert!(!history.iter().any(|event| matches!(event, Event::Lost { .. })), "{history:#?}");
}

pub(crate) fn a_stopped_driver_answers_that_it_has_stopped(cluster: &mut impl Cluster) {
    let dead_end = cluster.free_addr();
    let ada = cluster.start(settings("ada"));
    let join = cluster.begin(ada, OwnedCommand::Join { seeds: vec![dead_end] });
    cluster.pass(Duration::from_millis(100));
    cluster.kill(ada);
    let outcome = wait_for(cluster, "the join to end with its driver", |cluster| cluster.outcome(join));
    assert_eq!(outcome, Err(CommandError::Stopped));
    assert_eq!(cluster.command(ada, OwnedCommand::CancelJoin), Err(CommandError::Stopped));
    assert!(!cluster.is_running(ada));
}
