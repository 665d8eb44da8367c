//! Lines on standard input, read with bounded memory, and never at the cost of the process.
//!
//! A process in the background of its terminal that reads from it is stopped (SIGTTIN), and a stopped member is soon
//! called Dead. So nothing is read unless there is something to read, and this process is in the foreground.

use std::io::{self, BufRead as _};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;

/// Longest line that is taken, in bytes.
const LINE_MAX: usize = 64 << 10;

/// How often a process in the background looks whether it has come to the foreground: no signal says so.
const BACKGROUND: Duration = Duration::from_secs(1);

/// A line was longer than [`LINE_MAX`], and is skipped.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq, Debug)]
#[error("a line on standard input has more than {LINE_MAX} bytes; it is skipped up to its end")]
pub(crate) struct LineTooLong;

/// Calls `take` with every line, until it returns `false` or the input ends.
pub(crate) fn read(mut take: impl FnMut(Result<String, LineTooLong>) -> bool) -> io::Result<()> {
    let mut lines = Lines::default();
    let mut stdin = io::stdin().lock();
    loop {
        wait_until_readable()?;
        let chunk = match stdin.fill_buf() {
            Err(e) if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => continue,
            chunk => chunk?,
        };
        let length = chunk.len();
        if !lines.push(chunk, &mut take) || length == 0 {
            return Ok(());
        }
        stdin.consume(length);
    }
}

fn wait_until_readable() -> io::Result<()> {
    let stdin = io::stdin();
    loop {
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], None) {
            Err(rustix::io::Errno::INTR) => continue,
            ready => ready?,
        };
        // Not a terminal, or not the one that controls this process: reading it stops nothing.
        if tcgetpgrp(&stdin).map_or(true, |foreground| foreground == getpgrp()) {
            return Ok(());
        }
        std::thread::sleep(BACKGROUND);
    }
}

/// What has been read of a line that has not ended yet.
#[derive(Default)]
struct Lines {
    begun: Vec<u8>,
    skips: bool,
}

impl Lines {
    /// Takes in a piece of the input; an empty one is its end. Returns what `take` returned last.
    fn push(&mut self, chunk: &[u8], take: &mut impl FnMut(Result<String, LineTooLong>) -> bool) -> bool {
        if chunk.is_empty() {
            return self.begun.is_empty() || take(Ok(self.end()));
        }
        chunk.split_inclusive(|byte| *byte == b'\n').all(|piece| {
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            let was_skipping = self.skips;
            self.skips |= self.begun.len() + text.len() > LINE_MAX;
            if self.skips {
                self.begun.clear();
                self.skips = text.len() == piece.len();
                return was_skipping || take(Err(LineTooLong));
            }
            self.begun.extend_from_slice(text);
            text.len() == piece.len() || take(Ok(self.end()))
        })
    }

    fn end(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.begun)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_bound_is_taken_and_a_longer_one_is_refused_once() {
        let text = |length| vec![b'x'; length];
        let input = [text(LINE_MAX), b"\n".to_vec(), text(3 * LINE_MAX), b"\nnext\nlast".to_vec()].concat();
        for size in [1000, LINE_MAX + 1, input.len()] {
            let (mut lines, mut taken) = (Lines::default(), Vec::new());
            for chunk in input.chunks(size).chain([&[][..]]) {
                assert!(lines.push(chunk, &mut |line| {
                    taken.push(line.map(|line| line.len()));
                    true
                }));
            }
            assert_eq!(taken, [Ok(LINE_MAX), Err(LineTooLong), Ok(4), Ok(4)], "in pieces of {size}");
        }
    }
}
