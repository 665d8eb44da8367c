//! What the members say, against what was done to them.
//!
//! The checker is given two kinds of things: what the demo did to a process (started, killed, stopped, …), and
//! every line that a member printed. From these alone it knows what each member holds of each other one,
//! who accused whom, who called whom Dead and when, and whether that was wrong. It reads no clock and starts
//! nothing: given the same story it comes to the same outcome, so it is tested on recorded ones.
//!
//! A death is *false* if the process was there: running, or stopped for less time than the shortest
//! suspicion takes. One that was stopped for longer may be called Dead by those who have not heard from it
//! since; so may the earlier epoch of one that was killed and started again.

use std::collections::HashMap;
use std::time::Duration;

use swim_core::NodeId;

use crate::line::{Happening, Line, NamedEvent, RowStatus};

/// A member by its number, from 0.
pub(crate) type Member = usize;

/// What one member holds of another; `None`: it has not heard of it.
pub(crate) type Held = Option<RowStatus>;

/// What the demo did to a process last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Deed {
    /// Never started.
    Nothing,
    /// Started, or woken.
    Runs,
    /// SIGSTOP.
    Stopped,
    /// SIGKILL.
    Killed,
    /// Asked to leave, and gone.
    Left,
}

impl Deed {
    /// What the process does since.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "not started",
            Self::Runs => "running",
            Self::Stopped => "stopped",
            Self::Killed => "killed",
            Self::Left => "left",
        }
    }
}

/// An accusation: a suspicion, or a confirmation of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Accusation {
    /// When it was heard of.
    pub(crate) at: Duration,
    /// Who printed it.
    pub(crate) observer: Member,
    /// Whom it is about.
    pub(crate) subject: Member,
    pub(crate) by: Member,
}

/// A member was called Dead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Death {
    pub(crate) at: Duration,
    /// Who printed it.
    pub(crate) observer: Member,
    /// Whom it is about.
    pub(crate) subject: Member,
    /// Whether the process was there.
    pub(crate) is_false: bool,
}

/// The truth about one process.
#[derive(Clone, Copy, Debug)]
struct Process {
    deed: Deed,
    /// When it was done.
    since: Duration,
    /// How long it had been silent when it was started or woken last.
    silence: Duration,
}

/// What is held of a member, and since when.
#[derive(Clone, Copy, Debug)]
struct View {
    held: Held,
    since: Duration,
    /// When the observer last heard that it is alive.
    alive_at: Option<Duration>,
}

/// Compares words and deeds.
pub(crate) struct Checker {
    /// Both names of each member: the given one, and the id that stands for it until it is known.
    numbers: HashMap<String, Member>,
    suspicion_min: Duration,
    processes: Vec<Process>,
    /// `[observer][subject]`.
    views: Vec<Vec<View>>,
    /// When each observer last answered `members`.
    answered: Vec<Option<Duration>>,
    accusations: Vec<Accusation>,
    deaths: Vec<Death>,
    /// Events that a member says it lost.
    lost: u64,
}

impl Checker {
    /// A checker of members of these names, none of them started yet.
    pub(crate) fn new(names: &[String], suspicion_min: Duration) -> Self {
        let ids = names.iter().map(|name| NodeId::from_name(name).to_string());
        let numbers = names.iter().cloned().chain(ids).zip((0..names.len()).cycle()).collect();
        let (zero, n) = (Duration::ZERO, names.len());
        let view = View { held: None, since: zero, alive_at: None };
        Self {
            numbers,
            suspicion_min,
            processes: vec![Process { deed: Deed::Nothing, since: zero, silence: zero }; n],
            views: vec![vec![view; n]; n],
            answered: vec![None; n],
            accusations: Vec::new(),
            deaths: Vec::new(),
            lost: 0,
        }
    }

