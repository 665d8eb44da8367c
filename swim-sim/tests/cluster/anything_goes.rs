//! Whatever is done to a cluster, in whatever order: no panic, and afterwards it converges.

use std::net::SocketAddr;

use proptest::prelude::*;
use swim_core::{Command, Epoch, Incarnation, KnownPeer, NodeId};
use swim_sim::{Action, HostId, Inbox, Link, PER_CENT, Presence, World};

use crate::common::{lan, millis, secs};

const HOSTS: u32 = 5;

#[derive(Clone, Debug)]
enum Step {
    Run(u64),
    Do(Action),
    Restart(HostId, i64),
    CancelJoin(HostId),
    Restore(HostId, u64),
    Garbage(HostId, HostId, Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let host = || (0..HOSTS).prop_map(HostId);
    let text = |max: usize| proptest::collection::vec(proptest::char::range('a', 'z'), 0..max);
    let actions = prop_oneof![
        2 => host().prop_map(Action::Crash),
        1 => host().prop_map(|host| Action::Pause { host, inbox: Inbox::Kept }),
        2 => host().prop_map(Action::Resume),
        4 => (host(), host()).prop_map(|(host, seed)| Action::Join { host, seeds: vec![seed.birthplace()] }),
        1 => host().prop_map(Action::Leave),
        1 => (host(), any::<u8>())
            .prop_map(|(host, last)| Action::Move { host, addr: SocketAddr::from(([10, 99, 0, last], 1)) }),
        1 => (0..HOSTS).prop_map(|at| Action::Partition(vec![(0..at).map(HostId).collect()])),
        2 => Just(Action::Heal),
        1 => (0..60_u32).prop_map(|loss| Action::SetDefaultLink(Link::lan().loss(loss * PER_CENT))),
        1 => (host(), text(512)).prop_map(|(host, text)| Action::SetMetadata { host, text: String::from_iter(text) }),
        1 => (host(), text(1024)).prop_map(|(host, text)| Action::Broadcast { host, text: String::from_iter(text) }),
        1 => (host(), host()).prop_map(|(host, target)| Action::Send { host, target, text: String::new() }),
        1 => (host(), host()).prop_map(|(host, target)| Action::Remove { host, target }),
    ];
    prop_oneof![
        10 => (1..5000_u64).prop_map(Step::Run),
        19 => actions.prop_map(Step::Do),
        // Two clusters whose clocks differ by more than a day do not merge: ±11 h.
        3 => (host(), -40_000_000..40_000_000_i64).prop_map(|(host, ms)| Step::Restart(host, ms)),
        1 => host().prop_map(Step::CancelJoin),
        1 => (host(), any::<u64>()).prop_map(|(host, epoch)| Step::Restore(host, epoch)),
        2 => (host(), host(), proptest::collection::vec(any::<u8>(), 0..200))
            .prop_map(|(source, target, bytes)| Step::Garbage(source, target, bytes)),
    ]
}

/// What is not applicable just then changes nothing, which is as good.
fn perform(world: &mut World, step: &Step) {
    match step {
        Step::Run(time) => world.run_for(millis(*time)),
        Step::Do(action) => drop(world.perform(action)),
        Step::Restart(host, wall_clock) => {
            world.set_wall_clock_ms(*host, *wall_clock);
            world.restart(*host);
        }
        Step::CancelJoin(host) => drop(world.command(*host, Command::CancelJoin)),
        Step::Restore(host, epoch) => {
            let peer = |id: u32| KnownPeer {
                id: NodeId(id.into()),
                addr: HostId(id % HOSTS).birthplace(),
                epoch: Epoch(*epoch),
                incarnation: Incarnation(u32::MAX),
            };
            let peers: Vec<KnownPeer> = (0..8).map(peer).collect();
            world.command(*host, Command::Restore { known_peers: &peers });
        }
        Step::Garbage(source, target, bytes) => world.inject(source.birthplace(), target.birthplace(), bytes),
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
                world.set_wall_clock_ms(*host, 0);
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
