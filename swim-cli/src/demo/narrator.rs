//! Which of the members' events are worth a line, and in what words.
//!
//! Fifty members that notice the death of one print some three thousand lines. What is shown: the first time that
//! any member hears of each accuser; each survivor's own outcome; what the member that all is about says
//! itself. Of each kind a handful, then their number.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use anstyle::Style;

use crate::demo::checker::Member;
use crate::line::{Happening, NamedEvent};
use crate::style::{BAD, DIM, GOOD, NEWS, WARN, paint, printable};

/// Lines of each kind in one step, if the cluster is not so small that all can be shown.
const LINES_MAX: usize = 6;
/// A cluster so small.
const SMALL: usize = 10;

pub(crate) struct Narrator {
    /// The member that the step is about, if it is about one.
    focus: Option<String>,
    since: Duration,
    lines_max: usize,
    seen: HashSet<(Kind, String, String)>,
    shown: BTreeMap<Kind, usize>,
}

/// Kinds of lines.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Kind {
    Join,
    Accusation,
    Outcome,
    Return,
    Goodbye,
    OwnNews,
}

impl Kind {
    const fn plural(self) -> &'static str {
        match self {
            Self::Join => "have joined",
            Self::Accusation => "accuse, too",
            Self::Outcome => "come to the same outcome",
            Self::Return => "see it alive",
            Self::Goodbye => "have heard the goodbye",
            Self::OwnNews => "have such news",
        }
    }
}

impl Narrator {
    /// A narrator of a step that began at `since`, is about `focus`, and takes place among `nodes` members.
    pub(crate) fn new(since: Duration, focus: Option<String>, nodes: usize) -> Self {
        let lines_max = if nodes <= SMALL { nodes } else { LINES_MAX };
        Self { focus, since, lines_max, seen: HashSet::new(), shown: BTreeMap::new() }
    }

    /// The line for an event that `observer` printed, if it is worth one.
    pub(crate) fn line(&mut self, at: Duration, observer: &str, event: &NamedEvent) -> Option<String> {
        let (kind, style, text) = self.words(observer, event)?;
        let shown = self.shown.entry(kind).or_default();
        *shown += 1;
        (*shown <= self.lines_max)
            .then(|| stamped(at.saturating_sub(self.since), paint(style, printable(&text))))
    }

    pub(crate) const fn since(&self) -> Duration {
        self.since
    }

    /// What was left out since this was asked last, a line for each kind.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        let shown = std::mem::take(&mut self.shown).into_iter();
        let more = shown.map(|(kind, shown)| (kind, shown.saturating_sub(self.lines_max)));
        more.filter(|(_, more)| *more > 0)
            .map(|(kind, more)| {
                format!("             {}", paint(DIM, format_args!("… {more} more {}", kind.plural())))
            })
            .collect()
    }

    fn words(&mut self, observer: &str, event: &NamedEvent) -> Option<(Kind, Style, String)> {
        let who = event.who.name.as_str();
        let in_focus = self.focus.as_deref() == Some(who);
        let first = |this: &mut Self, kind, by: &str| this.seen.insert((kind, who.to_owned(), by.to_owned()));
        Some(match &event.what {
            Happening::Joined { via, .. } => (Kind::Join, DIM, format!("{who} joins through {via}")),
            Happening::Suspect { by, .. } | Happening::Confirmed { by, .. } => {
                let is_first = self
                    .seen
                    .iter()
                    .all(|(kind, subject, _)| (*kind, subject.as_str()) != (Kind::Accusation, who));
                if !first(self, Kind::Accusation, by) {
                    return None;
                }
                let verb = if is_first { "suspects" } else { "confirms: no answer from" };
                (Kind::Accusation, WARN, format!("{by} {verb} {who}"))
            }
            Happening::Dead { accuser, .. } if first(self, Kind::Outcome, observer) => {
                (Kind::Outcome, BAD, format!("{observer} calls {who} Dead (accused by {accuser})"))
            }
            Happening::Alive { .. } if in_focus && observer != who && first(self, Kind::Return, observer) => {
                (Kind::Return, GOOD, format!("{observer} sees {who} Alive"))
            }
            Happening::Refuted { .. } if first(self, Kind::Return, observer) => {
                (Kind::Return, GOOD, format!("{observer} hears from {who}: it is alive"))
            }
            Happening::Left { .. } if first(self, Kind::Goodbye, observer) => {
                (Kind::Goodbye, DIM, format!("{observer} hears {who} say goodbye"))
            }
            Happening::Stalled { lost_ms, .. } => {
                let lost = Duration::from_millis(*lost_ms).as_secs_f64();
                (Kind::OwnNews, NEWS, format!("{observer} notices that it stood still for {lost:.1} s"))
            }
            Happening::Accused { by, .. } if first(self, Kind::OwnNews, by) => {
                (Kind::OwnNews, NEWS, format!("{observer} hears that {by} suspected it, and refutes"))
            }
            Happening::Conflict { rival, .. } => {
                (Kind::OwnNews, BAD, format!("{observer}: {rival} claims to be {who}, too"))
            }
            Happening::Lost { events, .. } => {
                (Kind::OwnNews, BAD, format!("{observer} lost {events} events"))
            }
            _ => return None,
        })
    }
}

