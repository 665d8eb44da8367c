//! Exit codes: one meaning each, the same for every command, and all of them in `--help`.

use std::process::ExitCode;

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
