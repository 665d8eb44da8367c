//! `swim node`: one member in the foreground.
//!
//! The driver runs the protocol on a thread of its own. Around it are threads that do nothing but wait:
//! one for events, one for lines on standard input, one for signals. All of them talk to the main thread,
//! which alone prints. When it cannot print, because its output is not read, nothing else stands still:
//! the member goes on, and its events wait in a bounded queue. An idle member makes no system call here.

mod command;
mod error;
mod parent;
mod plan;
mod printer;
mod roster;
mod running;
mod seeds;
mod session;

use std::time::Duration;

use crate::args::NodeArgs;
use crate::exit::Exit;
use error::NodeError;
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
            if !matches!(error, NodeError::Closed) {
                complain(&mut printer, args.json, &error);
            }
            error.exit()
        }
    }
}

/// For people on standard error; for programs, which read the other stream, there as well.
fn complain(printer: &mut Printer, json: bool, error: &NodeError) {
    if json {
        let _ = printer.error(error);
    }
    anstream::eprintln!("{} {error}", crate::style::paint(crate::style::BAD, "error:"));
}
