//! Clusters of five processes at rest.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::Claim;
use crate::rest::apart::Apart;
use crate::rest::cost::{Cost, Rows, Usages};
use crate::rest::scratch::{Scratch, free_ports};
use crate::rest::{Contestant, Entrant, RestArgs};
use crate::table::Presenter;

/// Members of a cluster.
const MEMBERS: usize = 5;
/// How long members may take to find each other.
const JOIN_MAX: Duration = Duration::from_secs(30);

/// Three million bytes.
const RESIDENT_MAX_KIB: f64 = 3e6 / 1024.0;
const OURS: [Contestant; 6] = [
    Contestant::Mio,
    Contestant::MioSmall,
    Contestant::MioAlone,
    Contestant::MioAloneSmall,
    Contestant::Tokio,
    Contestant::TokioAlone,
];

/// Starts all members, leaves them alone, and shows what they cost.
pub(crate) fn measure(
    args: &RestArgs,
    entrants: &[Entrant],
    presenter: &mut Presenter,
) -> Result<(), Box<dyn Error>> {
    let scratch = Scratch::new()?;
    let mut clusters = Vec::new();
    // All at once: a process that has just been started has not bound its own yet.
    let ports = free_ports(2 * MEMBERS * entrants.len())?;
    for (entrant, ports) in entrants.iter().zip(ports.chunks(2 * MEMBERS)) {
        clusters.push((entrant.who, Apart::start(entrant, ports, scratch.path())?));
    }
    let started = Instant::now();
    for (who, cluster) in &mut clusters {
        while !cluster.all_know_all().map_err(|error| format!("{}: {error}", who.label()))? {
            if started.elapsed() > JOIN_MAX {
                return Err(format!("{}: its members do not find each other", who.label()).into());
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
    thread::sleep(Duration::from_secs(args.settle));

    let pids: Vec<Vec<u32>> = clusters.iter().map(|(_, cluster)| cluster.pids()).collect();
    let begin: Vec<Usages> = pids.iter().map(|pids| Usages::of(pids)).collect::<Result<_, _>>()?;
    thread::sleep(Duration::from_secs(args.seconds));
    let mut costs = Vec::new();
    for (((who, _), pids), begin) in clusters.iter().zip(&pids).zip(&begin) {
        costs.push((*who, begin.cost_until_now(pids, pids.len())?));
    }
    show(args, &costs, presenter)
}

fn show(
    args: &RestArgs,
    costs: &[(Contestant, Cost)],
    presenter: &mut Presenter,
) -> Result<(), Box<dyn Error>> {
    let cost = |wanted: Contestant| costs.iter().find(|(who, _)| *who == wanted).map(|(_, cost)| *cost);
    let standing = [Contestant::Foca, Contestant::Serf, Contestant::Bare]
        .map(|peer| cost(peer).map(|spent| (peer.label(), spent)));
    let working: Vec<(&str, Cost)> = standing.into_iter().flatten().collect();
    // What a bare loop has in memory says nothing.
    let holding: Vec<(&str, Cost)> = standing.into_iter().take(2).flatten().collect();
    let beside = |wanted: Contestant, peer: &str, claim| (peer == wanted.label()).then_some(claim);
    presenter.heading(format!("Five processes at rest, LAN profile, for {} s: each member", args.seconds))?;
    for ours in OURS {
        let Some(spent) = cost(ours) else { continue };
        let claims = !matches!(ours, Contestant::Tokio | Contestant::TokioAlone);
        let (name, size) = (ours.label(), MEMBERS as u64);
        let checked = |claim: Option<Claim>| claim.filter(|_| claims);
        let mut rows = Rows { presenter: &mut *presenter, name, size, peers: &working };
        rows.show(
            "wake-ups",
            "/s",
            spent,
            |cost| cost.wakes_per_second,
            |peer| checked(beside(Contestant::Foca, peer, Claim::AtMost(3.2))),
        )?;
        rows.show(
            "processor",
            "ms/min",
            spent,
            |cost| cost.cpu_ms_per_minute,
            |peer| {
                let beside_foca = beside(Contestant::Foca, peer, Claim::TimesLess(8.0));
                checked(beside_foca.or(beside(Contestant::Serf, peer, Claim::TimesLess(15.0))))
            },
        )?;
        let mut rows = Rows { presenter: &mut *presenter, name, size, peers: &holding };
        rows.show(
            "resident",
            "KiB",
            spent,
            |cost| cost.resident_kib,
            |peer| checked(beside(Contestant::Foca, peer, Claim::AtMost(RESIDENT_MAX_KIB))),
        )?;
        rows.show("of that its own", "KiB", spent, |cost| cost.anonymous_kib, |_| None)?;
    }
    if cost(Contestant::Foca).is_some() {
        presenter.remark(
            "foca's example broadcasts a line of text every 5 s, which no member here does; it writes no log.",
        );
    }
    Ok(())
}
