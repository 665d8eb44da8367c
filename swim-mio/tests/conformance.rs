//! The scenarios that every driver must pass, on threads and real sockets.

#[macro_use]
#[path = "../../conformance/mod.rs"]
mod conformance;
#[path = "../../conformance/reserved.rs"]
mod reserved;
#[macro_use]
#[path = "../../conformance/machine.rs"]
mod machine;

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use conformance::{Cluster, Member, Ticket};
use machine::Real;
use reserved::Reserved;

use swim_core::{Event, NodeId, Stats};
use swim_driver::os::{SeedAddr, Settings};
use swim_driver::{CommandError, Outcome, OwnedCommand, OwnedMember, Start, Update};
use swim_mio::{Handle, Subscription};

conformance!(Threads::new());
machine!(Threads::new());

struct Threads {
    members: Vec<(Handle, Vec<Event>)>,
    tickets: Vec<Receiver<Result<Outcome, CommandError>>>,
    stranger: UdpSocket,
    subscriptions: Vec<Subscription>,
    reserved: Reserved,
}

impl Threads {
    fn new() -> Self {
        let stranger = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        Self {
            members: Vec::new(),
            tickets: Vec::new(),
            stranger,
            subscriptions: Vec::new(),
            reserved: Reserved::default(),
        }
    }
}

impl Cluster for Threads {
    fn free_addr(&mut self) -> SocketAddr {
        self.reserved.any()
    }

    fn start(&mut self, settings: Settings) -> Member {
        self.reserved.release(settings.bind);
        let handle = swim_mio::spawn(&settings).expect("started");
        self.members.push((handle, Vec::new()));
        self.members.len() - 1
    }

    fn addr(&mut self, member: Member) -> SocketAddr {
        self.members[member].0.local_addr()
    }

    fn kill(&mut self, member: Member) {
        self.members[member].0.shutdown();
        self.reserved.hold(self.members[member].0.local_addr());
    }

    fn is_running(&mut self, member: Member) -> bool {
        self.members[member].0.is_running()
    }

    fn begin(&mut self, member: Member, command: OwnedCommand) -> Ticket {
        let handle = self.members[member].0.clone();
        let (done, outcome) = sync_channel(1);
        thread::spawn(move || done.send(handle.command(command)));
        self.tickets.push(outcome);
        self.tickets.len() - 1
    }

    fn outcome(&mut self, ticket: Ticket) -> Option<Result<Outcome, CommandError>> {
        self.tickets[ticket].try_recv().ok()
    }

    fn inject(&mut self, target: SocketAddr, bytes: &[u8]) {
        self.stranger.send_to(bytes, target).expect("loopback takes it");
    }

    fn history(&mut self, member: Member) -> Vec<Event> {
        let (handle, history) = &mut self.members[member];
        history.extend(std::iter::from_fn(|| handle.next_event(Duration::ZERO)));
        history.clone()
    }

    fn members(&mut self, member: Member) -> Vec<OwnedMember> {
        self.members[member].0.members().iter().cloned().collect()
    }

    fn stats(&mut self, member: Member) -> Stats {
        self.members[member].0.stats()
    }

    fn pass(&mut self, time: Duration) {
        thread::sleep(time);
    }
}

impl Real for Threads {
    fn set_seeds(&mut self, member: Member, seeds: Vec<SeedAddr>) -> Result<(), CommandError> {
        self.members[member].0.set_seeds(&seeds)
    }

    fn member(&mut self, member: Member, id: NodeId) -> Option<OwnedMember> {
        self.members[member].0.member(id)
    }

    fn subscribe(&mut self, member: Member, start: Start) -> usize {
        self.subscriptions.push(self.members[member].0.subscribe(start));
        self.subscriptions.len() - 1
    }

    fn updates(&mut self, subscription: usize) -> Vec<Update> {
        let subscription = &mut self.subscriptions[subscription];
        std::iter::from_fn(|| subscription.next_update(Duration::ZERO)).collect()
    }

    fn try_broadcast(&mut self, member: Member, payload: &[u8]) -> Result<u32, CommandError> {
        self.members[member].0.try_broadcast(payload)
    }
}

#[test]
fn a_member_runs_until_its_last_handle_is_dropped() {
    let first = swim_mio::spawn(&conformance::settings("ada")).expect("started");
    let (second, addr) = (first.clone(), first.local_addr());
    drop(first);
    assert!(second.is_running() && format!("{second:?}").contains(&addr.port().to_string()));
    drop(second);
    UdpSocket::bind(addr).expect("its socket is closed");
}
