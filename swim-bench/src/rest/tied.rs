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

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

/// A program that is ended when this is dropped.
pub(crate) struct Tied(Child);

impl Tied {
    /// Starts what [`command`] made. To be called by the main thread: it is the thread whose end counts.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        command.spawn().map(Self)
    }

    /// Which process it is.
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// The process, to talk to.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Its exit, if it has ended already.
    pub(crate) fn ended(&mut self) -> io::Result<Option<std::process::ExitStatus>> {
        self.0.try_wait()
    }
}

impl Drop for Tied {
    fn drop(&mut self) {
        // Gone already, then: nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `program`, to be started with [`Tied::start`]. Arguments and pipes can be added.
pub(crate) fn command(program: &Path) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("tied").arg(std::process::id().to_string()).arg(program);
    Ok(command)
}

/// Becomes `program` with `args`, to die with the process `parent`. Returns only if that fails.
pub(crate) fn become_tied(parent: u32, program: &OsString, args: &[OsString]) -> io::Error {
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    // It may have gone before the line above.
    let is_parent =
        getppid().map(Pid::as_raw_nonzero).is_some_and(|pid| u32::try_from(pid.get()) == Ok(parent));
    if !is_parent {
        return io::Error::other("the process to die with is gone already");
    }
    Command::new(program).args(args).exec()
}
