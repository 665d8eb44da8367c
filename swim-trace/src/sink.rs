//! Where records go.

use std::io::{self, Write};
use std::path::Path;

/// Takes what a recorder has to write, in files that follow each other, or in a single one without end.
pub trait Sink {
    /// Bytes that may still be written before a new file must begin.
    fn room(&self) -> u64;

    /// Appends.
    ///
    /// # Errors
    /// The operating system refused.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Begins a new file. What is older than the last one is dropped.
    ///
    /// # Errors
    /// The operating system refused.
    fn turn_over(&mut self) -> io::Result<()>;

    /// Bytes of a whole file.
    fn room_max(&self) -> u64;

    /// What it is called in errors.
    fn path(&self) -> &Path;
}

/// Anything that can be written to: a trace without end, for memory and for tests.
#[derive(Clone, Debug, Default)]
pub struct Plain<W>(pub W);

impl<W: Write> Sink for Plain<W> {
    fn room(&self) -> u64 {
        u64::MAX
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn turn_over(&mut self) -> io::Result<()> {
        Err(io::Error::other("it is a single file"))
    }

    fn room_max(&self) -> u64 {
        u64::MAX
    }

    fn path(&self) -> &Path {
        Path::new("the trace")
    }
}
