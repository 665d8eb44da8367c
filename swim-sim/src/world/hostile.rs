//! Senders that are no nodes, and wish nobody well.
//!
//! Each action has a stream of randomness of its own, named by when and where it happens, so that taking one
//! out of a scenario leaves the others as they were.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::World;
use crate::action::{Action, Origin};
use crate::host::HostId;
use crate::hostile::{Claim, Says, Voice, garbage, mutate};
use crate::random::{Random, purpose};

/// Where in a ping its number is.
const PING_NUMBER: std::ops::Range<usize> = 56..64;

impl World {
    /// Lets somebody send what no node would. `false`: there is nothing to send, or the action is about
    /// something else.
    pub(super) fn harass(&mut self, action: &Action) -> bool {
        let mut random = self.hostile_random(action);
        match action {
            Action::Garbage { host, count, len_max, from, over } => {
                for _ in 0..*count {
                    let bytes = garbage(&self.stranger(*host, &mut random), *len_max, &mut random);
                    let source = self.origin(*from, None, &mut random);
                    self.throw(source, *host, &bytes, *over, &mut random);
                }
                true
            }
            Action::Mutants { host, count, from, over } => {
                self.again(*host, None, *count, *over, *from, &mut random, mutate)
            }
            Action::Replay { host, count, from, over } => {
                let sent_there = Some(self.addr(*host));
                self.again(*host, sent_there, *count, *over, *from, &mut random, |_, _| {})
            }
            Action::Forge { .. } => self.forge(action, &mut random),
            Action::SpoofAcks { host, subject, count, over } => {
                self.spoof_acks(*host, *subject, *count, *over, &mut random);
                true
            }
            Action::Reflect { host, victim, count, over } => {
                self.reflect(*host, *victim, *count, *over, &mut random);
                true
            }
            Action::Strangers { host, count, over } => {
                self.flood(*host, *count, *over, &mut random);
                true
            }
            _ => false,
        }
    }

    /// What was overheard is sent to `host`, as `change` makes it. `false`: nothing was.
    #[expect(clippy::too_many_arguments, reason = "the fields of two actions that differ in one thing")]
    fn again(
        &mut self,
        host: HostId,
        sent_there: Option<SocketAddr>,
        count: u32,
        over: Duration,
        from: Origin,
        random: &mut Random,
        change: impl Fn(&mut Vec<u8>, &mut Random),
    ) -> bool {
        let tape = self.fabric.tape.kept().iter();
        let heard: Vec<(SocketAddr, Vec<u8>)> = tape
            .filter(|heard| sent_there.is_none_or(|addr| heard.target == addr))
            .map(|heard| (heard.source, heard.bytes.clone()))
            .collect();
        for _ in 0..count {
            let place = usize::try_from(random.below(heard.len() as u64)).expect("a place on the tape");
            let Some((source, bytes)) = heard.get(place) else { return false };
            let source = self.origin(from, Some(*source), random);
            let mut bytes = bytes.clone();
            change(&mut bytes, random);
            self.throw(source, host, &bytes, over, random);
        }
        true
    }

    fn forge(&mut self, action: &Action, random: &mut Random) -> bool {
        let Action::Forge { host, speaker, victim, says, epoch_ahead, incarnation_ahead, addr } = action
        else {
            return false;
        };
        let (voice, source) = match speaker {
            Some(speaker) => (self.voice(*speaker), self.addr(*speaker)),
            None => (self.stranger(*host, random), stranger_addr(random)),
        };
        let truth = self.voice(*victim);
        let claim = Claim {
            id: truth.id,
            epoch: truth.epoch.saturating_add_signed(*epoch_ahead),
            incarnation: truth.incarnation.saturating_add_signed(*incarnation_ahead),
        };
        let update = match says {
            Says::Alive => claim.alive(addr.unwrap_or_else(|| self.addr(*victim))),
            Says::Suspect => claim.suspect(voice.id),
            Says::Dead => claim.dead(voice.id),
            Says::Left => claim.left(claim.id),
        };
        self.throw(source, *host, &voice.gossip(&[&update]), Duration::ZERO, random);
        true
    }

