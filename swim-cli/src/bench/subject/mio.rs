//! The loop on mio: wait, read until empty, answer each.

use std::io::ErrorKind;

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};

use super::{BUFFER, Failure, ready, socket};

pub(super) fn run(answer: usize) -> Result<(), Failure> {
    let mut socket = UdpSocket::from_std(socket()?);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut socket, Token(0), Interest::READABLE)?;
    ready(socket.local_addr()?)?;
    let mut events = Events::with_capacity(16);
    let mut buffer = vec![0; BUFFER];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        while let Ok((len, source)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&buffer[..len.min(answer)], source);
        }
    }
}
