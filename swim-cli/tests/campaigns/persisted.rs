//! Members with state files: all are killed, and find each other again without a seed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::cluster::Cluster;
use crate::lab::free_address;
use crate::member::{Launch, Member};
use crate::report::Report;
use crate::scale::Profile;

/// In each round all members get SIGKILL, each at a moment of its own within `spread`, and are started again at the same
/// addresses: without a seed, and every other round with clocks that were set back ten days.
pub(crate) fn persisted(report: &mut Report, n: usize, profile: Profile, rounds: u32, spread: Duration) {
    let folder = std::env::temp_dir().join(format!("swim-persisted-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let addrs: Vec<SocketAddr> = (0..n).map(|_| free_address()).collect();
    let launch = |index: usize| {
        let state = folder.join(format!("{index}.state")).display().to_string();
        Launch::new(&format!("member-{index}"), index, profile).bind(addrs[index]).more(["--state", &state])
    };
    let first = |index| launch(index).join(&addrs[..usize::from(index > 0)]);
    let mut cluster = Cluster::of(profile, (0..n).map(|index| Member::start(&first(index))).collect());
    let began = Instant::now();
    let whole = cluster.wait_until_all_alive(began, Duration::from_secs(30));
    report.must(whole.is_some(), format!("{n} members with state files know each other"));
    let mut former = epochs(&mut cluster);
    let mut dice = seed();
    report.figure(format!("moments are drawn from {dice}"));
    for round in 1..=rounds {
        let mut kills: Vec<(Duration, usize)> =
            (0..n).map(|index| (spread.mul_f64(throw(&mut dice)), index)).collect();
        kills.sort_unstable();
        let begun = Instant::now();
        for (after, index) in kills {
            std::thread::sleep(after.saturating_sub(begun.elapsed()));
            cluster.members[index].kill();
        }
        let back = (UNIX_EPOCH.elapsed().unwrap_or_default().as_millis() as u64) - 10 * DAY;
        let again = |index: usize| match round % 2 {
            0 => launch(index).more(["--epoch", &back.to_string()]),
            _ => launch(index),
        };
        cluster = Cluster::of(profile, (0..n).map(|index| Member::spawn(&again(index))).collect());
        let started = Instant::now();
        cluster.members.iter_mut().for_each(Member::settle);
        let whole = cluster.wait_until_all_alive(started, Duration::from_secs(60));
        report.within(&format!("round {round}: whole again, without a seed"), whole, Duration::from_secs(10));
        let now = epochs(&mut cluster);
        let back =
            now.iter().filter(|(name, epoch)| former.get(*name).is_none_or(|earlier| earlier >= *epoch));
        report.none(format!("round {round}: epochs that went back"), &back.collect::<Vec<_>>());
        former = now;
    }
    let _ = std::fs::remove_dir_all(&folder);
}

/// What each member says of itself.
fn epochs(cluster: &mut Cluster) -> BTreeMap<String, u64> {
    let own = |member: &mut Member| {
        let name = member.name.clone();
        let row = member.rows().into_iter().find(|row| row.name == name).expect("its own row");
        (name, row.epoch)
    };
    cluster.members.iter_mut().map(own).collect()
}

/// A day, in milliseconds.
const DAY: u64 = 24 * 3600 * 1000;

fn seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
}

/// From 0 to 1.
fn throw(dice: &mut u64) -> f64 {
    *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*dice >> 33) as f64 / f64::from(1_u32 << 31)
}
