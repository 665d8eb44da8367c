//! `swim node`: one member in the foreground.
//!
//! The driver runs the protocol on a thread of its own. Around it are threads that do nothing but wait:
//! one for events, one for lines on standard input, one for signals. All of them talk to the main thread,
//! which alone prints. Output never decides about membership: while it is not read, events wait in a bounded queue;
//! when it fails, lines are dropped and counted. An idle member makes no system call here.

mod command;
mod error;
mod parent;
mod plan;
mod printer;
mod roster;
mod running;
mod seeds;
mod session;

use std::io::Write as _;
use std::time::Duration;

use crate::args::NodeArgs;
use crate::exit::Exit;
use printer::Printer;

/// How long a goodbye may take before the process ends without one.
const LEAVE_MAX: Duration = Duration::from_secs(5);

/// Runs a member until it is asked to stop.
pub(crate) fn run(args: &NodeArgs) -> Exit {
    let tied = args.parent.map_or(Ok(true), parent::tie_to);
    if !matches!(tied, Ok(true)) {
        return Exit::Failed;
    }
    let mut printer = Printer::new(args.json);
    match session::serve(args, &mut printer) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            // For people on standard error; for programs, which read the other stream, there as well.
            if args.json {
                printer.error(&error);
            }
            complain("error:", &error);
            error.exit()
        }
    }
}

/// A line on standard error, if that works: `eprintln` panics where it does not.
fn complain(what: &str, error: &dyn std::error::Error) {
    let _ = writeln!(anstream::stderr(), "{} {error}", crate::style::paint(crate::style::BAD, what));
}
