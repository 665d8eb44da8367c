//! Two halves that cannot hear each other: each buries the other and none of its own, and both grow together
//! again by themselves.

use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::namespace::Namespace;
use crate::report::Report;
use crate::scale::{Profile, seconds, size};

#[test]
fn halves_that_are_parted_for_seconds_grow_together() {
    campaign(Report::beside("partition short"), 6, Profile::Local, Wall::Silent, Duration::from_secs(12));
}

#[test]
#[ignore = "takes 5 minutes; run with: cargo test --release -p swim-cli --test campaigns -- --ignored halves"]
fn halves_that_are_parted_for_minutes_grow_together() {
    campaign(
        Report::alone("partition"),
        size("SWIM_CAMPAIGN_NODES", 20),
        Profile::Lan,
        Wall::Silent,
        seconds(180),
    );
}

#[test]
#[ignore = "takes 2 minutes; run with: cargo test --release -p swim-cli --test campaigns -- --ignored halves"]
fn halves_that_may_not_send_to_each_other_grow_together() {
    campaign(
        Report::alone("partition, refused"),
        size("SWIM_CAMPAIGN_NODES", 20),
        Profile::Local,
        Wall::Refusing,
        seconds(60),
    );
}

fn campaign(mut report: Report, n: usize, profile: Profile, wall: Wall, time: Duration) {
    let namespace = match Namespace::new() {
        Ok(namespace) => namespace,
        Err(why) => return report.skipped(why),
    };
    let mut cluster = Cluster::converged(&mut report, n, profile, Some(&namespace.name));
    let marks = cluster.marks();
    let half = n / 2;
    part(&namespace, &cluster, half, wall);
    report.figure(format!("parted: {half} and {} members", n - half));
    let parted = Instant::now();
    std::thread::sleep(time);

    let names = cluster.names();
    let side =
        |name: &str| usize::from(names.iter().position(|known| known == name).is_some_and(|at| at >= half));
    let deaths = cluster.deaths(&marks);
    let own = deaths.iter().filter(|death| side(&death.name) == side(&death.seen_by)).count();
    report.must(own == 0, format!("no half buried its own while parted: {own}"));
    let last = deaths.iter().map(|death| death.at).max();
    report.figure(format!(
        "last verdict {} s after the parting",
        last.map_or(0, |at| at.saturating_duration_since(parted).as_secs())
    ));
    let tables = cluster.tables();
    let mut wrong = Vec::new();
    for (observer, rows) in names.iter().zip(&tables) {
        for row in rows {
            let expected = if side(&row.name) == side(observer) { &["alive"][..] } else { &["dead"] };
            if !expected.contains(&row.status.as_str()) {
                wrong.push(format!("{observer} calls {} {}", row.name, row.status));
            }
        }
    }
    report.must(wrong.is_empty(), format!("each half sees the other Dead and itself Alive: {wrong:?}"));

    let marks = cluster.marks();
    namespace.run("iptables -F INPUT");
    namespace.run("iptables -F OUTPUT");
    let healed = Instant::now();
    let took = cluster.wait_until_all_alive(healed, Duration::from_secs(90));
    report.within("healed: everybody Alive everywhere", took, Duration::from_secs(60));
    std::thread::sleep(profile.period() * 10);
    let deaths = cluster.deaths(&marks);
    let own = deaths.iter().filter(|death| side(&death.name) == side(&death.seen_by)).count();
    report.must(own == 0, format!("no half buried its own on the way: {own}"));
    report.figure(format!("other verdicts on the way: {}", deaths.len() - own));
    let wrong = cluster.disagreeing(&names);
    report.must(wrong.is_empty(), format!("and it stays so: {wrong:?}"));
    report.verdict();
}

/// How the halves are kept apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wall {
    /// Packets vanish on the way.
    Silent,
    /// The kernel refuses to send them.
    Refusing,
}

/// Drops every packet from one half to the other.
fn part(namespace: &Namespace, cluster: &Cluster, half: usize, wall: Wall) {
    if wall == Wall::Refusing {
        return refuse(namespace, cluster, half);
    }
    // One rule for each pair of ports would be hundreds: mark what the first half sends, then drop what crosses.
    for member in &cluster.members[..half] {
        let port = member.addr.port();
        namespace.run(&format!("iptables -t mangle -A INPUT -p udp --sport {port} -j MARK --set-mark 1"));
    }
    for member in &cluster.members[half..] {
        let port = member.addr.port();
        namespace.run(&format!("iptables -A INPUT -p udp -m mark --mark 1 --dport {port} -j DROP"));
    }
    for member in &cluster.members[..half] {
        let port = member.addr.port();
        namespace.run(&format!("iptables -A INPUT -p udp -m mark --mark 0 --dport {port} -j DROP"));
    }
}

/// Makes every send from one half to the other fail.
fn refuse(namespace: &Namespace, cluster: &Cluster, half: usize) {
    let (one, other) = cluster.members.split_at(half);
    for (from, to) in [(one, other), (other, one)] {
        for source in from {
            let ports: Vec<String> = to.iter().map(|member| member.addr.port().to_string()).collect();
            // At most 15 ports in one rule.
            for ports in ports.chunks(15) {
                let (source, ports) = (source.addr.port(), ports.join(","));
                let rule = format!("-p udp --sport {source} -m multiport --dports {ports} -j DROP");
                namespace.run(&format!("iptables -A OUTPUT {rule}"));
            }
        }
    }
}
