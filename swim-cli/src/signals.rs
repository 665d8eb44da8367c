//! SIGINT and SIGTERM, on a thread that sleeps until one comes.
//!
//! SIGHUP is left alone: it ends the process by default, and not under `nohup`, as it should be.

use std::io;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

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
