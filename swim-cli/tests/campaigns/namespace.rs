//! A network namespace with nothing but a loopback device: a network to hurt that no other member uses.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use procfs::process::Process;

/// Deleted when dropped.
pub(crate) struct Namespace {
    pub(crate) name: String,
}

static NEXT: AtomicU32 = AtomicU32::new(0);
const PREFIX: &str = "swim-campaign-";

impl Namespace {
    /// A fresh one.
    pub(crate) fn new() -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("a network namespace needs root".to_owned());
        }
        sweep();
        let name = format!("{PREFIX}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        try_run("ip", &["netns", "add", &name])?;
        let namespace = Self { name };
        namespace.try_run("ip link set lo up")?;
        namespace.try_run("iptables -vnL INPUT")?;
        Ok(namespace)
    }

    /// Runs a command in it; its output.
    pub(crate) fn run(&self, line: &str) -> String {
        self.try_run(line).unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_run(&self, line: &str) -> Result<String, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        try_run("ip", &[&["netns", "exec", &self.name], &words[..]].concat())
    }

    /// Writes the file that stands for /etc/`name` in it, for members that are started later.
    pub(crate) fn write_file(&self, name: &str, text: &str) {
        let folder = format!("/etc/netns/{}", self.name);
        std::fs::create_dir_all(&folder).expect("root may");
        // Written in place: it is the file itself that is mounted over the real one.
        std::fs::write(format!("{folder}/{name}"), text).expect("root may");
    }

    /// Packets that arrived, and those of them that were dropped, by the first rule of INPUT.
    pub(crate) fn losses(&self) -> (u64, u64) {
        let listing = self.run("iptables -vnxL INPUT");
        let first = |line: &str| line.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
        let dropped = listing.lines().find_map(first).unwrap_or(0);
        let policy = listing.lines().next().and_then(|line| {
            line.split_whitespace().skip_while(|word| *word != "ACCEPT").nth(1)?.parse::<u64>().ok()
        });
        (policy.unwrap_or(0) + dropped, dropped)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

fn remove(name: &str) {
    let _ = try_run("ip", &["netns", "del", name]);
    let _ = std::fs::remove_dir_all(format!("/etc/netns/{name}"));
}

/// Removes what campaigns left behind that were killed.
fn sweep() {
    for line in try_run("ip", &["netns", "list"]).unwrap_or_default().lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if pid.is_some_and(is_gone) {
            remove(name);
        }
    }
}

/// Whether a process has ended, also if its parent has not collected it yet.
fn is_gone(pid: &str) -> bool {
    let process = pid.parse().ok().and_then(|pid| Process::new(pid).ok());
    process.and_then(|process| process.stat().ok()).is_none_or(|stat| stat.state == 'Z')
}

fn try_run(program: &str, args: &[&str]) -> Result<String, String> {
    let what = || format!("`{program} {}`", args.join(" "));
    let output = Command::new(program).args(args).output().map_err(|error| format!("{}: {error}", what()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{}: {}", what(), String::from_utf8_lossy(&output.stderr).trim()))
}
