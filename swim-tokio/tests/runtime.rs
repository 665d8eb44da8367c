//! What is particular to tasks: runtimes that are missing, that end, that are busy.

use std::time::Duration;

use swim_tokio::{Config, NodeId, Settings};
use tokio::runtime::Builder;

fn settings(name: &str) -> Settings {
    let bind = "127.0.0.1:0".parse().expect("a valid address");
    Settings::new(Config::local(), NodeId::from_name(name), bind)
}

#[test]
fn outside_a_runtime_the_error_says_so() {
    let error = swim_tokio::spawn(&settings("ada")).expect_err("no runtime");
    assert!(error.to_string().contains("no reactor running"), "{error}");
}

#[test]
fn the_end_of_the_runtime_ends_the_member_and_its_handle_knows() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let handle = runtime.block_on(async { swim_tokio::spawn(&settings("ada")) }).expect("started");
    assert!(handle.is_running());
    drop(runtime);
    assert!(!handle.is_running());
    let other = Builder::new_current_thread().build().expect("a runtime");
    assert_eq!(other.block_on(handle.members()).len(), 1, "the last table stays");
}

#[test]
fn a_flooded_member_leaves_room_for_other_tasks() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let member = swim_tokio::spawn(&settings("ada")).expect("started");
        let target = member.local_addr();
        let flood = std::thread::spawn(move || {
            let stranger = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
            for _ in 0..200_000 {
                let _ = stranger.send_to(&[0; 32], target);
            }
        });
        let mut turns = 0_u32;
        while !flood.is_finished() {
            tokio::task::yield_now().await;
            turns += 1;
        }
        assert!(turns > 10, "another task had {turns} turns");
        let answered = tokio::time::timeout(Duration::from_secs(10), member.set_metadata(b"x")).await;
        answered.expect("commands are heard").expect("short enough");
    });
}

#[test]
fn an_address_is_free_when_its_member_has_left_or_was_shut_down() {
    let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut ada = settings("ada");
        for round in 0..200 {
            let member = swim_tokio::spawn(&ada).unwrap_or_else(|error| panic!("round {round}: {error}"));
            ada.bind = member.local_addr();
            if round % 2 == 0 {
                member.leave().await.expect("it has not left");
            } else {
                member.shutdown().await;
            }
        }
    });
}
