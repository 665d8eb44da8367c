//! Clusters of five processes at rest: how each contestant is started, how one finds out that all of its members know
//! each other, and what they cost.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::Claim;
use crate::rest::cost::{self, Cost, Usages};
use crate::rest::tied::{self, Tied};
use crate::rest::{Contestant, Entrant, RestArgs};
use crate::scratch::Scratch;
use crate::table::Presenter;

/// Members of a cluster.
const MEMBERS: usize = 5;
/// How long members may take to find each other.
const JOIN_MAX: Duration = Duration::from_secs(30);

/// Three million bytes.
const RESIDENT_MAX_KIB: f64 = 3e6 / 1024.0;

/// Starts all members, leaves them alone, and shows what they cost.
pub(crate) fn measure(
    args: &RestArgs,
    entrants: &[Entrant],
    presenter: &mut Presenter,
) -> Result<(), Box<dyn Error>> {
    let scratch = Scratch::new("rest")?;
    let mut clusters = Vec::new();
    // All at once: a process that has just been started has not bound its own yet.
    let ports = free_ports(2 * MEMBERS * entrants.len())?;
    for (entrant, ports) in entrants.iter().zip(ports.chunks(2 * MEMBERS)) {
        clusters.push((entrant.who, Apart::start(entrant, ports, &scratch.0)?));
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
    let is_peer = |who| matches!(who, Contestant::Foca | Contestant::Serf | Contestant::Bare);
    let (peers, ours): (Vec<_>, Vec<_>) = costs.iter().copied().partition(|(who, _)| is_peer(*who));
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

/// How long the first member has until others join through it.
const SEED_STARTS: Duration = Duration::from_secs(1);

/// Members in processes of their own that look for each other.
struct Apart {
    who: Contestant,
    program: PathBuf,
    members: Vec<Member>,
}

struct Member {
    process: Tied,
    /// What it writes, or is written down of it.
    file: PathBuf,
    /// Where it takes questions.
    asked_at: u16,
}

impl Apart {
    /// Starts `ports.len() / 2` members, who join through the first of them.
    fn start(entrant: &Entrant, ports: &[u16], scratch: &Path) -> io::Result<Self> {
        let (own, asked) = ports.split_at(ports.len() / 2);
        let mut members = Vec::new();
        for (index, &asked_at) in asked.iter().enumerate() {
            let file = scratch.join(format!("{:?}-{index}", entrant.who));
            let mut command = command(entrant, own, index, asked_at, &file)?;
            command.stderr(File::create(file.with_extension("err"))?);
            if index == 1 {
                // Peers ask once, and give up when no member answers.
                thread::sleep(SEED_STARTS);
            }
            members.push(Member { process: Tied(command.spawn()?), file, asked_at });
        }
        Ok(Self { who: entrant.who, program: entrant.program.clone(), members })
    }

    /// Whether every member knows all others.
    fn all_know_all(&mut self) -> io::Result<bool> {
        let total = self.members.len();
        for member in &mut self.members {
            if let Some(status) = member.process.0.try_wait()? {
                let said = read(&member.file.with_extension("err"))?;
                return Err(io::Error::other(format!("a member has ended: {status}: {said}")));
            }
        }
        for member in &self.members {
            if self.known_to(member)? < total {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many members `member` knows, itself among them.
    fn known_to(&self, member: &Member) -> io::Result<usize> {
        match self.who {
            Contestant::Mio | Contestant::MioSmall | Contestant::Tokio => {
                let lines = read(&member.file)?;
                let lines =
                    lines.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
                let alive = lines.filter(|line| line["event"] == "alive").map(|line| line["id"].to_string());
                Ok(1 + alive.collect::<BTreeSet<_>>().len())
            }
            // It is given its peers.
            Contestant::Bare => Ok(self.members.len()),
            // Its file has all others.
            Contestant::Foca => Ok(1 + read(&member.file)?.lines().count()),
            Contestant::Serf => {
                let mut members = Command::new(&self.program);
                members.args(["members", "-status=alive"]);
                members.arg(format!("-rpc-addr=127.0.0.1:{}", member.asked_at));
                // Refused until the agent is up.
                let output = members.stdin(Stdio::null()).output()?;
                Ok(String::from_utf8_lossy(&output.stdout).lines().count())
            }
            _ => Ok(if read(&member.file)?.contains("known") { self.members.len() } else { 1 }),
        }
    }

    /// The processes.
    fn pids(&self) -> Vec<u32> {
        self.members.iter().map(|member| member.process.0.id()).collect()
    }
}

/// How the member `index` of those at the ports `own` is started.
fn command(entrant: &Entrant, own: &[u16], index: usize, asked_at: u16, file: &Path) -> io::Result<Command> {
    let addr = |port: &u16| format!("127.0.0.1:{port}");
    let here = own.get(index).map(addr).unwrap_or_default();
    let first = own.first().filter(|_| index > 0).map(addr);
    let join = |option: &'static str| first.iter().flat_map(move |first| [option, first]);
    let mut command = tied::command(&entrant.program)?;
    command.stdin(Stdio::null()).stdout(Stdio::null());
    match entrant.who {
        Contestant::Mio | Contestant::MioSmall | Contestant::Tokio => {
            let driver = if entrant.who == Contestant::Tokio { "tokio" } else { "mio" };
            command.args(["node", "--json", "--profile", "lan", "--driver", driver, "--bind", &here]);
            command.args(join("--join")).stdout(File::create(file)?);
        }
        Contestant::Foca => {
            command.arg(&here).arg("--filename").arg(file).args(join("--announce"));
            // What it would write costs it much of its time.
            command.env("RUST_LOG", "off");
        }
        Contestant::Serf => {
            command.args(["agent", "-profile", "lan", "-log-level", "err", "-node", &here, "-bind", &here]);
            command.args(["-rpc-addr", &addr(&asked_at)]).args(join("-join"));
        }
        Contestant::Bare => {
            command.args(["bare", &index.to_string()]).args(own.iter().map(u16::to_string));
        }
        _ => {
            let total = own.len().to_string();
            let driver = if entrant.who == Contestant::TokioAlone { "tokio" } else { "embedded" };
            command.args([driver, "1", &total, &here]).args(first);
            // It takes the end of its input for its own.
            command.stdin(Stdio::piped()).stdout(File::create(file)?);
        }
    }
    Ok(command)
}

/// Empty as long as it is not there.
fn read(file: &Path) -> io::Result<String> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        other => other,
    }
}

/// `count` ports on the loopback that are free now, for UDP nor for TCP.
fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    // All are held until all are found, so that none is found twice.
    let mut held = Vec::new();
    while held.len() < count {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = udp.local_addr()?.port();
        if let Ok(tcp) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            held.push((port, udp, tcp));
        }
    }
    Ok(held.iter().map(|(port, ..)| *port).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_each_is_another() {
        let ports = free_ports(20).expect("a few");
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), 20);
        let bound: Vec<_> = ports.iter().map(|port| UdpSocket::bind(("127.0.0.1", *port))).collect();
        assert!(bound.iter().all(Result::is_ok));
    }
}
