//! Clusters of a hundred members in one process: finding each other, at rest, and when one crashes.

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::{Claim, Measure};
use crate::rest::cost::{self, Cost, Usage, Usages};
use crate::rest::tied::{self, Tied};
use crate::rest::{Contestant, Entrant, RestArgs};
use crate::table::Presenter;

/// Members of a cluster.
const MEMBERS: usize = 100;
/// How long they may take to find each other.
const JOIN_MAX: Duration = Duration::from_secs(60);
/// How long the survivors may take to notice a crash.
const CRASH_MAX: Duration = Duration::from_secs(120);

/// What was measured of one contestant.
struct Measured {
    who: Contestant,
    joined_s: f64,
    joined_cpu_s: f64,
    rest: Option<Cost>,
    crashed_s: f64,
}

/// Starts all members, one after the other; leaves them alone together; has one member of each crash; and shows the figures.
pub(crate) fn measure(
    args: &RestArgs,
    entrants: &[Entrant],
    presenter: &mut Presenter,
) -> Result<(), Box<dyn Error>> {
    let mut clusters = Vec::new();
    let mut measured = Vec::new();
    for entrant in entrants {
        // One at a time: this takes all the processor there is.
        let started = Instant::now();
        let mut cluster = Together::start(&entrant.program, entrant.who.hundred().unwrap_or_default())?;
        let known = cluster.hears("known", started + JOIN_MAX);
        let known = known.map_err(|error| format!("{}: {error}", entrant.who.label()))?;
        let cpu = Usage::of(cluster.pid())?.since(&Usage::default()).cpu_ns;
        let joined_s = known.duration_since(started).as_secs_f64();
        let joined_cpu_s = Duration::from_nanos(cpu).as_secs_f64();
        measured.push(Measured { who: entrant.who, joined_s, joined_cpu_s, rest: None, crashed_s: 0.0 });
        clusters.push(cluster);
    }
    thread::sleep(Duration::from_secs(args.settle));

    let begin: Vec<Usages> =
        clusters.iter().map(|cluster| Usages::of(&[cluster.pid()])).collect::<Result<_, _>>()?;
    thread::sleep(Duration::from_secs(args.seconds));
    for ((cluster, begin), measured) in clusters.iter().zip(&begin).zip(&mut measured) {
        measured.rest = Some(begin.cost_until_now(&[cluster.pid()], MEMBERS)?);
    }

    let crashed = Instant::now();
    clusters.iter_mut().try_for_each(Together::crash_one)?;
    for (cluster, measured) in clusters.iter_mut().zip(&mut measured) {
        let known = cluster.hears("crashed", crashed + CRASH_MAX);
        let known = known.map_err(|error| format!("{}: {error}", measured.who.label()))?;
        measured.crashed_s = known.duration_since(crashed).as_secs_f64();
    }
    show(args, &measured, presenter)
}

impl Contestant {
    /// How its program is asked to run a hundred members, if it can be.
    pub(crate) const fn hundred(self) -> Option<&'static [&'static str]> {
        match self {
            Self::HundredEmbedded | Self::HundredSmall => Some(&["embedded", "100"]),
            Self::HundredThreads => Some(&["threads", "100"]),
            Self::HundredTokio => Some(&["tokio", "100"]),
            Self::HundredMemberlist => Some(&["100"]),
            _ => None,
        }
    }
}

fn show(args: &RestArgs, measured: &[Measured], presenter: &mut Presenter) -> Result<(), Box<dyn Error>> {
    let (peers, ours): (Vec<&Measured>, Vec<_>) =
        measured.iter().partition(|measured| measured.who == Contestant::HundredMemberlist);
    presenter.heading(format!(
        "A hundred in one process at rest, LAN profile, for {} s: each member",
        args.seconds
    ))?;
    let resting: Vec<_> = peers.iter().filter_map(|peer| Some((peer.who, peer.rest?))).collect();
    for (who, spent) in ours.iter().filter_map(|ours| Some((ours.who, ours.rest?))) {
        let is_claimed = matches!(who, Contestant::HundredEmbedded | Contestant::HundredSmall);
        cost::show(presenter, who, MEMBERS, &spent, &resting, |what, _| match what {
            "processor" if is_claimed => Some(Claim::TimesLess(6.0)),
            "resident" if is_claimed => Some(Claim::TimesLess(10.0)),
            _ => None,
        })?;
    }

    presenter.heading("A hundred in one process: from the start until all know all, and a crash")?;
    for ours in ours {
        let mut show = |what: &str, figure: fn(&Measured) -> f64| {
            let what = format!("{}: {what}", ours.who.label());
            let measure = Measure::new(what, Some(MEMBERS as u64), "s", figure(ours));
            presenter.show_beside(&measure, peers.iter().map(|peer| (peer.who.label(), figure(peer), None)))
        };
        show("all know all", |measured| measured.joined_s)?;
        show("processor until then", |measured| measured.joined_cpu_s)?;
        show("a crash is known to all", |measured| measured.crashed_s)?;
    }
    Ok(())
}

/// A process with many members.
struct Together {
    process: Tied,
    said: Receiver<(Instant, String)>,
}

impl Together {
    /// Starts `program` with `args`.
    fn start(program: &Path, args: &[&str]) -> io::Result<Self> {
        let mut command = tied::command(program)?;
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Tied(command.spawn()?);
        let stdout = process.0.stdout.take().expect("asked for as a pipe");
        let (tx, said) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if tx.send((Instant::now(), line)).is_err() {
                    return;
                }
            }
        });
        Ok(Self { process, said })
    }

    fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Has one member stop without a goodbye.
    fn crash_one(&mut self) -> io::Result<()> {
        let stdin = self.process.0.stdin.as_mut().expect("asked for as a pipe");
        stdin.write_all(b"crash\n")
    }

    /// When it said `word`, waiting for it until `end`.
    fn hears(&mut self, word: &str, end: Instant) -> io::Result<Instant> {
        let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match self.said.recv_timeout(left) {
            Ok((at, said)) if said == word => Ok(at),
            Ok((_, said)) => Err(io::Error::other(format!("said `{said}` for `{word}`"))),
            Err(_) => Err(io::Error::other(format!("did not say `{word}` in time"))),
        }
    }
}
