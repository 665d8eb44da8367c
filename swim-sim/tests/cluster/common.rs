//! What the tests of cluster behaviour share.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use swim_core::{Config, Options, Status};
use swim_craft::{self as craft, Datagram, Mention};
use swim_sim::{Handling, HostId, World};

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn lan() -> Arc<Config> {
    Arc::new(Config::lan())
}

/// The LAN preset with some options changed.
pub(crate) fn lan_with(change: impl FnOnce(&mut Options)) -> Arc<Config> {
    let mut options = Options::lan();
    change(&mut options);
    Arc::new(Config::new(options).expect("options of a test are in range"))
}

/// Runs a test with several seeds. The seed of a failing run is the last one printed; `SWIM_SEED=N` runs
/// that one alone, `SWIM_SEEDS=N` as many instead.
pub(crate) fn each_seed(count: u64, test: impl Fn(u64)) {
    let number = |name| std::env::var(name).ok().and_then(|value: String| value.parse::<u64>().ok());
    if let Some(seed) = number("SWIM_SEED") {
        return test(seed);
    }
    for seed in 1..=number("SWIM_SEEDS").unwrap_or(count) {
        eprintln!("seed {seed}; alone: SWIM_SEED={seed} cargo test -p swim-sim");
        test(seed);
    }
}

/// A converged cluster.
pub(crate) fn cluster(seed: u64, n: usize, config: &Arc<Config>) -> (World, Vec<HostId>) {
    World::joined(seed, n, config).expect("members of a quiet network converge")
}

/// Runs a test with converged clusters of `n` members with the LAN preset, from several seeds.
pub(crate) fn each_cluster(count: u64, n: usize, test: impl Fn(World, Vec<HostId>)) {
    each_seed(count, |seed| {
        let (world, hosts) = cluster(seed, n, &lan());
        test(world, hosts);
    });
}

/// All of `hosts` but `without`.
pub(crate) fn others(hosts: &[HostId], without: HostId) -> Vec<HostId> {
    hosts.iter().copied().filter(|host| *host != without).collect()
}

/// Longest time until every survivor of `n` members calls a crashed one Dead, in a cluster that is healthy otherwise.
pub(crate) fn detection_bound(n: usize, config: &Config) -> Duration {
    config.detection_bound(u32::try_from(n).expect("a small cluster"))
}

/// Fails if a member that ran and was reachable was ever declared dead.
#[track_caller]
pub(crate) fn assert_no_false_death(world: &World) {
    let deaths: Vec<_> = world.false_deaths().collect();
    assert!(deaths.is_empty(), "seed {}: {deaths:#?}", world.seed());
}

/// What `host` holds of every member, to compare before and after: (name, epoch, incarnation, status).
pub(crate) fn claims(world: &World, host: HostId) -> Vec<(u64, u64, u32, Status)> {
    let node = world.node(host).expect("the host runs");
    let mut claims: Vec<_> =
        node.members().map(|row| (row.id.0, row.epoch.0, row.incarnation.0, row.status)).collect();
    claims.sort_unstable();
    claims
}

/// The [`claims`] of each of `hosts`.
pub(crate) fn views(world: &World, hosts: &[HostId]) -> Vec<Vec<(u64, u64, u32, Status)>> {
    hosts.iter().map(|host| claims(world, *host)).collect()
}

/// A datagram that was seen on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) source: std::net::SocketAddr,
    pub(crate) target: std::net::SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

impl Seen {
    /// The kind of message, by its number on the wire.
    pub(crate) fn kind(&self) -> u8 {
        craft::kind(&self.bytes)
    }
}

/// Copies every datagram from now on.
pub(crate) fn record_wire(world: &mut World) -> Arc<Mutex<Vec<Seen>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    world.set_hook(move |datagram| {
        let copy = Seen { source: datagram.source, target: datagram.target, bytes: datagram.bytes.to_vec() };
        sink.lock().expect("one thread").push(copy);
        Handling::Pass
    });
    seen
}

/// How `host` names itself in a header.
pub(crate) fn mention(world: &World, host: HostId) -> Mention {
    let node = world.node(host).expect("it runs");
    let (me, incarnation) = (node.me(), node.incarnation());
    Mention { id: me.id.0, epoch: me.epoch.0, incarnation: incarnation.0 }
}

/// A gossip datagram reaches `target` from the address of `speaker` and names `sender` in its header.
pub(crate) fn forge(
    world: &mut World,
    speaker: HostId,
    sender: Mention,
    target: HostId,
    updates: &[Vec<u8>],
) {
    let label = world.node(speaker).expect("it runs").config().label_hash();
    let mut gossip = Datagram::new(label, sender, craft::GOSSIP);
    if !updates.is_empty() {
        gossip = gossip.updates(updates);
    }
    let (source, target) = (world.addr(speaker), world.addr(target));
    world.inject(source, target, &gossip.0);
}

/// `speaker`, or a sender that can forge its address, gossips `update` to `target`.
pub(crate) fn lie(world: &mut World, speaker: HostId, target: HostId, update: Vec<u8>) {
    let sender = mention(world, speaker);
    forge(world, speaker, sender, target, &[update]);
}
