//! A member that is started again wins at once over all that is held of its earlier epoch, and what was
//! said in that epoch, or by a stranger, changes nothing.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use swim_craft::{self as craft, Datagram, Mention};

use crate::capture::{Capture, Seen, Spoofer};
use crate::cluster::Cluster;
use crate::member::{Launch, Member, Row};
use crate::packet::{kinds, mention, plain};
use crate::report::Report;
use crate::scale::Profile;

/// A day, in milliseconds.
const DAY: u64 = 24 * 3600 * 1000;

/// In each round every kind of restart happens once, to members on alternating drivers.
pub(crate) fn restart(report: &mut Report, n: usize, profile: Profile, rounds: usize) {
    let mut cluster = Cluster::converged(report, n, profile, None);
    let limit = profile.detection_bound(n) * 3;
    let restarts = [
        ("same address, at once", true, 0, None),
        ("same address, clock set back a day, at once", true, DAY, None),
        ("same address, clock set back a day, called Dead", true, DAY, Some(limit)),
        ("new address, at once", false, 0, None),
        ("new address, clock set back a day, at once", false, DAY, None),
        ("new address, clock set back ten days, called Dead", false, 10 * DAY, Some(limit)),
    ];
    for round in 0..rounds {
        for (turn, (what, same, back, wait)) in restarts.into_iter().enumerate() {
            let index = n - 1 - (round + turn) % 2;
            let bind = if same { cluster.members[index].addr } else { SocketAddr::from(([127, 0, 0, 1], 0)) };
            let epoch = (unix_ms() - back).to_string();
            let launch = cluster.newcomer(index).bind(bind).more(["--epoch", &epoch]);
            start_again(report, &mut cluster, index, what, wait, &launch);
        }
    }
    if let Some(faketime) = faketime() {
        let launch = Launch { wrapper: faketime, ..cluster.newcomer(n - 1) };
        let what = "libfaketime, clock set back a day, new address, at once";
        start_again(report, &mut cluster, n - 1, what, None, &launch);
    } else {
        report.skip("libfaketime is not installed; --epoch has shown the same");
    }
}

/// Kills a member, and starts it again; before that the others have so long to call it Dead.
fn start_again(
    report: &mut Report,
    cluster: &mut Cluster,
    index: usize,
    what: &str,
    wait: Option<Duration>,
    launch: &Launch,
) {
    let marks = cluster.marks();
    let killed = cluster.members[index].kill();
    if let Some(timeout) = wait {
        let (_, all) = cluster.wait_for_deaths(index, &marks, killed, timeout);
        report.must(all, "called Dead by all members first");
    }
    cluster.members[index] = Member::start(launch);
    alive_everywhere(report, cluster, index, what, &marks);
}

fn alive_everywhere(report: &mut Report, cluster: &mut Cluster, index: usize, what: &str, marks: &[usize]) {
    let (name, addr) = (cluster.members[index].name.clone(), cluster.members[index].addr);
    let (began, driver) = (cluster.members[index].began, cluster.members[index].driver);
    let limit = cluster.profile.period() * 2
        + cluster.profile.dissemination(cluster.len())
        + Duration::from_millis(500);
    let mut last = Some(began);
    for (other, (member, mark)) in cluster.members.iter().zip(marks).enumerate() {
        if other == index {
            continue;
        }
        // The Alive of the new epoch: the last that was printed after it began.
        let alive = member.wait(*mark, Duration::from_secs(30), |heard| {
            heard.at > began && heard.is_about("alive", &name) && heard.line["addr"] == addr.to_string()
        });
        last = last.zip(alive.map(|heard| heard.at)).map(|(last, at)| last.max(at));
    }
    let took = last.map(|at| at.saturating_duration_since(began));
    report.within(&format!("{driver}, {what}: Alive everywhere"), took, limit);
    let names = cluster.names();
    let end = Instant::now() + Duration::from_secs(10);
    let mut wrong = cluster.disagreeing(&names);
    while !wrong.is_empty() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100));
        wrong = cluster.disagreeing(&names);
    }
    report.none("tables that do not agree", &wrong);
}

