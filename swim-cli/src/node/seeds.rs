//! Seeds given by name: each looked up on a thread of its own, again and again until it has an address.
//!
//! A name server may be slow or not up yet, exactly when a whole cluster starts. That must neither delay the
//! other seeds nor end the member.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use swim_core::{DropReason, Stats};

use crate::address::{AddressError, HostPort, SeedAddr, same_family};
use crate::spawn;

/// The first and the longest pause before a name that was not found is looked up again. Not longer, since a
/// member is to be there within seconds of its first seed.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(4));

/// Attempts under way at once for one name.
const ASKING_MAX: usize = 4;

/// When a member that does not get in says so for the first time, and how often from then on.
const REPORT: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));

/// Splits what was given into addresses and names.
pub(crate) fn split(seeds: &[SeedAddr]) -> (Vec<SocketAddr>, Vec<HostPort>) {
    let (mut ready, mut names) = (Vec::new(), Vec::new());
    for seed in seeds {
        match seed {
            SeedAddr::Ready(addr) => ready.push(*addr),
            SeedAddr::Name(name) => names.push(name.clone()),
        }
    }
    (ready, names)
}

/// What came of looking a name up.
#[derive(Debug)]
pub(crate) enum LookedUp {
    /// Addresses that the member can send to; to be joined through.
    Found(HostPort, Vec<SocketAddr>),
    /// Not found yet; reported once for each name, while the search goes on.
    NotYet(AddressError),
}

/// Looks `names` up until each is found or `report` says that nothing listens any more (`false`).
/// `like` is the member's own address: only addresses of its family are of use.
pub(crate) fn look_up(
    names: Vec<HostPort>,
    like: SocketAddr,
    report: impl Fn(LookedUp) -> bool + Clone + Send + 'static,
) -> io::Result<()> {
    for name in names {
        let report = report.clone();
        spawn("swim-names", move || look_up_one(&name, like, report))?;
    }
    Ok(())
}

/// Looks one name up. A name server that is down answers only after many seconds, while the name may be in the
/// hosts file by now: a further attempt does not wait for the one before it.
fn look_up_one(name: &HostPort, like: SocketAddr, report: impl Fn(LookedUp) -> bool) {
    let (tx, answers) = mpsc::channel();
    let (mut pause, longest) = RETRY;
    let (mut asking, mut reported) = (0, false);
    loop {
        if asking < ASKING_MAX && ask(name.clone(), tx.clone()).is_ok() {
            asking += 1;
        }
        let next = Instant::now() + pause;
        while let Ok(answer) = answers.recv_timeout(next.saturating_duration_since(Instant::now())) {
            asking -= 1;
            match answer {
                Ok(addrs) => {
                    report(LookedUp::Found(name.clone(), usable(&addrs, like)));
                    return;
                }
                Err(error) if !reported => {
                    reported = true;
                    if !report(LookedUp::NotYet(error)) {
                        return;
                    }
                }
                Err(_) => {}
            }
        }
        pause = (pause * 2).min(longest);
    }
}

/// One attempt, on a thread of its own.
fn ask(name: HostPort, answers: Sender<Result<Vec<SocketAddr>, AddressError>>) -> io::Result<()> {
    spawn("swim-name", move || drop(answers.send(name.resolve())))
}

/// Those of the member's family; if there is none, all, so that the refusal names them.
fn usable(addrs: &[SocketAddr], like: SocketAddr) -> Vec<SocketAddr> {
    let same: Vec<SocketAddr> = same_family(addrs, like).collect();
    if same.is_empty() { addrs.to_vec() } else { same }
}

/// A search for the cluster that has not ended well yet: what was asked, and when that is to be said next.
pub(crate) struct Search {
    asked: Vec<SocketAddr>,
    not_found: Vec<HostPort>,
    failed: Option<String>,
    pub(crate) report_at: Instant,
}

impl Search {
    pub(crate) fn begin() -> Self {
        let report_at = Instant::now() + REPORT.0;
        Self { asked: Vec::new(), not_found: Vec::new(), failed: None, report_at }
    }

    pub(crate) fn names(&mut self, names: &[HostPort]) {
        self.not_found.extend_from_slice(names);
    }

    pub(crate) fn asks(&mut self, addrs: &[SocketAddr], name: Option<&HostPort>) {
        self.asked.extend_from_slice(addrs);
        self.not_found.retain(|other| Some(other) != name);
    }

    pub(crate) fn fails(&mut self, error: String) {
        self.failed = Some(error);
    }

    /// What has come of it so far. The next report is due in a while.
    pub(crate) fn report(&mut self, stats: &Stats) -> String {
        self.report_at = Instant::now() + REPORT.1;
        let list = |items: Vec<String>| items.join(", ");
        let mut parts = Vec::new();
        if !self.asked.is_empty() {
            let asked = list(self.asked.iter().map(ToString::to_string).collect());
            let answer = match (&self.failed, stats.dropped(DropReason::Label), stats.datagrams_received) {
                (Some(error), ..) => error.clone(),
                (None, 0, 0) => "silence (not running, not reachable, or of another --label)".to_owned(),
                (None, 0, received) => format!("{received} datagrams, none of which let this member in"),
                (None, label, received) => {
                    format!("{received} datagrams, {label} of them with another --label")
                }
            };
            parts.push(format!("asked {asked}: {answer}"));
        }
        if !self.not_found.is_empty() {
            parts.push(format!(
                "no address of {}",
                list(self.not_found.iter().map(ToString::to_string).collect())
            ));
        }
        format!("not in a cluster yet: {}", parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVENESS: Duration = Duration::from_secs(30);

    #[test]
    fn names_are_found_beside_one_that_is_not() {
        let names = ["no-such-host.invalid:1", "localhost:2"].map(|name| name.parse().expect("an address"));
        let like = "127.0.0.1:9".parse().expect("an address");
        let (tx, rx) = mpsc::channel();
        look_up(names.to_vec(), like, move |news| tx.send(news).is_ok()).expect("a thread");
        let news = [(); 2].map(|()| rx.recv_timeout(LIVENESS).expect("news"));
        let expected = vec!["127.0.0.1:2".parse().expect("an address")];
        assert!(
            news.iter().any(|one| matches!(one, LookedUp::Found(_, addrs) if *addrs == expected)),
            "{news:?}"
        );
        let missing = |one: &LookedUp| matches!(one, LookedUp::NotYet(error) if error.to_string().contains("no-such-host"));
        assert!(news.iter().any(missing), "{news:?}");
    }
}
