//! What every node's table said last, so that properties get what changes in it and need not search.
//!
//! Only what was named can change: by a datagram that arrived, by its sender, by an event, by the node's own
//! doing. So after each input only those rows are compared, and only if the table's revision has moved. That
//! nothing else has changed is found out when a part of the run is over, by comparing all.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use swim_core::{Claim, Event, Member, Node, NodeId};

use crate::World;
use crate::ground_truth::Happening;
use crate::host::HostId;
use crate::properties::evidence::PerHost;
use crate::properties::evidence::datagram::Reading;

/// What a table says of one member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// What is believed of it.
    pub claim: Claim,
    /// Where it is believed to be.
    pub addr: SocketAddr,
}

/// A change in one row of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowChange {
    /// Whose row.
    pub id: NodeId,
    /// What it said; `None`: nothing was known.
    pub before: Option<Row>,
    /// What it says; `None`: nothing is known any more.
    pub after: Option<Row>,
    /// Whether anything that happened since had to do with this member.
    pub named: bool,
}

impl Row {
    /// What a table shows of a member.
    pub(crate) const fn of(member: &Member<'_>) -> Self {
        let Member { epoch, incarnation, status, addr, .. } = *member;
        Self { claim: Claim { epoch, incarnation, status }, addr }
    }
}

/// All tables.
#[derive(Default)]
pub(crate) struct Tables {
    hosts: PerHost<Table>,
    moves: Vec<RowChange>,
}

#[derive(Default)]
struct Table {
    rows: BTreeMap<NodeId, Row>,
    revision: Option<u64>,
    /// Members that something of the present input is about.
    named: Vec<NodeId>,
    /// The input may concern all.
    all: bool,
    /// The process held its events back, so that rows changed unnamed.
    held: bool,
}

impl Tables {
    pub(crate) fn on_happening(&mut self, what: &Happening<'_>) {
        match what {
            Happening::Began { host, .. } => *self.hosts.of(*host) = Table::default(),
            Happening::Reported { host, event: Event::StartedOver { .. } } => {
                self.hosts.of(*host).all = true;
            }
            Happening::Reported { host, event } => {
                let named = &mut self.hosts.of(*host).named;
                named.extend(subject(event));
            }
            Happening::Commanded { host, command: swim_core::Command::Remove { target } } => {
                self.hosts.of(*host).named.push(*target);
            }
            _ => {}
        }
    }

    pub(crate) fn on_datagram(&mut self, what: &Happening<'_>, said: &Reading<'_>) {
        if let Happening::Arrived { host, .. } = what {
            let named = &mut self.hosts.of(*host).named;
            named.push(said.sender);
            named.extend(said.members().map(|member| member.id));
        }
    }

    /// What one input has changed in the table of `host`; `None`: nothing that a table shows.
    pub(crate) fn after_input(&mut self, world: &World, host: HostId) -> Option<&[RowChange]> {
        let node = world.node(host);
        let table = self.hosts.of(host);
        let revision = node.map(Node::revision);
        let named = std::mem::take(&mut table.named);
        let all = std::mem::take(&mut table.all);
        let held = std::mem::replace(&mut table.held, world.scene().holds_sends(host));
        if held || table.held {
            if let Some(node) = node.filter(|_| !table.held) {
                table.compare_all(node, &mut self.moves);
                table.revision = revision;
            }
            return None;
        }
        let node = node.filter(|_| revision != table.revision);
        self.moves.clear();
        let mut changed = node.is_some();
        if let Some(node) = node {
            let me = node.me().id;
            let fresh = table.revision.is_none();
            table.revision = revision;
            if all {
                let gone: Vec<NodeId> = table.rows.keys().copied().collect();
                table.compare(node, gone, true, &mut self.moves);
            }
            table.compare(node, named.iter().copied().chain([me]), true, &mut self.moves);
            if fresh {
                // Its own row is no news.
                self.moves.retain(|moved| moved.id != me);
                changed = !self.moves.is_empty();
            }
        }
        table.named = named;
        table.named.clear();
        changed.then_some(self.moves.as_slice())
    }

    /// What has changed in the table of `host` besides: nothing has.
    pub(crate) fn compare_all(&mut self, world: &World, host: HostId) -> &[RowChange] {
        self.moves.clear();
        let table = self.hosts.of(host);
        if let Some(node) = world.node(host).filter(|_| table.revision.is_some() && !table.held) {
            table.compare_all(node, &mut self.moves);
        }
        &self.moves
    }
}

impl Table {
    fn compare_all(&mut self, node: &Node, moves: &mut Vec<RowChange>) {
        let known: Vec<NodeId> = self.rows.keys().copied().collect();
        let held: Vec<NodeId> = node.members().map(|member| member.id).collect();
        self.compare(node, known.into_iter().chain(held), false, moves);
    }

    fn compare(
        &mut self,
        node: &Node,
        ids: impl IntoIterator<Item = NodeId>,
        named: bool,
        moves: &mut Vec<RowChange>,
    ) {
        for id in ids {
            let after = node.member(id).map(|member| Row::of(&member));
            let before = match after {
                Some(row) => self.rows.insert(id, row),
                None => self.rows.remove(&id),
            };
            if before != after {
                moves.push(RowChange { id, before, after, named });
            }
        }
    }
}

/// Whom an event is about.
const fn subject(event: &Event) -> Option<NodeId> {
    match event {
        Event::Alive { id, .. }
        | Event::Suspect { id, .. }
        | Event::Confirmed { id, .. }
        | Event::Refuted { id, .. }
        | Event::Dead { id, .. }
        | Event::Left { id, .. }
        | Event::Updated { id, .. }
        | Event::Forgotten { id } => Some(*id),
        _ => None,
    }
}