/// What was said in an earlier epoch, or with impossible numbers, changes nothing.
pub(crate) fn replay(report: &mut Report) {
    let spoofer = match Spoofer::new() {
        Ok(spoofer) => spoofer,
        Err(why) => return report.skip(why),
    };
    let (n, profile) = (5, Profile::Local);
    let ports = std::sync::Arc::new(std::sync::Mutex::new(Vec::<u16>::new()));
    let known = std::sync::Arc::clone(&ports);
    let wanted = move |seen: &Seen| known.lock().is_ok_and(|ports| ports.contains(&seen.target.port()));
    let capture = Capture::start(100_000, wanted).expect("the spoofer had the right to");
    let mut cluster = Cluster::of_one(profile, None);
    ports.lock().expect("not poisoned").push(cluster.members[0].addr.port());
    for index in 1..n {
        let member = Member::start(&cluster.newcomer(index));
        ports.lock().expect("not poisoned").push(member.addr.port());
        cluster.members.push(member);
    }
    let converged = cluster.wait_until_all_alive(Instant::now(), Duration::from_secs(30));
    report.must(converged.is_some(), "converged");
    cluster.members[n - 1].say("meta something to gossip about");
    std::thread::sleep(Duration::from_secs(3));

    // The last member gets a new epoch at its address; the last but one a new epoch elsewhere.
    let old = capture.seen();
    let old_addr = cluster.members[n - 2].addr;
    for (index, bind) in
        [(n - 1, cluster.members[n - 1].addr), (n - 2, SocketAddr::from(([127, 0, 0, 1], 0)))]
    {
        let launch = cluster.newcomer(index).bind(bind);
        start_again(report, &mut cluster, index, "a new epoch", None, &launch);
    }
    std::thread::sleep(Duration::from_secs(2));
    let before = cluster.tables();
    let marks = cluster.marks();

    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let at_old_addr = UdpSocket::bind(old_addr).expect("no member is there any more");
    for seen in &old {
        let _ = stranger.send_to(&seen.bytes, seen.target);
        spoofer.send(seen.source, seen.target, &seen.bytes);
        if seen.source == old_addr {
            let _ = at_old_addr.send_to(&seen.bytes, seen.target);
        }
        std::thread::sleep(Duration::from_micros(300));
    }
    std::thread::sleep(profile.period() * 5);
    report.figure(format!(
        "{} datagrams of the earlier epochs replayed, by a stranger and from their sources",
        old.len()
    ));
    unchanged(report, &mut cluster, &before, &marks, true);

    let marks = cluster.marks();
    let before = cluster.tables();
    let sent = insane(report, &before[0], &old, &stranger, &spoofer);
    std::thread::sleep(profile.period() * 5);
    report.figure(format!("{sent} datagrams with insane epochs and incarnations"));
    unchanged(report, &mut cluster, &before, &marks, false);
}

/// Everything that a stranger can say with numbers out of this world.
fn insane(report: &mut Report, rows: &[Row], old: &[Seen], stranger: &UdpSocket, spoofer: &Spoofer) -> usize {
    let far = [(1 << 48) - 1, u64::MAX, unix_ms() + 2 * DAY];
    let mut sent = 0;
    for row in rows {
        for about in rows {
            let (held, target) = (mention(row), mention(about));
            for epoch in far {
                for kind in kinds() {
                    let sender = Mention { epoch, ..held };
                    let Datagram(bytes) = plain(kind, sender, Mention { epoch, ..target }, 4);
                    stranger.send_to(&bytes, about.addr).expect("sent");
                    sent += 1;
                    // With the member's own source address only the handshake is read at all.
                    if row.id != about.id && !matches!(kind, craft::JOIN | craft::WELCOME | craft::CHALLENGE)
                    {
                        spoofer.send(row.addr, about.addr, &bytes);
                        sent += 1;
                    }
                }
            }
            for kind in kinds() {
                let sender = Mention { incarnation: u32::MAX, ..held };
                let Datagram(bytes) = plain(kind, sender, Mention { incarnation: u32::MAX, ..target }, 4);
                stranger.send_to(&bytes, about.addr).expect("sent");
                sent += 1;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    for seen in old.iter().take(2000) {
        let mut bytes = seen.bytes.clone();
        let Some(sender) = craft::sender(&bytes) else { continue };
        craft::set_sender(&mut bytes, Mention { incarnation: u32::MAX, ..sender });
        stranger.send_to(&bytes, seen.target).expect("sent");
        sent += 1;
    }
    report.figure("a stranger, and the sources of members, with epochs beyond 24 h; a stranger with the last incarnation");
    sent
}

/// No table has changed, and no member has printed that one had. A replayed suspicion may have made a member
/// refute it: its incarnation may have grown then, but nothing else.
fn unchanged(
    report: &mut Report,
    cluster: &mut Cluster,
    before: &[Vec<Row>],
    marks: &[usize],
    may_refute: bool,
) {
    let mut said = Vec::new();
    for (member, mark) in cluster.members.iter().zip(marks) {
        for heard in member.since(*mark) {
            if heard.line.get("event").is_some() && !(may_refute && heard.is("accused")) {
                said.push(format!("{}: {}", member.name, heard.line));
            }
        }
    }
    report.none("events that members printed", &said);
    let plainly = |rows: &[Row]| -> Vec<Row> {
        rows.iter()
            .map(|row| Row { incarnation: if may_refute { 0 } else { row.incarnation }, ..row.clone() })
            .collect()
    };
    let after = cluster.tables();
    let changed =
        before.iter().zip(&after).filter(|(before, after)| plainly(before) != plainly(after)).count();
    report.must(changed == 0, format!("tables that changed: {changed} of {}", after.len()));
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    since.as_millis() as u64
}

/// The command that sets one process's clock back by a day, if libfaketime is installed. The program `faketime`
/// itself would do, but it stays between this process and the member, which then is not this process's child.
fn faketime() -> Option<Vec<String>> {
    let libraries = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
    let library = libraries.iter().map(|folder| format!("{folder}/faketime/libfaketime.so.1"));
    let library = library.into_iter().find(|path| std::path::Path::new(path).exists())?;
    let variables = [
        format!("LD_PRELOAD={library}"),
        "FAKETIME=-1d".to_owned(),
        "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
    ];
    Some(std::iter::once("env".to_owned()).chain(variables).collect())
}
