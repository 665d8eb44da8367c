//! Clusters of five processes at rest.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::Claim;
use crate::rest::apart::Apart;
use crate::rest::cost::{self, Cost, Usages};
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
    let (ours, peers): (Vec<_>, Vec<_>) = costs.iter().copied().partition(|(who, _)| OURS.contains(who));
    presenter.heading(format!("Five processes at rest, LAN profile, for {} s: each member", args.seconds))?;
    for (who, spent) in ours {
        let is_claimed = !matches!(who, Contestant::Tokio | Contestant::TokioAlone);
        cost::show(presenter, who, MEMBERS, &spent, &peers, |what, peer| match (what, peer) {
            _ if !is_claimed => None,
            ("wake-ups", Contestant::Foca) => Some(Claim::AtMost(3.2)),
            ("processor", Contestant::Foca) => Some(Claim::TimesLess(8.0)),
            ("processor", Contestant::Serf) => Some(Claim::TimesLess(15.0)),
            ("resident", Contestant::Foca) => Some(Claim::AtMost(RESIDENT_MAX_KIB)),
            _ => None,
        })?;
    }
    if peers.iter().any(|(peer, _)| *peer == Contestant::Foca) {
        presenter.remark(
            "foca's example broadcasts a line of text every 5 s, which no member here does; it writes no log.",
        );
    }
    Ok(())
}
