//! Campaigns: whole clusters of real `swim node --json` processes, both drivers mixed, are hurt on purpose and
//! checked by nothing but what they print and what the kernel counts.
//!
//! They take minutes, so `cargo test` leaves them out: `cargo test -p swim-cli --test campaigns` runs them in
//! short, `-- --long` as they are meant, and both end with one summary of what held, what failed, and what was
//! skipped because a tool or a right is missing. `docs/campaigns.md` says what each shows.
//!
//! | file | campaigns |
//! | --- | --- |
//! | `faults` | kill, pause, loss, partition |
//! | `seeds` | seeds that are late, wrong, silent, or whose names are not known yet |
//! | `restart` | a restarted member wins at once; old and impossible datagrams change nothing |
//! | `broadcasts` | bursts from several members arrive everywhere, in order, and hide no crash |
//! | `idle` | what a member at rest asks of the kernel |
//! | `garbage` | a flood of nonsense neither grows, nor confuses, nor delays a member |
//! | `recording` | what was recorded replays, bit for bit, also what a killed member recorded |
//! | `reflection` | a stranger gets no more than it gave, and no member sends to strangers |
//! | `drivers` | `swim bench drivers` counts what it should |
//!
//! The rest is equipment: `lab`, `member` and `cluster` run processes and read what they print, `namespace` is a network
//! of one's own, `packet` makes datagrams by hand, `capture` reads and writes raw packets, `scale` holds sizes and
//! bounds, `report` the outcome.
#![forbid(unsafe_code)]

mod broadcasts;
mod capture;
mod cluster;
mod drivers;
mod faults;
mod garbage;
mod idle;
#[path = "../lab/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the command line: each program uses its part")]
mod lab;
mod member;
mod namespace;
mod packet;
mod persisted;
mod recording;
mod reflection;
mod report;
mod restart;
mod scale;
mod seeds;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use faults::Wall;
use garbage::Pace;
use report::Report;
use scale::Profile::{Lan, Local};
use scale::{datagrams, nodes, seconds};

type Run = fn(&mut Report);

