//! How a process ends. Exit codes: one meaning each, the same for every command, and all of them in `--help`.
//! SIGINT, SIGTERM and SIGHUP: on a thread that sleeps until one comes. SIGHUP stays ignored if it was at the start, as
//! under `nohup`.

use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How the process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Exit {
    /// As asked, and everything that was shown really happened.
    Ok = 0,
    /// Something that was to be shown did not happen, or a member could not run.
    Failed = 1,
    /// The command line makes no sense. (clap's own code for it, too.)
    Usage = 2,
    /// A signal ended a demo before its end: 128 + SIGINT, as shells have it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Signals within this time are one request: `timeout` and some service managers signal a process and then its group.
const ONE_REQUEST: Duration = Duration::from_millis(500);

/// The signals that ask the process to end. They are caught from its making on, and wait until they are served.
pub(crate) struct EndRequests(Signals);

impl EndRequests {
    pub(crate) fn catch() -> io::Result<Self> {
        let signals = Signals::new([SIGINT, SIGTERM])?;
        if !ignores_hangups() {
            signals.add_signal(SIGHUP)?;
        }
        Ok(Self(signals))
    }

    /// Calls `then` on a thread of its own for the first signal, `again` for every further request. A terminal that
    /// closes and a service manager may both send SIGHUP beside the first signal, so it is never the further one.
    pub(crate) fn serve(
        self,
        then: impl FnOnce() + Send + 'static,
        again: impl Fn() + Send + 'static,
    ) -> io::Result<()> {
        crate::spawn("swim-signals", move || {
            let Self(mut signals) = self;
            let mut coming = signals.forever();
            if coming.next().is_none() {
                return;
            }
            let asked_at = Instant::now();
            then();
            let is_another = |signal: &i32| *signal != SIGHUP && asked_at.elapsed() >= ONE_REQUEST;
            coming.filter(is_another).for_each(|_| again());
        })
    }
}

/// Whether this process was started with SIGHUP ignored. Where the system does not say, the signal is left alone.
fn ignores_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_none_or(|mask| mask >> (SIGHUP - 1) & 1 == 1)
}
