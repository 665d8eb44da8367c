//! Each command gets exactly one result, as tasks.

#[path = "../../conformance/results.rs"]
mod results;

use std::net::SocketAddr;
use std::sync::mpsc::Sender;

use results::{Driver, Numbered};
use swim_driver::OwnedCommand;
use swim_driver::os::Settings;
use swim_tokio::Handle;
use tokio::runtime::{Builder, Runtime};

struct Member {
    runtime: Runtime,
    handle: Handle,
}

impl Driver for Member {
    fn start(settings: &Settings) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let handle = runtime.block_on(async { swim_tokio::spawn(settings) }).expect("started");
        Self { runtime, handle }
    }

    fn addr(&self) -> SocketAddr {
        self.handle.local_addr()
    }

    fn call(&self, number: usize, command: OwnedCommand, results: Sender<Numbered>) {
        let handle = self.handle.clone();
        self.runtime.spawn(async move {
            // A test that is over does not want to know.
            let _ = results.send((number, handle.command(command).await));
        });
    }

    fn stop(&self) {
        self.runtime.block_on(self.handle.shutdown());
    }
}

#[test]
fn every_command_gets_exactly_one_result() {
    results::every_command_gets_exactly_one_result::<Member>();
}
