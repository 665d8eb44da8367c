//! The program with many members that `swim-bench rest` measures: it does what it is measured for.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

/// Ended, whatever becomes of the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts ten members, waits until all know all, has one crash, and waits until all others have noticed.
fn ten_converge_and_notice_a_crash(driver: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swim-bench-members"));
    command.args([driver, "10"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = Process(command.spawn().expect("built for this test"));
    let mut stdin = process.0.stdin.take().expect("a pipe");
    let mut said = BufReader::new(process.0.stdout.take().expect("a pipe")).lines();
    let mut next = || said.next().map(|line| line.expect("text"));

    assert_eq!(next().as_deref(), Some("known"));
    stdin.write_all(b"crash\n").expect("it listens");
    assert_eq!(next().as_deref(), Some("crashed"));
    drop(stdin);
    assert_eq!(next(), None);
    assert!(process.0.wait().expect("ours").success());
}

#[test]
fn ten_in_one_loop_converge_and_notice_a_crash() {
    ten_converge_and_notice_a_crash("embedded");
}

#[test]
fn ten_on_threads_converge_and_notice_a_crash() {
    ten_converge_and_notice_a_crash("threads");
}

#[test]
fn ten_on_tokio_converge_and_notice_a_crash() {
    ten_converge_and_notice_a_crash("tokio");
}
