//! Recordings that do not grow for ever: their beginning is dropped, and what is left replays.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use swim_core::{Command, Instant, Payload};
use swim_trace::{
    ReadError, Reader, Record, RecordError, Recorder, Recording, Redactor, ReplayError, ReplayOptions,
    Replayed, Ring, older, replay,
};

use crate::cluster::{Cluster, reseal};

#[test]
fn the_limit_is_kept_and_what_is_left_replays_as_the_whole_did() {
    for redactor in [None, Some(Redactor::new([3; 16]))] {
        let folder = Folder::new("limit");
        let mut cluster = cluster(&folder, redactor.as_ref());
        let mut digests = Vec::new();
        for _ in 0..12 {
            noise(&mut cluster, 120);
            for index in 0..2 {
                let path = folder.file(index);
                assert!(size(&path) + size(&older(&path)) <= Recording::LIMIT_MIN, "of {index}");
            }
            digests.push(replayed(&folder.file(0)).first);
        }
        assert!(digests.is_sorted() && digests[0] == 0 && digests[11] > 2000, "{digests:?}");
        let trace = Reader::open(folder.file(0)).expect("a trace");
        assert_eq!(trace.paths().count(), 2);
        let replayed = replayed(&folder.file(0));
        assert_eq!(replayed.records, trace.len());
        assert!(replayed.until > cluster.now.before(std::time::Duration::from_secs(1)));
    }
}

#[test]
fn either_half_replays_alone() {
    let folder = recorded("halves");
    let path = folder.file(0);
    let whole = replayed(&path);
    let earlier = replayed(&older(&path));
    fs::remove_file(older(&path)).expect("it is there");
    let later = replayed(&path);
    assert_eq!((whole.first, whole.until), (earlier.first, later.until));
    assert_eq!(whole.records, earlier.records + later.records);
    assert_eq!(earlier.first + earlier.records, later.first);
}

#[test]
fn a_process_that_was_killed_between_two_halves_leaves_the_earlier_one() {
    let folder = recorded("between");
    let path = folder.file(0);
    let earlier = replayed(&older(&path));
    // It had made the new file, and written nothing or too little to it; or had not made it yet.
    let bytes = fs::read(&path).expect("it is there");
    for len in [0, 5, 12, 60] {
        fs::write(&path, &bytes[..len]).expect("written");
        assert_eq!(replayed(&path), Replayed { tail: None, ..earlier.clone() }, "{len}");
    }
    fs::remove_file(&path).expect("it is there");
    assert_eq!(replayed(&path), earlier);
}

#[test]
fn the_earlier_half_of_another_recording_is_not_joined() {
    let folder = recorded("another");
    fs::copy(older(&folder.file(1)), older(&folder.file(0))).expect("copied");
    let trace = Reader::open(folder.file(0)).expect("a trace");
    assert_eq!(trace.paths().count(), 1);
    assert!(replayed(&folder.file(0)).first > 0);
}

#[test]
fn a_state_that_is_not_the_one_of_the_key_frame_diverges() {
    let folder = recorded("state");
    let path = folder.file(0);
    let mut bytes = fs::read(&path).expect("it is there");
    let trace = Reader::new("later", bytes.clone()).expect("a trace");
    let entry = trace.records().next().expect("a record").expect("good");
    let Record::KeyFrame(frame) = entry.record else { panic!("{:?}", entry.record) };
    // The last bytes of a state are counters and the deadline.
    let byte = entry.at as usize + 8 + 1 + 8 + 8 + 4 + frame.state.len() - 20;
    bytes[byte] ^= 1;
    reseal(&mut bytes, byte);
    fs::write(&path, bytes).expect("written");
    let trace = Reader::open(&path).expect("a trace");
    let error = replay(&trace, ReplayOptions::default()).expect_err("another state");
    assert!(matches!(error, ReplayError::Diverged(_)), "{error}");
    assert!(error.to_string().contains("a state of"), "{error}");
}

