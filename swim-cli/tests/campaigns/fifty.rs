//! Many processes on one machine: they find each other, and all survivors agree on a kill.

use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::report::Report;
use crate::scale::{Profile, seconds, size};

#[test]
fn a_few_processes_converge_and_agree_on_a_kill() {
    campaign(Report::beside("few"), 6, Duration::from_secs(2));
}

#[test]
#[ignore = "takes 1 minute; run with: cargo test --release -p swim-cli --test campaigns -- --ignored fifty"]
fn fifty_processes_converge_and_agree_on_a_kill() {
    campaign(Report::alone("fifty"), size("SWIM_CAMPAIGN_NODES", 50), seconds(30));
}

/// `after` is how long the survivors are watched afterwards.
fn campaign(mut report: Report, n: usize, after: Duration) {
    let profile = Profile::Local;
    let mut cluster = Cluster::converged(&mut report, n, profile, None);
    let marks = cluster.marks();
    let victim = n / 2;
    cluster.kill_and_judge(&mut report, victim, profile.detection_bound(n));
    let end = Instant::now() + after;
    std::thread::sleep(end.saturating_duration_since(Instant::now()));
    let gone = cluster.members[victim].name.clone();
    let wrong = cluster.deaths(&marks).iter().filter(|death| death.name != gone).count();
    report
        .must(wrong == 0, format!("in the {} s after it nobody else called Dead: {wrong}", after.as_secs()));
    report.figure(format!("suspicions meanwhile: {}", cluster.count(&marks, "suspect")));
    let alive: Vec<String> = cluster.names().into_iter().filter(|name| *name != gone).collect();
    let wrong = cluster.disagreeing(&alive);
    report.must(wrong.is_empty(), format!("all survivors list all survivors as alive: {wrong:?}"));
    report.verdict();
}
