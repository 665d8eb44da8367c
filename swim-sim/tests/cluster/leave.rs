//! A goodbye is believed at once, and is no death.

use crate::common::{cluster, each_cluster, lan, others, secs};
use swim_core::{Command, Done, Event, Refusal, Status};
use swim_sim::{Link, PER_CENT, Presence, Spec, World};

#[test]
fn who_leaves_is_left_everywhere_within_seconds_and_never_dead() {
    each_cluster(5, 10, |mut world, hosts| {
        let rest = others(&hosts, hosts[3]);
        world.leave(hosts[3]);
        world
            .run_until(secs(5), |world| world.all_believe(&rest, &hosts[3..4], Status::Left))
            .expect("the goodbye goes round");
        world.run_for(secs(120));
        assert_eq!(world.deaths(), []);
        assert!(world.all_believe(&rest, &hosts[3..4], Status::Left));
        assert_eq!(world.presence(hosts[3]), Presence::Gone);
    });
}

#[test]
fn a_leave_ends_in_an_event_and_silence() {
    let (mut world, hosts) = cluster(1, 5, &lan());
    world.leave(hosts[2]);
    world.run_for(secs(10));
    assert_eq!(world.count_events(hosts[2], |event| matches!(event, Event::LeaveSent { .. })), 1);
    let sent = world.traffic_of(hosts[2]).sent;
    world.run_for(secs(60));
    assert_eq!(world.traffic_of(hosts[2]).sent, sent);
}

#[test]
fn members_that_all_leave_at_once_all_come_to_an_end() {
    each_cluster(5, 4, |mut world, hosts| {
        hosts.iter().for_each(|host| assert!(world.leave(*host)));
        world.run_for(secs(10));
        assert!(hosts.iter().all(|host| world.presence(*host) == Presence::Gone));
    });
}

#[test]
fn a_lone_node_can_leave_too() {
    let mut world = World::new(1);
    let host = world.start(Spec::new(lan()));
    world.leave(host);
    world.run_for(secs(5));
    assert_eq!(world.presence(host), Presence::Gone);
}

#[test]
fn a_goodbye_gets_through_loss() {
    each_cluster(5, 10, |mut world, hosts| {
        world.network().set_default_link(Link::lan().loss(25 * PER_CENT));
        let rest = others(&hosts, hosts[3]);
        world.leave(hosts[3]);
        world
            .run_until(secs(20), |world| world.all_believe(&rest, &hosts[3..4], Status::Left))
            .expect("the goodbye goes round");
    });
}

#[test]
fn a_member_that_left_may_come_back_in_a_new_epoch() {
    each_cluster(3, 6, |mut world, hosts| {
        world.leave(hosts[3]);
        world.run_for(secs(20));
        world.restart(hosts[3]);
        world.join(hosts[3], &hosts[..1]);
        world.run_until(secs(5), World::converged).expect("it has a new epoch");
    });
}

#[test]
fn an_operator_removes_the_dead_but_not_the_living() {
    let (mut world, hosts) = cluster(1, 6, &lan());
    let (victim, id) = (hosts[3], world.id(hosts[3]));
    let rest = others(&hosts, victim);
    let refused = Some(Err(Refusal::NoSuchMember));
    assert_eq!(world.command(hosts[0], Command::Remove { target: id }), refused);
    world.crash(victim);
    world.run_for(secs(60));
    assert!(world.all_believe(&rest, &[victim], Status::Dead));
    assert_eq!(world.command(hosts[0], Command::Remove { target: id }), Some(Ok(Done::Removed)));
    world
        .run_until(secs(10), |world| world.all_believe(&rest, &[victim], Status::Left))
        .expect("the removal goes round");
    let removed = |event: &Event| matches!(event, Event::Left { id: i, by: Some(_) } if *i == id);
    assert_eq!(world.count_events(hosts[5], removed), 1);
}

#[test]
fn a_removed_member_that_is_alive_after_all_comes_back_with_a_new_epoch() {
    let (mut world, hosts) = cluster(1, 6, &lan());
    let rest = others(&hosts, hosts[3]);
    world.partition(&[&hosts[3..4]]);
    world.run_for(secs(90));
    world.command(hosts[0], Command::Remove { target: world.id(hosts[3]) });
    world
        .run_until(secs(10), |world| world.all_believe(&rest, &hosts[3..4], Status::Left))
        .expect("the removal goes round");
    world.heal();
    world.run_until(secs(90), World::converged).expect("it takes a new epoch");
    assert!(world.count_events(hosts[3], |event| matches!(event, Event::EpochRaised { .. })) >= 1);
}

#[test]
fn a_removal_is_never_taken_for_a_goodbye() {
    each_cluster(10, 6, |mut world, hosts| {
        world.partition(&[&hosts[..3]]);
        world.run_for(secs(90));
        let id = world.id(hosts[3]);
        world.command(hosts[0], Command::Remove { target: id });
        world.run_for(secs(20));
        world.heal();
        world.run_for(secs(120));
        for host in &hosts[4..] {
            let goodbye = |event: &Event| matches!(event, Event::Left { id: of, by: None } if *of == id);
            assert_eq!(world.count_events(*host, goodbye), 0, "{:#?}", world.log(*host));
        }
        world.run_until(secs(60), World::converged).expect("the removed one is alive and refutes");
    });
}

#[test]
fn a_member_that_missed_a_goodbye_and_holds_the_sender_dead_learns_of_it() {
    each_cluster(20, 6, |mut world, hosts| {
        world.partition(&[&hosts[5..]]);
        world.leave(hosts[3]);
        world.run_for(secs(120));
        assert_eq!(world.believes(hosts[5], hosts[3]), Some(Status::Dead));
        world.heal();
        let rest = others(&hosts, hosts[3]);
        world
            .run_until(secs(900), |world| world.all_believe(&rest, &hosts[3..4], Status::Left))
            .expect("the others know better, and say so");
    });
}