/// A name, and what it runs in short and at length.
struct Campaign(&'static str, Short, Option<Run>);

/// The short form of a campaign.
enum Short {
    /// It mostly waits, and may do so beside others.
    Beside(Run),
    /// It loads the machine: it would measure the others, and they it.
    Alone(Run),
    /// There is none.
    None,
}
use Short::{Alone, Beside};

/// Who is stopped, and for how many seconds: one of each driver in turn.
const STOPS: [(usize, u64); 6] = [(0, 1), (1, 1), (2, 5), (3, 5), (4, 30), (5, 30)];

const S: fn(u64) -> Duration = Duration::from_secs;

const CAMPAIGNS: [Campaign; 21] = [
    Campaign("kill", Beside(|r| faults::kill(r, 6, S(2))), Some(|r| faults::kill(r, nodes(50), seconds(30)))),
    Campaign(
        "pause",
        Beside(|r| faults::stop(r, 5, Local, &[(0, 1), (1, 4)])),
        Some(|r| faults::stop(r, nodes(10), Lan, &STOPS)),
    ),
    Campaign("pause-local", Short::None, Some(|r| faults::stop(r, nodes(10), Local, &STOPS))),
    Campaign(
        "loss",
        Beside(|r| faults::loss(r, 8, Local, 10, S(6))),
        Some(|r| faults::loss(r, nodes(20), Lan, 10, seconds(600))),
    ),
    Campaign("heavy-loss", Short::None, Some(|r| faults::loss(r, nodes(20), Lan, 25, seconds(300)))),
    Campaign(
        "partition",
        Beside(|r| faults::partition(r, 6, Local, Wall::Silent, S(12))),
        Some(|r| faults::partition(r, nodes(20), Lan, Wall::Silent, seconds(180))),
    ),
    Campaign(
        "refused",
        Short::None,
        Some(|r| faults::partition(r, nodes(20), Local, Wall::Refusing, seconds(60))),
    ),
    Campaign("late-seed", Beside(|r| seeds::late(r, S(3))), Some(|r| seeds::late(r, seconds(45)))),
    Campaign("bad-seeds", Beside(seeds::bad), None),
    Campaign("walls", Beside(seeds::walls), None),
    Campaign(
        "restart",
        Beside(|r| restart::restart(r, 6, Local, 1)),
        Some(|r| restart::restart(r, nodes(20), Lan, 2)),
    ),
    Campaign(
        "persisted",
        Beside(|r| persisted::persisted(r, 5, Local, 2, S(2))),
        Some(|r| persisted::persisted(r, 9, Local, 100, S(8))),
    ),
    Campaign("replay", Beside(restart::replay), None),
    Campaign("reflection", Beside(reflection::reflection), None),
    Campaign("relays", Beside(reflection::relays), None),
    Campaign(
        "recording",
        Beside(|r| recording::recording(r, S(6))),
        Some(|r| recording::recording(r, seconds(120))),
    ),
    Campaign(
        "idle",
        Alone(|r| idle::rest(r, 3, S(6), S(6))),
        Some(|r| idle::rest(r, nodes(5), S(40), seconds(60))),
    ),
    Campaign(
        "garbage",
        Alone(|r| garbage::garbage(r, &["mio"], 60_000, Pace::AsItReads)),
        Some(|r| garbage::garbage(r, &["mio", "tokio"], datagrams(1_000_000), Pace::AsItReads)),
    ),
    Campaign(
        "flood",
        Short::None,
        Some(|r| garbage::garbage(r, &["mio", "tokio"], datagrams(1_000_000), Pace::Faster)),
    ),
    Campaign(
        "broadcasts",
        Alone(|r| broadcasts::broadcasts(r, 6, Local, 300)),
        Some(|r| broadcasts::broadcasts(r, nodes(20), Lan, 2_000)),
    ),
    Campaign("drivers", Alone(drivers::drivers), None),
];

/// For the short forms, which run on machines that are busy.
const SLACK: u32 = 3;

const USAGE: &str = "usage: cargo test -p swim-cli --test campaigns -- [--long | --list] [NAME…]";

fn main() -> ExitCode {
    let (flags, names): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|arg| arg.starts_with('-'));
    let known = |name: &String| CAMPAIGNS.iter().any(|campaign| campaign.0 == *name);
    let long = match flags.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--long"] => true,
        ["--list"] => {
            CAMPAIGNS.iter().for_each(|Campaign(name, ..)| println!("{name}"));
            return ExitCode::SUCCESS;
        }
        _ => return usage("there is no such option"),
    };
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        return usage(&format!("there is no campaign `{unknown}`; --list names them"));
    }
    let chosen =
        CAMPAIGNS.iter().filter(|campaign| names.is_empty() || names.iter().any(|name| campaign.0 == name));

    let began = Instant::now();
    let reports = if long { at_length(chosen) } else { in_short(chosen) };
    println!("\n{} campaigns, {} s", reports.len(), began.elapsed().as_secs());
    reports.iter().flat_map(Report::summary).for_each(|line| println!("{line}"));
    if !reports.is_empty() && reports.iter().all(Report::is_good) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn usage(error: &str) -> ExitCode {
    eprintln!("{error}\n{USAGE}");
    ExitCode::from(2)
}

/// One after another. What has no long form is left to the short ones.
fn at_length<'a>(chosen: impl Iterator<Item = &'a Campaign>) -> Vec<Report> {
    chosen.filter_map(|Campaign(name, _, long)| long.map(|long| Report::run(name, 1, long))).collect()
}

/// What may run beside others all at once, then the others one after another.
fn in_short<'a>(chosen: impl Iterator<Item = &'a Campaign>) -> Vec<Report> {
    let (mut beside, mut alone) = (Vec::new(), Vec::new());
    for Campaign(name, short, _) in chosen {
        match short {
            Beside(run) => beside.push((*name, *run)),
            Alone(run) => alone.push((*name, *run)),
            Short::None => {}
        }
    }
    let mut reports = std::thread::scope(|scope| {
        let start = |(name, run)| scope.spawn(move || Report::run(name, SLACK, run));
        let running: Vec<_> = beside.into_iter().map(start).collect();
        running.into_iter().map(|thread| thread.join().expect("panics are caught")).collect::<Vec<_>>()
    });
    reports.extend(alone.into_iter().map(|(name, run)| Report::run(name, SLACK, run)));
    reports
}
