//! What no program can do without that pings a member once a second and answers: a loop that does nothing else.
//!
//! It sends as many datagrams as a member at rest, as long as a member's, and blocks in one system call for both the
//! socket and the clock. It knows no member, checks nothing and would notice no death.

use std::io;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use clap::Args;

/// As long as a member's ping.
const PING: [u8; 72] = [1; 72];
/// As long as a member's ack.
const ACK: [u8; 46] = [2; 46];
const PERIOD: Duration = Duration::from_secs(1);

/// The arguments of a bare loop.
#[derive(Debug, Args)]
pub(crate) struct BareArgs {
    /// Which of the ports is its own.
    index: usize,
    /// All members's ports.
    ports: Vec<u16>,
}

impl BareArgs {
    /// Runs until it is ended from outside.
    pub(crate) fn run(&self) -> io::Result<()> {
        let own = self.ports.get(self.index).copied().unwrap_or(0);
        let socket = UdpSocket::bind(("127.0.0.1", own))?;
        let mut others = self.ports.iter().filter(|port| **port != own).cycle();
        // Not all at the same moment.
        let mut due = Instant::now() + PERIOD / 5 * u32::try_from(self.index).unwrap_or(0);
        let mut buffer = [0; 2048];
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                due += PERIOD;
                if let Some(port) = others.next() {
                    // Refused while the other is not up: it is asked again in its turn.
                    let _ = socket.send_to(&PING, ("127.0.0.1", *port));
                }
                continue;
            }
            socket.set_read_timeout(Some(left))?;
            // An error is the end of the time, or a refusal.
            if let Ok((len, source)) = socket.recv_from(&mut buffer)
                && len == PING.len()
            {
                let _ = socket.send_to(&ACK, source);
            }
        }
    }
}
