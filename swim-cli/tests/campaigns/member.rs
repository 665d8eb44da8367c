//! One `swim node --json` process, and everything that it said, with the time at which it was heard.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::scale::Profile;

/// Long enough for a busy machine; what takes longer is stuck.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// How to start a member.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) name: String,
    pub(crate) bind: String,
    pub(crate) join: Vec<String>,
    pub(crate) driver: &'static str,
    pub(crate) profile: Profile,
    /// A network namespace to run in.
    pub(crate) namespace: Option<String>,
    /// A program and its arguments that run the member, such as `faketime`.
    pub(crate) wrapper: Vec<String>,
    /// Further arguments of `swim node`.
    pub(crate) more: Vec<String>,
}

impl Launch {
    /// A member on a free port of the loopback address; the `index`-th of a mixed cluster.
    pub(crate) fn new(name: &str, index: usize, profile: Profile) -> Self {
        Self {
            name: name.to_owned(),
            bind: "127.0.0.1:0".to_owned(),
            join: Vec::new(),
            driver: ["mio", "tokio"][index % 2],
            profile,
            namespace: None,
            wrapper: Vec::new(),
            more: Vec::new(),
        }
    }

    pub(crate) fn join(mut self, seeds: &[impl ToString]) -> Self {
        self.join = seeds.iter().map(ToString::to_string).collect();
        self
    }

    pub(crate) fn bind(mut self, addr: impl ToString) -> Self {
        self.bind = addr.to_string();
        self
    }

    fn command(&self) -> Command {
        let mut words = Vec::new();
        if let Some(namespace) = &self.namespace {
            words.extend(["ip", "netns", "exec", namespace].map(str::to_owned));
        }
        words.extend(self.wrapper.iter().cloned());
        words.push(env!("CARGO_BIN_EXE_swim").to_owned());
        words.extend(["node", "--json", "--name", &self.name, "--bind", &self.bind].map(str::to_owned));
        words.extend(["--driver", self.driver, "--profile", self.profile.name()].map(str::to_owned));
        // It dies with the thread that started it, however that ends.
        words.extend(["--parent".to_owned(), std::process::id().to_string()]);
        if !self.join.is_empty() {
            words.extend(["--join".to_owned(), self.join.join(",")]);
        }
        words.extend(self.more.iter().cloned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        command
    }
}

/// A line of a member.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) at: Instant,
    pub(crate) line: Value,
}

impl Heard {
    /// Whether it is an event of this kind.
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.line["event"] == kind
    }

    /// Whether it is an event of this kind about `name`.
    pub(crate) fn is_about(&self, kind: &str, name: &str) -> bool {
        self.is(kind) && self.line["name"] == name
    }
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<Heard>>,
    arrived: Condvar,
}

/// What a member holds of another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) id: u64,
    pub(crate) addr: SocketAddr,
    pub(crate) status: String,
    pub(crate) epoch: u64,
    pub(crate) incarnation: u64,
}

/// A running member. Killed when dropped.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) addr: SocketAddr,
    pub(crate) id: u64,
    pub(crate) driver: &'static str,
    /// When the process was started.
    pub(crate) began: Instant,
    child: Child,
    stdin: Option<ChildStdin>,
    log: Arc<Log>,
}

impl Member {
    /// Starts the process and waits for its first line.
    pub(crate) fn start(launch: &Launch) -> Self {
        let mut member = Self::spawn(launch);
        member.settle();
        member
    }

    /// Starts the process; `settle` is still to come.
    pub(crate) fn spawn(launch: &Launch) -> Self {
        let began = Instant::now();
        let mut child = launch.command().spawn().expect("swim starts");
        let stdout = child.stdout.take().expect("a pipe");
        let log = Arc::new(Log::default());
        let writes = Arc::clone(&log);
        std::thread::spawn(move || {
            for text in BufReader::new(stdout).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&text).unwrap_or(Value::String(text));
                let heard = Heard { at: Instant::now(), line };
                writes.lines.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
                writes.arrived.notify_all();
            }
        });
        let stdin = child.stdin.take();
        let addr = SocketAddr::from(([0, 0, 0, 0], 0));
        Self { name: launch.name.clone(), addr, id: 0, driver: launch.driver, began, child, stdin, log }
    }

    /// Waits for its first line, which says where it is.
    pub(crate) fn settle(&mut self) {
        let started = self.wait(0, TIMEOUT, |heard| heard.is("started"));
        let started = started.unwrap_or_else(|| panic!("{} does not start", self.name)).line;
        self.addr = address(&started);
        self.id = id(&started);
    }

    /// How much it has said so far: a place to listen from.
    pub(crate) fn mark(&self) -> usize {
        self.log.lines.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What it said from `mark` on.
    pub(crate) fn since(&self, mark: usize) -> Vec<Heard> {
        let lines = self.log.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(mark..).unwrap_or_default().to_vec()
    }

    /// The first line from `mark` on that is `wanted`.
    pub(crate) fn wait(
        &self,
        mark: usize,
        timeout: Duration,
        wanted: impl Fn(&Heard) -> bool,
    ) -> Option<Heard> {
        let end = Instant::now() + timeout;
        let mut lines = self.log.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = mark;
        loop {
            let found = lines.get(next..).unwrap_or_default().iter().find(|heard| wanted(heard)).cloned();
            let left = end.saturating_duration_since(Instant::now());
            if found.is_some() || left.is_zero() {
                return found;
            }
            next = lines.len();
            (lines, _) = self.log.arrived.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Types a command.
    pub(crate) fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("it is never closed");
        writeln!(stdin, "{line}").expect("it listens");
    }

    /// The answer to `members` or `stats`.
    pub(crate) fn ask(&mut self, what: &str) -> Value {
        let mark = self.mark();
        self.say(what);
        let answer = self.wait(mark, TIMEOUT, |heard| heard.line.get(what).is_some());
        answer.unwrap_or_else(|| panic!("{} does not answer `{what}`", self.name)).line[what].clone()
    }

    /// What it holds of all members, ordered by name.
    pub(crate) fn rows(&mut self) -> Vec<Row> {
        let answer = self.ask("members");
        let mut rows: Vec<Row> = answer.as_array().expect("a list").iter().map(row).collect();
        rows.sort();
        rows
    }

    /// One counter.
    pub(crate) fn stat(&mut self, name: &str) -> u64 {
        self.ask("stats")[name].as_u64().unwrap_or_else(|| panic!("no counter `{name}`"))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it can be signalled");
    }

    /// SIGKILL. Returns when that was.
    pub(crate) fn kill(&mut self) -> Instant {
        let at = Instant::now();
        let _ = self.child.kill();
        let _ = self.child.wait();
        at
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kilobytes of memory that it has in use.
    pub(crate) fn resident_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|text| text.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
    }
}

fn row(value: &Value) -> Row {
    Row {
        name: value["name"].as_str().expect("a name").to_owned(),
        id: id(value),
        addr: address(value),
        status: value["status"].as_str().expect("a status").to_owned(),
        epoch: value["epoch"].as_u64().expect("a number"),
        incarnation: value["incarnation"].as_u64().expect("a number"),
    }
}

fn address(value: &Value) -> SocketAddr {
    value["addr"].as_str().and_then(|text| text.parse().ok()).expect("an address")
}

fn id(value: &Value) -> u64 {
    value["id"].as_str().and_then(|text| u64::from_str_radix(text, 16).ok()).expect("an id")
}
