//! Gossip that nobody ever said, made byte by byte from docs/wire.md: what a liar inside the network could send.

use swim_core::Node;
use swim_sim::{HostId, World};

/// What the lie is about: (id, epoch, incarnation).
pub(crate) type About = (u64, u64, u32);

fn record(status: u8, about: About, rest: &[u8]) -> Vec<u8> {
    let mut record = vec![status, 0];
    record.extend(about.0.to_le_bytes());
    record.extend(about.1.to_le_bytes());
    record.extend(about.2.to_le_bytes());
    record.extend(rest);
    record
}

/// "It is suspect": `by` says so.
pub(crate) fn suspect(about: About, by: u64) -> Vec<u8> {
    let mut rest = vec![1];
    rest.extend(by.to_le_bytes());
    record(1, about, &rest)
}

/// "It is dead": the verdict is `by`'s.
pub(crate) fn dead(about: About, by: u64) -> Vec<u8> {
    record(2, about, &[by.to_le_bytes(), by.to_le_bytes()].concat())
}

/// "It has said goodbye."
pub(crate) fn left(about: About) -> Vec<u8> {
    record(3, about, &about.0.to_le_bytes())
}

/// What `host` holds of itself.
pub(crate) fn about(world: &World, host: HostId) -> About {
    let node = world.node(host).expect("it runs");
    let (me, incarnation) = (node.me(), node.incarnation());
    (me.id.0, me.epoch.0, incarnation.0)
}

/// `speaker`, or somebody who can forge its address, gossips `update` to `target`.
pub(crate) fn gossip(world: &mut World, speaker: HostId, target: HostId, update: &[u8]) {
    let bytes = datagram(world.node(speaker).expect("it runs"), update);
    let (source, target) = (world.addr(speaker), world.addr(target));
    world.inject(source, target, &bytes);
}

fn datagram(speaker: &Node, update: &[u8]) -> Vec<u8> {
    const GOSSIP: u8 = 12;
    const UPDATES: u8 = 2;
    let len = |bytes: &[u8]| u16::try_from(bytes.len()).expect("short").to_le_bytes();
    let mut bytes = vec![b'S', b'W', 1, 0, GOSSIP, 0, 0, 0];
    bytes.extend(speaker.config().label_hash().to_le_bytes());
    bytes.extend(speaker.me().id.0.to_le_bytes());
    bytes.extend(speaker.me().epoch.0.to_le_bytes());
    bytes.extend(speaker.incarnation().0.to_le_bytes());
    let records = [&len(update)[..], update].concat();
    // A head without fields, because every kind up to 12 may have one.
    bytes.extend([UPDATES]);
    bytes.extend(len(&records));
    bytes.extend(records);
    bytes
}
