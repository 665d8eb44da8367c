//! A seed is a run: the same one every time.

use crate::common::{lan, millis, others, secs};
use swim_sim::{Action, Inbox, Latency, Link, PER_CENT, Setup, World};

/// Everything at once, for a minute.
fn eventful(seed: u64) -> World {
    let latency = Latency::Exponential { min: millis(1), mean_extra: millis(20) };
    let link = Link::lan().latency(latency).loss(10 * PER_CENT).duplication(5 * PER_CENT);
    let mut world = World::with(Setup::new(seed).link(link));
    let hosts = world.start_many(12, &lan());
    for host in others(&hosts, hosts[0]) {
        world.join(host, &hosts[..1]);
    }
    world.schedule(secs(5), Action::Crash(hosts[3]));
    world.schedule(secs(8), Action::Pause { host: hosts[4], inbox: Inbox::Kept });
    world.schedule(secs(14), Action::Resume(hosts[4]));
    world.schedule(secs(20), Action::Partition(vec![hosts[..6].to_vec()]));
    world.schedule(secs(25), Action::Restart(hosts[3]));
    world.schedule(secs(26), Action::Join { host: hosts[3], seeds: vec![world.addr(hosts[0])] });
    world.schedule(secs(40), Action::Heal);
    world.schedule(secs(45), Action::Leave(hosts[7]));
    world.run_for(secs(60));
    world
}

#[test]
fn the_same_seed_gives_the_same_fingerprint() {
    for seed in [1, 2, 3] {
        let (first, second) = (eventful(seed), eventful(seed));
        assert!(first.traffic().sent.datagrams > 1000, "something happened");
        assert_eq!(first.fingerprint(), second.fingerprint(), "seed {seed}");
        assert_eq!(first.traffic(), second.traffic());
    }
}

#[test]
fn another_seed_gives_another_fingerprint() {
    assert_ne!(eventful(1).fingerprint(), eventful(2).fingerprint());
}

#[test]
fn looking_changes_nothing() {
    let mut watched = World::new(9);
    let mut unwatched = World::new(9);
    for world in [&mut watched, &mut unwatched] {
        let hosts = world.start_many(5, &lan());
        for host in &hosts[1..] {
            world.join(*host, &hosts[..1]);
        }
    }
    watched.set_transcript(true);
    for _ in 0..1000 {
        watched.run_for(millis(10));
        let _ = watched.converged();
    }
    unwatched.run_for(secs(10));
    assert!(!watched.transcript().is_empty());
    assert_eq!(watched.fingerprint(), unwatched.fingerprint());
}
