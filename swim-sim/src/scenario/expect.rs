//! What one scenario promises beyond what all do.
//!
//! Properties hold whatever happens, so they must leave room for what some faults excuse. A scenario knows its
//! faults, and can say more: no member at all is declared dead, an isolated one accuses none, a dead one never comes
//! back. All times are counted from the beginning of the trouble, as those of the steps are; what happened
//! before it does not count.
//!
//! ```
//! # let text = r##"
//! # hosts = 5
//! # steps = [{ at = "5s", do = { crash = "#5" } }]
//! [expect]
//! nobody_dead = true
//! [[expect.views]]
//! at = "50s"
//! of = ["#5"]
//! status = "dead"
//! [[expect.events]]
//! what = "alive"
//! of = ["#5"]
//! from = "50s"
//! until = "90s"
//! at_most = 0
//! # "##;
//! # let scenario: swim_sim::scenario::Scenario = toml::from_str(text).unwrap();
//! # scenario.check().unwrap();
//! ```

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use swim_core::{Event, MessageKind, NodeId, Status};

use super::ScenarioError;
use crate::host_id::HostId;
use crate::text::{self, Text};

/// What must hold in one scenario, beyond what must hold in all.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// All must agree so soon after the trouble. Default: as the properties say.
    #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
    pub agree_within: Option<Duration>,
    /// All must agree, and with the truth, at these moments of the trouble.
    #[serde(default, with = "text::list", skip_serializing_if = "Vec::is_empty")]
    pub agree_at: Vec<Duration>,
    /// No member whose process runs or is stopped may be Dead anywhere, from the beginning on.
    #[serde(default)]
    pub nobody_dead: bool,
    /// These excepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_be_dead: Vec<HostId>,
    /// These must be Dead at all members that run when the trouble ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dead: Vec<HostId>,
    /// These must be Alive at all members that run when the trouble ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alive: Vec<HostId>,
    /// What must be believed at some moments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<Views>,
    /// Between which moments no table may change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unchanged: Vec<Unchanged>,
    /// How often users may be reported something, or must be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Reported>,
    /// How many datagrams may be sent, or must be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<Sent>,
}

/// What must be believed at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Views {
    /// When: after the first input of any node from then on.
    #[serde(with = "text")]
    pub at: Duration,
    /// By whom. Default: by all who run then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<HostId>,
    /// Of whom. What they believe of themselves does not count.
    pub of: Vec<HostId>,
    /// What.
    pub status: HeldStatus,
}

/// Between which moments no table, and no incarnation in it, may change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unchanged {
    /// Whose table. Default: those of all who run at both moments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<HostId>,
    /// From this moment.
    #[serde(with = "text")]
    pub from: Duration,
    /// To this one.
    #[serde(with = "text")]
    pub until: Duration,
}

/// How often users may be reported something, or must be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reported {
    /// What they are reported.
    pub what: EventKind,
    /// About whom; of what concerns the node itself, about itself. Default: about any member.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<HostId>,
    /// Whose accusation, declaration or removal it is. Default: any member's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<HostId>,
    /// Whose users. Default: any member's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<HostId>,
    /// From this moment. Default: the beginning of the trouble.
    #[serde(default, with = "text")]
    pub from: Duration,
    /// To this one. Default: the end of the run.
    #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
    pub until: Option<Duration>,
    /// So often at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
    /// So often at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
}

/// How many datagrams may be sent, or must be, whatever becomes of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// What they are. Default: anything.
    #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
    pub kind: Option<MessageKind>,
    /// By whom. Default: by any member.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<HostId>,
    /// Where to. Default: anywhere.
    #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
    pub to: Option<SocketAddr>,
    /// From this moment. Default: the beginning of the trouble.
    #[serde(default, with = "text")]
    pub from: Duration,
    /// To this one. Default: the end of the run.
    #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
    pub until: Option<Duration>,
    /// So many at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
    /// So many at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
}

/// What can be held of a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldStatus {
    /// It is alive.
    Alive,
    /// It may be dead.
    Suspect,
    /// It is dead.
    Dead,
    /// It said goodbye, or was removed.
    Left,
    /// Nothing: it is not in the table.
    Unknown,
    /// It is neither alive nor suspected.
    Gone,
}

impl HeldStatus {
    /// Whether it is the one that is held.
    #[must_use]
    pub fn is(self, held: Option<Status>) -> bool {
        match self {
            Self::Alive => held == Some(Status::Alive),
            Self::Suspect => held == Some(Status::Suspect),
            Self::Dead => held == Some(Status::Dead),
            Self::Left => held == Some(Status::Left),
            Self::Unknown => held.is_none(),
            Self::Gone => held.is_none_or(|status| !status.is_active()),
        }
    }
}

