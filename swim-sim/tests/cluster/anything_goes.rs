//! Whatever is done to a cluster, in whatever order: no panic, and afterwards it converges.

use std::net::SocketAddr;

use crate::common::{lan, millis, secs};
use proptest::prelude::*;
use swim_core::{Command, Epoch, Hint, Incarnation, NodeId};
use swim_sim::{HostId, Link, PER_CENT, Presence, World};

const HOSTS: u32 = 5;

#[derive(Clone, Debug)]
enum Step {
    Run(u64),
    Crash(u32),
    Restart(u32, i64),
    Pause(u32),
    Resume(u32),
    Join(u32, u32),
    Leave(u32),
    Move(u32, u8),
    Split(u32),
    Heal,
    Loss(u32),
    Metadata(u32, Vec<u8>),
    Broadcast(u32, Vec<u8>),
    Send(u32, u64),
    Remove(u32, u64),
    CancelJoin(u32),
    Restore(u32, u64),
    Garbage(u32, u32, Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let host = || 0..HOSTS;
    let bytes = |max: usize| proptest::collection::vec(any::<u8>(), 0..max);
    prop_oneof![
        10 => (1..5000_u64).prop_map(Step::Run),
        2 => host().prop_map(Step::Crash),
        // Two clusters whose clocks differ by more than a day do not merge: ±11 h.
        3 => (host(), -40_000_000..40_000_000_i64).prop_map(|(h, ms)| Step::Restart(h, ms)),
        1 => host().prop_map(Step::Pause),
        2 => host().prop_map(Step::Resume),
        4 => (host(), host()).prop_map(|(h, s)| Step::Join(h, s)),
        1 => host().prop_map(Step::Leave),
        1 => (host(), any::<u8>()).prop_map(|(h, a)| Step::Move(h, a)),
        1 => host().prop_map(Step::Split),
        2 => Just(Step::Heal),
        1 => (0..60_u32).prop_map(Step::Loss),
        1 => (host(), bytes(512)).prop_map(|(h, b)| Step::Metadata(h, b)),
        1 => (host(), bytes(1024)).prop_map(|(h, b)| Step::Broadcast(h, b)),
        1 => (host(), 0..8_u64).prop_map(|(h, t)| Step::Send(h, t)),
        1 => (host(), 0..8_u64).prop_map(|(h, t)| Step::Remove(h, t)),
        1 => host().prop_map(Step::CancelJoin),
        1 => (host(), any::<u64>()).prop_map(|(h, e)| Step::Restore(h, e)),
        2 => (host(), host(), bytes(200)).prop_map(|(s, t, b)| Step::Garbage(s, t, b)),
    ]
}

/// `false`: the step was not applicable just then, which is as good.
fn perform(world: &mut World, step: &Step) -> bool {
    let home = |host: u32| World::birthplace(HostId(host));
    match step {
        Step::Run(time) => {
            world.run_for(millis(*time));
            true
        }
        Step::Crash(host) => world.crash(HostId(*host)),
        Step::Restart(host, calendar) => {
            world.set_calendar_ms(HostId(*host), *calendar);
            world.restart(HostId(*host))
        }
        Step::Pause(host) => world.pause(HostId(*host)),
        Step::Resume(host) => world.resume(HostId(*host)),
        Step::Join(host, seed) => world.join_at(HostId(*host), &[home(*seed)]),
        Step::Leave(host) => world.leave(HostId(*host)),
        Step::Move(host, last) => world.move_to(HostId(*host), SocketAddr::from(([10, 99, 0, *last], 1))),
        Step::Split(at) => {
            let hosts: Vec<HostId> = world.hosts().collect();
            world.partition(&[&hosts[..*at as usize]]);
            true
        }
        Step::Heal => {
            world.heal();
            true
        }
        Step::Loss(per_cent) => {
            world.network().set_default_link(Link::lan().loss(per_cent * PER_CENT));
            true
        }
        Step::Metadata(host, bytes) => world.set_metadata(HostId(*host), bytes),
        Step::Broadcast(host, bytes) => world.broadcast(HostId(*host), bytes),
        Step::Send(host, target) => {
            let payload = swim_core::Payload::default();
            world.command(HostId(*host), Command::Send { target: NodeId(*target), payload }).is_some()
        }
        Step::Remove(host, target) => {
            world.command(HostId(*host), Command::Remove { target: NodeId(*target) }).is_some()
        }
        Step::CancelJoin(host) => world.command(HostId(*host), Command::CancelJoin).is_some(),
        Step::Restore(host, epoch) => {
            let hint = |id| Hint {
                id: NodeId(id),
                addr: home(u32::try_from(id).expect("small") % HOSTS),
                epoch: Epoch(*epoch),
                incarnation: Incarnation(u32::MAX),
            };
            let hints: Vec<Hint> = (0..8).map(hint).collect();
            world.command(HostId(*host), Command::Restore { hints: &hints }).is_some()
        }
        Step::Garbage(source, target, bytes) => {
            world.inject(home(*source), home(*target), bytes);
            true
        }
    }
}

/// How many random orders are tried: `SWIM_CASES`, or 64.
fn cases() -> u32 {
    std::env::var("SWIM_CASES").ok().and_then(|value| value.parse().ok()).unwrap_or(64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn any_order_of_calls_ends_in_a_cluster_that_converges(
        seed in any::<u64>(),
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut world = World::new(seed);
        let transcript = std::env::var_os("SWIM_TRANSCRIPT");
        world.set_transcript(transcript.is_some());
        let hosts = world.start_many(HOSTS as usize, &lan());
        for host in &hosts[1..] {
            world.join(*host, &hosts[..1]);
        }
        for step in &steps {
            perform(&mut world, step);
        }
        world.heal();
        world.network().set_default_link(Link::lan());
        for host in &hosts {
            world.resume(*host);
            if world.presence(*host) != Presence::Up {
                world.set_calendar_ms(*host, 0);
                world.crash(*host);
                world.restart(*host);
            }
        }
        for host in hosts.iter().filter(|host| world.presence(**host) == Presence::Up).copied().collect::<Vec<_>>() {
            world.join(host, &hosts);
        }
        let converged = world.run_until(secs(120), World::converged);
        if let Some(path) = transcript.filter(|_| converged.is_err()) {
            std::fs::write(path, world.transcript()).expect("SWIM_TRANSCRIPT names a file that can be written");
        }
        prop_assert!(converged.is_ok(), "{}", converged.expect_err("checked"));
    }
}
