//! Holes that other implementations have had, or have: each is tried here.
//!
//! The names say the behaviour. Some are looked at more closely in a file of their own (`restart.rs`,
//! `conflict.rs`, `partition.rs`, `digest_sync.rs`, `strangers.rs`).

use std::net::SocketAddr;
use std::time::Duration;

use crate::common::{
    Seen, assert_nobody_falsely_buried, cluster, detection_bound, each_seed, lan, lan_with, lie, mention,
    millis, others, record_wire, secs, views,
};
use swim_core::{Epoch, Event, Status};
use swim_craft as craft;
use swim_sim::{HostId, Spec, World};

const DAY_MS: i64 = 86_400_000;

/// What was said in the next ten seconds.
fn overhear(world: &mut World) -> Vec<Seen> {
    let wire = record_wire(world);
    world.run_for(secs(10));
    world.clear_hook();
    wire.lock().expect("one thread").clone()
}

fn replay(world: &mut World, seen: &[Seen]) {
    for datagram in seen {
        world.inject(datagram.source, datagram.target, &datagram.bytes);
        world.run_for(millis(1));
    }
}

#[test]
fn a_late_word_of_a_member_that_died_revives_it_nowhere() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 6, &lan());
        let rest = others(&hosts, hosts[5]);
        world.set_metadata(hosts[5], b"a word with an incarnation above the first");
        let seen = overhear(&mut world);
        world.crash(hosts[5]);
        // Far longer than the half minute after which others forget their dead.
        world.run_for(secs(600));
        assert!(world.all_believe(&rest, &hosts[5..], Status::Dead));
        let before = views(&world, &rest);
        replay(&mut world, &seen);
        world.run_for(secs(60));
        assert_eq!(views(&world, &rest), before);
    });
}

#[test]
fn an_accusation_of_the_largest_incarnation_is_outlived() {
    each_seed(3, |seed| {
        for dead in [false, true] {
            let (mut world, hosts) = cluster(seed, 6, &lan());
            let victim = mention(&world, hosts[5]);
            let largest = victim.incarnation(u32::MAX);
            let update = if dead { craft::dead(largest, 1, 1) } else { craft::suspect(largest, &[1]) };
            lie(&mut world, hosts[0], hosts[1], update);
            world.run_until(secs(10), World::converged).expect("no number is the last one");
            world.run_for(secs(60));
            assert!(world.converged());
            assert!(mention(&world, hosts[5]).epoch > victim.epoch, "it took a higher epoch");
            assert_nobody_falsely_buried(&world);
        }
    });
}

#[test]
fn a_claim_of_an_epoch_far_ahead_poisons_nobody() {
    let (mut world, hosts) = cluster(1, 6, &lan());
    let before = views(&world, &hosts);
    let far = mention(&world, hosts[5]).epoch(Epoch::MAX.0).incarnation(0);
    for update in [craft::suspect(far, &[1]), craft::dead(far, 1, 1), craft::left(far, far.id)] {
        lie(&mut world, hosts[0], hosts[1], update);
    }
    world.run_for(secs(60));
    assert_eq!(views(&world, &hosts), before);
}

#[test]
fn a_member_that_forgot_how_often_it_had_spoken_up_is_believed_at_once_when_it_restarts() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 6, &lan());
        for number in 0..40_u8 {
            world.set_metadata(hosts[5], &[number]);
        }
        world.run_for(secs(10));
        assert!(mention(&world, hosts[5]).incarnation >= 40);
        world.crash(hosts[5]);
        world.set_calendar_ms(hosts[5], -DAY_MS);
        world.run_for(millis(100));
        assert!(world.restart(hosts[5]));
        world.join(hosts[5], &hosts[..1]);
        world.run_until(secs(3), World::converged).expect("one answer tells it what to beat");
        assert_eq!(world.deaths(), []);
    });
}

#[test]
fn two_nodes_of_one_name_settle_it_once() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 6, &lan());
        let rival = world.start(Spec::new(lan()).id(world.id(hosts[5])));
        world.join(rival, &hosts[..3]);
        world.run_for(secs(30));
        let settled: Vec<_> = hosts.iter().map(|host| world.log(*host).len()).collect();
        world.run_for(secs(300));
        let later: Vec<_> = hosts.iter().map(|host| world.log(*host).len()).collect();
        assert_eq!(later, settled, "nothing flaps");
        assert!(world.converged());
    });
}

#[test]
fn a_forged_goodbye_is_taken_back_by_the_one_who_never_said_it() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 6, &lan());
        let victim = mention(&world, hosts[5]);
        lie(&mut world, hosts[0], hosts[1], craft::left(victim, victim.id));
        world.run_until(secs(10), World::converged).expect("it comes back in a new epoch");
        world.run_for(secs(60));
        assert!(world.converged());
        assert_eq!(world.deaths(), []);
    });
}

