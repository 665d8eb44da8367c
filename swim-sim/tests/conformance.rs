//! The scenarios that every driver must pass, on the simulated network: the same events, in no time.

#[macro_use]
#[path = "../../conformance/mod.rs"]
mod conformance;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use conformance::{Cluster, Member, Ticket};
use swim_core::{Command, CommandKind, Event, Hint, JoinFailure, Metadata, NodeId, Stats};
use swim_driver::os::Settings;
use swim_driver::{Answer, CommandError, EventQueue, OwnedCommand, OwnedMember, Snapshot};
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

/// A command that was begun, and how many events its member had told before.
struct Begun {
    member: Member,
    /// Which command, if it was not refused at once.
    kind: Result<CommandKind, CommandError>,
    target: Option<NodeId>,
    told: usize,
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
            self.world.command(host, Command::SetMetadata(metadata));
        }
        let hints: &[Hint] = &settings.hints;
        if !hints.is_empty() {
            self.world.command(host, Command::Restore { hints });
        }
        if !settings.seeds.is_empty() {
            self.world.join_at(host, &settings.seeds);
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

    fn begin(&mut self, member: Member, order: OwnedCommand) -> Ticket {
        let host = self.host(member);
        let told = self.world.log(host).len();
        let target = match order {
            OwnedCommand::Send { target, .. } | OwnedCommand::Remove { target } => Some(target),
            _ => None,
        };
        let kind = match order.command() {
            Err(error) => Err(CommandError::TooLong(error)),
            Ok(command) if self.world.command(host, command) => Ok(command.kind()),
            Ok(_) => Err(CommandError::Stopped),
        };
        self.begun.push(Begun { member, kind, target, told });
        self.begun.len() - 1
    }

    fn outcome(&mut self, ticket: Ticket) -> Option<Result<Answer, CommandError>> {
        let begun = &self.begun[ticket];
        let kind = match &begun.kind {
            Ok(kind) => *kind,
            Err(error) => return Some(Err(error.clone())),
        };
        let log = &self.world.log(self.host(begun.member))[begun.told..];
        let ended = log.iter().find_map(|logged| ending(&logged.event, kind, begun.target));
        let stopped = self.world.node(self.host(begun.member)).is_none();
        ended.or_else(|| stopped.then_some(Err(CommandError::Stopped)))
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

/// How `event` ends a command of this kind, if it does: what the drivers tell their callers.
fn ending(event: &Event, kind: CommandKind, about: Option<NodeId>) -> Option<Result<Answer, CommandError>> {
    let well = match (event, kind) {
        (Event::Refused { command, reason }, _) if *command == kind => {
            return Some(Err(CommandError::Refused { command: kind, reason: *reason }));
        }
        (Event::JoinFailed { reason }, CommandKind::Join) => {
            return Some(Err(CommandError::JoinFailed(*reason)));
        }
        (Event::JoinFailed { reason }, CommandKind::CancelJoin) => *reason == JoinFailure::Cancelled,
        (Event::Joined { .. }, CommandKind::Join)
        | (Event::LeaveSent { .. }, CommandKind::Leave)
        | (Event::MetadataSet { .. }, CommandKind::SetMetadata)
        | (Event::AddressSet { .. }, CommandKind::SetAddress)
        | (Event::BroadcastQueued { .. }, CommandKind::Broadcast)
        | (Event::Restored { .. }, CommandKind::Restore) => true,
        (Event::Sent { target: id }, CommandKind::Send) | (Event::Left { id, .. }, CommandKind::Remove) => {
            about == Some(*id)
        }
        _ => false,
    };
    well.then(|| Ok(Answer(event.clone())))
}
