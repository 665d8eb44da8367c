//! What can go wrong before anything is simulated.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::exit::Exit;

/// An error, with what it is about and the way out.
#[derive(Debug)]
pub(crate) enum Error {
    /// A file could not be read or written.
    File(PathBuf, std::io::Error),
    /// What was asked for makes no sense.
    Usage(String),
}

impl Error {
    pub(crate) fn file(path: &Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File(path.clone(), error)
    }

    pub(crate) fn file_text(path: &Path, text: String) -> Self {
        Self::File(path.to_owned(), std::io::Error::other(text))
    }

    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::File(..) => Exit::Failed,
            Self::Usage(_) => Exit::Usage,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Usage(text) => f.write_str(text),
        }
    }
}