    /// Something was done to `member`.
    pub(crate) fn deed(&mut self, at: Duration, member: Member, deed: Deed) {
        let process = &mut self.processes[member];
        let was_silent = matches!(process.deed, Deed::Stopped | Deed::Killed | Deed::Left);
        let starts_anew = matches!(process.deed, Deed::Nothing | Deed::Killed | Deed::Left);
        if deed == Deed::Runs {
            process.silence = if was_silent { at.saturating_sub(process.since) } else { Duration::ZERO };
        }
        process.deed = deed;
        process.since = at;
        if deed == Deed::Runs && starts_anew {
            // A new epoch knows nothing.
            self.views[member].fill(View { held: None, since: at, alive_at: None });
            self.answered[member] = None;
        }
    }

    /// `observer` printed `line`.
    pub(crate) fn line(&mut self, at: Duration, observer: Member, line: &Line) {
        match line {
            Line::Event(stamped) => self.event(at, observer, &stamped.event),
            Line::Members { members } => {
                self.answered[observer] = Some(at);
                let mut listed = vec![None; self.processes.len()];
                for row in members {
                    if let Some(subject) = self.number(&row.who.id) {
                        listed[subject] = Some(row.status);
                    }
                }
                for (subject, held) in listed.into_iter().enumerate() {
                    self.hold(at, observer, subject, held);
                }
            }
            Line::Stats { .. } | Line::Error { .. } | Line::Help { .. } => {}
        }
    }

    fn event(&mut self, at: Duration, observer: Member, event: &NamedEvent) {
        if let Happening::Lost { events } = &event.what {
            self.lost = self.lost.saturating_add(*events);
        }
        let Some(subject) = self.number(&event.who.id) else { return };
        match &event.what {
            Happening::Started { .. } | Happening::Alive { .. } | Happening::Refuted { .. } => {
                self.views[observer][subject].alive_at = Some(at);
                self.hold(at, observer, subject, Some(RowStatus::Alive));
            }
            Happening::Suspect { by, .. } => {
                self.accused(at, observer, subject, by);
                self.hold(at, observer, subject, Some(RowStatus::Suspect));
            }
            Happening::Confirmed { by, .. } => self.accused(at, observer, subject, by),
            Happening::Dead { .. } => {
                let is_false = self.is_there(at, observer, subject);
                self.deaths.push(Death { at, observer, subject, is_false });
                self.hold(at, observer, subject, Some(RowStatus::Dead));
            }
            Happening::Left { .. } => self.hold(at, observer, subject, Some(RowStatus::Left)),
            Happening::Forgotten => self.hold(at, observer, subject, None),
            _ => {}
        }
    }

    fn accused(&mut self, at: Duration, observer: Member, subject: Member, by: &str) {
        if let Some(by) = self.number(by) {
            self.accusations.push(Accusation { at, observer, subject, by });
        }
    }

    fn hold(&mut self, at: Duration, observer: Member, subject: Member, held: Held) {
        let view = &mut self.views[observer][subject];
        if view.held != held {
            view.held = held;
            view.since = at;
        }
    }

    fn number(&self, name: &str) -> Option<Member> {
        self.numbers.get(name).copied()
    }

    /// Whether `observer` is wrong to call `subject` Dead now.
    fn is_there(&self, at: Duration, observer: Member, subject: Member) -> bool {
        let process = self.processes[subject];
        match process.deed {
            Deed::Nothing | Deed::Killed | Deed::Left => false,
            Deed::Stopped => at.saturating_sub(process.since) < self.suspicion_min,
            Deed::Runs => {
                let heard_since = self.views[observer][subject].alive_at.is_some_and(|t| t >= process.since);
                heard_since || process.silence < self.suspicion_min
            }
        }
    }

    /// How many members there are, whatever became of them.
    pub(crate) fn len(&self) -> usize {
        self.processes.len()
    }

    pub(crate) fn deed_of(&self, member: Member) -> Deed {
        self.processes[member].deed
    }

    pub(crate) fn held(&self, observer: Member, subject: Member) -> Held {
        self.views[observer][subject].held
    }

    /// Members that can speak.
    pub(crate) fn speakers(&self) -> impl Iterator<Item = Member> {
        (0..self.len()).filter(|member| self.processes[*member].deed == Deed::Runs)
    }

