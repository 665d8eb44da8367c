//! One `swim node --json` process: how it is started, and what it answers.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::lab::{Process, SWIM, TIMEOUT};
use crate::scale::Profile;

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

    pub(crate) fn more<const N: usize>(mut self, args: [&str; N]) -> Self {
        self.more.extend(args.map(str::to_owned));
        self
    }

    fn command(&self) -> Command {
        let mut words = Vec::new();
        if let Some(namespace) = &self.namespace {
            words.extend(["ip", "netns", "exec", namespace].map(str::to_owned));
        }
        words.extend(self.wrapper.iter().cloned());
        words.push(SWIM.to_owned());
        words.extend(["node", "--json", "--name", &self.name, "--bind", &self.bind].map(str::to_owned));
        words.extend(["--driver", self.driver, "--profile", self.profile.name()].map(str::to_owned));
        // It dies with the thread that started it, however that ends.
        words.extend(["--parent".to_owned(), std::process::id().to_string()]);
        if !self.join.is_empty() {
            words.extend(["--join".to_owned(), self.join.join(",")]);
        }
        words.extend(self.more.iter().cloned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }
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

/// A running member.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) addr: SocketAddr,
    pub(crate) driver: &'static str,
    /// When the process was started.
    pub(crate) began: Instant,
    process: Process,
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
        let process = Process::start(&mut launch.command());
        let addr = SocketAddr::from(([0, 0, 0, 0], 0));
        Self { name: launch.name.clone(), addr, driver: launch.driver, began, process }
    }

    /// Waits for its first line, which says where it is.
    pub(crate) fn settle(&mut self) {
        let started = self.wait(0, TIMEOUT, |heard| heard.is("started"));
        self.addr = address(&started.unwrap_or_else(|| panic!("{} does not start", self.name)).line);
    }

    /// What it holds of all members, ordered by name.
    pub(crate) fn rows(&mut self) -> Vec<Row> {
        let answer = self.ask("members");
        let mut rows: Vec<Row> = answer.as_array().expect("a list").iter().map(row).collect();
        rows.sort();
        rows
    }

    pub(crate) fn stat(&mut self, name: &str) -> u64 {
        self.ask("stats")[name].as_u64().unwrap_or_else(|| panic!("no counter `{name}`"))
    }

    /// Kilobytes of memory that it has in use.
    pub(crate) fn resident_kb(&self) -> u64 {
        let process = procfs::process::Process::new(self.pid().cast_signed());
        process.and_then(|process| process.status()).ok().and_then(|status| status.vmrss).unwrap_or(0)
    }
}

impl Deref for Member {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Member {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

fn row(value: &Value) -> Row {
    let text = |field: &str| value[field].as_str().expect("text").to_owned();
    let number = |field: &str| value[field].as_u64().expect("a number");
    Row {
        name: text("name"),
        id: u64::from_str_radix(&text("id"), 16).expect("an id"),
        addr: address(value),
        status: text("status"),
        epoch: number("epoch"),
        incarnation: number("incarnation"),
    }
}

fn address(value: &Value) -> SocketAddr {
    value["addr"].as_str().and_then(|text| text.parse().ok()).expect("an address")
}
