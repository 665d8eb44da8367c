//! `run`: one run, and how to see it again.

use crate::place::Place;

const SMALL: &str = r##"
about = "one of three dies"
hosts = 3
steps = [{ at = "2s", do = { crash = "#3" } }]
trouble = "20s"
"##;

#[test]
fn the_first_line_repeats_it_and_the_last_is_the_digest() {
    let place = Place::new("first_and_last");
    let ran = place.run("run --seed 3 --set hosts=4").ended(0);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].starts_with("replay: "), "{}", ran.out);
    let digest = lines.last().and_then(|line| line.strip_prefix("digest: ")).expect("a digest");
    assert!(digest.len() == 16 && digest.chars().all(|c| c.is_ascii_hexdigit()), "{digest}");
    assert_eq!(lines[0], lines[lines.len() - 2]);
    assert_eq!(place.again(&ran).digest(), digest);
}

#[test]
fn another_call_gives_the_same_output_byte_for_byte() {
    let place = Place::new("same_twice");
    let [first, second] = [0, 1].map(|_| place.run("run gc-pause").ended(0).out);
    assert_eq!(first, second);
}

#[test]
fn another_seed_gives_another_digest() {
    let place = Place::new("another_seed");
    let digest = |words| place.run(words).ended(0).digest().to_owned();
    assert_ne!(digest("run gc-pause --seed 1"), digest("run gc-pause --seed 2"));
}

#[test]
fn run_twice_it_compares_and_passes() {
    let place = Place::new("twice");
    let once = place.run("run gc-pause").ended(0);
    let twice = place.run("run gc-pause --twice").ended(0);
    assert_eq!(once.digest(), twice.digest());
}

#[test]
fn a_saved_run_is_the_same_run() {
    let place = Place::new("saved");
    let ran = place.run("run --seed 3 --set hosts=4 --save it.toml").ended(0);
    assert_eq!(place.run("replay it.toml").ended(0).digest(), ran.digest());
}

#[test]
fn what_is_set_by_hand_is_shown_and_stands_in_the_line_that_repeats_it() {
    let place = Place::new("set");
    let plain = place.run("run --seed 3 --set hosts=4").ended(0);
    let set = place.run("run --seed 3 --set hosts=4 --set loss=35 --set heal_interval=7s").ended(0);
    assert!(set.out.contains(" loss=35 ") && set.out.contains(" heal_interval=7s "), "{}", set.out);
    assert_ne!(set.digest(), plain.digest());
    assert_eq!(place.again(&set).digest(), set.digest());
}

#[test]
fn an_option_of_a_scenario_can_be_set() {
    let place = Place::new("option");
    place.write("small.toml", SMALL);
    let set = place.run("run small.toml --set period=2s").ended(0);
    assert!(set.out.contains(" period=2s "), "{}", set.out);
    assert_eq!(place.again(&set).digest(), set.digest());
}

#[test]
fn names_that_a_shell_would_take_apart_are_quoted() {
    let place = Place::new("quoted");
    place.write("it's a $HOME.toml", SMALL);
    let ran = place.shell(r#"swim-sim run "it's a \$HOME.toml" --set label='a b'"#).ended(0);
    assert_eq!(place.again(&ran).ended(0).digest(), ran.digest());
}

#[test]
fn as_json_it_is_one_object_with_the_whole_scenario() {
    let place = Place::new("json");
    let ran = place.run("run --seed 3 --set hosts=4 --json").ended(0);
    let object: serde_json::Value = serde_json::from_str(&ran.out).expect("one object");
    assert_eq!(object["verdict"], "passed");
    assert_eq!(object["scenario"]["hosts"], 4);
    assert_eq!(object["digest"], place.run("run --seed 3 --set hosts=4").digest());
}

#[test]
fn no_line_is_too_long_for_a_terminal() {
    let place = Place::new("width");
    let ran = place.run("run --seed 3 --set hosts=4").ended(0);
    let long: Vec<_> = ran.out.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn colours_are_for_those_who_look() {
    let place = Place::new("colours");
    let plain = place.run("run gc-pause").ended(0);
    assert!(!plain.out.contains('\x1b'));
    let painted = place.shell("CLICOLOR_FORCE=1 swim-sim run gc-pause").ended(0);
    assert!(painted.out.contains('\x1b'));
    assert!(painted.out.lines().last().is_some_and(|line| line.starts_with("digest: ")));
}
