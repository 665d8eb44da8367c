//! What a scenario expects among other hosts, at other times, or with one sentence less.

use std::time::Duration;

use crate::host_id::HostId;
use crate::scenario::{Expect, Reported, Sent, Unchanged, Views};

impl Expect {
    /// The same with each host under the name that `name` gives it. Lists lose those that have none; a sentence
    /// that is left without any host that it was about is lost, for it would be about all.
    pub(crate) fn renamed(&self, name: &impl Fn(HostId) -> Option<HostId>) -> Self {
        let all = |hosts: &[HostId]| -> Vec<HostId> { hosts.iter().filter_map(|host| name(*host)).collect() };
        let some = |hosts: &[HostId]| -> Option<Vec<HostId>> {
            let left = all(hosts);
            (hosts.is_empty() || !left.is_empty()).then_some(left)
        };
        let views = |views: &Views| {
            let of = some(&views.of)?;
            Some(Views { by: some(&views.by)?, of, ..views.clone() })
        };
        let reported = |reported: &Reported| {
            let (of, by, at) = (some(&reported.of)?, some(&reported.by)?, some(&reported.at)?);
            Some(Reported { of, by, at, ..reported.clone() })
        };
        let sent = |sent: &Sent| {
            let to = match sent.to.map(|to| (to, HostId::born_at(to))) {
                Some((_, Some(host))) => Some(name(host)?.birthplace()),
                other => other.map(|(to, _)| to),
            };
            Some(Sent { by: some(&sent.by)?, to, ..sent.clone() })
        };
        let unchanged =
            |unchanged: &Unchanged| Some(Unchanged { by: some(&unchanged.by)?, ..unchanged.clone() });
        Self {
            agree_within: self.agree_within,
            agree_at: self.agree_at.clone(),
            nobody_dead: self.nobody_dead,
            may_be_dead: all(&self.may_be_dead),
            dead: all(&self.dead),
            alive: all(&self.alive),
            views: self.views.iter().filter_map(views).collect(),
            unchanged: self.unchanged.iter().filter_map(unchanged).collect(),
            events: self.events.iter().filter_map(reported).collect(),
            sent: self.sent.iter().filter_map(sent).collect(),
        }
    }

    /// The same with other moments.
    pub(crate) fn retimed(&self, time: &impl Fn(Duration) -> Duration) -> Self {
        let mut retimed = self.clone();
        let both = |from: &mut Duration, until: &mut Option<Duration>| {
            *from = time(*from);
            *until = until.map(time);
        };
        retimed.agree_at.iter_mut().for_each(|at| *at = time(*at));
        retimed.views.iter_mut().for_each(|views| views.at = time(views.at));
        for unchanged in &mut retimed.unchanged {
            (unchanged.from, unchanged.until) = (time(unchanged.from), time(unchanged.until));
        }
        retimed.events.iter_mut().for_each(|reported| both(&mut reported.from, &mut reported.until));
        retimed.sent.iter_mut().for_each(|sent| both(&mut sent.from, &mut sent.until));
        retimed
    }

    /// Each way to expect one thing less, or, first of all, nothing.
    pub(crate) fn with_less(&self) -> Vec<Self> {
        let with = |change: &dyn Fn(&mut Self)| {
            let mut one = self.clone();
            change(&mut one);
            one
        };
        let mut fewer = vec![
            Self::default(),
            with(&|expect| expect.agree_within = None),
            with(&|expect| (expect.nobody_dead, expect.may_be_dead) = (false, Vec::new())),
            with(&|expect| expect.may_be_dead.clear()),
        ];
        fewer.extend(self.without_one(|expect| &mut expect.agree_at));
        fewer.extend(self.without_one(|expect| &mut expect.dead));
        fewer.extend(self.without_one(|expect| &mut expect.alive));
        fewer.extend(self.without_one(|expect| &mut expect.views));
        fewer.extend(self.without_one(|expect| &mut expect.unchanged));
        fewer.extend(self.without_one(|expect| &mut expect.events));
        fewer.extend(self.without_one(|expect| &mut expect.sent));
        for index in 0..self.events.len() {
            fewer.push(with(&|expect| expect.events[index].at_least = None));
            fewer.push(with(&|expect| expect.events[index].at_most = None));
        }
        for index in 0..self.sent.len() {
            fewer.push(with(&|expect| expect.sent[index].at_least = None));
            fewer.push(with(&|expect| expect.sent[index].at_most = None));
        }
        fewer.retain(|one| one != self);
        fewer
    }

    /// The same without each one sentence of a list.
    fn without_one<T>(&self, list: fn(&mut Self) -> &mut Vec<T>) -> Vec<Self> {
        let count = list(&mut self.clone()).len();
        let without = |index| {
            let mut one = self.clone();
            list(&mut one).remove(index);
            one
        };
        (0..count).map(without).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expect(text: &str) -> Expect {
        toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn hosts_get_their_new_names_and_a_sentence_about_lost_ones_is_lost() {
        let up_one = |host: HostId| host.0.checked_sub(1).map(HostId);
        let before = expect(
            r##"
            nobody_dead = true
            may_be_dead = ["#1", "#3"]
            views = [{ at = "1s", of = ["#1"], status = "dead" }, { at = "2s", of = ["#2"], status = "dead" }]
            events = [{ what = "dead", of = ["#1"], at_most = 0 }, { what = "dead", at_most = 3 }]
            sent = [{ to = "#3", at_most = 0 }, { to = "#1", at_most = 0 }]
            "##,
        );
        let after = expect(
            r##"
            nobody_dead = true
            may_be_dead = ["#2"]
            views = [{ at = "2s", of = ["#1"], status = "dead" }]
            events = [{ what = "dead", at_most = 3 }]
            sent = [{ to = "#2", at_most = 0 }]
            "##,
        );
        assert_eq!(before.renamed(&up_one), after);
    }

    #[test]
    fn every_sentence_can_be_left_out_until_none_is_left() {
        let mut left = expect(
            r##"
            nobody_dead = true
            alive = ["#1", "#2"]
            agree_at = ["1s"]
            unchanged = [{ from = "1s", until = "2s" }]
            events = [{ what = "dead", at_least = 1, at_most = 3 }]
            "##,
        );
        assert_eq!(left.with_less()[0], Expect::default());
        let mut steps = 0;
        while let Some(less) = left.with_less().pop() {
            left = less;
            steps += 1;
        }
        assert!(left.is_default() && steps >= 6, "{steps}: {left:?}");
    }

    #[test]
    fn all_moments_move() {
        let shift = |at: Duration| at + Duration::from_secs(1);
        let before =
            expect("agree_at = [\"1s\"]\nevents = [{ what = \"dead\", until = \"4s\", at_most = 0 }]");
        let after =
            "agree_at = [\"2s\"]\nevents = [{ what = \"dead\", from = \"1s\", until = \"5s\", at_most = 0 }]";
        assert_eq!(before.retimed(&shift), expect(after));
    }
}
