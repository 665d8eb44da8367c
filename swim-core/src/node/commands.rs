//! The sequence of a command.

use core::hint::black_box;
use core::net::SocketAddr;

use super::Node;
use crate::api::{Command, Done, Instant, NodeId, Payload, Refusal, canonical, is_reachable_form};
use crate::context::Stream;
use crate::group::{Piggyback, Rare, Slot};
use crate::leave;
use crate::timers::Timer;
use crate::wire::Message;

impl Node {
    /// Carries out what a user asks for. A join and a leave have only begun when this returns; all else is done. A
    /// command that is refused changes nothing.
    ///
    /// # Errors
    /// [`Refusal`] says why.
    pub fn command(&mut self, now: Instant, command: Command<'_>) -> Result<Done, Refusal> {
        self.begin(now);
        let Self { group, handshake, .. } = self;
        let result = if !group.cx.is_running() {
            Err(Refusal::NotRunning)
        } else {
            match command {
                Command::Join { seeds } => handshake.join(group, seeds).map(|()| Done::Seeking),
                Command::CancelJoin => handshake.cancel(group).map(|()| Done::Cancelled),
                Command::Leave => Ok(self.leave()),
                Command::SetMetadata(metadata) => {
                    group.set_my_metadata(metadata.as_bytes());
                    Ok(Done::MetadataSet { incarnation: group.incarnation() })
                }
                Command::SetAddress(addr) => self.set_address(canonical(addr)),
                Command::Broadcast(payload) => {
                    group.broadcast(payload.as_bytes()).map(|sequence| Done::BroadcastQueued { sequence })
                }
                Command::Send { target, payload } => self.send_message(target, payload),
                Command::Remove { target } => group.remove(target).map(|()| Done::Removed),
                Command::SetSeeds { seeds } => handshake.set_seeds(group, seeds).map(|()| Done::SeedsSet),
                Command::Restore { known_peers } => {
                    let used = handshake.restore(group, known_peers);
                    Ok(Done::Restored { used, skipped: known_peers.len() as u32 - used })
                }
            }
        };
        self.settle();
        self.check();
        result
    }

    fn leave(&mut self) -> Done {
        let Self { group, detector, handshake, .. } = self;
        handshake.on_leave(group);
        leave::begin(group);
        detector.stop_probe(group);
        group.cx.timers.set(Timer::Period, None);
        Done::Leaving
    }

    /// A member that gossip does not reach hears it from this node, which has to prove its new address.
    fn set_address(&mut self, addr: SocketAddr) -> Result<Done, Refusal> {
        if !is_reachable_form(addr) {
            return Err(Refusal::NoUsableAddress);
        }
        self.group.set_my_addr(addr);
        self.handshake.on_moved(&mut self.group);
        Ok(Done::AddressSet)
    }

    fn send_message(&mut self, target: NodeId, payload: Payload<'_>) -> Result<Done, Refusal> {
        let group = &mut self.group;
        let slot = group.find_active(target).filter(|slot| *slot != Slot::ME);
        let addr = group.addr(slot.ok_or(Refusal::NoSuchMember)?);
        let piggyback = Piggyback { rare: Some(&Rare::Payload(payload.as_bytes())), ..Piggyback::EMPTY };
        let sent = group.send(addr, &Message::User, piggyback);
        sent.then_some(Done::Sent).ok_or(Refusal::OutboxFull)
    }
}

/// For `snapshot.rs`.
impl Node {
    /// After loading: makes anew what follows from what was saved.
    pub(crate) fn rebuild(&mut self) {
        self.group.rebuild();
    }

    /// The part that contradicts itself or another part, if one does.
    pub(crate) fn unsound_part(&self) -> Option<&'static str> {
        let parts = [
            ("probe", self.detector.is_sound(self.config())),
            ("handshake", self.handshake.is_sound()),
            ("anti_entropy", self.anti_entropy.is_sound(&self.group)),
            ("reconnect", self.reconnect.is_sound()),
        ];
        let unsound = parts.iter().find(|(_, is_sound)| !is_sound).map(|(part, _)| *part);
        self.group.unsound_part().or(unsound)
    }

    /// Changes all bytes of users that this node holds: metadata, queued broadcasts, and what waits in
    /// datagrams and events to be polled. If equal payloads stay equal and different ones different, the
    /// node does what it would have done, with the changed payloads in the others' places: nothing depends
    /// on what they say.
    pub fn map_payloads(&mut self, change: &mut dyn FnMut(&mut [u8])) {
        self.group.map_payloads(change);
    }
}

/// Prefetching, for simulators. In a process with thousands of nodes nothing that an input needs is in any cache; it is
/// needed one line after the other, and each is waited for. A caller that knows what comes next lets several nodes look
/// at their lines first: then the memory is asked for all of them at the same time. Nothing follows from what is seen.
#[doc(hidden)]
impl Node {
    /// Looks at what every input looks at in the node itself.
    pub fn warm(&mut self) {
        let cx = &mut self.group.cx;
        cx.outbox.warm();
        black_box((cx.timers.next(), self.handshake.is_seeking()));
        black_box(self.group.touch() ^ self.detector.touch());
    }

    /// Looks at the member that the next period will probe and at the one that changes places with it, and returns where
    /// the first is.
    #[must_use]
    pub fn warm_target(&self) -> Option<SocketAddr> {
        let [drawn, number] =
            [Stream::ProbeOrder, Stream::RequestNumbers].map(|stream| self.group.cx.streams.ahead(stream));
        black_box(number);
        self.group.members().warm_target(drawn)
    }

    /// Looks up a datagram's sender.
    pub fn warm_sender(&self, sender: NodeId) {
        black_box(self.group.find(sender));
    }
}
