//! What datagrams are received into: one buffer for each thread, however many members live on it. A member needs it
//! only while it reads.

use std::cell::Cell;
use std::net::SocketAddr;

use crate::{RECEIVE_MAX, Received};

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// This thread's buffer, from its first use until it is dropped; a new one if it is in use.
#[derive(Debug, Default)]
pub struct Buffer(Vec<u8>);

impl Buffer {
    /// [`RECEIVE_MAX`] bytes.
    pub fn bytes(&mut self) -> &mut [u8] {
        if self.0.is_empty() {
            self.0 = SPARE.take();
            // Nothing changes unless it is this thread's first.
            self.0.resize(RECEIVE_MAX, 0);
        }
        &mut self.0
    }

    /// What [`receive`](super::receive) read into it, lent.
    #[must_use]
    pub fn lend(&self, read: Option<(usize, SocketAddr)>) -> Received<'_> {
        match read {
            Some((len, source)) => Received::Datagram { source, bytes: self.0.get(..len).unwrap_or(&self.0) },
            None => Received::Nothing,
        }
    }
}

/// The next one on this thread takes it.
impl Drop for Buffer {
    fn drop(&mut self) {
        if !self.0.is_empty() {
            SPARE.set(std::mem::take(&mut self.0));
        }
    }
}
