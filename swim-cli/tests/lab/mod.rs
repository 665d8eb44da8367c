//! What the tests of the command line and the campaigns share: a process of the real binary with everything that it
//! said, recordings, and addresses that are free.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use swim_trace::{Reader, ReplayOptions, Replayed};

/// Long enough for a busy machine; what takes longer is stuck.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(90);

/// The binary under test.
pub(crate) const SWIM: &str = env!("CARGO_BIN_EXE_swim");

/// A line of a process, and when it was read.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) at: Instant,
    pub(crate) line: Value,
}

impl Heard {
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
    said: Mutex<Said>,
    grown: Condvar,
}

#[derive(Default)]
struct Said {
    lines: Vec<Heard>,
    ended: bool,
}

impl Log {
    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running `swim`, and everything that it said. Killed when dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    log: Arc<Log>,
    /// Lines that [`Process::next`] has passed.
    passed: usize,
}

impl Process {
    /// Starts `command`, which prints one JSON object a line.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("swim starts");
        let stdout = child.stdout.take().expect("a pipe");
        let log = Arc::new(Log::default());
        let writes = Arc::clone(&log);
        std::thread::spawn(move || {
            for text in BufReader::new(stdout).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&text).unwrap_or(Value::String(text));
                writes.said().lines.push(Heard { at: Instant::now(), line });
                writes.grown.notify_all();
            }
            writes.said().ended = true;
            writes.grown.notify_all();
        });
        let stdin = child.stdin.take();
        Self { child, stdin, log, passed: 0 }
    }

    /// How much it has said so far: a place to listen from.
    pub(crate) fn mark(&self) -> usize {
        self.log.said().lines.len()
    }

    /// What it said from `mark` on.
    pub(crate) fn since(&self, mark: usize) -> Vec<Heard> {
        self.log.said().lines.get(mark..).unwrap_or_default().to_vec()
    }

    /// The first line from `mark` on that is `wanted`; `None`: it did not come within `timeout`, or cannot come.
    pub(crate) fn wait(
        &self,
        mark: usize,
        timeout: Duration,
        wanted: impl Fn(&Heard) -> bool,
    ) -> Option<Heard> {
        self.find(mark, timeout, wanted).map(|(_, heard)| heard)
    }

    fn find(
        &self,
        mark: usize,
        timeout: Duration,
        wanted: impl Fn(&Heard) -> bool,
    ) -> Option<(usize, Heard)> {
        let end = Instant::now() + timeout;
        let mut said = self.log.said();
        let mut next = mark;
        loop {
            let new = said.lines.iter().enumerate().skip(next);
            let found = new.clone().find(|(_, heard)| wanted(heard)).map(|(at, heard)| (at, heard.clone()));
            let left = end.saturating_duration_since(Instant::now());
            if found.is_some() || said.ended || left.is_zero() {
                return found;
            }
            next = said.lines.len();
            (said, _) = self.log.grown.wait_timeout(said, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next line that is `wanted`.
    pub(crate) fn next(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let Some((at, heard)) = self.find(self.passed, TIMEOUT, |heard| wanted(&heard.line)) else {
            panic!("no {what}; it said:\n{}", self.text())
        };
        self.passed = at + 1;
        heard.line
    }

    /// The next event of this kind.
    pub(crate) fn event(&mut self, kind: &str) -> Value {
        self.next(kind, |line| line["event"] == kind)
    }

    /// The next event of this kind about `name`.
    pub(crate) fn event_about(&mut self, kind: &str, name: &str) -> Value {
        self.next(&format!("{kind} about {name}"), |line| line["event"] == kind && line["name"] == name)
    }

    /// Everything that it said, one line each.
    pub(crate) fn text(&self) -> String {
        self.since(0).iter().map(|heard| format!("{}\n", heard.line)).collect()
    }

    pub(crate) fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("not closed");
        writeln!(stdin, "{line}").expect("it listens");
    }

    /// The answer to `members` or `stats`.
    pub(crate) fn ask(&mut self, what: &str) -> Value {
        let mark = self.mark();
        self.say(what);
        let answer = self.wait(mark, TIMEOUT, |heard| heard.line.get(what).is_some());
        answer.unwrap_or_else(|| panic!("no answer to `{what}`; it said:\n{}", self.text())).line[what]
            .clone()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

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

    /// Waits for its end, and for all that it said.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let ended = self.find(usize::MAX, TIMEOUT, |_| false).is_none() && self.log.said().ended;
        assert!(ended, "it does not end; it said:\n{}", self.text());
        self.child.wait().expect("it can be waited for")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A folder for recordings, deleted when dropped, and kept when a test fails.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("swim-recording-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder for temporary files");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// Replays a recording.
pub(crate) fn replayed(file: &Path) -> Result<Replayed, String> {
    let trace = Reader::open(file).map_err(|error| error.to_string())?;
    swim_trace::replay(&trace, ReplayOptions::default()).map_err(|error| error.to_string())
}

/// A port of the loopback address that no process has, and that the kernel does not hand out by itself.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 10_000).expect("below 10,000");
    let ports = std::iter::repeat_with(|| 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000)
        .take(12_000);
    let mut addresses = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    addresses.find(|address| UdpSocket::bind(address).is_ok()).expect("a free port")
}
