//! Many members in one process: a process that says when all know all, and when a crash is known to all.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::rest::tied::{self, Tied};

/// A process with many members.
pub(crate) struct Together {
    process: Tied,
    said: Receiver<(Instant, String)>,
}

impl Together {
    /// Starts `program` with `args`.
    pub(crate) fn start(program: &Path, args: &[&str]) -> io::Result<Self> {
        let mut command = tied::command(program)?;
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Tied(command.spawn()?);
        let stdout = process.0.stdout.take().expect("asked for as a pipe");
        let (tx, said) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if tx.send((Instant::now(), line)).is_err() {
                    return;
                }
            }
        });
        Ok(Self { process, said })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Has one member stop without a goodbye.
    pub(crate) fn crash_one(&mut self) -> io::Result<()> {
        let stdin = self.process.0.stdin.as_mut().expect("asked for as a pipe");
        stdin.write_all(b"crash\n")
    }

    /// When it said `word`, waiting for it until `end`.
    pub(crate) fn hears(&mut self, word: &str, end: Instant) -> io::Result<Instant> {
        let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match self.said.recv_timeout(left) {
            Ok((at, said)) if said == word => Ok(at),
            Ok((_, said)) => Err(io::Error::other(format!("said `{said}` for `{word}`"))),
            Err(_) => Err(io::Error::other(format!("did not say `{word}` in time"))),
        }
    }
}
