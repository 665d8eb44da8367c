//! Runs the real binary and listens to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Long enough for a busy machine; what takes longer is stuck.
pub(crate) const LIVENESS: Duration = Duration::from_secs(90);

/// The binary under test.
pub(crate) fn swim() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swim"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running `swim` and what it prints. Killed when dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Running {
    /// Starts `swim` with `args`.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = swim().args(args).stderr(Stdio::inherit()).spawn().expect("swim starts");
        let stdout = child.stdout.take().expect("a pipe");
        let (tx, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if tx.send(line).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        Self { child, stdin, lines, heard: Vec::new() }
    }

    /// A member with `--json`, on a free port of the loopback address, and its first line.
    pub(crate) fn member(args: &[&str]) -> (Self, Value) {
        let all = [&["node", "--json", "--profile", "local", "--bind", "127.0.0.1:0"], args].concat();
        let mut running = Self::start(&all);
        let started = running.event("started");
        (running, started)
    }

    /// Types a line.
    pub(crate) fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("not closed");
        writeln!(stdin, "{line}").expect("it listens");
    }

    /// The next line that `wanted` accepts.
    pub(crate) fn wait(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + LIVENESS;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no {what} in {} lines:\n{}", self.heard.len(), self.heard.join("\n"))
            };
            self.heard.push(line.clone());
            let value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
            if wanted(&value) {
                return value;
            }
        }
    }

    /// The next event of this kind.
    pub(crate) fn event(&mut self, kind: &str) -> Value {
        self.wait(kind, |line| line["event"] == kind)
    }

    /// The next event of this kind about `name`.
    pub(crate) fn event_about(&mut self, kind: &str, name: &str) -> Value {
        self.wait(&format!("{kind} about {name}"), |line| line["event"] == kind && line["name"] == name)
    }

    /// Asks for the members until `wanted` accepts the answer.
    pub(crate) fn members(&mut self, what: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let end = Instant::now() + LIVENESS;
        loop {
            self.say("members");
            let answer = self.wait("members", |line| line["members"].is_array());
            let members = answer["members"].as_array().expect("a list").clone();
            if wanted(&members) {
                return members;
            }
            assert!(Instant::now() < end, "{what}: {members:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until all members in `names`, and no other member, are listed as alive.
    pub(crate) fn converged(&mut self, names: &[&str]) {
        self.members(&format!("{names:?} alive"), |members| {
            members.len() == names.len()
                && names
                    .iter()
                    .all(|name| members.iter().any(|m| m["name"] == *name && m["status"] == "alive"))
        });
    }

    /// Sends a signal, by its name for `kill`.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status().expect("kill runs");
        assert!(sent.success(), "kill -s {signal} {pid}");
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let end = Instant::now() + LIVENESS;
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status;
            }
            assert!(Instant::now() < end, "it does not end; it said:\n{}", self.rest().join("\n"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything that it said and that was not waited for yet.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        let mut rest = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(Duration::from_millis(500)) {
            rest.push(line);
        }
        rest
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `swim` to its end: exit code, standard output, standard error.
pub(crate) fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let mut child = swim().args(args).stdin(Stdio::null()).spawn().expect("swim starts");
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().expect("a pipe").read_to_string(&mut out).expect("text");
    child.stderr.take().expect("a pipe").read_to_string(&mut err).expect("text");
    (child.wait().expect("it ends").code(), out, err)
}

/// An address, as text, of an event or a row.
pub(crate) fn addr(value: &Value) -> &str {
    value["addr"].as_str().expect("an address")
}