#[test]
fn a_forged_verdict_buries_nobody_who_can_speak() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 6, &lan());
        let dead = craft::dead(mention(&world, hosts[5]), 1, 1);
        for target in &hosts[1..5] {
            lie(&mut world, hosts[0], *target, dead.clone());
        }
        world.run_until(secs(10), World::converged).expect("it refutes");
        assert_eq!(world.deaths(), []);
    });
}

#[test]
fn acks_that_were_guessed_keep_nobody_alive() {
    let (mut world, hosts) = cluster(1, 5, &lan());
    let dead = hosts[4];
    let seen = overhear(&mut world);
    let acks: Vec<&Seen> =
        seen.iter().filter(|ack| ack.kind() == craft::ACK && ack.source == world.addr(dead)).collect();
    assert!(acks.len() > 3);
    world.crash(dead);
    let end = world.now().after(detection_bound(5, &lan()));
    let mut guess = 0_u64;
    while world.now() < end {
        for ack in &acks {
            // The number is the head's first field: the one before plus one, and so on.
            let mut bytes = ack.bytes.clone();
            let number = craft::HEADER_LEN + 3..craft::HEADER_LEN + 11;
            let last = u64::from_le_bytes(bytes[number.clone()].try_into().expect("eight bytes"));
            guess += 1;
            bytes[number].copy_from_slice(&(last + guess).to_le_bytes());
            world.inject(ack.source, ack.target, &bytes);
        }
        world.run_for(millis(10));
    }
    assert!(world.all_believe(&hosts[..4], &[dead], Status::Dead), "as if nobody had forged anything");
}

#[test]
fn a_relay_pings_nobody_for_a_stranger_and_only_members_for_members() {
    let (mut world, hosts) = cluster(1, 4, &lan());
    world.network().cut(hosts[1], hosts[2]);
    let seen = overhear(&mut world);
    world.heal();
    let request = seen.iter().find(|request| request.kind() == craft::PING_REQ).expect("a relay was asked");
    let stranger: SocketAddr = "192.0.2.66:6666".parse().expect("a valid address");
    world.listen(stranger);
    let relayed = |world: &World| -> u64 {
        hosts.iter().filter_map(|host| world.node(*host)).map(|node| node.stats().relayed).sum()
    };
    let before = relayed(&world);
    let mut unknown = request.bytes.clone();
    unknown[craft::HEADER_LEN + 3..craft::HEADER_LEN + 11].copy_from_slice(&u64::MAX.to_le_bytes());
    for _ in 0..100 {
        world.inject(stranger, request.target, &request.bytes);
        world.inject(request.source, request.target, &unknown);
        world.run_for(millis(10));
    }
    assert_eq!(relayed(&world), before);
    assert!(world.heard(stranger).is_empty());
}

#[test]
fn halves_that_have_buried_each_other_meet_again_although_nobody_says_so() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 8, &lan());
        world.partition(&[&hosts[..4]]);
        world.run_for(secs(3600));
        world.heal();
        world.run_until(secs(60), World::converged).expect("the dead are asked now and then");
        assert_nobody_falsely_buried(&world);
    });
}

#[test]
fn a_member_whose_ears_come_and_go_buries_nobody() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        let flapping = world.id(hosts[9]);
        for _ in 0..10 {
            for other in &hosts[..9] {
                world.network().cut(*other, hosts[9]);
            }
            world.run_for(secs(20));
            world.heal();
            world.run_for(secs(20));
        }
        let victims = world.deaths().iter().filter(|death| death.subject != flapping).count();
        assert_eq!(victims, 0, "{:#?}", world.deaths());
        world.run_until(secs(60), World::converged).expect("and is a member again when they stay");
    });
}

#[test]
fn a_slow_member_blames_itself() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        let slow = world.id(hosts[9]);
        for _ in 0..60 {
            world.pause(hosts[9]);
            world.run_for(millis(900));
            world.resume(hosts[9]);
            world.run_for(millis(600));
        }
        let stalls = world.node(hosts[9]).expect("it runs").stats().stalls;
        assert!(stalls > 30, "it noticed {stalls} of 60 stalls");
        let blames = |event: &Event| matches!(event, Event::Suspect { by, .. } if *by == slow);
        let blamed: usize = hosts.iter().map(|host| world.count_events(*host, blames)).sum();
        assert_eq!(blamed, 0, "it accuses nobody");
        assert_eq!(world.deaths(), []);
    });
}

#[test]
fn what_was_refuted_long_ago_and_arrives_late_changes_nothing() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 6, &lan());
        let wire = record_wire(&mut world);
        let name = world.id(hosts[5]);
        world.pause(hosts[5]);
        world
            .run_until(secs(20), |world| world.believes_id(hosts[0], name) == Some(Status::Suspect))
            .expect("it is suspected");
        world.resume(hosts[5]);
        world.run_for(secs(10));
        world.clear_hook();
        let seen = wire.lock().expect("one thread").clone();
        assert!(mention(&world, hosts[5]).incarnation > 0, "it was accused and refuted");
        world.run_for(secs(60));
        let before = views(&world, &hosts);
        replay(&mut world, &seen);
        world.run_for(secs(30));
        assert_eq!(views(&world, &hosts), before);
        assert_eq!(world.deaths(), []);
    });
}

