//! `--record`: what lies on disk when a member has ended, in whatever way.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::lab::{Folder, Process, replayed};
use crate::{member, run, start, swim};

#[test]
fn a_killed_member_leaves_a_recording_that_replays() {
    for driver in ["mio", "tokio"] {
        let folder = Folder::new();
        let file = folder.0.join("anna.swim");
        let (mut anna, _) = recorded(&file, &["--name", "anna", "--driver", driver]);
        anna.say("broadcast something");
        anna.event("broadcast_queued");
        anna.kill();
        let replayed = replayed(&file).expect("it replays");
        assert!(replayed.records >= 6, "{driver}: {replayed:?}");
        assert_eq!((replayed.first, replayed.tail, replayed.other_core), (0, None, None), "{driver}");
    }
}

#[test]
fn a_recording_is_for_its_owner_only() {
    let folder = Folder::new();
    let file = folder.0.join("anna.swim");
    let (_anna, _) = recorded(&file, &[]);
    assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_run_before_is_kept_beside_the_present_one() {
    let folder = Folder::new();
    let file = folder.0.join("anna.swim");
    for _ in 0..3 {
        let (mut anna, _) = recorded(&file, &["--name", "anna"]);
        anna.say("quit");
        anna.end();
    }
    let before = folder.0.join("anna.swim.before");
    let epoch = |file: &Path| replayed(file).expect("it replays").me.epoch;
    assert!(epoch(&before) < epoch(&file));
    assert_eq!(fs::read_dir(&folder.0).expect("a folder").count(), 2);
}

#[test]
fn a_disk_that_is_full_is_reported_once_and_the_member_goes_on() {
    let args = ["node", "--json", "--profile", "local", "--bind", "127.0.0.1:0", "--record", "/dev/full"];
    let mut child = swim(&args).spawn().expect("swim starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut said = String::new();
    stderr.read_line(&mut said).expect("text");
    assert!(
        said.contains("the recording has ended, the member goes on: cannot write to /dev/full"),
        "{said}"
    );
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"meta one\nmeta two\nmembers\nquit\n").expect("it listens");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains(r#""meta":"two""#), "{out}");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "");
}

#[test]
fn a_file_that_cannot_be_made_is_named_before_the_member_starts() {
    let (code, _, err) = run(&["node", "--bind", "127.0.0.1:0", "--record", "/no/such/folder/a.swim"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("/no/such/folder/a.swim"), "{err}");
}

#[test]
fn every_run_in_a_demo_is_recorded() {
    let folder = Folder::new();
    let name = folder.0.join("runs").display().to_string();
    let mut demo = start(&["demo", "--json", "--interactive", "--nodes", "2", "--record", &name]);
    demo.next("convergence", |line| line["step"] == "converged" && line["ok"] == true);
    demo.say("kill 2");
    demo.next("the outcome", |line| line["step"] == "detected");
    demo.say("restart 2");
    demo.next("the return", |line| line["step"] == "alive");
    demo.say("quit");
    demo.end();
    for file in ["node-1.swim", "node-2.swim", "node-2-2.swim"] {
        let replayed = replayed(&folder.0.join("runs").join(file)).expect("it replays");
        assert!(replayed.records > 10, "{file}: {replayed:?}");
    }
}

fn recorded(file: &Path, args: &[&str]) -> (Process, serde_json::Value) {
    let file = file.display().to_string();
    member(&[&["--record", &file], args].concat())
}
