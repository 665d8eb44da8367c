//! Faults as bands of time: from the action that began one to the action that ended it.
//!
//! What ends what follows from the names of the actions and the hosts they are done to. An action that
//! nothing ends is a band without length.

use crate::action::Action;

/// One fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Band {
    /// What kind, in lower case with hyphens.
    pub(crate) class: String,
    /// The action, printed.
    pub(crate) text: String,
    /// Which hosts; none: all.
    pub(crate) hosts: Vec<u32>,
    /// Groups that did not hear each other; two of one host each for a single direction that was cut.
    pub(crate) groups: Vec<Vec<u32>>,
    /// When it began, in ns.
    pub(crate) from: u64,
    /// When it ended, in ns; `None`: it had not, when the run ended.
    pub(crate) to: Option<u64>,
}

/// All faults, in the order of their beginnings.
#[derive(Default)]
pub(crate) struct Bands {
    all: Vec<Band>,
    pub(crate) skipped: u64,
}

impl Bands {
    /// An action was done. `harmless`: the default link is what it was at the beginning.
    pub(crate) fn act(&mut self, action: &Action, at: u64, harmless: bool, max: usize) {
        let text = format!("{action:?}");
        let (name, hosts) = (name_of(&text), hosts_in(&text));
        match name {
            "Join" => return,
            "Heal" | "Peace" => {
                return self.close(at, |band| matches!(band.class.as_str(), "partition" | "cut"));
            }
            "Resume" => return self.close(at, |band| band.class == "pause" && band.hosts == hosts),
            "Plug" => return self.close(at, |band| band.class == "unplug" && band.hosts == hosts),
            "Mend" => return self.close(at, |band| band.class == "cut" && band.hosts == hosts),
            "Restart" => self.close(at, |band| band.class == "crash" && band.hosts == hosts),
            "Partition" => self.close(at, |band| band.class == "partition"),
            "SetDefaultLink" => {
                self.close(at, |band| band.class == "link");
                if harmless {
                    return;
                }
            }
            _ => {}
        }
        let lasts = matches!(name, "Crash" | "Pause" | "Unplug" | "Partition" | "Cut" | "SetDefaultLink");
        if self.all.len() >= max {
            self.skipped += 1;
            return;
        }
        let groups = match action {
            Action::Partition(groups) => {
                groups.iter().map(|group| group.iter().map(|host| host.0).collect()).collect()
            }
            Action::Cut { source, target } => vec![vec![source.0], vec![target.0]],
            _ => Vec::new(),
        };
        let class = if name == "SetDefaultLink" { "link".to_owned() } else { kebab(name) };
        self.all.push(Band { class, text, hosts, groups, from: at, to: (!lasts).then_some(at) });
    }

    /// A process is over: it is no longer stopped.
    pub(crate) fn ended(&mut self, host: u32, at: u64) {
        self.close(at, |band| band.class == "pause" && band.hosts == [host]);
    }

    pub(crate) fn all(&self) -> &[Band] {
        &self.all
    }

    fn close(&mut self, at: u64, ends: impl Fn(&Band) -> bool) {
        for band in self.all.iter_mut().filter(|band| band.to.is_none() && ends(band)) {
            band.to = Some(at);
        }
    }
}

/// The first word of what an action prints.
fn name_of(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or(text)
}

/// `OneWay` as `one-way`.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    kebab
}

/// Hosts are printed as `#1`, in hexadecimal and one more than their number.
fn hosts_in(text: &str) -> Vec<u32> {
    let numbers = text.split('#').skip(1).filter_map(|rest| {
        let digits = rest.split(|c: char| !c.is_ascii_hexdigit()).next()?;
        u32::from_str_radix(digits, 16).ok()?.checked_sub(1)
    });
    let mut hosts: Vec<u32> = numbers.collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HostId;

    const A: HostId = HostId(0);
    const B: HostId = HostId(10);

    fn bands(actions: &[Action]) -> Vec<(String, Vec<u32>, u64, Option<u64>)> {
        let mut bands = Bands::default();
        for (at, action) in (1..).zip(actions) {
            bands.act(action, at, false, 100);
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
}
