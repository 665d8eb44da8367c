//! Broadcasts in bursts from several members at once: all arrive at all, in order, and hide no crash.

use std::ops::Range;
use std::time::Instant;

use crate::cluster::{Cluster, about};
use crate::lab::{Heard, TIMEOUT};
use crate::member::Member;
use crate::report::Report;
use crate::scale::Profile;

/// Members that broadcast.
const ORIGINS: usize = 3;

/// Each origin broadcasts `count` times, as fast as it takes them; in the middle another member gets SIGKILL.
pub(crate) fn broadcasts(report: &mut Report, n: usize, profile: Profile, count: usize) {
    let mut cluster = Cluster::converged(report, n, profile, None);
    let (victim, bound, marks) = (n - 1, profile.detection_bound(n), cluster.marks());
    let begun = Instant::now();
    say(&mut cluster.members[..ORIGINS], 0..count / 2);
    let killed = cluster.members[victim].kill();
    say(&mut cluster.members[..ORIGINS], count / 2..count);

    let names = cluster.names();
    let (mut last, mut wrong) = (begun, Vec::new());
    for (member, mark) in cluster.members.iter().zip(&marks).take(victim) {
        for origin in names.iter().take(ORIGINS).filter(|origin| **origin != member.name) {
            let is_last = |heard: &Heard| heard.is_about("broadcast", origin) && number(heard) == count - 1;
            match member.wait(*mark, TIMEOUT, is_last) {
                Some(heard) => last = last.max(heard.at),
                None => wrong.push(format!("{} never heard the last of {origin}", member.name)),
            }
        }
        let heard = member.since(*mark);
        for origin in names.iter().take(ORIGINS).filter(|origin| **origin != member.name) {
            let of_origin = heard.iter().filter(|heard| heard.is("broadcast") && about(heard) == *origin);
            if !of_origin.map(number).eq(0..count) {
                wrong.push(format!("{} has gaps in {origin}", member.name));
            }
        }
    }
    let took = last - begun;
    let rate = (ORIGINS * count) as f64 / took.as_secs_f64();
    report.figure(format!(
        "{} broadcasts of 100 bytes in {} ms: {rate:.0}/s",
        ORIGINS * count,
        took.as_millis()
    ));
    report.none("members that lack a broadcast, or have them out of order", &wrong);
    let (times, all) = cluster.wait_for_deaths(victim, &marks, killed, bound * 3);
    let dead = times.last().copied().filter(|_| all);
    report.within("killed in the middle: Dead at all survivors", dead, bound);
    report.none("other members called Dead", &cluster.deaths_of_others(&marks, victim));
    report.none("refused", &(0..cluster.count(&marks, "refused")).collect::<Vec<_>>());
}

/// Each of them broadcasts these numbers, all at once.
fn say(origins: &mut [Member], numbers: Range<usize>) {
    std::thread::scope(|scope| {
        for origin in origins {
            let numbers = numbers.clone();
            scope.spawn(move || {
                for number in numbers {
                    origin.say(&format!("broadcast {number:0>100}"));
                }
            });
        }
    });
}

fn number(heard: &Heard) -> usize {
    heard.line["text"].as_str().and_then(|text| text.parse().ok()).unwrap_or(usize::MAX)
}
