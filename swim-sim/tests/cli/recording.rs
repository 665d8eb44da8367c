//! `run --record`, and the replay of each recording.

use std::fs;

use crate::sandbox::Sandbox;

/// Three hosts, one of which starts twice; a folder with their recordings.
fn recorded(name: &str) -> Sandbox {
    let sandbox = Sandbox::new(name);
    sandbox.write(
        "it.toml",
        "hosts = 3\ntrouble = \"20s\"\nsteps = [{ at = \"2s\", do = { crash = \"#3\" } }, { at = \"10s\", do = { restart = \"#3\" } }]",
    );
    sandbox.run("run it.toml --record traces").ended(0);
    sandbox
}

/// The CRC-32 of IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

/// Changes the record of the first frame for which `change` returns `true`, and corrects its checksum.
fn forge(sandbox: &Sandbox, file: &str, mut change: impl FnMut(&mut [u8]) -> bool) {
    let mut bytes = fs::read(sandbox.path(file)).expect("a trace");
    let mut at = 12;
    loop {
        let (len, rest) = bytes[at..].split_at_mut(4);
        let n = u32::from_le_bytes([len[0], len[1], len[2], len[3]]) as usize;
        let (sum, record) = rest.split_at_mut(4);
        if change(&mut record[..n]) {
            sum.copy_from_slice(&crc32(&[len, &record[..n]].concat()).to_le_bytes());
            break;
        }
        at += 8 + n;
    }
    sandbox.write(file, bytes);
}

#[test]
fn every_process_of_every_host_replays_bit_for_bit() {
    let sandbox = recorded("traces");
    for trace in ["1-1", "2-1", "3-1", "3-2"] {
        let ran = sandbox.run(&format!("replay traces/{trace}.swim")).ended(0);
        assert!(ran.out.contains("the same: "), "{}", ran.out);
        assert_eq!(sandbox.again(&ran).digest(), ran.digest());
    }
    assert_eq!(fs::read_dir(sandbox.path("traces")).expect("a folder").count(), 4);
}

#[test]
fn a_recorded_run_is_the_run_that_was_not_recorded() {
    let sandbox = recorded("same_run");
    let [recorded, plain] =
        ["run it.toml --record traces", "run it.toml"].map(|words| sandbox.run(words).ended(0));
    assert_eq!(recorded.digest(), plain.digest());
}

#[test]
fn a_trace_is_shown_step_by_step_and_up_to_a_moment() {
    let sandbox = recorded("trace_steps");
    let whole = sandbox.run("replay traces/1-1.swim --step").ended(0);
    let part = sandbox.run("replay traces/1-1.swim --step --until 5s").ended(0);
    assert!(part.out.lines().count() > 20);
    assert!(part.out.lines().count() < whole.out.lines().count() / 2);
    assert_ne!(part.digest(), whole.digest());
    assert_eq!(sandbox.again(&part).digest(), part.digest());
}

#[test]
fn a_torn_trace_replays_as_far_as_it_goes_and_says_so() {
    let sandbox = recorded("torn");
    let bytes = fs::read(sandbox.path("traces/1-1.swim")).expect("a trace");
    sandbox.write("torn.swim", &bytes[..bytes.len() - 5]);
    let ran = sandbox.run("replay torn.swim").ended(0);
    assert!(ran.out.contains("the same: ") && ran.out.contains("not used: "), "{}", ran.out);
}

#[test]
fn a_trace_in_which_one_byte_went_out_differently_is_not_the_same() {
    let sandbox = recorded("changed");
    // A datagram that went out: its last byte.
    forge(&sandbox, "traces/1-1.swim", |record| {
        let is_out = record[0] == 32;
        if is_out && let Some(last) = record.last_mut() {
            *last ^= 1;
        }
        is_out
    });
    let ran = sandbox.run("replay traces/1-1.swim").ended(14);
    assert!(ran.out.contains("it differs: "), "{}", ran.out);
    assert!(ran.out.contains("recorded: ") && ran.out.contains("replayed: "), "{}", ran.out);
}

#[test]
fn a_trace_of_another_core_says_so() {
    let sandbox = recorded("other_core");
    forge(&sandbox, "traces/1-1.swim", |head| {
        // Number of the recording, of the file, the version's length and text, then the core's hash.
        let version = u32::from_le_bytes([head[13], head[14], head[15], head[16]]) as usize;
        head[17 + version] ^= 0xff;
        true
    });
    let ran = sandbox.run("replay traces/1-1.swim").ended(0);
    assert!(ran.out.contains("another core: "), "{}", ran.out);
}

#[test]
fn what_is_no_trace_is_refused() {
    let sandbox = Sandbox::new("no_trace");
    sandbox.write("it.swim", "not a trace at all");
    let ran = sandbox.run("replay it.swim").ended(1);
    assert!(ran.err.contains("it.swim"), "{}", ran.err);
}
