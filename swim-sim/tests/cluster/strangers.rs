//! Forged, insane and replayed datagrams change nobody's view, and a stranger gains nothing by asking.

use std::net::SocketAddr;

use crate::common::{Seen, assert_nobody_falsely_buried, cluster, lan, millis, record_wire, secs, views};
use swim_craft as craft;
use swim_sim::{HostId, Random, World};

fn stranger() -> SocketAddr {
    "192.0.2.66:6666".parse().expect("a valid address")
}

/// Five members, and ten seconds of what they said to each other.
fn overheard(seed: u64) -> (World, Vec<HostId>, Vec<Seen>) {
    let (mut world, hosts) = cluster(seed, 5, &lan());
    let wire = record_wire(&mut world);
    world.set_metadata(hosts[1], b"so that there is gossip to hear");
    world.run_for(secs(10));
    world.clear_hook();
    let seen = wire.lock().expect("one thread").clone();
    assert!(seen.len() > 50);
    (world, hosts, seen)
}

#[test]
fn an_insane_epoch_from_a_stranger_changes_nothing() {
    let (mut world, hosts, seen) = overheard(1);
    let before = views(&world, &hosts);
    for (i, datagram) in seen.iter().enumerate() {
        let mut forged = datagram.bytes.clone();
        let epoch = [u64::MAX, (1 << 48) - 1, 1 << 47][i % 3];
        let sender = craft::sender(&forged).expect("a header");
        craft::set_sender(&mut forged, sender.epoch(epoch));
        world.inject(stranger(), datagram.target, &forged);
        world.inject(datagram.source, datagram.target, &forged);
    }
    world.run_for(secs(30));
    assert_eq!(views(&world, &hosts), before);
    assert!(world.converged());
}

#[test]
fn an_insane_incarnation_from_a_stranger_changes_nothing() {
    let (mut world, hosts, seen) = overheard(2);
    let before = views(&world, &hosts);
    for datagram in &seen {
        let mut forged = datagram.bytes.clone();
        let sender = craft::sender(&forged).expect("a header");
        craft::set_sender(&mut forged, sender.incarnation(u32::MAX));
        world.inject(stranger(), datagram.target, &forged);
    }
    world.run_for(secs(30));
    assert_eq!(views(&world, &hosts), before);
    assert!(world.converged());
}

#[test]
fn replayed_datagrams_change_nothing() {
    let (mut world, hosts, seen) = overheard(3);
    world.run_for(secs(30));
    let before = views(&world, &hosts);
    for datagram in &seen {
        world.inject(datagram.source, datagram.target, &datagram.bytes);
        world.inject(stranger(), datagram.target, &datagram.bytes);
    }
    world.run_for(secs(30));
    assert_eq!(views(&world, &hosts), before);
    assert_nobody_falsely_buried(&world);
}

#[test]
fn mutated_datagrams_never_stop_the_cluster() {
    crate::common::each_seed(3, |seed| {
        let (mut world, hosts, seen) = overheard(seed);
        let mut random = Random::new(seed, 0x6a7b, 0);
        for _ in 0..20_000 {
            let datagram = &seen[random.below(seen.len() as u64) as usize];
            let mut bytes = datagram.bytes.clone();
            for _ in 0..=random.below(4) {
                let place = random.below(bytes.len() as u64) as usize;
                bytes[place] = random.bits() as u8;
            }
            bytes.truncate(random.below(2 * bytes.len() as u64) as usize + 1);
            world.inject(stranger(), datagram.target, &bytes);
            world.run_for(millis(1));
        }
        world.run_for(secs(30));
        assert!(world.converged(), "{:?}", world.run_until(secs(0), World::converged));
        assert_nobody_falsely_buried(&world);
        let node = world.node(hosts[0]).expect("it runs");
        assert_eq!(node.members().count(), 5, "nobody was invented");
    });
}

