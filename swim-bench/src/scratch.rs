//! A folder for the length of a measurement.

use std::io;
use std::path::PathBuf;

/// A folder that is removed when this is dropped.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    /// A new one among the system's temporary files.
    pub(crate) fn new(purpose: &str) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("swim-bench-{}-{purpose}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is what temporary folders are for.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
