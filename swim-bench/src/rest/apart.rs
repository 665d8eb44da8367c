//! Members in processes of their own: how each contestant is started, and how one finds out that all of its
//! members know each other.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::rest::tied::{self, Tied};
use crate::rest::{Contestant, Entrant};

/// How long the first member has until others join through it.
const SEED_STARTS: Duration = Duration::from_secs(1);

/// Members in processes of their own that look for each other.
pub(crate) struct Apart {
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
    pub(crate) fn start(entrant: &Entrant, ports: &[u16], scratch: &Path) -> io::Result<Self> {
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
    pub(crate) fn all_know_all(&mut self) -> io::Result<bool> {
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
    pub(crate) fn pids(&self) -> Vec<u32> {
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