#[test]
fn a_crash_is_detected_in_the_bound_while_garbage_rains() {
    let (mut world, hosts, _) = overheard(4);
    let mut random = Random::new(4, 0x6a7b, 1);
    world.crash(hosts[3]);
    let rest = crate::common::others(&hosts, hosts[3]);
    let end = world.now().after(crate::common::detection_bound(5, &lan()));
    while world.now() < end {
        let garbage: Vec<u8> = (0..random.below(200)).map(|_| random.bits() as u8).collect();
        for host in &rest {
            world.inject(stranger(), world.addr(*host), &garbage);
        }
        world.run_for(millis(2));
    }
    assert!(world.all_believe(&rest, &hosts[3..4], swim_core::Status::Dead));
    assert_nobody_falsely_buried(&world);
}

#[test]
fn a_stranger_never_gets_back_more_than_it_sent() {
    let (mut world, hosts, seen) = overheard(5);
    world.listen(stranger());
    for datagram in &seen {
        let before = answered(&world);
        world.inject(stranger(), world.addr(hosts[0]), &datagram.bytes);
        // Whoever a member hears of by this may be asked back, so what comes later counts as well.
        world.run_for(secs(5));
        let gained = answered(&world) - before;
        assert!(gained <= datagram.bytes.len(), "{gained} B for {} B: {datagram:?}", datagram.bytes.len());
    }
}

fn answered(world: &World) -> usize {
    world.heard(stranger()).iter().map(|arrival| arrival.bytes.len()).sum()
}

#[test]
fn a_join_without_a_token_is_answered_with_no_more_bytes() {
    let (mut world, hosts) = cluster(6, 5, &lan());
    let wire = record_wire(&mut world);
    let newcomer = world.start(swim_sim::Spec::new(lan()));
    world.join(newcomer, &hosts[..1]);
    world.run_for(secs(5));
    let seen = wire.lock().expect("one thread").clone();
    let question = seen.iter().find(|d| d.kind() == craft::JOIN).expect("it asked").bytes.clone();
    world.clear_hook();
    world.listen(stranger());
    for host in &hosts {
        world.inject(stranger(), world.addr(*host), &question);
    }
    world.run_for(secs(60));
    let sizes: Vec<usize> = world.heard(stranger()).iter().map(|arrival| arrival.bytes.len()).collect();
    assert_eq!(sizes.len(), hosts.len(), "each answers once");
    assert!(sizes.iter().all(|size| *size <= question.len()), "{sizes:?} for {}", question.len());
}

#[test]
fn nobody_is_made_to_send_to_an_address_that_is_no_member_s() {
    let (mut world, hosts, _) = overheard(7);
    let wire = record_wire(&mut world);
    world.network().cut(hosts[0], hosts[1]);
    world.network().cut(hosts[1], hosts[0]);
    world.run_for(secs(30));
    let seen = wire.lock().expect("one thread").clone();
    let asked: Vec<&Seen> = seen.iter().filter(|d| d.kind() == craft::PING_REQ).collect();
    assert!(!asked.is_empty(), "the broken link makes relays necessary");
    let members: Vec<SocketAddr> = hosts.iter().map(|host| world.addr(*host)).collect();
    // The same questions again, from a stranger, and with every eight bytes of the head turned into noise.
    for datagram in asked {
        world.inject(stranger(), datagram.target, &datagram.bytes);
        for place in (32..datagram.bytes.len().saturating_sub(8)).step_by(4) {
            let mut forged = datagram.bytes.clone();
            forged[place..place + 8].copy_from_slice(&0xdead_beef_dead_beef_u64.to_le_bytes());
            world.inject(datagram.source, datagram.target, &forged);
        }
    }
    wire.lock().expect("one thread").clear();
    world.run_for(secs(10));
    for datagram in wire.lock().expect("one thread").iter() {
        assert!(members.contains(&datagram.target), "{datagram:?}");
    }
}