    /// What the speakers other than `subject` should believe of it, given what was done to it.
    fn expected(&self, subject: Member) -> Held {
        match self.processes[subject].deed {
            Deed::Nothing => None,
            Deed::Runs | Deed::Stopped => Some(RowStatus::Alive),
            Deed::Killed => Some(RowStatus::Dead),
            Deed::Left => Some(RowStatus::Left),
        }
    }

    /// How many speakers other than `subject` hold `held` of it, and how many there are.
    pub(crate) fn holders(&self, subject: Member, held: Held) -> (usize, usize) {
        let others = self.speakers().filter(|observer| *observer != subject);
        others.fold((0, 0), |(count, all), observer| {
            (count + usize::from(self.held(observer, subject) == held), all + 1)
        })
    }

    /// Whether every speaker other than `subject` has heard since `since` that it is alive.
    pub(crate) fn all_heard_of(&self, subject: Member, since: Duration) -> bool {
        let mut others = self.speakers().filter(|observer| *observer != subject);
        others.all(|observer| self.views[observer][subject].alive_at.is_some_and(|at| at >= since))
    }

    /// How many held claims of speakers about others are as they should be, and how many there are.
    pub(crate) fn agreement(&self) -> (usize, usize) {
        (0..self.len()).fold((0, 0), |(count, all), subject| {
            let (right, observers) = self.holders(subject, self.expected(subject));
            (count + right, all + observers)
        })
    }

    /// Whether every speaker holds of all members what is true.
    pub(crate) fn all_agree(&self) -> bool {
        let (right, all) = self.agreement();
        right == all
    }

    /// When the last held claim of a speaker changed.
    pub(crate) fn settled_at(&self) -> Duration {
        let views = self.speakers().flat_map(|observer| {
            (0..self.len()).filter(move |s| *s != observer).map(move |s| self.views[observer][s].since)
        });
        views.max().unwrap_or_default()
    }

    /// Whether every speaker has answered `members` since `asked`.
    pub(crate) fn all_answered(&self, asked: Duration) -> bool {
        self.speakers().all(|member| self.answered[member].is_some_and(|at| at >= asked))
    }

    /// When each observer first called `subject` Dead, from `since` on.
    pub(crate) fn deaths_of(&self, subject: Member, since: Duration) -> Vec<(Member, Duration)> {
        let deaths = self.deaths.iter().filter(|death| death.subject == subject && death.at >= since);
        firsts(deaths.map(|death| (death.observer, death.at)))
    }

    /// Who accused `subject`, each with the first time that any member heard of it, from `since` on.
    pub(crate) fn accusers_of(&self, subject: Member, since: Duration) -> Vec<(Member, Duration)> {
        let accusations = self.accusations.iter().filter(|a| a.subject == subject && a.at >= since);
        firsts(accusations.map(|accusation| (accusation.by, accusation.at)))
    }

    /// Whom `by` accused, itself, from `since` on.
    pub(crate) fn accused_by(&self, by: Member, since: Duration) -> Vec<Accusation> {
        let own = |a: &&Accusation| a.by == by && a.observer == by && a.at >= since;
        self.accusations.iter().filter(own).copied().collect()
    }

    /// All deaths of members that were there.
    pub(crate) fn false_deaths(&self) -> impl Iterator<Item = &Death> {
        self.deaths.iter().filter(|death| death.is_false)
    }

    /// Events that members say they lost: with any, deaths may have gone unseen.
    pub(crate) const fn lost(&self) -> u64 {
        self.lost
    }
}

/// Each member's first time.
fn firsts(times: impl Iterator<Item = (Member, Duration)>) -> Vec<(Member, Duration)> {
    let mut firsts: Vec<(Member, Duration)> = Vec::new();
    for (member, at) in times {
        if firsts.iter().all(|(known, _)| *known != member) {
            firsts.push((member, at));
        }
    }
    firsts
}

#[cfg(test)]
#[path = "checker_tests.rs"]
mod tests;
