//! Who missed an update for good is repaired by comparing digests.

use std::sync::Arc;

use crate::common::{cluster, each_seed, lan_with, others, secs};
use swim_core::{Config, Status};
use swim_sim::{HostId, Spec, World};

/// Suspicions that outlast the cut, so that only the missed update is to be repaired.
fn patient() -> Arc<Config> {
    lan_with(|options| options.alpha = 12)
}

/// Ten members, of which one is cut off while `happen` happens and its gossip runs out.
fn missed_by_one(seed: u64, happen: impl FnOnce(&mut World, &[HostId])) -> (World, Vec<HostId>) {
    let (mut world, hosts) = cluster(seed, 10, &patient());
    world.run_for(secs(20));
    world.partition(&[&hosts[9..]]);
    happen(&mut world, &hosts);
    world.run_for(secs(6));
    let quiet = others(&hosts, hosts[9]).into_iter().filter_map(|host| world.node(host)).all(|node| {
        let queued = node.stats().updates_queued;
        queued <= 3
    });
    assert!(quiet, "the gossip about it has run out (suspicions of the one cut off may be left)");
    world.heal();
    (world, hosts)
}

#[test]
fn a_missed_newcomer_is_learnt() {
    each_seed(5, |seed| {
        let (mut world, _) = missed_by_one(seed, |world, hosts| {
            let newcomer = world.start(Spec::new(patient()));
            world.join(newcomer, &hosts[..1]);
        });
        world.run_until(secs(60), World::converged).expect("the digest differs until it is learnt");
        assert_eq!(world.deaths(), []);
    });
}

#[test]
fn missed_metadata_is_learnt() {
    each_seed(5, |seed| {
        let (mut world, hosts) = missed_by_one(seed, |world, hosts| {
            world.set_metadata(hosts[2], b"version 2");
        });
        let id = world.id(hosts[2]);
        world
            .run_until(secs(60), |world| {
                let row = world.node(hosts[9]).and_then(|node| node.member(id)).expect("it is held");
                row.metadata == b"version 2"
            })
            .expect("the digest differs until it is learnt");
    });
}

#[test]
fn a_missed_goodbye_is_learnt_from_the_tombstone_and_revives_nobody() {
    each_seed(5, |seed| {
        let (mut world, hosts) = missed_by_one(seed, |world, hosts| {
            world.leave(hosts[2]);
        });
        world
            .run_until(secs(60), |world| world.all_believe(&hosts[9..], &hosts[2..3], Status::Left))
            .expect("a stale Alive is answered with the tombstone");
        let rest = others(&hosts, hosts[2]);
        assert!(world.all_believe(&rest, &hosts[2..3], Status::Left), "nobody believes it alive again");
    });
}

#[test]
fn with_gossip_switched_off_altogether_views_still_become_equal() {
    let config = lan_with(|options| options.gossip_interval = None);
    let mut world = World::new(1);
    let hosts = world.start_many(30, &config);
    for host in &hosts[1..] {
        world.join(*host, &hosts[..1]);
    }
    world.run_until(secs(60), World::converged).expect("piggyback and digests are enough");
}

#[test]
fn members_in_agreement_ask_for_no_pages() {
    let (mut world, hosts) = cluster(1, 20, &crate::common::lan());
    world.run_for(secs(120));
    let asked = |world: &World| -> u64 {
        hosts.iter().filter_map(|host| world.node(*host)).map(|node| node.stats().pages_asked).sum()
    };
    let before = asked(&world);
    world.run_for(secs(600));
    assert_eq!(asked(&world), before);
}
