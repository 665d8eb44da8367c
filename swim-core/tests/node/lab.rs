//! One real node, and a test that plays all other members.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::craft::{self, Datagram, EPOCH, Mention, member};
use swim_core::{
    Command, Config, Done, DropReason, Epoch, Event, Identity, Input, Instant, Node, NodeId, Options, Output,
    Refusal, Seed, Stats, Status,
};

/// The node's own id; invented members have others.
pub(crate) const ME: u64 = 1;

/// The address of member `id`.
pub(crate) fn addr(id: u64) -> SocketAddr {
    let [a, b, c] = [(id >> 16) as u8, (id >> 8) as u8, id as u8];
    SocketAddr::from(([10, a, b, c], 7946))
}

/// The node, what it sent, and what it reported to its user.
pub(crate) struct Lab {
    pub(crate) node: Node,
    pub(crate) now: Instant,
    pub(crate) sent: Vec<(SocketAddr, Vec<u8>)>,
    pub(crate) events: Vec<Event>,
}

impl Lab {
    pub(crate) fn new(options: Options) -> Self {
        let config = Config::new(options).expect("in range");
        let me = Identity { id: NodeId(ME), addr: addr(ME), epoch: Epoch(EPOCH) };
        let now = Instant::from_millis(1_000_000);
        let node = Node::new(Arc::new(config), me, Seed([7; 32]), now);
        Self { node, now, sent: Vec::new(), events: Vec::new() }
    }

    /// `local`, and nothing that happens by itself: no gossip ticks, no anti-entropy, no healing.
    pub(crate) fn quiet() -> Self {
        Self::new(Self::quiet_options())
    }

    pub(crate) fn quiet_options() -> Options {
        let mut options = Options::local();
        options.gossip_interval = None;
        options.sync_interval_max = None;
        options.heal_interval = None;
        options
    }

    /// Hands something in, and polls everything.
    pub(crate) fn handle(&mut self, input: Input<'_>) {
        self.node.handle(self.now, input);
        self.poll();
    }

    pub(crate) fn poll(&mut self) {
        while let Some(output) = self.node.poll() {
            match output {
                Output::Transmit(transmit) => self.sent.push((transmit.destination, transmit.bytes.to_vec())),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    pub(crate) fn feed(&mut self, source: SocketAddr, datagram: &Datagram) {
        self.handle(Input::Datagram { source, bytes: &datagram.0 });
    }

    /// A command that is carried out.
    pub(crate) fn command(&mut self, command: Command<'_>) -> Done {
        self.try_command(command).expect("not refused")
    }

    pub(crate) fn try_command(&mut self, command: Command<'_>) -> Result<Done, Refusal> {
        let result = self.node.command(self.now, command);
        self.poll();
        result
    }

    /// Lets time pass, ticking at each deadline on the way.
    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = self.now.after(time);
        while let Some(deadline) = self.node.deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.handle(Input::Tick);
        }
        self.now = end;
    }

    /// Ticks at the deadline, once.
    pub(crate) fn tick(&mut self) {
        self.now = self.now.max(self.node.deadline().expect("something is due"));
        self.handle(Input::Tick);
    }

    /// A datagram of member `sender`.
    pub(crate) fn craft(&self, sender: Mention, kind: u8) -> Datagram {
        Datagram::new(self.node.config().label_hash(), sender, kind)
    }

    /// The node as it names itself.
    pub(crate) fn my_mention(&self) -> Mention {
        let me = self.node.me();
        Mention { id: me.id.0, epoch: me.epoch.0, incarnation: self.node.incarnation().0 }
    }

    /// A ping of the node by `sender`, that holds it Alive.
    pub(crate) fn ping(&self, sender: Mention, number: u64) -> Datagram {
        self.craft(sender, craft::PING).head(&craft::ping(self.my_mention(), None, number, 0))
    }

    /// A token for `source`, from the node's own challenge.
    pub(crate) fn token(&mut self, source: SocketAddr, sender: Mention) -> u64 {
        let join = self.craft(sender, craft::JOIN).head(&craft::two(5, 0));
        self.sent.clear();
        self.feed(source, &join);
        let (target, challenge) = self.sent.pop().expect("a challenge");
        assert_eq!((target, craft::kind(&challenge)), (source, craft::CHALLENGE));
        craft::u64_at(craft::head_of(&challenge), 8)
    }

    /// Member `sender` announces itself from its address, and is admitted.
    pub(crate) fn admit(&mut self, sender: Mention) {
        let source = addr(sender.id);
        let token = self.token(source, sender);
        let announce = self
            .craft(sender, craft::ANNOUNCE)
            .head(&craft::two(token, 9))
            .updates(&[craft::alive(sender, source, b"")]);
        self.feed(source, &announce);
        assert_eq!(self.status(sender.id), Some(Status::Alive));
        self.forget();
    }

    /// Members 2 to `last`: the first announces itself, and gossips the others.
    pub(crate) fn meet(&mut self, last: u64) {
        self.admit(member(2));
        let others: Vec<u64> = (3..=last).collect();
        for some in others.chunks(30) {
            let updates: Vec<_> = some.iter().map(|id| craft::alive(member(*id), addr(*id), b"")).collect();
            self.gossip(member(2), &updates);
        }
        self.forget();
    }

    /// A gossip datagram of a member, from its address.
    pub(crate) fn gossip(&mut self, sender: Mention, updates: &[Vec<u8>]) {
        let gossip = self.craft(sender, craft::GOSSIP).updates(updates);
        self.feed(addr(sender.id), &gossip);
    }

    /// Forgets what was sent and reported.
    pub(crate) fn forget(&mut self) {
        self.sent.clear();
        self.events.clear();
    }

    pub(crate) fn status(&self, id: u64) -> Option<Status> {
        self.node.member(NodeId(id)).map(|member| member.status)
    }

    pub(crate) fn stats(&self) -> Stats {
        self.node.stats()
    }

    pub(crate) fn dropped(&self, reason: DropReason) -> u64 {
        self.stats().dropped(reason)
    }

    /// What was sent of one kind.
    pub(crate) fn sent_of(&self, kind: u8) -> Vec<(SocketAddr, Vec<u8>)> {
        self.sent.iter().filter(|(_, bytes)| craft::kind(bytes) == kind).cloned().collect()
    }

    /// Runs until the node pings `id` as its own probe, and returns the ping's number.
    pub(crate) fn await_probe_of(&mut self, id: u64) -> u64 {
        for _ in 0..1_000 {
            self.sent.clear();
            self.tick();
            let pings = self.sent_of(craft::PING);
            let to_it = pings.iter().find(|(target, _)| *target == addr(id));
            if let Some((_, bytes)) = to_it {
                return craft::u64_at(craft::head_of(bytes), 8);
            }
        }
        panic!("{id} is never probed");
    }
}
