//! Senders that are no nodes, and do harm.
//!
//! Each action has a stream of randomness of its own, named by when and where it happens, so that taking one
//! out of a scenario leaves the others as they were.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use swim_craft::{self as craft, Datagram, Mention};

use super::World;
use crate::action::{Action, Origin, Says};
use crate::host::HostId;
use crate::hostile::{garbage, mutate};
use crate::random::{Random, purpose};

/// Where in a ping its number is.
const PING_NUMBER: std::ops::Range<usize> = craft::HEADER_LEN + 8..craft::HEADER_LEN + 16;

/// The sender that a datagram names, and the cluster of that sender.
#[derive(Clone, Copy)]
struct Sender {
    label: u32,
    mention: Mention,
}

impl Sender {
    fn craft(self, kind: u8) -> Datagram {
        Datagram::new(self.label, self.mention, kind)
    }
}

impl World {
    /// Sends what no node would. `false`: there is nothing to send, or the action is about
    /// something else.
    pub(super) fn harass(&mut self, action: &Action) -> bool {
        let mut random = self.hostile_random(action);
        match action {
            Action::Garbage { host, count, len_max, from, over } => {
                for _ in 0..*count {
                    let stranger = self.stranger(*host, &mut random);
                    let bytes = garbage(|kind| stranger.craft(kind).0, *len_max, &mut random);
                    let source = self.origin(*from, None, &mut random);
                    self.throw(source, *host, &Datagram(bytes), *over, &mut random);
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
            let index = usize::try_from(random.below(heard.len() as u64)).expect("a index on the tape");
            let Some((source, bytes)) = heard.get(index) else { return false };
            let source = self.origin(from, Some(*source), random);
            let mut bytes = bytes.clone();
            change(&mut bytes, random);
            self.throw(source, host, &Datagram(bytes), over, random);
        }
        true
    }

    fn forge(&mut self, action: &Action, random: &mut Random) -> bool {
        let Action::Forge { host, speaker, victim, says, epoch_ahead, incarnation_ahead, addr } = action
        else {
            return false;
        };
        let (sender, source) = match speaker {
            Some(speaker) => (self.sender(*speaker), self.addr(*speaker)),
            None => (self.stranger(*host, random), stranger_addr(random)),
        };
        let truth = self.sender(*victim).mention;
        let about = truth
            .epoch(truth.epoch.saturating_add_signed(*epoch_ahead))
            .incarnation(truth.incarnation.saturating_add_signed(*incarnation_ahead));
        let by = sender.mention.id;
        let update = match says {
            Says::Alive => craft::alive(about, addr.unwrap_or_else(|| self.addr(*victim)), b""),
            Says::Suspect => craft::suspect(about, &[by]),
            Says::Dead => craft::dead(about, by, by),
            Says::Left => craft::left(about, about.id),
        };
        let gossip = sender.craft(craft::GOSSIP).updates(&[update]);
        self.throw(source, *host, &gossip, Duration::ZERO, random);
        true
    }

    /// Acks in the name of `subject`: numbers near those that `host` was heard to use, and any.
    fn spoof_acks(&mut self, host: HostId, subject: HostId, count: u32, over: Duration, random: &mut Random) {
        let (sender, source, home) = (self.sender(subject), self.addr(subject), self.addr(host));
        let tape = self.fabric.tape.kept().iter();
        let used: Vec<u64> = tape
            .filter(|heard| heard.source == home && heard.bytes.get(4) == Some(&1))
            .filter_map(|heard| heard.bytes.get(PING_NUMBER)?.try_into().ok())
            .map(u64::from_le_bytes)
            .collect();
        for _ in 0..count {
            let index = usize::try_from(random.below(used.len() as u64)).expect("a index on the tape");
            let (any, step, near) = (random.bits(), random.below(16), random.below(2) == 0);
            let number = used.get(index).filter(|_| near).map_or(any, |used| used.wrapping_add(step));
            let ack = sender.craft(craft::ACK).head(&craft::ack(number, None, None, false));
            self.throw(source, host, &ack, over, random);
        }
    }

    /// Questions to `host` whose answers would go to `victim`.
    fn reflect(&mut self, host: HostId, victim: SocketAddr, count: u32, over: Duration, random: &mut Random) {
        for _ in 0..count {
            let about = self.sender(self.any_host(random)).mention.id;
            let asked = self.sender(host).mention;
            let stranger = self.stranger(host, random);
            let sender = if random.below(2) == 0 { stranger } else { self.sender(self.any_host(random)) };
            let number = random.bits();
            let (kind, head) = match random.below(4) {
                0 => (craft::PING_REQ, craft::ping_req(about, number, 500_000)),
                1 => (craft::PING, craft::ping(asked, None, number, 0)),
                2 => (craft::SYNC_PULL, craft::sync_pull(number, 0, 0, [0; 16])),
                _ => (craft::JOIN, craft::two(number, 0)),
            };
            self.throw(victim, host, &sender.craft(kind).head(&head), over, random);
        }
    }

    /// Many who do not exist ask to join, or announce themselves with a token that they made up.
    fn flood(&mut self, host: HostId, count: u32, over: Duration, random: &mut Random) {
        for _ in 0..count {
            let (sender, source) = (self.stranger(host, random), stranger_addr(random));
            let (nonce, token) = (random.bits(), random.bits());
            let datagram = match random.below(4) {
                0 => sender.craft(craft::ANNOUNCE).head(&craft::two(token, nonce)).updates(&[craft::alive(
                    sender.mention,
                    source,
                    b"",
                )]),
                1 => sender.craft(craft::JOIN).head(&craft::two(nonce, token)),
                _ => sender.craft(craft::JOIN).head(&craft::two(nonce, 0)),
            };
            self.throw(source, host, &datagram, over, random);
        }
    }

    /// `host`, as a datagram forged in its name calls it.
    fn sender(&self, host: HostId) -> Sender {
        let fact = self.ground_truth.fact(host);
        let incarnation = self.node(host).map_or(0, |node| node.incarnation().0);
        let label = self.hosts[host.index()].config.label_hash();
        Sender { label, mention: Mention { id: fact.id.0, epoch: fact.epoch.0, incarnation } }
    }

    /// A sender that no member knows, which knows the label of the cluster of `host`.
    fn stranger(&self, host: HostId, random: &mut Random) -> Sender {
        let Sender { label, mention } = self.sender(host);
        Sender { label, mention: Mention { id: random.bits(), incarnation: 0, ..mention } }
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
        let index = random.below(self.hosts.len() as u64);
        HostId(u32::try_from(index).expect("there are fewer hosts than 2^32"))
    }

    /// A datagram to `to`, some time within `over`.
    fn throw(
        &mut self,
        from: SocketAddr,
        to: HostId,
        datagram: &Datagram,
        over: Duration,
        random: &mut Random,
    ) {
        let most = u64::try_from(over.as_nanos()).unwrap_or(u64::MAX).saturating_add(1);
        let delay = Duration::from_nanos(random.below(most));
        self.inject_after(delay, from, self.addr(to), &datagram.0);
    }

    fn hostile_random(&self, action: &Action) -> Random {
        let host = action.hosts().first().map_or(0, |host| u64::from(host.0));
        let class = action.fault_class().map_or(0, |class| class as u64);
        let index = self.fabric.now.as_nanos().rotate_left(24) ^ host ^ class << 32;
        Random::new(self.setup.seed, purpose::HOSTILE, index)
    }
}

/// An address of no host: 198.18.0.0/15 is for measurements.
fn stranger_addr(random: &mut Random) -> SocketAddr {
    let [a, b, c, d, ..] = random.bits().to_le_bytes();
    let port = u16::from_le_bytes([c, d]) | 1024;
    SocketAddr::from((Ipv4Addr::new(198, 18, a, b), port))
}
