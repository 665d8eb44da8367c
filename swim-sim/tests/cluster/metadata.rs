//! Metadata reach everybody, and the newest wins.

use crate::common::{cluster, each_seed, lan, others, secs};
use swim_core::{Event, METADATA_MAX};
use swim_sim::{HostId, Link, PER_CENT, Spec, World};

fn all_hold(world: &World, hosts: &[HostId], subject: HostId, bytes: &[u8]) -> bool {
    let id = world.id(subject);
    hosts
        .iter()
        .filter_map(|host| world.node(*host))
        .all(|node| node.member(id).is_some_and(|row| row.metadata == bytes))
}

#[test]
fn new_metadata_are_known_everywhere_within_seconds() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 20, &lan());
        let longest = vec![7; METADATA_MAX];
        for bytes in [b"role=db".as_slice(), &longest, b""] {
            world.set_metadata(hosts[4], bytes);
            world
                .run_until(secs(5), |world| all_hold(world, &hosts, hosts[4], bytes))
                .expect("it goes round");
        }
    });
}

#[test]
fn the_last_of_many_changes_wins_under_loss() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        world.network().set_default_link(Link::lan().loss(20 * PER_CENT));
        for i in 0..50_u8 {
            world.set_metadata(hosts[4], &[i]);
            world.run_for(crate::common::millis(50));
        }
        world.run_until(secs(40), |world| all_hold(world, &hosts, hosts[4], &[49])).expect("the last wins");
    });
}

#[test]
fn a_change_is_reported_as_an_update() {
    let (mut world, hosts) = cluster(1, 5, &lan());
    world.set_metadata(hosts[4], b"x");
    world.run_for(secs(10));
    assert_eq!(world.count_events(hosts[4], |event| matches!(event, Event::MetadataSet { .. })), 1);
    let id = world.id(hosts[4]);
    for host in others(&hosts, hosts[4]) {
        let updated = |event: &Event| matches!(event, Event::Updated { id: i, .. } if *i == id);
        assert_eq!(world.count_events(host, updated), 1, "{host:?}: {:#?}", world.log(host));
    }
}

#[test]
fn a_newcomer_learns_everybody_s_metadata_and_everybody_the_newcomer_s() {
    let (mut world, hosts) = cluster(1, 10, &lan());
    for host in &hosts {
        world.set_metadata(*host, &host.0.to_le_bytes());
    }
    world.run_for(secs(20));
    let newcomer = world.start(Spec::new(lan()));
    world.set_metadata(newcomer, b"new");
    world.join(newcomer, &hosts[..1]);
    world
        .run_until(secs(10), |world| {
            let all = [hosts.as_slice(), &[newcomer]].concat();
            all_hold(world, &all, newcomer, b"new")
                && hosts.iter().all(|host| all_hold(world, &all, *host, &host.0.to_le_bytes()))
        })
        .expect("pages carry metadata");
}
