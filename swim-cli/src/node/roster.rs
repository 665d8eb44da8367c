//! Who is called what, for the member that prints.
//!
//! Names travel in metadata, so the member table is the directory. A snapshot of it costs a pass over all
//! members; so the one at hand is used until a member turns up who is not in it. Names of members that
//! the table has forgotten are remembered for a while, because the last events about them come after.

use std::collections::HashMap;
use std::sync::Arc;

use swim_core::{Event, NodeId, Status};
use swim_mio::{OwnedMember, Snapshot};

use crate::line::Directory;
use crate::line::{Row, Who};
use crate::naming::{Name, parse_metadata};
use crate::node::running::Running;

/// Names remembered beyond the member table's; then all of them are dropped.
const REMEMBERED_MAX: usize = 4096;

/// The directory of one running member.
pub(crate) struct Roster {
    running: Arc<Running>,
    snapshot: Option<Snapshot>,
    remembered: HashMap<NodeId, Who>,
    me: Who,
}

impl Roster {
    /// The directory of the member called `name`.
    pub(crate) fn new(running: Arc<Running>, name: &Name) -> Self {
        let identity = running.me();
        let me = Who { name: name.to_string(), id: identity.id.to_string(), addr: Some(identity.addr) };
        Self { running, snapshot: None, remembered: HashMap::new(), me }
    }

    /// To be called before an event is printed: what is at hand about its subject may be older.
    pub(crate) fn notice(&mut self, event: &Event) {
        let is_older = match *event {
            Event::Updated { .. } => true,
            Event::Alive { id, addr, epoch } => {
                self.remembered.remove(&id);
                let held = self.snapshot.as_ref().and_then(|snapshot| snapshot.get(id));
                held.is_some_and(|held| (held.addr, held.epoch) != (addr, epoch))
            }
            _ => false,
        };
        if is_older {
            self.snapshot = None;
        }
    }

    /// The member table now, by name.
    pub(crate) fn rows(&mut self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.refresh().iter().map(row).collect();
        rows.sort_by_cached_key(|row| natural(&row.who.name));
        rows
    }

    /// The id of another member that is called `name` (or has that id in hexadecimal) and can be sent to, or why there is
    /// none.
    pub(crate) fn find(&mut self, name: &str) -> Result<NodeId, String> {
        let snapshot = self.refresh();
        let wanted = [Some(NodeId::from_name(name)), u64::from_str_radix(name, 16).ok().map(NodeId)];
        match wanted.into_iter().flatten().find_map(|id| snapshot.get(id)) {
            None => Err(format!("no member is called `{name}`; `members` lists them")),
            Some(member) if member.is_me => Err(format!("`{name}` is this member itself")),
            Some(member) => match member.status {
                Status::Alive | Status::Suspect => Ok(member.id),
                Status::Dead => Err(format!("`{name}` is dead: it receives nothing")),
                Status::Left => Err(format!("`{name}` has left: it receives nothing")),
            },
        }
    }

    fn member(&mut self, id: NodeId) -> Option<OwnedMember> {
        match &self.snapshot {
            Some(snapshot) if snapshot.get(id).is_some() => snapshot.get(id).cloned(),
            Some(_) if self.remembered.contains_key(&id) => None,
            _ => self.refresh().get(id).cloned(),
        }
    }

    fn refresh(&mut self) -> &Snapshot {
        self.snapshot.insert(self.running.members())
    }
}

impl Directory for Roster {
    fn who(&mut self, id: NodeId) -> Who {
        let Some(member) = self.member(id) else {
            let nameless = || Who { name: id.to_string(), id: id.to_string(), addr: None };
            return self.remembered.get(&id).cloned().unwrap_or_else(nameless);
        };
        let who = row(&member).who;
        if self.remembered.len() >= REMEMBERED_MAX {
            self.remembered.clear();
        }
        self.remembered.insert(id, who.clone());
        who
    }

    fn meta(&mut self, id: NodeId) -> String {
        self.member(id).map(|member| row(&member).meta).unwrap_or_default()
    }

    fn me(&self) -> Who {
        self.me.clone()
    }
}

fn row(member: &OwnedMember) -> Row {
    let (name, meta) = parse_metadata(member.id, &member.metadata)
        .unwrap_or_else(|| (member.id.to_string(), String::from_utf8_lossy(&member.metadata).into_owned()));
    Row {
        who: Who { name, id: member.id.to_string(), addr: Some(member.addr) },
        status: member.status.into(),
        rtt_us: member.rtt.map(|rtt| u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX)),
        epoch: member.epoch.0,
        incarnation: member.incarnation.0,
        meta,
        me: member.is_me,
    }
}

/// A key by which `node-10` comes after `node-9`.
fn natural(name: &str) -> (String, u64, String) {
    let digits = name.chars().rev().take_while(char::is_ascii_digit).count();
    let (stem, number) = name.split_at(name.len() - digits);
    (stem.to_owned(), number.parse().unwrap_or(0), name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_people_count() {
        let mut names = vec!["node-10", "b", "node-9", "node-09", "a"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["a", "b", "node-09", "node-9", "node-10"]);
    }
}
