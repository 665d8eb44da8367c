//! Which member each node probed, whether it answered, and which it accused: by the datagrams alone.
//!
//! A probe is up to three pings with the same 48 random bits in their numbers, and ping-reqs with them as
//! well; the lowest three bits are the request kind, 0 for a probe. It is open until the next probe's ping.
//! That ping and the outcome of the probe before it belong to one input, in this order, so the last but one
//! is kept until the next.
//!
//! Accusations are kept once, for all properties that check them
//! ([`Monitor::on_accusation`](crate::properties::Monitor)).

use std::net::SocketAddr;

use swim_core::{Epoch, Event, Instant, Member, MessageKind, NodeId};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;
use crate::properties::evidence::datagram::Reading;

/// One probe.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    /// Who was asked.
    pub(crate) target: NodeId,
    /// Where, and in which epoch as the asker holds it when the input is over; `None`: no ping left, relays were asked
    /// only.
    pub(crate) asked: Option<(SocketAddr, Epoch)>,
    /// When first.
    pub(crate) at: Instant,
    /// The random part of its numbers.
    family: u64,
    label: u32,
    /// The numbers that were sent.
    numbers: Vec<u64>,
    relays: Vec<SocketAddr>,
    /// An answer was handed to the asker that it had to count.
    pub(crate) answered: bool,
    /// The asker has counted an answer.
    pub(crate) counted: bool,
}

/// All probes.
#[derive(Default)]
pub(crate) struct Probes(PerHost<Asker>);

#[derive(Default)]
struct Asker {
    open: Option<Probe>,
    last: Option<Probe>,
    /// The open probe was begun in the present input.
    fresh: bool,
    /// The relay, in its epoch and where it is, whose answer is the present input.
    relayed_by: Option<(NodeId, Epoch, SocketAddr)>,
    /// The present input is a tick: an accusation of its own in a datagram is an earlier one.
    ticks: bool,
    accusations: Vec<Accusation>,
}

impl Probes {
    pub(crate) fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        match what {
            Happening::Began { host, .. } => *self.0.of(*host) = Asker::default(),
            Happening::Ticked { host } => self.0.of(*host).ticks = true,
            Happening::Reported {
                host,
                event: Event::Suspect { id, by, .. } | Event::Confirmed { id, by, .. },
            } if *by == scene.identity(*host).id && self.0.of(*host).ticks => {
                let asker = self.0.of(*host);
                // The outcome comes after the next probe's ping.
                let concluded = if asker.fresh { &asker.last } else { &asker.open };
                let probe = concluded.as_ref().filter(|probe| probe.target == *id).cloned();
                asker.accusations.push(Accusation { subject: *id, probe });
            }
            _ => {}
        }
    }

    /// The accusations of an input that is over.
    pub(crate) fn take_accusations(&mut self, world: &World, host: HostId) -> Vec<Accusation> {
        self.after_input(world, host);
        std::mem::take(&mut self.0.of(host).accusations)
    }

    pub(crate) fn on_datagram(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) {
        match what {
            Happening::Sent { host, target, .. } => self.0.of(*host).asks(scene.now(), *target, said),
            Happening::Arrived { host, source, .. } => {
                let number = said.number.unwrap_or_default();
                let asker = self.0.of(*host);
                asker.relayed_by = None;
                if let Some(probe) = self.answered_by(*host, *source, said)
                    && probe.numbers.contains(&number)
                    && probe.label == said.label
                {
                    // An answer from another epoch does not count.
                    let epoch = probe.asked.map(|(_, epoch)| epoch);
                    probe.answered |= said.kind == MessageKind::Ack && epoch == Some(said.epoch);
                    let relay = said.kind == MessageKind::RelayedAck;
                    let relay = relay.then_some((said.sender, said.epoch, *source));
                    self.0.of(*host).relayed_by = relay;
                }
            }
            _ => {}
        }
    }

    /// An input is over: the answer of a relay counts if that is a member.
    pub(crate) fn after_input(&mut self, world: &World, host: HostId) {
        let asker = self.0.of(host);
        let fresh = std::mem::take(&mut asker.fresh);
        asker.ticks = false;
        if let Some(Probe { asked: Some((_, epoch)), target, .. }) = asker.open.as_mut().filter(|_| fresh)
            && let Some(held) = world.node(host).and_then(|node| node.member(*target))
        {
            *epoch = held.epoch;
        }
        let Some((relay, epoch, source)) = asker.relayed_by.take() else { return };
        let member = world.node(host).and_then(|node| node.member(relay));
        let here = |member: &Member<'_>| (member.epoch, member.addr) == (epoch, source);
        if member.is_some_and(|member| member.status.is_active() && here(&member))
            && let Some(probe) = &mut asker.open
        {
            probe.answered = true;
        }
    }

    /// The open probe of `host` that a datagram from `source` answers, directly or by a relay.
    pub(crate) fn answered_by(
        &mut self,
        host: HostId,
        source: SocketAddr,
        said: &Reading<'_>,
    ) -> Option<&mut Probe> {
        let probe = self.0.of(host).open.as_mut()?;
        let fits = match said.kind {
            MessageKind::Ack => {
                said.sender == probe.target && probe.asked.is_some_and(|(addr, _)| addr == source)
            }
            MessageKind::RelayedAck => said.target == Some(probe.target) && probe.relays.contains(&source),
            _ => false,
        };
        (fits && said.number.is_some_and(|number| family(number) == probe.family)).then_some(probe)
    }

    /// The same, from wherever the answer comes.
    pub(crate) fn answered_from_anywhere(&mut self, host: HostId, said: &Reading<'_>) -> Option<&mut Probe> {
        let open = self.0.of(host).open.as_ref()?;
        let asked = open.asked.map(|(addr, _)| addr);
        let source = if said.kind == MessageKind::Ack { asked } else { open.relays.first().copied() };
        self.answered_by(host, source?, said)
    }

    /// The node of `host` has counted an answer to its open probe.
    pub(crate) fn count(&mut self, host: HostId) {
        if let Some(probe) = &mut self.0.of(host).open {
            probe.counted = true;
        }
    }
}

impl Probe {
    /// One without an answer.
    pub(crate) fn unanswered(target: NodeId, asked: Option<(SocketAddr, Epoch)>, at: Instant) -> Self {
        let (numbers, relays) = (Vec::new(), Vec::new());
        Self { target, asked, at, family: 0, label: 0, numbers, relays, answered: false, counted: false }
    }
}

impl Asker {
    fn asks(&mut self, now: Instant, addr: SocketAddr, said: &Reading<'_>) {
        let (Some(number), Some(target)) = (said.number, said.target) else { return };
        let ping = said.kind == MessageKind::Ping;
        if number & 7 != 0 || !(ping || said.kind == MessageKind::PingReq) {
            return;
        }
        let family = family(number);
        if self.open.as_ref().is_none_or(|open| open.family != family) {
            let asked = ping.then_some((addr, Epoch(0)));
            let probe = Probe { family, label: said.label, ..Probe::unanswered(target, asked, now) };
            self.last = self.open.replace(probe);
            self.fresh = true;
        }
        if let Some(open) = &mut self.open {
            open.numbers.push(number);
            if !ping {
                open.relays.push(addr);
            }
        }
    }
}

const fn family(number: u64) -> u64 {
    number >> 16
}

/// A failed probe, or what was taken for one.
#[derive(Clone, Debug)]
pub struct Accusation {
    /// The accused member.
    pub subject: NodeId,
    /// The latest probe of the subject; `None`: it was never asked.
    pub(crate) probe: Option<Probe>,
}
