//! One wrong word about a living member, a lie or a flipped bit, is put right by the member itself.

use swim_core::{Command, Event, Status};
use swim_craft as craft;
use swim_sim::{Action, HostId, Inbox, World};

use crate::common::{
    assert_nobody_falsely_buried, cluster, each_seed, forge, lan, lie, mention, millis, others, secs,
};

/// `speaker` says nothing, with these numbers in its header instead of its own.
fn garbled(world: &mut World, speaker: HostId, target: HostId, epoch_ahead: u64, incarnation_ahead: u32) {
    let me = mention(world, speaker);
    let garbled = me.epoch(me.epoch + epoch_ahead).incarnation(me.incarnation + incarnation_ahead);
    forge(world, speaker, garbled, target, &[]);
}

/// `host` hears nobody.
fn deafen(world: &mut World, hosts: &[HostId], host: HostId) {
    for other in others(hosts, host) {
        world.network().cut(other, host);
    }
}

#[test]
fn a_member_held_where_it_never_was_proves_where_it_is() {
    each_seed(3, |seed| {
        for (addr, incarnation_ahead) in
            [("10.0.0.200:7946", 0), ("10.0.0.3:7946", 0), ("10.0.0.1:7", 1), ("10.0.0.200:7946", 1 << 20)]
        {
            let (mut world, hosts) = cluster(seed, 5, &lan());
            let about = mention(&world, hosts[1]);
            let about = about.incarnation(about.incarnation + incarnation_ahead);
            let alive = craft::alive(about, addr.parse().expect("an address"), b"");
            lie(&mut world, hosts[2], hosts[0], alive);
            world.run_for(secs(20));
            assert!(world.converged(), "{addr} {incarnation_ahead}");
            assert_nobody_falsely_buried(&world);
            world.run_for(secs(60));
            assert!(world.converged(), "and it stays so");
        }
    });
}

/// Relays find it where they hold it, so its probes never fail, and it is never accused.
#[test]
fn a_member_that_one_other_holds_at_its_old_address_is_held_at_the_new_one_soon() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 5, &lan());
        deafen(&mut world, &hosts, hosts[0]);
        garbled(&mut world, hosts[1], hosts[0], 0, 64);
        world.run_for(millis(10));
        world.move_to(hosts[1], "10.0.0.200:7946".parse().expect("an address"));
        world.run_for(secs(2));
        world.heal();
        world.run_until(secs(60), World::converged).expect("it is held where it is");
    });
}

/// Each takes the other for an earlier life than the one that it holds, and answers nothing that is heard.
#[test]
fn two_members_that_hold_each_other_in_later_lives_come_to_agree() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 5, &lan());
        garbled(&mut world, hosts[0], hosts[1], 8, 0);
        garbled(&mut world, hosts[1], hosts[0], 1 << 20, 0);
        world.run_for(millis(10));
        assert!(!world.converged(), "both are believed");
        world.run_until(secs(60), World::converged).expect("each learns in which life it is held");
        assert_nobody_falsely_buried(&world);
    });
}

/// Its probes of the dead member are answered by nobody, no relay holds it any longer, and that it was removed is
/// believed only of a suspect.
#[test]
fn who_alone_holds_a_member_that_was_removed_finds_out_that_it_is_gone() {
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 6, &lan());
        let (lonely, gone) = (hosts[0], hosts[5]);
        let rest = others(&hosts[1..], gone);
        world.perform(&Action::Pause { host: lonely, inbox: Inbox::Dropped });
        world.crash(gone);
        world
            .run_until(secs(90), |world| world.all_believe(&rest, &[gone], Status::Dead))
            .expect("the crash is detected");
        let target = world.id(gone);
        world.command(rest[0], Command::Remove { target });
        world.run_until(secs(10), |world| world.all_believe(&rest, &[gone], Status::Left)).expect("removed");
        world.resume(lonely);
        world
            .run_until(secs(90), |world| world.all_believe(&[lonely], &[gone], Status::Left))
            .expect("it accuses the one that is gone");
        let deaf = |event: &Event| matches!(event, Event::Deaf { deaf: true });
        assert_eq!(world.count_events(lonely, deaf), 0, "it is not the one to blame");
    });
}

/// A node whose calendar is days ahead keeps its own clock: what lies between that and the cluster's, a flipped bit in
/// a header or a lie, it alone would believe. So would the member itself, were its calendar ahead as well.
#[test]
fn a_life_that_lies_between_two_clocks_is_believed_by_nobody_however_far_ahead_their_calendars_are() {
    const HOUR_MS: u64 = 3_600_000;
    each_seed(3, |seed| {
        let (mut world, hosts) = cluster(seed, 5, &lan());
        let (fast, faster) = (hosts[3], hosts[4]);
        for (host, hours) in [(fast, 300), (faster, 720)] {
            world.set_calendar_ms(host, hours * HOUR_MS as i64);
            world.crash(host);
            world.run_for(secs(5));
            world.restart(host);
            world.join(host, &hosts[..2]);
            world.run_until(secs(20), World::converged).expect("it defers to the cluster's clock");
        }
        for hours in [30, 200, 500, 690] {
            let about = mention(&world, fast);
            let suspect = craft::suspect(about.epoch(about.epoch + hours * HOUR_MS), &[1]);
            lie(&mut world, hosts[0], faster, suspect);
            garbled(&mut world, hosts[1], faster, hours * HOUR_MS, 0);
            garbled(&mut world, hosts[1], fast, hours * HOUR_MS, 0);
            world.run_for(secs(30));
            assert!(world.converged(), "{hours}");
        }
        let raised = |event: &Event| matches!(event, Event::EpochRaised { .. });
        assert_eq!(world.count_events(hosts[1], raised), 0);
        assert_nobody_falsely_buried(&world);
    });
}
