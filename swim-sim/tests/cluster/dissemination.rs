//! What users publish reaches every member, and a member that missed an update for good fetches it by comparing
//! digests.

use std::sync::Arc;

use swim_core::{Config, Event, METADATA_MAX};
use swim_sim::{HostId, Link, PER_CENT, Spec, World};

use crate::common::{
    assert_no_false_death, cluster, detection_bound, each_cluster, each_seed, lan, lan_with, millis, others,
    record_wire, secs,
};

fn received(world: &World, host: HostId, text: &[u8]) -> usize {
    world.count_events(host, |event| matches!(event, Event::Broadcast { payload, .. } if **payload == *text))
}

#[test]
fn a_broadcast_reaches_every_other_member_exactly_once() {
    each_cluster(5, 20, |mut world, hosts| {
        world.broadcast(hosts[3], b"hello all");
        world.run_for(secs(30));
        for host in others(&hosts, hosts[3]) {
            assert_eq!(received(&world, host, b"hello all"), 1, "{host:?}");
        }
        assert_eq!(received(&world, hosts[3], b"hello all"), 0, "the sender knows it already");
    });
}

/// Each member sends a broadcast λ · ⌈log₁₀ 21⌉ = 8 times; at 20 % loss 6.4 of them arrive, each at any of
/// 19 others. So (1 - 0.8 / 19)^(8 · 19) = 0.15 % of the members miss one: of 950 deliveries 1.4. More than 9
/// misses have a probability of one in 100,000.
#[test]
fn broadcasts_get_through_loss_and_duplication_nearly_everywhere_and_never_twice() {
    let reached = std::cell::Cell::new(0);
    let wanted = std::cell::Cell::new(0);
    each_cluster(5, 20, |mut world, hosts| {
        world.network().set_default_link(Link::lan().loss(20 * PER_CENT).duplication(20 * PER_CENT));
        let texts: Vec<Vec<u8>> = (0..10).map(|i| format!("message {i}").into_bytes()).collect();
        for (i, text) in texts.iter().enumerate() {
            world.broadcast(hosts[i], text);
        }
        world.run_for(secs(60));
        for (i, text) in texts.iter().enumerate() {
            for host in others(&hosts, hosts[i]) {
                let times = received(&world, host, text);
                assert!(times <= 1, "{host:?} got {i} {times} times");
                reached.set(reached.get() + times);
                wanted.set(wanted.get() + 1);
            }
        }
    });
    let (reached, wanted) = (reached.get(), wanted.get());
    assert!(reached * 100 >= wanted * 99, "{reached} of {wanted} deliveries");
}

#[test]
fn duplication_alone_costs_no_delivery_and_makes_no_second_one() {
    let (mut world, hosts) = cluster(1, 20, &lan());
    world.network().set_default_link(Link::lan().duplication(50 * PER_CENT));
    world.broadcast(hosts[3], b"once");
    world.run_for(secs(30));
    for host in others(&hosts, hosts[3]) {
        assert_eq!(received(&world, host, b"once"), 1, "{host:?}");
    }
}

#[test]
fn a_flood_of_broadcasts_does_not_hide_a_crash() {
    let (mut world, hosts) = cluster(1, 10, &lan());
    let rest = others(&hosts, hosts[9]);
    world.crash(hosts[9]);
    let end = world.now().after(detection_bound(10, &lan()));
    let mut number = 0_u32;
    while world.now() < end {
        for host in &rest[..3] {
            number += 1;
            let mut text = vec![b'x'; 1000];
            text[..4].copy_from_slice(&number.to_le_bytes());
            world.broadcast(*host, &text);
        }
        world.run_for(millis(100));
    }
    assert!(world.all_believe(&rest, &hosts[9..], swim_core::Status::Dead));
    assert_no_false_death(&world);
}

