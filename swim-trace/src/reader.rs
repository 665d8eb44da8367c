//! Reading a trace, whole or damaged, and never believing it.
//!
//! The files are held in memory as they are; records are views into them. Checksums are looked at once, when
//! a file is opened: what is behind the first bad one is not read.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::bytes::Take;
use crate::error::ReadError;
use crate::frame::{self, Damage, Tail};
use crate::record::{self, Head, Record};
use crate::{FORMAT, MAGIC, older};

/// A trace that was opened.
#[derive(Clone, Debug)]
pub struct Reader {
    /// One, or two that fit together; the earlier first.
    files: Vec<TraceFile>,
}

/// A record and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    /// Its number since the node's birth, from 0. Only inputs and outputs count; of the others, the number of
    /// the next that does.
    pub number: u64,
    /// The byte of its file at which its frame begins.
    pub at: u64,
    /// What it says.
    pub record: Record<'a>,
}

#[derive(Clone, Debug)]
struct TraceFile {
    path: PathBuf,
    bytes: Vec<u8>,
    head: Head,
    /// Where the record after the head begins, and where the last good one ends.
    begin: usize,
    end: usize,
    tail: Option<Tail>,
    /// The number of its first record that counts, and how many count.
    first: u64,
    count: u64,
}

impl Reader {
    /// Opens the trace at `path`. If its earlier half lies beside it and fits, the trace begins there.
    ///
    /// # Errors
    /// [`ReadError`] names the file and the byte.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let earlier = older(path);
        // The process was killed after it had put the full half away, and before it had begun another.
        if !path.exists() && earlier.exists() {
            return Ok(Self { files: vec![TraceFile::open(&earlier)?] });
        }
        // What is no trace beside it, or one of another recording, is no reason not to read this one.
        let earlier = if earlier.exists() { TraceFile::open(&earlier).ok() } else { None };
        let file = match (TraceFile::open(path), earlier) {
            (Ok(file), Some(earlier)) if earlier.is_followed_by(&file) => {
                return Ok(Self { files: vec![earlier, file] });
            }
            (Ok(file), _) => file,
            // It was killed while it began the present half: the earlier one has all that there is.
            (Err(ReadError::NoBeginning { .. }), Some(earlier)) => earlier,
            (Err(error), _) => return Err(error),
        };
        Ok(Self { files: vec![file] })
    }

    /// Reads a trace from memory; `name` is what it is called in errors.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn new(name: impl Into<PathBuf>, bytes: Vec<u8>) -> Result<Self, ReadError> {
        Ok(Self { files: vec![TraceFile::new(name.into(), bytes)?] })
    }

    /// Which node is recorded.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.first().head
    }

    /// What of the newest file cannot be used, if anything.
    #[must_use]
    pub fn tail(&self) -> Option<Tail> {
        self.files.last()?.tail
    }

    /// The files that it consists of, the earlier first.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// How many records count.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.files.iter().map(|file| file.count).sum()
    }

    /// Whether there is nothing to replay.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All records in order: `Born` or a key frame first. Heads are left out.
    pub fn records(&self) -> impl Iterator<Item = Result<Entry<'_>, ReadError>> {
        self.files.iter().flat_map(TraceFile::records)
    }

    fn first(&self) -> &TraceFile {
        self.files.first().expect("no constructor makes a trace of no file")
    }
}

impl TraceFile {
    fn open(path: &Path) -> Result<Self, ReadError> {
        let bytes = std::fs::read(path);
        let bytes = bytes.map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
        Self::new(path.to_owned(), bytes)
    }

    fn new(path: PathBuf, bytes: Vec<u8>) -> Result<Self, ReadError> {
        let begin = match bytes.strip_prefix(&MAGIC) {
            Some(rest) => check_format(&path, rest)?,
            None if MAGIC.starts_with(&bytes) => return Err(ReadError::NoBeginning { path, at: 0 }),
            None => return Err(ReadError::Magic { path }),
        };
        let nothing = |at: usize| ReadError::NoBeginning { path: path.clone(), at: at as u64 };
        let malformed = |at: usize, what| ReadError::Malformed { path: path.clone(), at: at as u64, what };
        let Ok(Some((record, next))) = frame::next(&bytes, begin) else { return Err(nothing(begin)) };
        let head = match record::take(record) {
            Ok(Record::Head(head)) => head,
            Ok(_) => return Err(malformed(begin, "is no head, with which every file begins")),
            Err(error) => return Err(malformed(begin, error.0)),
        };
        let (begin, first) = (
            next,
            match frame::next(&bytes, next) {
                Ok(Some((record, _))) => match record::take(record) {
                    Ok(Record::Born(_)) => 0,
                    Ok(Record::KeyFrame(frame)) => frame.number,
                    Ok(_) => {
                        return Err(malformed(next, "is neither a birth nor a key frame, where one must be"));
                    }
                    Err(error) => return Err(malformed(next, error.0)),
                },
                Ok(None) | Err(_) => return Err(nothing(next)),
            },
        );
        let (end, tail, count) = scan(&bytes, begin);
        Ok(Self { head, begin, end, tail, first, count, path, bytes })
    }

    fn is_followed_by(&self, later: &Self) -> bool {
        self.head.recording == later.head.recording
            && self.head.segment.checked_add(1) == Some(later.head.segment)
            && self.first.checked_add(self.count) == Some(later.first)
            && self.tail.is_none()
    }

    fn records(&self) -> impl Iterator<Item = Result<Entry<'_>, ReadError>> {
        let (mut at, mut number) = (self.begin, self.first);
        std::iter::from_fn(move || {
            let bytes = self.bytes.get(..self.end)?;
            let (record, next) = frame::next_checked(bytes, at)?;
            let start = std::mem::replace(&mut at, next) as u64;
            let entry = match record::take(record) {
                Ok(record) => Ok(Entry { number, at: start, record }),
                Err(error) => {
                    // What follows is unknown.
                    at = self.end;
                    Err(ReadError::Malformed { path: self.path.clone(), at: start, what: error.0 })
                }
            };
            number = number.saturating_add(record::counts(record).into());
            Some(entry)
        })
    }
}

/// Where the first frame begins.
fn check_format(path: &Path, rest: &[u8]) -> Result<usize, ReadError> {
    match Take(rest).u32() {
        Ok(FORMAT) => Ok(MAGIC.len() + 4),
        Ok(found) => Err(ReadError::Format { path: path.to_owned(), found }),
        Err(_) => Err(ReadError::NoBeginning { path: path.to_owned(), at: MAGIC.len() as u64 }),
    }
}

/// Looks at every frame from `at` on: where the last good one ends, what is behind it, and how many records
/// count.
fn scan(bytes: &[u8], mut at: usize) -> (usize, Option<Tail>, u64) {
    let mut count = 0;
    loop {
        match frame::next(bytes, at) {
            Ok(Some((record, next))) => {
                count += u64::from(record::counts(record));
                at = next;
            }
            Ok(None) => return (at, None, count),
            Err(damage) => return (at, Some(tail(bytes, at, damage)), count),
        }
    }
}

fn tail(bytes: &[u8], at: usize, damage: Damage) -> Tail {
    Tail { at: at as u64, bytes: (bytes.len() - at) as u64, damage }
}

impl ReadError {
    /// Whether the file does not exist.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == ErrorKind::NotFound)
    }
}
