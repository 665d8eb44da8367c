//! Random loss, once for each packet, buries nobody.

use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::namespace::Namespace;
use crate::report::Report;
use crate::scale::{Profile, seconds, size};

#[test]
fn a_tenth_lost_for_seconds_buries_nobody() {
    campaign(Report::beside("loss short"), 8, Profile::Local, 10, Duration::from_secs(6));
}

#[test]
#[ignore = "takes 10 minutes; run with: cargo test --release -p swim-cli --test campaigns -- --ignored a_tenth"]
fn a_tenth_lost_for_ten_minutes_buries_nobody() {
    campaign(Report::alone("loss 10 %"), size("SWIM_CAMPAIGN_NODES", 20), Profile::Lan, 10, seconds(600));
}

#[test]
#[ignore = "takes 5 minutes; run with: cargo test --release -p swim-cli --test campaigns -- --ignored a_quarter"]
fn a_quarter_lost_for_five_minutes_buries_nobody() {
    campaign(Report::alone("loss 25 %"), size("SWIM_CAMPAIGN_NODES", 20), Profile::Lan, 25, seconds(300));
}

fn campaign(mut report: Report, n: usize, profile: Profile, percent: u32, time: Duration) {
    let namespace = match Namespace::new() {
        Ok(namespace) => namespace,
        Err(why) => return report.skipped(why),
    };
    let mut cluster = Cluster::converged(&mut report, n, profile, Some(&namespace.name));
    let marks = cluster.marks();
    let probability = f64::from(percent) / 100.0;
    // On the loopback device every packet passes INPUT once: it is lost once for each direction of a pair.
    namespace.run(&format!(
        "iptables -A INPUT -p udp -m statistic --mode random --probability {probability} -j DROP"
    ));
    namespace.run("iptables -Z");
    let began = Instant::now();
    while began.elapsed() < time {
        std::thread::sleep(Duration::from_secs(60).min(time.saturating_sub(began.elapsed())));
        let (suspects, dead) = (cluster.count(&marks, "suspect"), cluster.deaths(&marks).len());
        report.figure(format!("{:>4} s: suspicions {suspects}, dead {dead}", began.elapsed().as_secs()));
    }
    let (arrived, dropped) = namespace.losses();
    let share = dropped as f64 * 100.0 / arrived.max(1) as f64;
    report.figure(format!("{arrived} packets, {dropped} of them ({share:.1} %) lost"));
    // Five standard deviations: the dice were thrown at all, and for the right share.
    let spread = 500.0 * (probability * (1.0 - probability) / arrived.max(1) as f64).sqrt();
    report.must((share - f64::from(percent)).abs() < spread, format!("that is {percent} % ± {spread:.1}"));
    let (failed, probes): (Vec<u64>, Vec<u64>) = cluster
        .members
        .iter_mut()
        .map(|member| (member.stat("probes_failed"), member.stat("probes")))
        .unzip();
    report.figure(format!("{} of {} probes failed", failed.iter().sum::<u64>(), probes.iter().sum::<u64>()));
    report.figure(format!(
        "refuted {}, accused {}",
        cluster.count(&marks, "refuted"),
        cluster.count(&marks, "accused")
    ));
    let deaths = cluster.deaths(&marks);
    report
        .must(deaths.is_empty(), format!("nobody called Dead anywhere in {} s: {deaths:?}", time.as_secs()));
    report.verdict();
}