    /// Acks in the name of `subject`: numbers near those that `host` was heard to use, and any.
    fn spoof_acks(&mut self, host: HostId, subject: HostId, count: u32, over: Duration, random: &mut Random) {
        let (voice, source, home) = (self.voice(subject), self.addr(subject), self.addr(host));
        let tape = self.fabric.tape.kept().iter();
        let used: Vec<u64> = tape
            .filter(|heard| heard.source == home && heard.bytes.get(4) == Some(&1))
            .filter_map(|heard| heard.bytes.get(PING_NUMBER)?.try_into().ok())
            .map(u64::from_le_bytes)
            .collect();
        for _ in 0..count {
            let place = usize::try_from(random.below(used.len() as u64)).expect("a place on the tape");
            let (any, step, near) = (random.bits(), random.below(16), random.below(2) == 0);
            let number = used.get(place).filter(|_| near).map_or(any, |used| used.wrapping_add(step));
            self.throw(source, host, &voice.ack(number), over, random);
        }
    }

    /// Questions to `host` whose answers would go to `victim`.
    fn reflect(&mut self, host: HostId, victim: SocketAddr, count: u32, over: Duration, random: &mut Random) {
        for _ in 0..count {
            let about = self.voice(self.any_host(random));
            let asked = self.voice(host);
            let asked = Claim { id: asked.id, epoch: asked.epoch, incarnation: asked.incarnation };
            let stranger = self.stranger(host, random);
            let voice = if random.below(2) == 0 { stranger } else { self.voice(self.any_host(random)) };
            let number = random.bits();
            let bytes = match random.below(4) {
                0 => voice.ping_req(about.id, number, 500_000),
                1 => voice.ping(asked, number),
                2 => voice.sync_pull(number),
                _ => voice.join(number, 0),
            };
            self.throw(victim, host, &bytes, over, random);
        }
    }

    /// Many who do not exist ask to join, or announce themselves with a token that they made up.
    fn flood(&mut self, host: HostId, count: u32, over: Duration, random: &mut Random) {
        for _ in 0..count {
            let (voice, source) = (self.stranger(host, random), stranger_addr(random));
            let (nonce, token) = (random.bits(), random.bits());
            let bytes = match random.below(4) {
                0 => {
                    let me = Claim { id: voice.id, epoch: voice.epoch, incarnation: voice.incarnation };
                    voice.announce(token, nonce, &me.alive(source))
                }
                1 => voice.join(nonce, token),
                _ => voice.join(nonce, 0),
            };
            self.throw(source, host, &bytes, over, random);
        }
    }

    /// `host`, as whoever forges its name would call it.
    fn voice(&self, host: HostId) -> Voice {
        let fact = self.ground_truth.fact(host);
        let incarnation = self.node(host).map_or(0, |node| node.incarnation().0);
        let label = self.hosts[host.index()].config.label_hash();
        Voice { label, id: fact.id.0, epoch: fact.epoch.0, incarnation }
    }

    /// Somebody whom nobody knows, who knows the label of the cluster of `host`.
    fn stranger(&self, host: HostId, random: &mut Random) -> Voice {
        let cluster = self.voice(host);
        Voice { id: random.bits(), incarnation: 0, ..cluster }
    }

    fn origin(&self, from: Origin, truth: Option<SocketAddr>, random: &mut Random) -> SocketAddr {
        // All are always drawn, so that where datagrams come from changes nothing in them.
        let (stranger, member) = (stranger_addr(random), self.addr(self.any_host(random)));
        let strange = match from {
            Origin::Stranger => true,
            Origin::Member => false,
            Origin::Any => stranger.port() % 2 == 0,
        };
        if strange { stranger } else { truth.unwrap_or(member) }
    }

    fn any_host(&self, random: &mut Random) -> HostId {
        let place = random.below(self.hosts.len() as u64);
        HostId(u32::try_from(place).expect("there are fewer hosts than 2^32"))
    }

    /// A datagram to `to`, some time within `over`.
    fn throw(&mut self, from: SocketAddr, to: HostId, bytes: &[u8], over: Duration, random: &mut Random) {
        let most = u64::try_from(over.as_nanos()).unwrap_or(u64::MAX).saturating_add(1);
        let delay = Duration::from_nanos(random.below(most));
        self.inject_after(delay, from, self.addr(to), bytes);
    }

    fn hostile_random(&self, action: &Action) -> Random {
        let host = action.hosts().first().map_or(0, |host| u64::from(host.0));
        let class = action.fault_class().map_or(0, |class| class as u64);
        let index = self.fabric.now.as_nanos().rotate_left(24) ^ host ^ class << 32;
        Random::new(self.setup.seed, purpose::HOSTILE, index)
    }
}

/// An address at which nobody lives: 198.18.0.0/15 is for measurements.
fn stranger_addr(random: &mut Random) -> SocketAddr {
    let [a, b, c, d, ..] = random.bits().to_le_bytes();
    let port = u16::from_le_bytes([c, d]) | 1024;
    SocketAddr::from((Ipv4Addr::new(198, 18, a, b), port))
}
