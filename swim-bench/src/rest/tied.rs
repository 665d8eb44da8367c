//! Programs that die with this one, whatever becomes of it.
//!
//! Peers know no option for that, and between `fork` and `exec` only unsafe code runs. So this program starts
//! itself, asks the kernel to be killed when its parent ends, and then becomes the other program: the wish
//! runs longer than that.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command};

use clap::Args;
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

/// A program that is ended when this is dropped.
pub(crate) struct Tied(pub(crate) Child);

impl Drop for Tied {
    fn drop(&mut self) {
        // Gone already, then: nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `program`, to be started by the main thread: it is the thread whose end counts. Arguments and pipes can be added.
pub(crate) fn command(program: &Path) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("tied").arg(std::process::id().to_string()).arg(program);
    Ok(command)
}

/// The arguments of a process that this program starts.
#[derive(Debug, Args)]
pub(crate) struct TiedArgs {
    parent: u32,
    program: OsString,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

impl TiedArgs {
    /// Becomes the program, to die with the process `parent`. Returns only if that fails.
    pub(crate) fn become_it(&self) -> io::Error {
        if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
            return error.into();
        }
        // It may have gone before the line above.
        let parent = getppid().map(Pid::as_raw_nonzero);
        if parent.is_none_or(|pid| u32::try_from(pid.get()) != Ok(self.parent)) {
            return io::Error::other("the process to die with is gone already");
        }
        Command::new(&self.program).args(&self.args).exec()
    }
}
