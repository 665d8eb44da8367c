//! What recording costs: a subject is given again and again, with and without a recorder. No test: a measurement, to be
//! run in release, and under `valgrind --tool=callgrind` with `SWIM_COST_ROUNDS=20` for instructions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use swim_core::{Config, Node};
use swim_trace::{Reader, Record, Recorder, Recording, Redactor};

use crate::cluster::{Cluster, reader, subject};

/// What a trace says, as it is handed to a node: whether anything is polled after it.
struct Given {
    now: swim_core::Instant,
    source: std::net::SocketAddr,
    bytes: Vec<u8>,
}

#[test]
#[ignore = "a measurement: cargo test --release -p swim-trace --test trace -- --ignored --nocapture recording_costs"]
fn what_recording_costs() {
    let rounds = std::env::var("SWIM_COST_ROUNDS").map_or(500, |text| text.parse().expect("a number"));
    let modes = std::env::var("SWIM_COST_MODES").unwrap_or_else(|_| "off on redacted".to_owned());
    let mut cluster = Cluster::in_memory(5, 1, None);
    cluster.run(1500);
    let trace = reader(cluster.trace(0));
    let given = datagrams(&trace);
    let bytes: usize = given.iter().map(|given| given.bytes.len()).sum();
    println!("{} datagrams of {} bytes on average", given.len(), bytes / given.len());
    for mode in modes.split(' ') {
        let (mut handed, mut sent, mut flushes, mut written) = (0_u64, 0_u64, 0_u64, 0_u64);
        let (mut took, mut flushing) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..rounds {
            let mut again = Again::new(mode);
            let began = Instant::now();
            for (number, given) in given.iter().enumerate() {
                sent += again.handle(given);
                handed += 1;
                // A turn of a member that is at work reads more than one.
                if number.is_multiple_of(4) {
                    let before = Instant::now();
                    again.flush();
                    flushing += before.elapsed();
                    flushes += 1;
                }
            }
            took += began.elapsed();
            written += again.written();
        }
        let each = (took - flushing).as_nanos() / u128::from(handed + sent);
        let flush = flushing.as_nanos() / u128::from(flushes);
        println!(
            "{mode}: {handed} in, {sent} out; {each} ns each, {flush} ns each of {flushes} writes; {written} bytes"
        );
    }
}

fn datagrams(trace: &Reader) -> Vec<Given> {
    let inputs = trace.records().filter_map(|entry| match entry.expect("good").record {
        Record::Input { now, input: swim_core::Input::Datagram { source, bytes } } => {
            Some(Given { now, source, bytes: bytes.to_vec() })
        }
        _ => None,
    });
    inputs.collect()
}

struct Again {
    node: Node,
    recorder: Option<Recorder<swim_trace::Ring>>,
    path: std::path::PathBuf,
}

impl Again {
    fn new(mode: &str) -> Self {
        let redactor = (mode == "redacted").then(|| Redactor::new([1; 16]));
        let (subject, seed) = subject(0, redactor);
        let now = swim_core::Instant::from_millis(5);
        let node = Node::new(Arc::new(Config::local()), subject.me, seed, now);
        let path = std::env::temp_dir().join(format!("swim-cost-{}.swim", std::process::id()));
        let recorder = (mode != "off").then(|| {
            let mut recorder = Recorder::create(&Recording::new(&path), subject).expect("a file");
            recorder.born(&node, seed, now);
            recorder
        });
        Self { node, recorder, path }
    }

    /// Returns how many datagrams came out.
    fn handle(&mut self, given: &Given) -> u64 {
        let input = swim_core::Input::Datagram { source: given.source, bytes: &given.bytes };
        if let Some(recorder) = &mut self.recorder {
            recorder.input(&self.node, given.now, &input);
        }
        self.node.handle(given.now, input);
        let mut sent = 0;
        while let Some(output) = self.node.poll() {
            if let Some(recorder) = &mut self.recorder {
                recorder.output(&output);
            }
            sent += u64::from(matches!(output, swim_core::Output::Transmit(_)));
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.settled(self.node.deadline());
        }
        sent
    }

    fn flush(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.flush();
        }
    }

    fn written(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |meta| meta.len())
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
