//! A member that belongs to another process dies with it.
//!
//! On Linux the kernel sees to that, whatever the member is doing, even stopped: it sends SIGKILL when the
//! thread that started the member ends. Elsewhere the member looks ten times a second whether it has been
//! handed to another parent.

use std::io;

use rustix::process::{Pid, getppid};

/// Ties this process to its parent `pid`. `false`: that one is gone already.
pub(crate) fn tie_to(pid: u32) -> io::Result<bool> {
    ask_to_die_with_it(pid)?;
    // Between the start of this process and the line above the parent may have gone: then nothing is left to
    // cause the signal.
    Ok(is_parent(pid))
}

fn is_parent(pid: u32) -> bool {
    let parent = getppid().map(Pid::as_raw_nonzero);
    parent.is_some_and(|parent| u32::try_from(parent.get()) == Ok(pid))
}

#[cfg(target_os = "linux")]
fn ask_to_die_with_it(_: u32) -> io::Result<()> {
    use rustix::process::{Signal, set_parent_process_death_signal};

    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}

#[cfg(not(target_os = "linux"))]
fn ask_to_die_with_it(pid: u32) -> io::Result<()> {
    let look = move || {
        while is_parent(pid) {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        std::process::exit(1);
    };
    crate::spawn("swim-parent", look)
}
