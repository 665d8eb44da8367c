//! The real binary, run as its users run it.

#[cfg(target_os = "linux")]
mod demo;
#[path = "../lab/mod.rs"]
#[expect(dead_code, reason = "shared with the campaigns: each program uses its part")]
mod lab;
mod node;
mod record;

use std::process::{Command, Stdio};

use lab::{Process, SWIM, TIMEOUT};
use serde_json::Value;

/// `swim` with pipes, not started yet.
fn swim(args: &[&str]) -> Command {
    let mut command = Command::new(SWIM);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs `swim` to its end: exit code, standard output, standard error.
fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let output = swim(args).stdin(Stdio::null()).output().expect("swim starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Starts `swim`, which prints JSON.
fn start(args: &[&str]) -> Process {
    Process::start(Command::new(SWIM).args(args))
}

/// A member on a free port of the loopback address, and its first line.
fn member(args: &[&str]) -> (Process, Value) {
    let all = [&["node", "--json", "--profile", "local", "--bind", "127.0.0.1:0"], args].concat();
    let mut member = start(&all);
    let started = member.event("started");
    (member, started)
}

/// Waits until `member` lists all members in `names`, and no other member, as alive.
fn converged(member: &mut Process, names: &[&str]) {
    let end = std::time::Instant::now() + TIMEOUT;
    loop {
        let members = member.ask("members");
        let members = members.as_array().expect("a list");
        let is_alive = |name: &&str| members.iter().any(|m| m["name"] == **name && m["status"] == "alive");
        if members.len() == names.len() && names.iter().all(is_alive) {
            return;
        }
        assert!(std::time::Instant::now() < end, "{names:?} alive: {members:?}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// An address, as text, of an event or a row.
fn addr(value: &Value) -> &str {
    value["addr"].as_str().expect("an address")
}
