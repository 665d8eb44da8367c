//! Frames: how a reader knows where a record ends, and that it is whole.
//!
//! A file that was being written when its process was killed ends anywhere. So every record stands in a
//! frame, its length and a checksum before it: what was cut off, or is not what was written, is found, and
//! everything before it is good.
//!
//! ```text
//!   length: u32 · CRC-32 over length and record: u32 · record
//! ```

use std::fmt;

/// Bytes before a record.
pub(crate) const HEADER: usize = 8;

/// Appends a frame around the record that `write` appends.
pub(crate) fn put(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    write(out);
    seal(out, start);
}

/// Fills in length and checksum of the frame that begins at `start` and goes on to the end.
fn seal(out: &mut [u8], start: usize) {
    let Some(frame) = out.get_mut(start..) else { return };
    let Some((header, record)) = frame.split_first_chunk_mut::<HEADER>() else { return };
    let len = u32::try_from(record.len()).unwrap_or(u32::MAX).to_le_bytes();
    let [a, b, c, d] = len;
    let [e, f, g, h] = checksum(len, record).to_le_bytes();
    *header = [a, b, c, d, e, f, g, h];
}

/// The record of the frame that begins at `at`, and where the next one begins. `Ok(None)`: the end.
pub(crate) fn next(bytes: &[u8], at: usize) -> Result<Option<(&[u8], usize)>, Damage> {
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(None);
    }
    let Some((header, rest)) = rest.split_first_chunk::<HEADER>() else { return Err(Damage::CutShort) };
    let [a, b, c, d, e, f, g, h] = *header;
    let len = [a, b, c, d];
    let Some(record) = rest.get(..u32::from_le_bytes(len) as usize) else { return Err(Damage::CutShort) };
    if checksum(len, record) != u32::from_le_bytes([e, f, g, h]) {
        return Err(Damage::Checksum);
    }
    Ok(Some((record, at + HEADER + record.len())))
}

/// The same of bytes whose checksums were looked at before.
pub(crate) fn next_checked(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let (len, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
    let record = rest.get(4..)?.get(..u32::from_le_bytes(*len) as usize)?;
    Some((record, at + HEADER + record.len()))
}

/// The length is in it, or an empty frame of zeros, which a file may end with after a loss of power, would be
/// good.
fn checksum(len: [u8; 4], record: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&len);
    hasher.update(record);
    hasher.finalize()
}

/// Why a file cannot be read from somewhere on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Damage {
    /// A record is longer than what is left: its writer was killed meanwhile.
    CutShort,
    /// A record is not what was written.
    Checksum,
}

/// The end of a file that cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tail {
    /// Byte at which it begins. Everything before is good.
    pub at: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// What is wrong with the record that begins there.
    pub damage: Damage,
}

impl fmt::Display for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, bytes, damage } = self;
        let what = match damage {
            Damage::CutShort => "is cut short",
            Damage::Checksum => "does not match its checksum",
        };
        write!(f, "the record at byte {at} {what}: the last {bytes} bytes are not used, all before is good")
    }
}
