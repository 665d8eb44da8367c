//! What a user says about a recording.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::RecordError;

/// Where a member is to be recorded, and how much of it. Begin with [`Recording::new`] and set the
/// fields that differ.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The file. It is made anew, readable by its owner only. A recording that it holds is kept beside it,
    /// with `.before` behind the name, in place of the one that was kept before. Beside it lies its earlier
    /// half, with `.old` behind the name.
    pub path: PathBuf,
    /// Bytes on disk at most, the earlier half included, [`Recording::LIMIT_MIN`] at least. Default 64 MiB.
    pub limit: u64,
    /// Replace everything that users say by noise of the same length. Default no.
    pub redact: bool,
    /// Gets the reason, once, if the recording ends before the member does. Default: none;
    /// the engine of a driver knows it as well.
    pub stopped: Option<Sender<Arc<RecordError>>>,
}

impl Recording {
    /// The smallest [`Recording::limit`]; a smaller one is taken as this.
    pub const LIMIT_MIN: u64 = 1 << 20;
    /// The default of [`Recording::limit`].
    pub const LIMIT_DEFAULT: u64 = 64 << 20;

    /// With the defaults named at the fields.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), limit: Self::LIMIT_DEFAULT, redact: false, stopped: None }
    }
}
