//! Recordings of real processes are replayed: under load and loss, on both drivers, of those that left and of the
//! one that was killed.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use swim_trace::Replayed;

use crate::cluster::Cluster;
use crate::lab::{Folder, TIMEOUT, replayed};
use crate::member::Member;
use crate::namespace::Namespace;
use crate::report::Report;
use crate::scale::Profile;

/// This one's recording is so short that its beginning is dropped.
const SHORT: usize = 1;
/// This one's does not say what users said.
const REDACTED: usize = 2;
/// This one is killed.
const KILLED: usize = 3;

pub(crate) fn recording(report: &mut Report, time: Duration) {
    let folder = Folder::new();
    let file = |index: usize| folder.0.join(format!("m{index:02}.swim"));
    // Without a network to hurt the rest can still be shown.
    let namespace = Namespace::new().map_err(|why| report.skip(format!("loss: {why}"))).ok();
    let mut cluster = Cluster {
        profile: Profile::Local,
        members: Vec::new(),
        namespace: namespace.as_ref().map(|namespace| namespace.name.clone()),
    };
    for index in 0..5 {
        let seeds: Vec<_> = cluster.members.first().map(|first| first.addr).into_iter().collect();
        let launch =
            cluster.launch(index).join(&seeds).more(["--record", &file(index).display().to_string()]);
        let launch = match index {
            SHORT => launch.more(["--record-limit", "1MiB"]),
            REDACTED => launch.more(["--record-redacted"]),
            _ => launch,
        };
        cluster.members.push(Member::start(&launch));
    }
    let met = cluster.wait_until_all_alive(Instant::now(), TIMEOUT);
    report.must(met.is_some(), "five members met");
    if let Some(namespace) = &namespace {
        namespace.run("iptables -A INPUT -p udp -m statistic --mode random --probability 0.1 -j DROP");
        namespace.run("iptables -Z");
    }

    load(&mut cluster, time / 2);
    cluster.members[KILLED].kill();
    load(&mut cluster, time / 2);
    for index in (0..5).filter(|index| *index != KILLED) {
        cluster.members[index].say("leave");
    }
    if let Some(namespace) = &namespace {
        let (arrived, dropped) = namespace.losses();
        report.must(dropped > 0, format!("{dropped} of {arrived} packets were lost"));
    }
    for member in &mut cluster.members {
        member.end();
    }

    for index in 0..5 {
        let (driver, path) = (cluster.members[index].driver, file(index));
        match replayed(&path) {
            Ok(replayed) => {
                let Replayed { records, first, digest, until, .. } = replayed;
                report.figure(format!(
                    "m{index:02} on {driver}: {records} records from {first} to {until:?}, digest {digest:016x}"
                ));
                report.must(records > 500, format!("m{index:02} has run"));
                report.must((first > 0) == (index == SHORT), format!("m{index:02} begins where it should"));
            }
            Err(error) => report.must(false, format!("m{index:02} on {driver}: {error}")),
        }
    }
    let short = size(&file(SHORT)) + size(&swim_trace::older(&file(SHORT)));
    report.must(short <= 1 << 20, format!("m01 keeps {short} bytes, at most 1 MiB"));
    let says = |index: usize| {
        let bytes = fs::read(file(index)).unwrap_or_default();
        bytes.windows(WORD.len()).any(|window| window == WORD.as_bytes())
    };
    report.must(says(0) && !says(REDACTED), "what users said is in m00 and not in m02");
}

/// What users say.
const WORD: &str = "confidential";

/// All members say something again and again.
fn load(cluster: &mut Cluster, time: Duration) {
    let (began, text) = (Instant::now(), "x".repeat(800));
    let mut number = 0;
    while began.elapsed() < time {
        for index in 0..5 {
            if cluster.members[index].is_running() {
                let to = (index + 1) % 5;
                cluster.members[index].say(&format!("broadcast {WORD} {number} {text}"));
                cluster.members[index].say(&format!("send m{to:02} {WORD} {number}"));
                cluster.members[index].say(&format!("meta {WORD} {number}"));
                number += 1;
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}
