//! The binary `swim`. Everything is in the library beside it, where it can be tested.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    swim_cli::run()
}
