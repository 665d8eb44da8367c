//! Why a recording ended, and why a trace cannot be read.

use std::io;
use std::path::PathBuf;

/// Why a recording ended before its node did. The node goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The operating system refused to write.
    #[error("cannot write to {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The node has grown so large that its state does not fit half of the limit.
    #[error("the node's state takes {state} bytes, too many for a recording of at most {limit}")]
    LimitTooSmall {
        /// Bytes of the state.
        state: u64,
        /// [`Recording::limit`](crate::Recording::limit).
        limit: u64,
    },
    /// The core has something that this format cannot say yet.
    #[error("a trace cannot say `{0}`")]
    Unknown(String),
}

/// Why a trace cannot be read. Each names the file and, where there is one, the byte.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It could not be read at all.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// It begins otherwise than a trace does.
    #[error("{} is no trace: it does not begin with `SWIMTRC1`", path.display())]
    Magic {
        /// The file.
        path: PathBuf,
    },
    /// Another version of the format.
    #[error("{}, byte 8: written in version {found} of the format; this program reads version {}", path.display(), crate::FORMAT)]
    Format {
        /// The file.
        path: PathBuf,
        /// The version in it.
        found: u32,
    },
    /// So little was written that there is nothing to replay.
    #[error("{}: there is nothing to replay before byte {at}, where the file ends or is damaged", path.display())]
    NoBeginning {
        /// The file.
        path: PathBuf,
        /// How far it could be read.
        at: u64,
    },
    /// A record that is what was written, but makes no sense.
    #[error("{}, byte {at}: the record {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where the record begins.
        at: u64,
        /// What is wrong with it.
        what: &'static str,
    },
}