/// A line of the story: when since the step began, and what.
pub(crate) fn stamped(after: Duration, text: impl std::fmt::Display) -> String {
    let time = format!("+{:.3} s", after.as_secs_f64());
    format!("  {} {text}", paint(DIM, format_args!("{time:>10}")))
}

/// `node-1`, `node-2` and so on; beyond a handful, how many.
pub(crate) fn list(names: &[String], members: impl IntoIterator<Item = Member>) -> String {
    let members: Vec<&str> = members.into_iter().map(|member| names[member].as_str()).collect();
    match members.as_slice() {
        [] => "no member".to_owned(),
        all if all.len() <= LINES_MAX => all.join(", "),
        some => format!("{}, … ({} in all)", some[..3].join(", "), some.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::Who;

    fn about(name: &str, what: Happening) -> NamedEvent {
        NamedEvent { what, who: Who { name: name.to_owned(), id: "1".to_owned(), addr: None } }
    }

    fn suspect(of: &str, by: &str) -> NamedEvent {
        about(of, Happening::Suspect { by: by.to_owned(), incarnation: 0, timeout_ms: 1 })
    }

    fn line(narrator: &mut Narrator, observer: &str, event: &NamedEvent) -> Option<String> {
        let line = narrator.line(Duration::from_millis(1500), observer, event)?;
        Some(anstream::adapter::strip_str(&line).to_string().trim().to_owned())
    }

    fn narrator(nodes: usize) -> Narrator {
        Narrator::new(Duration::from_secs(1), Some("c".to_owned()), nodes)
    }

    #[test]
    fn an_accuser_is_named_once_however_many_members_print_it() {
        let mut n = narrator(4);
        assert_eq!(line(&mut n, "a", &suspect("c", "a")).as_deref(), Some("+0.500 s a suspects c"));
        assert_eq!(line(&mut n, "b", &suspect("c", "a")), None);
        let confirmed = about("c", Happening::Confirmed { by: "b".to_owned(), accusers: 2 });
        assert_eq!(line(&mut n, "a", &confirmed).as_deref(), Some("+0.500 s b confirms: no answer from c"));
        assert_eq!(line(&mut n, "b", &confirmed), None);
    }

    #[test]
    fn an_accusation_of_another_member_is_never_passed_over() {
        let mut n = narrator(4);
        let _ = line(&mut n, "a", &suspect("c", "a"));
        assert_eq!(line(&mut n, "a", &suspect("b", "a")).as_deref(), Some("+0.500 s a suspects b"));
    }

    #[test]
    fn every_member_that_calls_it_dead_is_named() {
        let mut n = narrator(4);
        let dead = about("c", Happening::Dead { by: "a".to_owned(), accuser: "a".to_owned() });
        assert!(line(&mut n, "a", &dead).is_some() && line(&mut n, "b", &dead).is_some());
    }

    #[test]
    fn in_a_large_cluster_the_rest_is_counted() {
        let mut n = narrator(50);
        let dead = about("c", Happening::Dead { by: "a".to_owned(), accuser: "a".to_owned() });
        let shown = (0..49).filter(|i| line(&mut n, &format!("node-{i}"), &dead).is_some()).count();
        assert_eq!(shown, LINES_MAX);
        let rest = anstream::adapter::strip_str(&n.rest().concat()).to_string();
        assert_eq!(rest.trim(), "… 43 more come to the same outcome");
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..9).map(|i| format!("n{i}")).collect();
        assert_eq!(list(&names, 0..2), "n0, n1");
        assert_eq!(list(&names, 0..9), "n0, n1, n2, … (9 in all)");
        assert_eq!(list(&names, []), "no member");
    }
}
