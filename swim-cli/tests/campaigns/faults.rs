//! What happens to processes and networks: a kill, a stop, loss, a partition. All survivors agree on a kill, and
//! nothing else makes a member Dead that runs and can be reached.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::cluster::{Cluster, about};
use crate::lab::Heard;
use crate::namespace::Namespace;
use crate::report::Report;
use crate::scale::Profile;

/// A member is killed; the survivors are watched for so long `after` it.
pub(crate) fn kill(report: &mut Report, n: usize, after: Duration) {
    let profile = Profile::Local;
    let mut cluster = Cluster::converged(report, n, profile, None);
    let marks = cluster.marks();
    let victim = n / 2;
    let (name, bound) = (cluster.members[victim].name.clone(), profile.detection_bound(n));
    let killed = cluster.members[victim].kill();
    let (times, all) = cluster.wait_for_deaths(victim, &marks, killed, bound * 3);
    let ms = |duration: Option<&Duration>| duration.map_or(0, Duration::as_millis);
    let (least, middle, most) = (times.first(), times.get(times.len() / 2), times.last());
    report.figure(format!("Dead after min {} / median {} / max {} ms", ms(least), ms(middle), ms(most)));
    let what = format!("{name} killed: Dead at all {} survivors", n - 1);
    report.within(&what, most.copied().filter(|_| all), bound);
    let end = Instant::now() + after;
    std::thread::sleep(end.saturating_duration_since(Instant::now()));
    let what = format!("in the {} s after it no other member called Dead", after.as_secs());
    report.none(what, &cluster.deaths_of_others(&marks, victim));
    report.figure(format!("suspicions meanwhile: {}", cluster.count(&marks, "suspect")));
    let mut alive = cluster.names();
    alive.remove(victim);
    cluster.must_agree(report, &alive);
}

/// Members are stopped one after another: which, and for how many seconds.
pub(crate) fn stop(report: &mut Report, n: usize, profile: Profile, pauses: &[(usize, u64)]) {
    let mut cluster = Cluster::converged(report, n, profile, None);
    for (sleeper, seconds) in pauses {
        pause(report, &mut cluster, sleeper % n, Duration::from_secs(*seconds));
    }
}

fn pause(report: &mut Report, cluster: &mut Cluster, sleeper: usize, time: Duration) {
    let (marks, names) = (cluster.marks(), cluster.names());
    let (name, driver) = (names[sleeper].clone(), cluster.members[sleeper].driver);
    cluster.members[sleeper].signal(Signal::STOP);
    std::thread::sleep(time);
    let (suspected, dead) = (cluster.count(&marks, "suspect"), cluster.count(&marks, "dead"));
    let woken = Instant::now();
    cluster.members[sleeper].signal(Signal::CONT);

    let what = format!("{name} ({driver}) stopped for {} s", time.as_secs());
    let timeout = Duration::from_secs(30);
    let observers: Vec<usize> = (0..cluster.len()).filter(|index| *index != sleeper).collect();
    let back = cluster.wait_until_alive(&observers, std::slice::from_ref(&name), woken, timeout);
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
    let called_dead: Vec<String> = lines.iter().filter(|heard| heard.is("dead")).map(about).collect();
    report.none("it called members Dead", &called_dead);
    let mut accused = Vec::new();
    for (member, mark) in cluster.members.iter().zip(&marks) {
        let by = |heard: &Heard| heard.is("suspect") && heard.line["by"] == name.as_str();
        accused.extend(member.since(*mark).iter().filter(|heard| by(heard)).map(about));
    }
    report.none("it accused members", &accused);
    report.none("other members called Dead meanwhile", &cluster.deaths_of_others(&marks, sleeper));
    cluster.must_agree(report, &names);
}

/// Packets are lost for a while, each with the same probability.
pub(crate) fn loss(report: &mut Report, n: usize, profile: Profile, percent: u32, time: Duration) {
    let namespace = match Namespace::new() {
        Ok(namespace) => namespace,
        Err(why) => return report.skip(why),
    };
    let mut cluster = Cluster::converged(report, n, profile, Some(&namespace.name));
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
    let what = format!("members called Dead anywhere in {} s", time.as_secs());
    report.none(what, &cluster.deaths(&marks));
}

/// The halves of a cluster cannot reach each other for a while.
pub(crate) fn partition(report: &mut Report, n: usize, profile: Profile, wall: Wall, time: Duration) {
    let namespace = match Namespace::new() {
        Ok(namespace) => namespace,
        Err(why) => return report.skip(why),
    };
    let mut cluster = Cluster::converged(report, n, profile, Some(&namespace.name));
    let marks = cluster.marks();
    let half = n / 2;
    split(&namespace, &cluster, half, wall);
    report.figure(format!("split: {half} and {} members", n - half));
    let split = Instant::now();
    std::thread::sleep(time);

    let names = cluster.names();
    let side =
        |name: &str| usize::from(names.iter().position(|known| known == name).is_some_and(|at| at >= half));
    let deaths = cluster.deaths(&marks);
    let own = deaths.iter().filter(|death| side(&death.name) == side(&death.seen_by)).count();
    report.must(own == 0, format!("no half called its own Dead while split: {own}"));
    let last = deaths.iter().map(|death| death.at).max();
    report.figure(format!(
        "last Dead {} s after the split",
        last.map_or(0, |at| at.saturating_duration_since(split).as_secs())
    ));
    let tables = cluster.tables();
    let mut wrong = Vec::new();
    for (observer, rows) in names.iter().zip(&tables) {
        for row in rows {
            let expected = if side(&row.name) == side(observer) { "alive" } else { "dead" };
            if row.status != expected {
                wrong.push(format!("{observer} calls {} {}", row.name, row.status));
            }
        }
    }
    report.none("each half sees the other Dead and itself Alive", &wrong);

    let marks = cluster.marks();
    namespace.run("iptables -F INPUT");
    namespace.run("iptables -F OUTPUT");
    let healed = Instant::now();
    let took = cluster.wait_until_all_alive(healed, Duration::from_secs(90));
    report.within("healed: all members Alive everywhere", took, Duration::from_secs(60));
    std::thread::sleep(profile.period() * 10);
    let deaths = cluster.deaths(&marks);
    let own = deaths.iter().filter(|death| side(&death.name) == side(&death.seen_by)).count();
    report.must(own == 0, format!("no half called its own Dead on the way: {own}"));
    report.figure(format!("other members called Dead on the way: {}", deaths.len() - own));
    cluster.must_agree(report, &names);
}

/// How the halves are kept apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wall {
    /// Packets vanish on the way.
    Silent,
    /// The kernel refuses to send them.
    Refusing,
}

/// Drops every packet from one half to the other.
fn split(namespace: &Namespace, cluster: &Cluster, half: usize, wall: Wall) {
    if wall == Wall::Refusing {
        return refuse(namespace, cluster, half);
    }
    // One rule for each pair of ports would be hundreds: mark what the first half sends, then drop what crosses.
    for (index, member) in cluster.members.iter().enumerate() {
        let (port, is_first) = (member.addr.port(), index < half);
        if is_first {
            namespace.run(&format!("iptables -t mangle -A INPUT -p udp --sport {port} -j MARK --set-mark 1"));
        }
        let other = u8::from(!is_first);
        namespace.run(&format!("iptables -A INPUT -p udp -m mark --mark {other} --dport {port} -j DROP"));
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
