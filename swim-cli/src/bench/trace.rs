//! Which system calls a contestant makes, and how long each takes: what `strace -c -f` shows, by means of
//! `ptrace`, so that nothing has to be installed.
//!
//! Every thread stops before and after each call, and the tracer looks at it both times. So the times include
//! the stops, which take longer than most of the calls, and say only how calls compare; the counts are right.

use std::collections::{HashMap, HashSet};
use std::io;
use std::time::Instant;

use hdrhistogram::Histogram;
use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::Serialize;

use crate::bench::load::histogram;

/// Times of one system call, by its number; of processes as they were given, by process.
pub(crate) type Calls = HashMap<libc::c_long, Histogram<u64>>;

/// Traces the processes with these threads until all of them are gone, then says what each has called.
/// `attached` is called as soon as all threads are.
pub(crate) fn trace(processes: &[Vec<i32>], attached: impl FnOnce()) -> io::Result<Vec<Calls>> {
    let mut tracer = Tracer { threads: HashMap::new(), calls: vec![Calls::new(); processes.len()] };
    let mut stopping = HashSet::new();
    for (process, threads) in processes.iter().enumerate() {
        for thread in threads {
            let thread = Pid::from_raw(*thread);
            ptrace::seize(thread, Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE)?;
            ptrace::interrupt(thread)?;
            tracer.threads.insert(thread, Thread { process, called: None });
            stopping.insert(thread);
        }
    }
    let mut attached = Some(attached);
    loop {
        let status = match waitpid(None, Some(WaitPidFlag::__WALL)) {
            Ok(status) => status,
            Err(Errno::ECHILD) => return Ok(tracer.calls),
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        };
        if let WaitStatus::PtraceEvent(thread, ..) = status {
            stopping.remove(&thread);
        }
        tracer.see(status)?;
        if stopping.is_empty()
            && let Some(attached) = attached.take()
        {
            attached();
        }
    }
}

struct Tracer {
    threads: HashMap<Pid, Thread>,
    calls: Vec<Calls>,
}

/// A thread, and the call that it is in.
struct Thread {
    process: usize,
    called: Option<(libc::c_long, Instant)>,
}

impl Tracer {
    fn see(&mut self, status: WaitStatus) -> io::Result<()> {
        let (thread, signal) = match status {
            WaitStatus::PtraceSyscall(thread) => {
                self.syscall(thread)?;
                (thread, None)
            }
            WaitStatus::PtraceEvent(thread, ..) => (thread, None),
            WaitStatus::Stopped(thread, signal) => (thread, Some(signal).filter(|it| *it != Signal::SIGTRAP)),
            _ => return Ok(()),
        };
        match ptrace::syscall(thread, signal) {
            // Killed meanwhile: the next event says so.
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn syscall(&mut self, thread: Pid) -> io::Result<()> {
        let now = Instant::now();
        // A thread that a traced one has started belongs to the same process; which, matters only when there
        // are several, and then all their threads have long been started.
        let state = self.threads.entry(thread).or_insert(Thread { process: 0, called: None });
        match state.called.take() {
            None => match number(thread) {
                Ok(number) => state.called = Some((number, Instant::now())),
                Err(Errno::ESRCH) => {}
                Err(error) => return Err(error.into()),
            },
            Some((number, since)) => {
                let took = u64::try_from(now.duration_since(since).as_nanos()).unwrap_or(u64::MAX);
                let times = self
                    .calls
                    .get_mut(state.process)
                    .map(|calls| calls.entry(number).or_insert_with(histogram));
                times.into_iter().for_each(|times| times.saturating_record(took));
            }
        }
        Ok(())
    }
}

/// The number of the call that a stopped thread is about to make.
#[cfg(target_arch = "x86_64")]
fn number(thread: Pid) -> nix::Result<libc::c_long> {
    Ok(ptrace::getregs(thread)?.orig_rax.cast_signed())
}

#[cfg(all(target_arch = "aarch64", target_env = "gnu"))]
fn number(thread: Pid) -> nix::Result<libc::c_long> {
    Ok(ptrace::getregs(thread)?.regs[8].cast_signed())
}

#[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_env = "gnu"))))]
fn number(_: Pid) -> nix::Result<libc::c_long> {
    Err(Errno::ENOSYS)
}

/// What a system call is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Purpose {
    Receive,
    Send,
    Wait,
    Timer,
    /// Wakes another thread, or waits for one.
    Thread,
    Other,
}

impl Purpose {
    pub(crate) const ALL: [Self; 6] =
        [Self::Receive, Self::Send, Self::Wait, Self::Timer, Self::Thread, Self::Other];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Send => "send",
            Self::Wait => "wait",
            Self::Timer => "timer",
            Self::Thread => "threads",
            Self::Other => "other",
        }
    }
}

/// The name of system call `number`, and what it is for.
pub(crate) fn describe(number: libc::c_long) -> (String, Purpose) {
    let known = KNOWN.iter().find(|(known, ..)| *known == number);
    known.map_or_else(
        || (format!("syscall {number}"), Purpose::Other),
        |(_, name, purpose)| ((*name).to_owned(), *purpose),
    )
}

/// Those that a driver may make.
const KNOWN: &[(libc::c_long, &str, Purpose)] = &[
    (libc::SYS_recvfrom, "recvfrom", Purpose::Receive),
    (libc::SYS_recvmsg, "recvmsg", Purpose::Receive),
    (libc::SYS_recvmmsg, "recvmmsg", Purpose::Receive),
    (libc::SYS_sendto, "sendto", Purpose::Send),
    (libc::SYS_sendmsg, "sendmsg", Purpose::Send),
    (libc::SYS_sendmmsg, "sendmmsg", Purpose::Send),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_epoll_wait, "epoll_wait", Purpose::Wait),
    (libc::SYS_epoll_pwait, "epoll_pwait", Purpose::Wait),
    (libc::SYS_epoll_pwait2, "epoll_pwait2", Purpose::Wait),
    (libc::SYS_epoll_ctl, "epoll_ctl", Purpose::Other),
    (libc::SYS_timerfd_settime, "timerfd_settime", Purpose::Timer),
    (libc::SYS_clock_gettime, "clock_gettime", Purpose::Timer),
    (libc::SYS_futex, "futex", Purpose::Thread),
    (libc::SYS_sched_yield, "sched_yield", Purpose::Thread),
    (libc::SYS_write, "write", Purpose::Thread),
    (libc::SYS_read, "read", Purpose::Other),
    (libc::SYS_restart_syscall, "restart_syscall", Purpose::Other),
    (libc::SYS_mmap, "mmap", Purpose::Other),
    (libc::SYS_munmap, "munmap", Purpose::Other),
    (libc::SYS_madvise, "madvise", Purpose::Other),
    (libc::SYS_brk, "brk", Purpose::Other),
];
