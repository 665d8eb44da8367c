//! The scenarios that every driver must pass, as tasks on both flavours of the runtime.

#[macro_use]
#[path = "../../conformance/mod.rs"]
mod conformance;
#[path = "../../conformance/reserved.rs"]
mod reserved;
#[macro_use]
#[path = "../../conformance/machine.rs"]
mod machine;

use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use conformance::{Cluster, Member, Ticket};
use machine::Real;
use reserved::Reserved;

use swim_core::{Event, NodeId, Stats};
use swim_driver::os::{SeedAddr, Settings};
use swim_driver::{CommandError, Outcome, OwnedCommand, OwnedMember, Start, Update};
use swim_tokio::{Handle, Subscription};
use tokio::runtime::{self, Builder};
use tokio::sync::oneshot;

mod current_thread {
    conformance!(crate::Tasks::on(tokio::runtime::Builder::new_current_thread()));
    machine!(crate::Tasks::on(tokio::runtime::Builder::new_current_thread()));
}

mod multi_thread {
    conformance!(crate::Tasks::on(tokio::runtime::Builder::new_multi_thread()));
    machine!(crate::Tasks::on(tokio::runtime::Builder::new_multi_thread()));
}

struct Tasks {
    runtime: runtime::Handle,
    /// Dropped to end the thread that drives the runtime.
    stop: Option<oneshot::Sender<()>>,
    driver: Option<thread::JoinHandle<()>>,
    members: Vec<(Handle, Vec<Event>)>,
    tickets: Vec<oneshot::Receiver<Result<Outcome, CommandError>>>,
    stranger: UdpSocket,
    subscriptions: Vec<Subscription>,
    reserved: Reserved,
}

impl Tasks {
    fn on(mut builder: Builder) -> Self {
        let runtime = builder.worker_threads(2).enable_all().build().expect("a runtime");
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let driver = thread::spawn(move || {
            let _ = runtime.block_on(stopped);
        });
        let stranger = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        Self {
            runtime: handle,
            stop: Some(stop),
            driver: Some(driver),
            members: Vec::new(),
            tickets: Vec::new(),
            stranger,
            subscriptions: Vec::new(),
            reserved: Reserved::default(),
        }
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(driver) = self.driver.take() {
            let _ = driver.join();
        }
    }
}

impl Cluster for Tasks {
    fn free_addr(&mut self) -> SocketAddr {
        self.reserved.any()
    }

    fn start(&mut self, settings: Settings) -> Member {
        self.reserved.release(settings.bind);
        let _inside = self.runtime.enter();
        let handle = swim_tokio::spawn(&settings).expect("started");
        self.members.push((handle, Vec::new()));
        self.members.len() - 1
    }

    fn addr(&mut self, member: Member) -> SocketAddr {
        self.members[member].0.local_addr()
    }

    fn kill(&mut self, member: Member) {
        self.runtime.block_on(self.members[member].0.shutdown());
        self.reserved.hold(self.members[member].0.local_addr());
    }

    fn is_running(&mut self, member: Member) -> bool {
        self.members[member].0.is_running()
    }

    fn begin(&mut self, member: Member, command: OwnedCommand) -> Ticket {
        let handle = self.members[member].0.clone();
        let (done, outcome) = oneshot::channel();
        self.runtime.spawn(async move { done.send(handle.command(command).await) });
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
        history.extend(std::iter::from_fn(|| handle.try_next_event()));
        history.clone()
    }

    fn members(&mut self, member: Member) -> Vec<OwnedMember> {
        self.runtime.block_on(self.members[member].0.members()).iter().cloned().collect()
    }

    fn stats(&mut self, member: Member) -> Stats {
        self.members[member].0.stats()
    }

    fn pass(&mut self, time: Duration) {
        thread::sleep(time);
    }
}

impl Real for Tasks {
    fn set_seeds(&mut self, member: Member, seeds: Vec<SeedAddr>) -> Result<(), CommandError> {
        self.runtime.block_on(self.members[member].0.set_seeds(&seeds))
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
        std::iter::from_fn(|| subscription.try_next_update()).collect()
    }

    fn try_broadcast(&mut self, member: Member, payload: &[u8]) -> Result<u32, CommandError> {
        self.runtime.block_on(self.members[member].0.try_broadcast(payload))
    }
}

#[test]
fn a_member_runs_until_its_last_handle_is_dropped() {
    let tasks = Tasks::on(Builder::new_current_thread());
    let _inside = tasks.runtime.enter();
    let first = swim_tokio::spawn(&conformance::settings("ada")).expect("started");
    let (second, addr) = (first.clone(), first.local_addr());
    drop(first);
    thread::sleep(Duration::from_millis(50));
    assert!(second.is_running() && format!("{second:?}").contains(&addr.port().to_string()));
    drop(second);
    let closed = (0..1_000).any(|_| {
        thread::sleep(Duration::from_millis(10));
        UdpSocket::bind(addr).is_ok()
    });
    assert!(closed, "its socket is still open");
}
