//! A file that does not grow for ever: two halves, of which the earlier is dropped.
//!
//! ```text
//!   cluster.swim.old   the half before       cluster.swim   the half that is being written
//! ```
//!
//! When the present half is full it takes the name of the earlier one, which is thereby gone, and a new one
//! begins, with a key frame. Renaming is one step: whenever the process is killed, what lies there is a trace.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::{Recording, Sink};

/// A recording on disk.
#[derive(Debug)]
pub struct Ring {
    file: File,
    path: PathBuf,
    /// Bytes in `file`.
    len: u64,
    half: u64,
    /// A device: it cannot be renamed, so it ends with its first half.
    is_special: bool,
}

impl Ring {
    /// Makes the file. What lies there already is kept under another name.
    ///
    /// # Errors
    /// The operating system refused, or what lies there is a folder, a pipe or a socket: writing to these can
    /// wait for others.
    pub fn create(recording: &Recording) -> io::Result<Self> {
        let path = recording.path.clone();
        let is_special = match fs::metadata(&path) {
            Ok(meta) if meta.is_file() => false,
            Ok(meta) if is_device(&meta) => true,
            Ok(_) => return Err(io::Error::other("it is no file")),
            Err(_) => false,
        };
        if !is_special {
            set_aside(&path)?;
        }
        let file = if is_special { OpenOptions::new().write(true).open(&path)? } else { create(&path)? };
        Ok(Self { file, path, len: 0, half: recording.limit.max(Recording::LIMIT_MIN) / 2, is_special })
    }
}

impl Sink for Ring {
    fn room(&self) -> u64 {
        self.half.saturating_sub(self.len)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn turn_over(&mut self) -> io::Result<()> {
        if self.is_special {
            return Err(io::Error::other("it is no regular file, which could be cut"));
        }
        fs::rename(&self.path, older(&self.path))?;
        self.file = create(&self.path)?;
        self.len = 0;
        Ok(())
    }

    fn room_max(&self) -> u64 {
        self.half
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(unix)]
fn is_device(meta: &fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_char_device(&meta.file_type())
}

#[cfg(not(unix))]
fn is_device(_: &fs::Metadata) -> bool {
    false
}

/// Where the half before `path` lies.
#[must_use]
pub fn older(path: &Path) -> PathBuf {
    with(path, ".old")
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// A process that was killed is often started again at once, and its last minutes are what an
/// operator will want to see.
fn set_aside(path: &Path) -> io::Result<()> {
    let before = with(path, ".before");
    if fs::symlink_metadata(path).is_ok() || fs::symlink_metadata(older(path)).is_ok() {
        remove(&before)?;
        remove(&older(&before))?;
        rename(path, &before)?;
        rename(&older(path), &older(&before))?;
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    unless_missing(fs::remove_file(path))
}

fn rename(from: &Path, to: &Path) -> io::Result<()> {
    unless_missing(fs::rename(from, to))
}

fn unless_missing(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A trace holds the seed that a node's secrets follow from: no other user may read it. A user who may write
/// to the folder cannot have put a link there meanwhile.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
