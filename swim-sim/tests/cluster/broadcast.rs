//! User traffic: to all exactly once, or to one.

use crate::common::{cluster, each_seed, lan, others, record_wire, secs};
use swim_core::Event;
use swim_sim::{HostId, Link, PER_CENT, World};

fn received(world: &World, host: HostId, text: &[u8]) -> usize {
    world.count_events(host, |event| matches!(event, Event::Broadcast { payload, .. } if **payload == *text))
}

#[test]
fn a_broadcast_reaches_every_other_member_exactly_once() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 20, &lan());
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
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 20, &lan());
        world.network().set_default_link(Link::lan().loss(20 * PER_CENT).duplication(20 * PER_CENT));
        let texts: Vec<Vec<u8>> = (0..10).map(|i| format!("message {i}").into_bytes()).collect();
        for (i, text) in texts.iter().enumerate() {
            world.broadcast(hosts[i], text);
        }
        world.run_for(secs(60));
        for (i, text) in texts.iter().enumerate() {
            for host in others(&hosts, hosts[i]) {
                let times = received(&world, host, text);
                assert!(times <= 1, "{host:?} was told {times} times of {i}");
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
    let end = world.now().after(crate::common::detection_bound(10, &lan()));
    let mut number = 0_u32;
    while world.now() < end {
        for host in &rest[..3] {
            number += 1;
            let mut text = vec![b'x'; 1000];
            text[..4].copy_from_slice(&number.to_le_bytes());
            world.broadcast(*host, &text);
        }
        world.run_for(crate::common::millis(100));
    }
    assert!(world.all_believe(&rest, &hosts[9..], swim_core::Status::Dead));
    crate::common::assert_nobody_falsely_buried(&world);
}

#[test]
fn a_direct_message_reaches_its_member_and_nobody_else() {
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
            let mut forged =
                seen.iter().find(|datagram| carries(&datagram.bytes).is_some()).expect("told").clone();
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
