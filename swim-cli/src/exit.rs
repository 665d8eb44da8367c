//! How a process ends. Exit codes: one meaning each, the same for every command, and all of them in `--help`.
//! SIGINT and SIGTERM: on a thread that sleeps until one comes. SIGHUP is left alone: it ends the process by default,
//! and not under `nohup`, as it should be.

use std::io;
use std::process::ExitCode;

use signal_hook::consts::{SIGINT, SIGTERM};
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

/// Calls `then` on a thread of its own for the first signal that asks the process to end, `again` for every
/// further one.
pub(crate) fn on_termination(
    then: impl FnOnce() + Send + 'static,
    again: impl Fn() + Send + 'static,
) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    crate::spawn("swim-signals", move || {
        let mut coming = signals.forever();
        if coming.next().is_some() {
            then();
        }
        coming.for_each(|_| again());
    })
}
