//! Scenarios of seeds by name, which need a machine: its resolver knows `localhost`, and not `no-such-host.invalid`.

use std::net::SocketAddr;
use std::time::Duration;

use swim_core::{Event, JoinFailure, Joined, NodeId, Refusal, SEEDS_MAX};
use swim_driver::os::{SeedAddr, Settings};
use swim_driver::{CommandError, Outcome, OwnedCommand};

use crate::conformance::stories::lists_alive;
use crate::conformance::{Cluster, Member, settings, wait_for, wait_until};

/// Members whose seeds can be replaced.
pub(crate) trait Real: Cluster {
    /// Replaces a member's seeds.
    fn set_seeds(&mut self, member: Member, seeds: Vec<SeedAddr>) -> Result<(), CommandError>;
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

/// One test for each scenario, each on a cluster of its own.
macro_rules! seeds {
    ($cluster:expr) => {
        seeds!(@ $cluster,
            a_seed_by_name_is_found_beside_one_that_is_unknown
            a_name_that_gives_only_the_member_itself_harms_nothing
            seeds_are_replaced_and_forgotten
            a_search_without_any_seed_left_ends_as_cancelled
        );
    };
    (@ $cluster:expr, $($scenario:ident)*) => {
        $(
            #[test]
            fn $scenario() {
                crate::seeds::$scenario(&mut $cluster);
            }
        )*
    };
}
