//! Each command gets exactly one result, on threads.

#[path = "../../conformance/results.rs"]
mod results;

use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::thread;

use results::{Driver, Numbered};
use swim_driver::OwnedCommand;
use swim_driver::os::Settings;
use swim_mio::Handle;

struct Member(Handle);

impl Driver for Member {
    fn start(settings: &Settings) -> Self {
        Self(swim_mio::spawn(settings).expect("started"))
    }

    fn addr(&self) -> SocketAddr {
        self.0.local_addr()
    }

    fn call(&self, number: usize, command: OwnedCommand, results: Sender<Numbered>) {
        let handle = self.0.clone();
        // A test that is over does not want to know.
        thread::spawn(move || {
            let _ = results.send((number, handle.command(command)));
        });
    }

    fn stop(&self) {
        self.0.shutdown();
    }
}

#[test]
fn every_command_gets_exactly_one_result() {
    results::every_command_gets_exactly_one_result::<Member>();
}