#[test]
fn a_replay_can_begin_at_the_key_frame_before_its_end() {
    let folder = recorded("skip");
    let trace = Reader::open(folder.file(0)).expect("a trace");
    let run = |skip, until| {
        replay(&trace, ReplayOptions { skip, until, ..ReplayOptions::default() }).expect("as recorded")
    };
    let (whole, short) = (run(false, None), run(true, None));
    assert!(short.first > whole.first && short.records < whole.records);
    assert_eq!((short.until, short.me), (whole.until, whole.me));
    let early = Instant::from_nanos(whole.until.as_nanos() - 1_000_000_000);
    assert!(run(true, Some(early)).until <= early);
}

#[test]
fn the_key_frame_of_another_core_is_refused_by_name() {
    let folder = recorded("other");
    let mut bytes = fs::read(folder.file(0)).expect("it is there");
    let source = swim_core::SOURCE.to_le_bytes();
    let at = bytes.windows(8).position(|window| window == source).expect("in the head");
    bytes[at] ^= 1;
    reseal(&mut bytes, at);
    let trace = Reader::new("other", bytes).expect("a trace");
    let error = replay(&trace, ReplayOptions::default()).expect_err("another core");
    let text = error.to_string();
    for part in [format!("{:016x}", swim_core::SOURCE ^ 1), format!("{:016x}", swim_core::SOURCE)] {
        assert!(matches!(error, ReplayError::OtherCore(_)) && text.contains(&part), "{text}");
    }
}

#[test]
fn a_disk_that_refuses_ends_the_recording_and_says_so_once() {
    let (tx, rx) = channel();
    let recording = Recording { stopped: Some(tx), ..Recording::new("/dev/full") };
    let mut cluster =
        Cluster::new(2, 1, |subject| Recorder::create(&recording, subject).expect("it opens"), None);
    drop(recording);
    cluster.run(20);
    let reported: Vec<_> = rx.try_iter().collect();
    assert_eq!(reported.len(), 2, "once by each of two recorders");
    assert!(matches!(&*reported[0], RecordError::Write { path, .. } if path == Path::new("/dev/full")));
    assert!(cluster.hosts.iter().all(|host| host.recorder.error().is_some()));
    assert!(fs::metadata("/dev/full").is_ok(), "and it is still there");
}

#[test]
fn folders_and_sockets_are_no_files_to_record_to() {
    let folder = Folder::new("folder");
    let socket = folder.0.join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    assert!(Ring::create(&Recording::new(socket)).is_err());
    assert!(Ring::create(&Recording::new(&folder.0)).is_err());
    assert!(matches!(Reader::open(&folder.0), Err(ReadError::Io { .. })));
}

/// Two nodes, each recorded with the smallest limit.
fn cluster(folder: &Folder, redactor: Option<&Redactor>) -> Cluster<Ring> {
    let mut index = 0;
    let recorder = |subject| {
        let recording = Recording { limit: Recording::LIMIT_MIN, ..Recording::new(folder.file(index)) };
        index += 1;
        Recorder::create(&recording, subject).expect("a file")
    };
    Cluster::new(2, 5, recorder, redactor)
}

/// A folder with two recordings that have turned over.
fn recorded(name: &str) -> Folder {
    let folder = Folder::new(name);
    noise(&mut cluster(&folder, None), 300);
    folder
}

/// Much is said.
fn noise(cluster: &mut Cluster<Ring>, steps: usize) {
    for _ in 0..steps {
        for index in 0..2 {
            let payload = Payload::new(&[7; 900]).expect("short");
            cluster.command(index, Command::Send { target: cluster.hosts[1 - index].node.me().id, payload });
        }
        cluster.step();
    }
}

fn replayed(path: &Path) -> Replayed {
    let trace = Reader::open(path).unwrap_or_else(|error| panic!("{error}"));
    replay(&trace, ReplayOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

/// Deleted when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("swim-trace-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder for temporary files");
        Self(path)
    }

    fn file(&self, index: usize) -> PathBuf {
        self.0.join(format!("node-{index}.swim"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
