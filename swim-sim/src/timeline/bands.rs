//! Faults as bands of time: from the action that began one to the action that ended it.
//!
//! An action says itself what ends it. What a process carries ends with the process, and peace ends
//! everything but death. An action that nothing ends is a band without length.

use crate::action::{Action, Phase};

/// Characters of a printed action at most.
const TEXT_MAX: usize = 300;

/// One fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Band {
    /// The kinds of faults, by their names.
    pub(crate) class: String,
    /// The action, printed.
    pub(crate) text: String,
    /// Which hosts; none: all.
    pub(crate) hosts: Vec<u32>,
    /// Groups that did not reach each other; two of one host each for a single direction that was cut.
    pub(crate) groups: Vec<Vec<u32>>,
    /// When it began, in ns.
    pub(crate) from: u64,
    /// When it ended, in ns; `None`: it had not, when the run ended.
    pub(crate) to: Option<u64>,
}

/// All faults, in the order of their beginnings.
#[derive(Default)]
pub(crate) struct Bands {
    pub(crate) all: Vec<Band>,
    /// Bands that have not ended, by their place, with the action that began them.
    open: Vec<(usize, Action)>,
    pub(crate) skipped: u64,
}

impl Bands {
    /// An action was done at `at` ns.
    pub(crate) fn act(&mut self, action: &Action, at: u64, max: usize) {
        let begins = action.phase() == Phase::Begins;
        self.close(at, |begun| match action {
            Action::Peace => !matches!(begun, Action::Crash(_) | Action::WallClock { .. }),
            Action::Heal => matches!(begun, Action::Partition(_) | Action::Cut { .. }),
            Action::SetDefaultLink(_) => matches!(begun, Action::SetDefaultLink(_)),
            // The same once more, with other numbers, is in place of the first.
            _ => {
                begun.ended_by().is_some_and(|end| end == *action || begins && Some(end) == action.ended_by())
            }
        });
        let classes: Vec<&str> = action.fault_classes().iter().map(|class| class.name()).collect();
        if classes.is_empty() || action.phase() == Phase::Ends {
            return;
        }
        if self.all.len() >= max {
            self.skipped += 1;
            return;
        }
        if begins {
            self.open.push((self.all.len(), action.clone()));
        }
        self.all.push(Band {
            class: classes.join(" + "),
            text: shortened(&format!("{action:?}")),
            hosts: action.hosts().iter().map(|host| host.0).collect(),
            groups: groups(action),
            from: at,
            to: (!begins).then_some(at),
        });
    }

    /// A process begins: it is no longer crashed.
    pub(crate) fn began(&mut self, host: u32, at: u64) {
        self.close(at, |begun| matches!(begun, Action::Crash(victim) if victim.0 == host));
    }

    /// A process is over: it is no longer stopped.
    pub(crate) fn ended(&mut self, host: u32, at: u64) {
        self.close(at, |begun| matches!(begun, Action::Pause { host: stopped, .. } if stopped.0 == host));
    }

    fn close(&mut self, at: u64, ends: impl Fn(&Action) -> bool) {
        let all = &mut self.all;
        self.open.retain(|(index, begun)| {
            let over = ends(begun);
            if over {
                all[*index].to = Some(at);
            }
            !over
        });
    }
}

/// A partition of a thousand hosts names them all, which is too long to read.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The groups that an action keeps apart.
fn groups(action: &Action) -> Vec<Vec<u32>> {
    match action {
        Action::Partition(groups) => {
            groups.iter().map(|group| group.iter().map(|host| host.0).collect()).collect()
        }
        Action::Cut { source, target } => vec![vec![source.0], vec![target.0]],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HostId, Link, PER_CENT};

    const A: HostId = HostId(0);
    const B: HostId = HostId(10);

    fn bands(actions: &[Action]) -> Vec<(String, Vec<u32>, u64, Option<u64>)> {
        let mut bands = Bands::default();
        for (at, action) in (1..).zip(actions) {
            bands.act(action, at, 100);
        }
        bands.all.into_iter().map(|band| (band.class, band.hosts, band.from, band.to)).collect()
    }

    #[test]
    fn a_partition_lasts_until_it_is_healed_or_replaced() {
        let split = Action::Partition(vec![vec![A], vec![B]]);
        let name = "partition".to_owned();
        assert_eq!(
            bands(&[split.clone(), split, Action::Heal]),
            [(name.clone(), vec![0, 10], 1, Some(2)), (name, vec![0, 10], 2, Some(3))]
        );
    }

    #[test]
    fn what_is_done_to_one_host_is_ended_at_that_host() {
        let seen = bands(&[Action::Unplug(A), Action::Unplug(B), Action::Plug(B), Action::Crash(A)]);
        let ends: Vec<_> = seen.into_iter().map(|(class, hosts, _, to)| (class, hosts[0], to)).collect();
        let expected = [("unplug", 0, None), ("unplug", 10, Some(3)), ("crash", 0, None)];
        assert_eq!(ends, expected.map(|(class, host, to)| (class.to_owned(), host, to)));
    }

    #[test]
    fn a_goodbye_is_an_instant() {
        assert_eq!(bands(&[Action::Leave(A)]), [("leave".to_owned(), vec![0], 1, Some(1))]);
    }

    #[test]
    fn peace_ends_all_but_death() {
        let slow = Action::Drift { host: A, ppm: 500 };
        let seen = bands(&[slow, Action::Cut { source: A, target: B }, Action::Crash(B), Action::Peace]);
        let ends: Vec<_> = seen.into_iter().map(|(class, _, _, to)| (class, to)).collect();
        let expected = [("drift", Some(4)), ("one-way-cut", Some(4)), ("crash", None)];
        assert_eq!(ends, expected.map(|(class, to)| (class.to_owned(), to)));
    }

    #[test]
    fn a_lossy_network_is_a_band_until_it_is_whole() {
        let lossy = Link::lan().loss(30 * PER_CENT);
        let seen = bands(&[Action::SetDefaultLink(lossy), Action::SetDefaultLink(Link::lan())]);
        assert_eq!(seen, [("loss".to_owned(), vec![], 1, Some(2))]);
    }
}
