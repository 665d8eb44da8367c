//! What datagrams are received into: one buffer for each thread, however many members live on it. A member needs it
//! only while it reads.

use std::cell::Cell;

use crate::RECEIVE_MAX;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// This thread's buffer, [`RECEIVE_MAX`] bytes long; a new one if it is in use.
pub(crate) fn take() -> Vec<u8> {
    let mut buffer = BUFFER.take();
    if buffer.is_empty() {
        buffer = vec![0; RECEIVE_MAX];
    }
    buffer
}

/// The next one on this thread takes it.
pub(crate) fn give_back(buffer: Vec<u8>) {
    BUFFER.set(buffer);
}
