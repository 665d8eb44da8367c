//! A process that is stopped for a while blames nobody when it goes on.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::cluster::{Cluster, about};
use crate::report::Report;
use crate::scale::{Profile, size};

#[test]
fn a_process_that_was_stopped_for_seconds_blames_nobody() {
    campaign(Report::beside("pause short"), 5, Profile::Local, &[(0, 1), (1, 4)]);
}

#[test]
#[ignore = "takes 2 minutes; run with: cargo test --release -p swim-cli --test campaigns -- --ignored stopped"]
fn a_process_that_was_stopped_blames_nobody_profile_lan() {
    campaign(Report::alone("pause lan"), size("SWIM_CAMPAIGN_NODES", 10), Profile::Lan, &LONG);
}

#[test]
#[ignore = "takes 2 minutes; run with: cargo test --release -p swim-cli --test campaigns -- --ignored stopped"]
fn a_process_that_was_stopped_blames_nobody_profile_local() {
    campaign(Report::alone("pause local"), size("SWIM_CAMPAIGN_NODES", 10), Profile::Local, &LONG);
}

/// Who is stopped, and for how many seconds: one of each driver in turn.
const LONG: [(usize, u64); 6] = [(0, 1), (1, 1), (2, 5), (3, 5), (4, 30), (5, 30)];

fn campaign(mut report: Report, n: usize, profile: Profile, pauses: &[(usize, u64)]) {
    let mut cluster = Cluster::converged(&mut report, n, profile, None);
    for (sleeper, seconds) in pauses {
        pause(&mut report, &mut cluster, sleeper % n, Duration::from_secs(*seconds));
    }
    report.verdict();
}

fn pause(report: &mut Report, cluster: &mut Cluster, sleeper: usize, time: Duration) {
    let (marks, names) = (cluster.marks(), cluster.names());
    let (name, driver) = (names[sleeper].clone(), cluster.members[sleeper].driver);
    cluster.signal(sleeper, Signal::STOP);
    std::thread::sleep(time);
    let (suspected, dead) = (cluster.count(&marks, "suspect"), cluster.count(&marks, "dead"));
    let woken = Instant::now();
    cluster.signal(sleeper, Signal::CONT);

    let what = format!("{name} ({driver}) stopped for {} s", time.as_secs());
    let patience = Duration::from_secs(30);
    let observers: Vec<usize> = (0..cluster.len()).filter(|index| *index != sleeper).collect();
    let back = cluster.wait_until_alive(&observers, std::slice::from_ref(&name), woken, patience);
    // Two periods until it is asked or asks, and its word takes its way.
    let limit =
        cluster.profile.period() * 2 + cluster.profile.dissemination(cluster.len()) + Duration::from_secs(2);
    report.within(
        &format!("{what}, suspected by {suspected} and called Dead by {dead} meanwhile: Alive everywhere"),
        back,
        limit,
    );
    // Long enough for a wrong suspicion to show itself.
    std::thread::sleep(cluster.profile.period() * 6);
    let lines = cluster.members[sleeper].since(marks[sleeper]);
    let buried: Vec<String> = lines.iter().filter(|heard| heard.is("dead")).map(about).collect();
    report.must(buried.is_empty(), format!("it buried nobody: {buried:?}"));
    let mut accused = Vec::new();
    for (member, mark) in cluster.members.iter().zip(&marks) {
        let by = |heard: &crate::member::Heard| heard.is("suspect") && heard.line["by"] == name.as_str();
        accused.extend(member.since(*mark).iter().filter(|heard| by(heard)).map(about));
    }
    report.must(accused.is_empty(), format!("it accused nobody: {accused:?}"));
    let others = cluster.deaths(&marks).into_iter().filter(|death| death.name != name).count();
    report.must(others == 0, format!("nobody else was buried meanwhile: {others}"));
    let wrong = cluster.disagreeing(&names);
    report.must(wrong.is_empty(), format!("everybody lists everybody as alive: {wrong:?}"));
}
