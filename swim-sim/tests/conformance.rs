//! The scenarios that every driver must pass, on the simulated network: the same events, in no time.

#[macro_use]
#[path = "../../conformance/mod.rs"]
mod conformance;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use conformance::{Cluster, Member, Ticket};
use swim_core::{Command, Done, Event, Joined, KnownPeer, Metadata, Stats};
use swim_driver::os::{SeedAddr, Settings};
use swim_driver::{CommandError, EventQueue, Outcome, OwnedCommand, OwnedMember, Snapshot};
use swim_sim::{HostId, Spec, World};

conformance!(Virtual::new());

const STRANGER: ([u8; 4], u16) = ([127, 0, 0, 1], 1);

struct Started {
    host: HostId,
    events: EventQueue,
    /// Events of the host that `events` has taken in.
    taken: usize,
    history: Vec<Event>,
}

/// A command that was given, and how many events its member had reported before.
struct Begun {
    member: Member,
    result: Result<Done, CommandError>,
    reported: usize,
}

/// Members in a world.
struct Virtual {
    world: World,
    members: Vec<Started>,
    begun: Vec<Begun>,
    next_port: u16,
}

impl Virtual {
    fn new() -> Self {
        Self { world: World::new(1), members: Vec::new(), begun: Vec::new(), next_port: 40_000 }
    }

    fn host(&self, member: Member) -> HostId {
        self.members[member].host
    }
}

impl Cluster for Virtual {
    fn free_addr(&mut self) -> SocketAddr {
        self.next_port += 1;
        SocketAddr::from(([127, 0, 0, 1], self.next_port))
    }

    fn start(&mut self, settings: Settings) -> Member {
        let addr = if settings.bind.port() == 0 { self.free_addr() } else { settings.bind };
        let spec = Spec::new(Arc::clone(&settings.config)).id(settings.id).addr(addr);
        let host = self.world.start(spec);
        if !settings.metadata.is_empty() {
            let metadata = Metadata::new(&settings.metadata).expect("short enough");
            let result = self.world.command(host, Command::SetMetadata(metadata));
            assert!(matches!(result, Some(Ok(_))), "{result:?}");
        }
        let known_peers: &[KnownPeer] = &settings.known_peers;
        if !known_peers.is_empty() {
            let result = self.world.command(host, Command::Restore { known_peers });
            assert!(matches!(result, Some(Ok(_))), "{result:?}");
        }
        if !settings.seeds.is_empty() {
            let addr = |seed: &SeedAddr| match seed {
                SeedAddr::Addr(addr) => *addr,
                SeedAddr::Name(name) => panic!("the simulated world has no resolver for {name}"),
            };
            let seeds: Vec<SocketAddr> = settings.seeds.iter().map(addr).collect();
            self.world.join_at(host, &seeds);
        }
        let events = EventQueue::new(settings.events_max);
        self.members.push(Started { host, events, taken: 0, history: Vec::new() });
        self.members.len() - 1
    }

    fn addr(&mut self, member: Member) -> SocketAddr {
        self.world.addr(self.host(member))
    }

    fn kill(&mut self, member: Member) {
        self.world.crash(self.host(member));
    }

    fn is_running(&mut self, member: Member) -> bool {
        self.world.node(self.host(member)).is_some()
    }

    fn begin(&mut self, member: Member, command: OwnedCommand) -> Ticket {
        let host = self.host(member);
        let reported = self.world.log(host).len();
        let result = match command.command() {
            Err(error) => Err(CommandError::TooLong(error)),
            Ok(command) => match self.world.command(host, command) {
                Some(result) => result.map_err(CommandError::Refused),
                None => Err(CommandError::Stopped),
            },
        };
        self.begun.push(Begun { member, result, reported });
        self.begun.len() - 1
    }

    fn outcome(&mut self, ticket: Ticket) -> Option<Result<Outcome, CommandError>> {
        let Begun { member, result, reported } = self.begun[ticket];
        let host = self.host(member);
        match result {
            Ok(Done::Seeking | Done::Leaving) => {
                let ended = self.world.log(host)[reported..].iter().find_map(|logged| ending(&logged.event));
                let stopped = self.world.node(host).is_none();
                ended.or_else(|| stopped.then_some(Err(CommandError::Stopped)))
            }
            Ok(done) => Some(Ok(Outcome::Done(done))),
            Err(error) => Some(Err(error)),
        }
    }

    fn inject(&mut self, target: SocketAddr, bytes: &[u8]) {
        self.world.inject(STRANGER.into(), target, bytes);
    }

    fn history(&mut self, member: Member) -> Vec<Event> {
        let Started { host, events, taken, history } = &mut self.members[member];
        let log = self.world.log(*host);
        log[*taken..].iter().for_each(|logged| events.push(logged.event.clone()));
        *taken = log.len();
        history.extend(std::iter::from_fn(|| events.pop()));
        history.clone()
    }

    fn members(&mut self, member: Member) -> Vec<OwnedMember> {
        let node = self.world.node(self.host(member)).expect("it runs");
        Snapshot::of(node, self.world.now(), None).iter().cloned().collect()
    }

    fn stats(&mut self, member: Member) -> Stats {
        self.world.node(self.host(member)).expect("it runs").stats()
    }

    fn pass(&mut self, time: Duration) {
        self.world.run_for(time);
    }
}

/// How a join or a leave ended, if `event` says so. Drivers ask the node; here its process may be over.
fn ending(event: &Event) -> Option<Result<Outcome, CommandError>> {
    Some(match *event {
        Event::Joined { via, members } => Ok(Outcome::Joined(Joined { via, members })),
        Event::JoinFailed { reason } => Err(CommandError::JoinFailed(reason)),
        Event::LeaveSent { datagrams } => Ok(Outcome::Left { datagrams }),
        _ => return None,
    })
}