#[test]
fn a_direct_message_reaches_its_member_and_no_other() {
    let (mut world, hosts) = cluster(1, 5, &lan());
    world.send(hosts[1], hosts[3], b"just you");
    world.run_for(secs(5));
    for host in &hosts {
        let from = world.id(hosts[1]);
        let got = world.count_events(*host, |event| {
            matches!(event, Event::Message { from: f, payload } if *f == from && **payload == *b"just you")
        });
        assert_eq!(got, usize::from(*host == hosts[3]), "{host:?}");
    }
}

#[test]
fn a_number_forged_in_a_member_s_name_silences_it_for_a_moment_only() {
    each_seed(5, |seed| {
        for number in [1_000_000, u32::MAX] {
            let (mut world, hosts) = cluster(seed, 10, &lan());
            let wire = record_wire(&mut world);
            world.broadcast(hosts[2], b"first");
            world.run_for(secs(20));
            world.clear_hook();
            // A datagram that passed it on, with another number in it.
            let seen = wire.lock().expect("one thread").clone();
            let carries = |bytes: &[u8]| bytes.windows(5).position(|window| window == b"first");
            let mut forged = seen
                .iter()
                .find(|datagram| carries(&datagram.bytes).is_some())
                .expect("it was passed on")
                .clone();
            let text = carries(&forged.bytes).expect("it is there");
            forged.bytes[text - 6..text - 2].copy_from_slice(&number.to_le_bytes());
            world.inject(forged.source, forged.target, &forged.bytes);
            world.run_for(secs(20));
            world.broadcast(hosts[2], b"second");
            world.run_for(secs(20));
            for host in others(&hosts, hosts[2]) {
                assert_eq!(received(&world, host, b"second"), 1, "{host:?} after {number}");
            }
        }
    });
}

fn all_hold(world: &World, hosts: &[HostId], subject: HostId, bytes: &[u8]) -> bool {
    let id = world.id(subject);
    hosts
        .iter()
        .filter_map(|host| world.node(*host))
        .all(|node| node.member(id).is_some_and(|row| row.metadata == bytes))
}

#[test]
fn new_metadata_are_known_everywhere_within_seconds() {
    each_cluster(5, 20, |mut world, hosts| {
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
    each_cluster(3, 10, |mut world, hosts| {
        world.network().set_default_link(Link::lan().loss(20 * PER_CENT));
        for i in 0..50_u8 {
            world.set_metadata(hosts[4], &[i]);
            world.run_for(millis(50));
        }
        world.run_until(secs(40), |world| all_hold(world, &hosts, hosts[4], &[49])).expect("the last wins");
    });
}

#[test]
fn a_change_is_reported_as_an_update() {
    let (mut world, hosts) = cluster(1, 5, &lan());
    world.set_metadata(hosts[4], b"x");
    world.run_for(secs(10));
    let id = world.id(hosts[4]);
    for host in others(&hosts, hosts[4]) {
        let updated = |event: &Event| matches!(event, Event::Updated { id: i, .. } if *i == id);
        assert_eq!(world.count_events(host, updated), 1, "{host:?}: {:#?}", world.log(host));
    }
}

#[test]
fn a_newcomer_learns_all_metadata_and_all_learn_the_newcomer_s() {
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

/// Suspicions that outlast the cut, so that only the missed update is to be repaired.
fn slow_suspicions() -> Arc<Config> {
    lan_with(|options| options.alpha = 12)
}

/// Ten members, of which one is cut off while `happen` happens and its gossip runs out.
fn missed_by_one(seed: u64, happen: impl FnOnce(&mut World, &[HostId])) -> (World, Vec<HostId>) {
    let (mut world, hosts) = cluster(seed, 10, &slow_suspicions());
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
            let newcomer = world.start(Spec::new(slow_suspicions()));
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
    let (mut world, hosts) = cluster(1, 20, &lan());
    world.run_for(secs(120));
    let asked = |world: &World| -> u64 {
        hosts.iter().filter_map(|host| world.node(*host)).map(|node| node.stats().pages_asked).sum()
    };
    let before = asked(&world);
    world.run_for(secs(600));
    assert_eq!(asked(&world), before);
}