/// Declares the kinds of events, each with the event that is of it, the member that it is about (`None`: the node
/// itself), and the member that said so.
macro_rules! kinds {
    ($($(#[$attribute:meta])? $kind:ident $event:pat => $of:expr, $by:expr;)*) => {
        /// What a user can be reported, by the names of [`swim_core::Event`].
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "each is explained where the event is")]
        pub enum EventKind {
            $($(#[$attribute])? $kind,)*
        }

        impl EventKind {
            /// The kind of an event, the member that it is about, and the one that said so.
            pub(crate) fn of(event: &Event) -> Option<(Self, Option<NodeId>, Option<NodeId>)> {
                Some(match event {
                    $($event => (Self::$kind, $of, $by),)*
                    _ => return None,
                })
            }
        }
    };
}

kinds! {
    Alive Event::Alive { id, .. } => Some(*id), None;
    Suspect Event::Suspect { id, by, .. } => Some(*id), Some(*by);
    Confirmed Event::Confirmed { id, by, .. } => Some(*id), Some(*by);
    Refuted Event::Refuted { id, by, .. } => Some(*id), Some(*by);
    Dead Event::Dead { id, by, .. } => Some(*id), Some(*by);
    Left Event::Left { id, by } => Some(*id), Some(by.unwrap_or(*id));
    Updated Event::Updated { id, .. } => Some(*id), None;
    Forgotten Event::Forgotten { id } => Some(*id), None;
    Conflict Event::Conflict { id, .. } => Some(*id), None;
    WrongSource Event::WrongSource { id, .. } => Some(*id), None;
    Broadcast Event::Broadcast { origin, .. } => Some(*origin), None;
    BroadcastsMissed Event::BroadcastsMissed { origin, .. } => Some(*origin), None;
    Message Event::Message { from, .. } => Some(*from), None;
    Accused Event::Accused { by, .. } => None, Some(*by);
    EpochRaised Event::EpochRaised { .. } => None, None;
    Stalled Event::Stalled { .. } => None, None;
    StartedOver Event::StartedOver { .. } => None, None;
    #[serde(rename = "deaf")]
    Isolated Event::Isolated { .. } => None, None;
    Joined Event::Joined { .. } => None, None;
    JoinFailed Event::JoinFailed { .. } => None, None;
    LeaveSent Event::LeaveSent { .. } => None, None;
}

/// Written as in `docs/wire.md`, with underscores: `ping_req`.
impl Text for MessageKind {
    const KIND: &'static str = "a kind of datagram such as ping or sync_page";

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.print() == text)
    }

    fn print(&self) -> String {
        self.name().replace('-', "_")
    }
}

impl Expect {
    /// Whether nothing is expected.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Every host that is named.
    fn hosts(&self) -> impl Iterator<Item = HostId> + '_ {
        let views = self.views.iter().flat_map(|views| views.by.iter().chain(&views.of));
        let unchanged = self.unchanged.iter().flat_map(|unchanged| &unchanged.by);
        let reported = self
            .events
            .iter()
            .flat_map(|reported| reported.of.iter().chain(&reported.by).chain(&reported.at));
        let sent = self.sent.iter().flat_map(|sent| &sent.by);
        let plain = self.may_be_dead.iter().chain(&self.dead).chain(&self.alive);
        plain.chain(views).chain(unchanged).chain(reported).chain(sent).copied()
    }

    /// Whether every host is one of `hosts`, and every count has a limit that can be missed.
    pub(super) fn check(&self, hosts: u64) -> Result<(), ScenarioError> {
        if let Some(stranger) = self.hosts().find(|host| u64::from(host.0) >= hosts) {
            return Err(ScenarioError(format!("expect names host {stranger:?}; there are {hosts} at most")));
        }
        let reported = self.events.iter().map(|reported| (reported.at_most, reported.at_least));
        let sent = self.sent.iter().map(|sent| (sent.at_most, sent.at_least));
        if reported.chain(sent).any(|(most, least)| most.is_none() && least.unwrap_or(0) == 0) {
            let why = "expect counts something without a limit; expected at_most, or at_least above 0";
            return Err(ScenarioError(why.into()));
        }
        Ok(())
    }
}

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.what)?;
        hosts(f, " of ", &self.of)?;
        hosts(f, " by ", &self.by)?;
        hosts(f, " at ", &self.at)?;
        counted(f, (self.from, self.until), (self.at_least, self.at_most))
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Some(kind) => write!(f, "{kind:?}")?,
            None => f.write_str("datagrams")?,
        }
        hosts(f, " by ", &self.by)?;
        if let Some(to) = self.to {
            write!(f, " to {to}")?;
        }
        counted(f, (self.from, self.until), (self.at_least, self.at_most))
    }
}

fn hosts(f: &mut fmt::Formatter<'_>, preposition: &str, hosts: &[HostId]) -> fmt::Result {
    if hosts.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    write!(f, "{preposition}{}", names.join(", "))
}

fn counted(
    f: &mut fmt::Formatter<'_>,
    (from, until): (Duration, Option<Duration>),
    (least, most): (Option<u64>, Option<u64>),
) -> fmt::Result {
    if !from.is_zero() {
        write!(f, " from {}", from.print())?;
    }
    if let Some(until) = until {
        write!(f, " until {}", until.print())?;
    }
    match (least, most) {
        (Some(least), Some(most)) => write!(f, ": {least} to {most}"),
        (Some(least), None) => write!(f, ": at least {least}"),
        (None, Some(most)) => write!(f, ": at most {most}"),
        (None, None) => Ok(()),
    }
}
