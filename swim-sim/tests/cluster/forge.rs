//! Gossip that nobody ever said: what a liar inside the network could send.

use swim_sim::hostile::{Claim, Voice};
use swim_sim::{HostId, World};

/// What the lie is about: (id, epoch, incarnation).
pub(crate) type About = (u64, u64, u32);

const fn claim((id, epoch, incarnation): About) -> Claim {
    Claim { id, epoch, incarnation }
}

/// "It lives, there."
pub(crate) fn alive(about: About, addr: &str) -> Vec<u8> {
    claim(about).alive(addr.parse().expect("an address"))
}

/// "It is suspect": `by` says so.
pub(crate) fn suspect(about: About, by: u64) -> Vec<u8> {
    claim(about).suspect(by)
}

/// "It is dead": the verdict is `by`'s.
pub(crate) fn dead(about: About, by: u64) -> Vec<u8> {
    claim(about).dead(by)
}

/// "It has said goodbye."
pub(crate) fn left(about: About) -> Vec<u8> {
    claim(about).left(about.0)
}

/// What `host` holds of itself.
pub(crate) fn about(world: &World, host: HostId) -> About {
    let node = world.node(host).expect("it runs");
    let (me, incarnation) = (node.me(), node.incarnation());
    (me.id.0, me.epoch.0, incarnation.0)
}

/// `speaker`, or somebody who can forge its address, gossips `update` to `target`.
pub(crate) fn gossip(world: &mut World, speaker: HostId, target: HostId, update: &[u8]) {
    let (id, epoch, incarnation) = about(world, speaker);
    let label = world.node(speaker).expect("it runs").config().label_hash();
    let bytes = Voice { label, id, epoch, incarnation }.gossip(&[update]);
    let (source, target) = (world.addr(speaker), world.addr(target));
    world.inject(source, target, &bytes);
}
