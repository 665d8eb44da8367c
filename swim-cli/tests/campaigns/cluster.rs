//! Several members, and what can be read out of all that they say.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::lab::Heard;
use crate::member::{Launch, Member, Row};
use crate::report::Report;
use crate::scale::Profile;

/// A cluster of mixed drivers.
pub(crate) struct Cluster {
    pub(crate) profile: Profile,
    pub(crate) members: Vec<Member>,
    pub(crate) namespace: Option<String>,
}

/// A `dead` that a member printed.
#[derive(Clone, Debug)]
pub(crate) struct Death {
    pub(crate) seen_by: String,
    pub(crate) name: String,
    pub(crate) at: Instant,
}

impl Cluster {
    /// A cluster of one member, through which the others will join.
    pub(crate) fn of_one(profile: Profile, namespace: Option<&str>) -> Self {
        let namespace = namespace.map(str::to_owned);
        let mut cluster = Self { profile, members: Vec::new(), namespace };
        cluster.members.push(Member::start(&cluster.launch(0)));
        cluster
    }

    /// A cluster of these, started as their test wants.
    pub(crate) const fn of(profile: Profile, members: Vec<Member>) -> Self {
        Self { profile, members, namespace: None }
    }

    /// Starts `n` members as fast as processes can be started, and waits until they know each other.
    pub(crate) fn converged(
        report: &mut Report,
        n: usize,
        profile: Profile,
        namespace: Option<&str>,
    ) -> Self {
        let mut cluster = Self::of_one(profile, namespace);
        for index in 1..n {
            let launch = cluster.newcomer(index);
            cluster.members.push(Member::spawn(&launch));
        }
        cluster.members.iter_mut().skip(1).for_each(Member::settle);
        let last = cluster.members.iter().map(|member| member.began).max().expect("not empty");
        let took = cluster.wait_until_all_alive(last, Duration::from_secs(30));
        let what =
            format!("{n} members, mixed drivers, profile {}, converged after the last start", profile.name());
        report.within(&what, took, Duration::from_secs(5));
        cluster
    }

    /// How the `index`-th member is started so that it joins through the first.
    pub(crate) fn newcomer(&self, index: usize) -> Launch {
        self.launch(index).join(&[self.members[0].addr])
    }

    /// How the `index`-th member is started.
    pub(crate) fn launch(&self, index: usize) -> Launch {
        let mut launch = Launch::new(&name(index), index, self.profile);
        launch.namespace.clone_from(&self.namespace);
        launch
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.members.iter().map(|member| member.name.clone()).collect()
    }

    /// How much each has said so far.
    pub(crate) fn marks(&self) -> Vec<usize> {
        self.members.iter().map(|member| member.mark()).collect()
    }

    /// How long after `since` every member called every other one Alive, by their events; `None`: not within
    /// `timeout`.
    pub(crate) fn wait_until_all_alive(&self, since: Instant, timeout: Duration) -> Option<Duration> {
        let names = self.names();
        let everyone: Vec<usize> = (0..self.len()).collect();
        self.wait_until_alive(&everyone, &names, since, timeout)
    }

    /// The same, for what the `observers` say about `names`.
    pub(crate) fn wait_until_alive(
        &self,
        observers: &[usize],
        names: &[String],
        since: Instant,
        timeout: Duration,
    ) -> Option<Duration> {
        let end = Instant::now() + timeout;
        loop {
            let times = observers.iter().map(|index| alive_since(&self.members[*index], names));
            if let Some(times) = times.collect::<Option<Vec<Instant>>>() {
                let last = times.into_iter().max().unwrap_or(since);
                return Some(last.saturating_duration_since(since));
            }
            if Instant::now() > end {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Every `dead` that any member printed after `marks`.
    pub(crate) fn deaths(&self, marks: &[usize]) -> Vec<Death> {
        let mut deaths = Vec::new();
        for (member, mark) in self.members.iter().zip(marks) {
            for heard in member.since(*mark).iter().filter(|heard| heard.is("dead")) {
                deaths.push(Death { seen_by: member.name.clone(), name: about(heard), at: heard.at });
            }
        }
        deaths
    }

    /// How many events of this kind any member printed after `marks`.
    pub(crate) fn count(&self, marks: &[usize], kind: &str) -> usize {
        let of = |(member, mark): (&Member, &usize)| {
            member.since(*mark).iter().filter(|heard| heard.is(kind)).count()
        };
        self.members.iter().zip(marks).map(of).sum()
    }

    /// Waits until all members but the one at `gone` have printed a `dead` about it; the time of each
    /// such line after `since`.
    pub(crate) fn wait_for_deaths(
        &self,
        gone: usize,
        marks: &[usize],
        since: Instant,
        timeout: Duration,
    ) -> (Vec<Duration>, bool) {
        let victim = &self.members[gone].name;
        let end = since + timeout;
        let mut times = Vec::new();
        for (index, (member, mark)) in self.members.iter().zip(marks).enumerate() {
            if index != gone {
                let left = end.saturating_duration_since(Instant::now());
                let dead = member.wait(*mark, left, |heard| heard.is_about("dead", victim));
                times.extend(dead.map(|heard| heard.at.saturating_duration_since(since)));
            }
        }
        let all = times.len() + 1 == self.len();
        times.sort();
        (times, all)
    }

    /// Every `dead` after `marks` that is not about the member at `gone`.
    pub(crate) fn deaths_of_others(&self, marks: &[usize], gone: usize) -> Vec<Death> {
        let mut deaths = self.deaths(marks);
        deaths.retain(|death| death.name != self.members[gone].name);
        deaths
    }

    /// Asks all running members for their tables; those that do not call all of `alive` Alive.
    pub(crate) fn disagreeing(&mut self, alive: &[String]) -> Vec<String> {
        let mut wrong = Vec::new();
        for member in self.members.iter_mut().filter_map(|member| member.is_running().then_some(member)) {
            let rows = member.rows();
            for name in alive {
                let row = rows.iter().find(|row| row.name == *name);
                let status = row.map_or("unknown", |row| &row.status);
                if status != "alive" {
                    wrong.push(format!("{} calls {name} {status}", member.name));
                }
            }
        }
        wrong
    }

    /// All running members call all of `alive` Alive.
    pub(crate) fn must_agree(&mut self, report: &mut Report, alive: &[String]) {
        report.none("members that are not listed as alive by all", &self.disagreeing(alive));
    }

    /// The tables of all members.
    pub(crate) fn tables(&mut self) -> Vec<Vec<Row>> {
        self.members.iter_mut().map(Member::rows).collect()
    }
}

/// What the `index`-th member is called.
pub(crate) fn name(index: usize) -> String {
    format!("m{index:02}")
}

/// Whom a line is about.
pub(crate) fn about(heard: &Heard) -> String {
    heard.line["name"].as_str().unwrap_or_default().to_owned()
}

/// Since when `member` calls all others of `names` Alive, by its events.
fn alive_since(member: &Member, names: &[String]) -> Option<Instant> {
    let mut held = BTreeMap::new();
    for heard in member.since(0) {
        if let Some(kind @ ("alive" | "refuted" | "suspect" | "dead" | "left")) = heard.line["event"].as_str()
        {
            held.insert(about(&heard), (matches!(kind, "alive" | "refuted"), heard.at));
        }
    }
    let mut others = names.iter().filter(|name| **name != member.name);
    others.try_fold(member.began, |last, name| match held.get(name) {
        Some((true, at)) => Some(last.max(*at)),
        _ => None,
    })
}
