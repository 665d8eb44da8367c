//! Two nodes of one name: the incumbent keeps it, and nothing flaps.

use swim_craft as craft;

use crate::common::{cluster, each_seed, lan, millis, others, secs};
use swim_core::{Event, Status};
use swim_sim::{Link, PER_CENT, Presence, Spec, Verdict, World};

#[test]
fn a_newcomer_that_takes_a_living_member_s_name_loses_it() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 5, &lan());
        let name = world.id(hosts[2]);
        let rival = world.start(Spec::new(lan()).id(name));
        world.join(rival, &hosts[..1]);
        world.run_for(secs(30));
        let lost = |event: &Event| matches!(event, Event::Conflict { won: false, id, .. } if *id == name);
        assert_eq!(world.count_events(rival, lost), 1, "{:#?}", world.log(rival));
        assert_eq!(world.presence(rival), Presence::Gone);
        assert!(world.converged(), "the incumbent is the member");
        for host in others(&hosts, hosts[2]) {
            let row = world.node(host).and_then(|node| node.member(name)).expect("it is held");
            assert_eq!(row.addr, world.addr(hosts[2]));
            let changes = world.count_events(
                host,
                |event| matches!(event, Event::Updated { id, .. } | Event::Suspect { id, .. } if *id == name),
            );
            assert_eq!(changes, 0, "no flapping at {host:?}: {:#?}", world.log(host));
        }
    });
}

#[test]
fn a_newcomer_whose_calendar_is_ahead_loses_all_the_same() {
    let (mut world, hosts) = cluster(1, 5, &lan());
    let name = world.id(hosts[2]);
    let rival = world.start(Spec::new(lan()).id(name).calendar_ms(3_600_000));
    world.join(rival, &hosts[..1]);
    world.run_for(secs(30));
    assert_eq!(world.presence(rival), Presence::Gone);
    assert_eq!(world.presence(hosts[2]), Presence::Up);
    assert!(world.converged());
}

#[test]
fn of_two_holders_that_meet_when_clusters_merge_everybody_keeps_the_same_one() {
    each_seed(5, |seed| {
        let mut world = World::new(seed);
        let hosts = world.start_many(6, &lan());
        let name = world.id(hosts[1]);
        let rival = world.start(Spec::new(lan()).id(name).calendar_ms(5_000));
        for host in &hosts[1..3] {
            world.join(*host, &hosts[..1]);
        }
        for host in hosts[4..].iter().chain([&rival]) {
            world.join(*host, &hosts[3..4]);
        }
        world.run_for(secs(10));
        world.join(hosts[0], &hosts[3..4]);
        world.run_until(secs(60), World::converged).expect("one holder remains, the same everywhere");
        let still = [hosts[1], rival].map(|host| world.presence(host));
        assert_eq!(still.iter().filter(|presence| **presence == Presence::Up).count(), 1, "{still:?}");
        world.run_for(secs(120));
        assert!(world.converged(), "and it stays so");
    });
}

/// By its epoch it has the better claim, and nobody to say so: all members hold the other one.
#[test]
fn who_is_let_in_and_then_overtaken_by_a_namesake_gives_way() {
    each_seed(5, |seed| {
        let (mut world, hosts) = cluster(seed, 4, &lan());
        let late = hosts[2];
        world.crash(late);
        world.run_for(secs(60));
        world.set_calendar_ms(late, 7_200_000);
        world.restart(late);
        world.join(late, &hosts[..1]);
        let home = world.addr(late);
        world.set_hook(move |datagram| {
            let announces = datagram.source == home && datagram.bytes.get(4) == Some(&craft::ANNOUNCE);
            if announces { Verdict::Drop } else { Verdict::Pass }
        });
        let twin = world.start(Spec::new(lan()).id(world.id(late)));
        world.join(twin, &hosts[..1]);
        world.run_for(millis(100));
        world.clear_hook();
        world.run_until(secs(30), World::converged).expect("one holder remains, the same everywhere");
        assert_eq!((world.presence(twin), world.presence(late)), (Presence::Up, Presence::Gone));
        world.run_for(secs(120));
        assert!(world.converged(), "and it stays so");
    });
}

#[test]
fn a_name_whose_holder_is_dead_is_free() {
    let (mut world, hosts) = cluster(1, 5, &lan());
    let name = world.id(hosts[2]);
    let rest = others(&hosts, hosts[2]);
    world.crash(hosts[2]);
    world
        .run_until(secs(90), |world| world.all_believe(&rest, &hosts[2..3], Status::Dead))
        .expect("the crash is detected");
    let heir = world.start(Spec::new(lan()).id(name));
    world.join(heir, &hosts[..1]);
    world.run_until(secs(10), World::converged).expect("the heir is the member now");
}

#[test]
fn loss_costs_a_living_member_its_name_to_no_newcomer() {
    each_seed(20, |seed| {
        for loss in [10, 25] {
            let (mut world, hosts) = cluster(seed, 5, &lan());
            world.network().set_default_link(Link::lan().loss(loss * PER_CENT));
            let rival = world.start(Spec::new(lan()).id(world.id(hosts[2])));
            world.join(rival, &hosts[..1]);
            world.run_for(secs(60));
            let still = [hosts[2], rival].map(|host| world.presence(host));
            assert_eq!(still, [Presence::Up, Presence::Gone], "at {loss} %");
        }
    });
}
