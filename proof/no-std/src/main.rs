//! The proof that the core needs no standard library: a whole cluster in a process that has none.
//!
//! A library says `#![no_std]` and still needs std as soon as one dependency of a dependency does. Only
//! a program that links shows it: this one brings its own `main`, allocator and panic handler, and with
//! std anywhere in the graph it does not build (two panic handlers). It then runs real nodes, so that
//! the linker keeps the real code, and `./check` looks into the binary: which symbols it takes from
//! outside, and whether it computes with floats.
//!
//! The exit code is the [`Step`] that failed, 0 if none did.

#![no_std]
#![no_main]

extern crate alloc;
#[cfg(feature = "with-std")]
extern crate std;

mod cluster;
mod platform;

use core::ffi::c_int;
use core::time::Duration;

use swim_core::Status;

use crate::cluster::Cluster;

/// What can go wrong, in order. A panic kills the process with a signal instead.
#[derive(Clone, Copy)]
#[repr(i32)]
enum Step {
    /// Three nodes did not all see each other Alive after two joined through the first.
    Join = 1,
    /// The survivors did not call a crashed node Dead, or one of them called the other Dead.
    Crash = 2,
    /// The crashed node's next epoch is not Alive everywhere.
    Restart = 3,
    /// A node that said goodbye is not Left everywhere.
    Leave = 4,
    /// A node was handed more datagrams than the core counted.
    Count = 5,
}

/// What the C library calls.
#[unsafe(no_mangle)]
pub extern "C" fn main(_count: c_int, _arguments: *const *const u8) -> c_int {
    match scenario() {
        Ok(()) => 0,
        Err(step) => step as c_int,
    }
}

fn scenario() -> Result<(), Step> {
    let mut cluster = Cluster::new();
    let nodes = [cluster.start(), cluster.start(), cluster.start()];
    let [first, second, third] = nodes;

    cluster.join(second, first);
    cluster.join(third, first);
    let all_alive = |c: &Cluster| nodes.iter().all(|subject| c.all_see(*subject, Status::Alive));
    cluster.run_until(Duration::from_secs(30), all_alive).then_some(()).ok_or(Step::Join)?;

    cluster.crash(third);
    let dead = |c: &Cluster| c.all_see(third, Status::Dead);
    cluster.run_until(Duration::from_secs(120), dead).then_some(()).ok_or(Step::Crash)?;
    let living = [first, second].iter().all(|subject| cluster.all_see(*subject, Status::Alive));
    living.then_some(()).ok_or(Step::Crash)?;

    cluster.restart(third);
    cluster.join(third, second);
    cluster.run_until(Duration::from_secs(30), all_alive).then_some(()).ok_or(Step::Restart)?;

    cluster.leave(second);
    let gone = |c: &Cluster| c.sees(first, second, Status::Left) && c.sees(third, second, Status::Left);
    cluster.run_until(Duration::from_secs(30), gone).then_some(()).ok_or(Step::Leave)?;

    cluster.counts_agree().then_some(()).ok_or(Step::Count)
}
