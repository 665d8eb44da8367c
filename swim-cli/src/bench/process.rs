//! A contestant's process, what the kernel has counted for it, and on which cores it and its peer run.
//!
//! With a core for each, a ping-pong measures mostly how the machine wakes a core that sleeps: on a virtual
//! one twenty microseconds, with a lot of noise. With both on one core it measures the work alone, to a
//! percent or two. So both are shown, and claims are checked on one core.

use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use procfs::ProcResult;
use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};
use serde::Serialize;

use crate::args::word;
use crate::contestant::Contestant;

/// A running contestant; ends when it is dropped.
pub(crate) struct Process {
    child: Child,
    addr: SocketAddr,
    /// A tracer has waited for its end: its number may be another process's by now.
    gone: bool,
}

/// What the kernel has counted for a process since its start, all threads together.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Counted {
    /// Time on a processor, user and system, ns.
    pub(crate) cpu_ns: u64,
    /// Clock ticks (mostly 10 ms) in user space, sampled by the kernel: only their share says something.
    pub(crate) user_ticks: u64,
    /// Clock ticks in the kernel.
    pub(crate) sys_ticks: u64,
    /// Times that a thread went to sleep.
    pub(crate) sleeps: u64,
    /// Times that a thread was put off its processor.
    pub(crate) preemptions: u64,
}

impl Process {
    /// Starts a contestant; a member looks for its cluster at `peer`, a loop answers with `answer` bytes.
    pub(crate) fn start(contestant: Contestant, peer: SocketAddr, answer: usize) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["bench", "subject", &word(contestant)])
            .args(["--peer", &peer.to_string(), "--answer", &answer.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().map(BufReader::new);
        output.map(|mut output| output.read_line(&mut line)).transpose()?;
        let addr = line.strip_prefix("ready ").and_then(|addr| addr.trim().parse().ok());
        let addr = addr.ok_or_else(|| io::Error::other(format!("{} did not start", contestant.name())))?;
        Ok(Self { child, addr, gone: false })
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Ends it; a tracer waits for its end.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()
    }

    /// A tracer has seen its end.
    pub(crate) const fn is_gone(&mut self) {
        self.gone = true;
    }

    pub(crate) fn threads(&self) -> io::Result<Vec<i32>> {
        self.read(|process| process.tasks()?.map(|task| Ok(task?.tid)).collect())
    }

    /// What the kernel has counted so far. Of a thread that is running, up to its last tick.
    pub(crate) fn counted(&self) -> io::Result<Counted> {
        self.read(|process| {
            let mut counted = Counted::default();
            for thread in process.tasks()? {
                let thread = thread?;
                let (stat, status) = (thread.stat()?, thread.status()?);
                counted.user_ticks += stat.utime;
                counted.sys_ticks += stat.stime;
                counted.cpu_ns += match thread.schedstat() {
                    Ok(spent) => spent.sum_exec_runtime,
                    // A kernel without scheduler statistics counts ticks only.
                    Err(_) => (stat.utime + stat.stime) * (1_000_000_000 / procfs::ticks_per_second()),
                };
                counted.sleeps += status.voluntary_ctxt_switches.unwrap_or(0);
                counted.preemptions += status.nonvoluntary_ctxt_switches.unwrap_or(0);
            }
            Ok(counted)
        })
    }

    /// Resident memory, and the part of it that belongs to no other process, in KiB.
    pub(crate) fn memory_kib(&self) -> io::Result<(u64, u64)> {
        let status = self.read(|process| process.status())?;
        Ok((status.vmrss.unwrap_or(0), status.rssanon.unwrap_or(0)))
    }

    /// Reads what the kernel says of it.
    fn read<T>(&self, read: impl FnOnce(procfs::process::Process) -> ProcResult<T>) -> io::Result<T> {
        let process = procfs::process::Process::new(self.child.id().cast_signed());
        process.and_then(read).map_err(io::Error::other)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.gone {
            // It may have ended by itself.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Counted {
    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        self.with(other, |one, other| one + other)
    }

    /// What was counted between `earlier` and this.
    pub(crate) fn since(self, earlier: Self) -> Self {
        self.with(earlier, u64::saturating_sub)
    }

    fn with(self, other: Self, by: fn(u64, u64) -> u64) -> Self {
        Self {
            cpu_ns: by(self.cpu_ns, other.cpu_ns),
            user_ticks: by(self.user_ticks, other.user_ticks),
            sys_ticks: by(self.sys_ticks, other.sys_ticks),
            sleeps: by(self.sleeps, other.sleeps),
            preemptions: by(self.preemptions, other.preemptions),
        }
    }
}

/// Where the contestant and its peer run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Placement {
    /// Both on the same core, in turns.
    OneCore,
    /// Wherever the scheduler puts them.
    Free,
}

/// The cores that this process had in the beginning.
pub(crate) struct Cores(CpuSet);

impl Placement {
    pub(crate) const ALL: [Self; 2] = [Self::OneCore, Self::Free];
}

impl Cores {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(sched_getaffinity(None)?))
    }

    pub(crate) fn count(&self) -> u32 {
        self.0.count()
    }

    /// Places the calling thread, and all threads of `process`.
    pub(crate) fn assign(&self, placement: Placement, process: &Process) -> io::Result<()> {
        let set = match placement {
            Placement::Free => self.0,
            Placement::OneCore => {
                let mut one = CpuSet::new();
                // The last: the first one serves most interrupts.
                let last = (0..CpuSet::MAX_CPU).rev().find(|cpu| self.0.is_set(*cpu));
                one.set(last.unwrap_or(0));
                one
            }
        };
        for thread in process.threads()? {
            sched_setaffinity(Pid::from_raw(thread), &set)?;
        }
        sched_setaffinity(None, &set)?;
        Ok(())
    }

    /// Frees the calling thread again: what it starts next begins free.
    pub(crate) fn free(&self) -> io::Result<()> {
        Ok(sched_setaffinity(None, &self.0)?)
    }
}