#[test]
fn who_slept_through_a_death_revives_the_dead_nowhere_and_starts_no_second_suspicion() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        let (sleeper, victim) = (hosts[8], hosts[9]);
        let name = world.id(victim);
        world.pause(sleeper);
        world.run_for(millis(500));
        world.crash(victim);
        world.run_for(secs(120));
        let told = |world: &World, host| {
            world.count_events(
                host,
                |event| matches!(event, Event::Suspect { id, .. } | Event::Alive { id, .. } if *id == name),
            )
        };
        let awake = &hosts[..8];
        assert!(world.all_believe(awake, &[victim], Status::Dead));
        let before: Vec<_> = awake.iter().map(|host| told(&world, *host)).collect();
        world.resume(sleeper);
        world.run_for(secs(120));
        let after: Vec<_> = awake.iter().map(|host| told(&world, *host)).collect();
        assert_eq!(after, before, "what the sleeper still believes costs nobody anything");
        assert!(world.all_believe(&hosts[..9], &[victim], Status::Dead), "and the sleeper learns it");
        assert!(world.converged());
    });
}

#[test]
fn an_address_that_went_to_another_cluster_merges_nothing() {
    let labelled = |label: &str| lan_with(|options| options.label = label.into());
    let (mut world, hosts) = cluster(1, 4, &labelled("blue"));
    let addr = world.addr(hosts[3]);
    world.crash(hosts[3]);
    let green: Vec<HostId> = [Some(addr), None]
        .map(|addr| {
            let spec = Spec::new(labelled("green"));
            world.start(addr.map_or(spec.clone(), |addr| spec.addr(addr)))
        })
        .into();
    world.join(green[1], &green[..1]);
    world.run_for(secs(300));
    for (here, there) in [(&hosts[..3], &green[..]), (&green[..], &hosts[..3])] {
        for observer in here {
            assert!(there.iter().all(|subject| world.believes(*observer, *subject).is_none()));
        }
    }
    assert!(world.all_believe(&hosts[..3], &hosts[3..], Status::Dead));
}

#[test]
fn two_newcomers_that_missed_each_other_s_news_meet_all_the_same() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 20, &lan());
        let first = world.start(Spec::new(lan()));
        world.partition(&[&[first, hosts[0]]]);
        world.join(first, &hosts[..1]);
        let second = world.start(Spec::new(lan()));
        world.join(second, &hosts[1..2]);
        // Longer than any news is told, shorter than any suspicion.
        world.run_for(secs(4));
        world.heal();
        world.run_until(secs(60), World::converged).expect("digests differ until they meet");
        assert_nobody_falsely_buried(&world);
    });
}

#[test]
fn two_that_hold_each_other_dead_do_not_keep_each_other_busy() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 2, &lan());
        world.run_for(secs(5));
        world.partition(&[&hosts[..1]]);
        world.run_for(secs(60));
        // From now on each hears the other's questions, but no answer ever arrives.
        world.heal();
        world.set_hook(|datagram| match datagram.bytes.get(4) {
            Some(&craft::ACK | &craft::WELCOME) => swim_sim::Verdict::Drop,
            _ => swim_sim::Verdict::Pass,
        });
        let before = world.traffic().sent.datagrams;
        world.run_for(secs(600));
        let each_second = (world.traffic().sent.datagrams - before) / 600;
        assert!(each_second <= 10, "{each_second} datagrams a second");
    });
}

#[test]
fn a_paused_member_that_goes_on_makes_up_for_no_missed_period_and_expires_no_suspicion() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 10, &lan());
        // It holds a suspicion of a living member when it is stopped.
        let suspect = craft::suspect(mention(&world, hosts[3]), &[world.id(hosts[1]).0]);
        world.network().cut(hosts[3], hosts[9]);
        lie(&mut world, hosts[1], hosts[9], suspect);
        world.run_for(Duration::from_micros(10));
        assert_eq!(world.believes(hosts[9], hosts[3]), Some(Status::Suspect));
        world.pause(hosts[9]);
        world.run_for(secs(60));
        world.heal();
        let probes = |world: &World| world.node(hosts[9]).expect("it runs").stats().probes;
        let before = probes(&world);
        world.resume(hosts[9]);
        world.run_for(secs(2));
        assert!(probes(&world) - before <= 2, "one probe a period");
        world.run_for(secs(30));
        let name = world.id(hosts[9]);
        let buried = world.deaths().iter().filter(|death| death.subject != name).count();
        assert_eq!(buried, 0, "{:#?}", world.deaths());
        assert!(world.converged());
    });
}
