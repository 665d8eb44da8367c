//! `run --record`, and the replay of each life.

use std::fs;

use crate::place::Place;

/// Three hosts, one of which lives twice; a folder of their lives.
fn recorded(name: &str) -> Place {
    let place = Place::new(name);
    place.write(
        "it.toml",
        "hosts = 3\ntrouble = \"20s\"\nsteps = [{ at = \"2s\", do = { crash = \"#3\" } }, { at = \"10s\", do = { restart = \"#3\" } }]",
    );
    place.run("run it.toml --record lives").ended(0);
    place
}

/// The CRC-32 of IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

/// Changes the record of the first frame for which `change` returns `true`, and mends its checksum.
fn forge(place: &Place, file: &str, mut change: impl FnMut(&mut [u8]) -> bool) {
    let mut bytes = fs::read(place.path(file)).expect("a trace");
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
    place.write(file, bytes);
}

#[test]
fn every_life_of_every_host_replays_bit_for_bit() {
    let place = recorded("lives");
    for life in ["1-1", "2-1", "3-1", "3-2"] {
        let ran = place.run(&format!("replay lives/{life}.swim")).ended(0);
        assert!(ran.out.contains("the same: "), "{}", ran.out);
        assert_eq!(place.again(&ran).digest(), ran.digest());
    }
    assert_eq!(fs::read_dir(place.path("lives")).expect("a folder").count(), 4);
}

#[test]
fn a_recorded_run_is_the_run_that_was_not_recorded() {
    let place = recorded("same_run");
    let [recorded, plain] =
        ["run it.toml --record lives", "run it.toml"].map(|words| place.run(words).ended(0));
    assert_eq!(recorded.digest(), plain.digest());
}

#[test]
fn a_life_is_shown_step_by_step_and_up_to_a_moment() {
    let place = recorded("life_steps");
    let whole = place.run("replay lives/1-1.swim --step").ended(0);
    let part = place.run("replay lives/1-1.swim --step --until 5s").ended(0);
    assert!(part.out.lines().count() > 20);
    assert!(part.out.lines().count() < whole.out.lines().count() / 2);
    assert_ne!(part.digest(), whole.digest());
    assert_eq!(place.again(&part).digest(), part.digest());
}

#[test]
fn a_torn_life_replays_as_far_as_it_goes_and_says_so() {
    let place = recorded("torn");
    let bytes = fs::read(place.path("lives/1-1.swim")).expect("a trace");
    place.write("torn.swim", &bytes[..bytes.len() - 5]);
    let ran = place.run("replay torn.swim").ended(0);
    assert!(ran.out.contains("the same: ") && ran.out.contains("not used: "), "{}", ran.out);
}

#[test]
fn a_life_in_which_one_byte_went_out_differently_is_not_the_same() {
    let place = recorded("changed");
    // A datagram that went out: its last byte.
    forge(&place, "lives/1-1.swim", |record| {
        let is_out = record[0] == 5;
        if is_out && let Some(last) = record.last_mut() {
            *last ^= 1;
        }
        is_out
    });
    let ran = place.run("replay lives/1-1.swim").ended(14);
    assert!(ran.out.contains("it differs: "), "{}", ran.out);
    assert!(ran.out.contains("recorded: ") && ran.out.contains("replayed: "), "{}", ran.out);
}

#[test]
fn a_life_of_another_core_says_so() {
    let place = recorded("other_core");
    forge(&place, "lives/1-1.swim", |head| {
        // Number of the recording, of the file, the version's length and text, then the core's hash.
        let version = u32::from_le_bytes([head[13], head[14], head[15], head[16]]) as usize;
        head[17 + version] ^= 0xff;
        true
    });
    let ran = place.run("replay lives/1-1.swim").ended(0);
    assert!(ran.out.contains("another core: "), "{}", ran.out);
}

#[test]
fn what_is_no_trace_is_refused() {
    let place = Place::new("no_trace");
    place.write("it.swim", "not a trace at all");
    let ran = place.run("replay it.swim").ended(1);
    assert!(ran.err.contains("it.swim"), "{}", ran.err);
}
