//! The loop on tokio, as its documentation has it.

use std::future::pending;
use std::io;

use tokio::net::UdpSocket;
use tokio::runtime::{Builder, Runtime};

use super::{BUFFER, Failure, ready, socket};

/// One thread.
pub(super) fn current() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// As many workers as there are cores, as `#[tokio::main]` has it.
pub(super) fn multi() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}

pub(super) fn run(runtime: io::Result<Runtime>, answer: usize) -> Result<(), Failure> {
    runtime?.block_on(async {
        let socket = UdpSocket::from_std(socket()?)?;
        let addr = socket.local_addr()?;
        // A task, as a member is one.
        tokio::spawn(async move {
            let mut buffer = vec![0; BUFFER];
            loop {
                if let Ok((len, source)) = socket.recv_from(&mut buffer).await {
                    let _ = socket.send_to(&buffer[..len.min(answer)], source).await;
                }
            }
        });
        ready(addr)?;
        pending::<Result<(), Failure>>().await
    })
}
