//! `diff`: where two runs part.

use crate::place::Place;

#[test]
fn a_run_is_the_same_as_itself() {
    let ran = Place::new("diff_same").run("diff gc-pause gc-pause").ended(0);
    assert!(ran.out.starts_with("same: "), "{}", ran.out);
}

#[test]
fn runs_that_part_are_shown_from_there_on() {
    let place = Place::new("diff_part");
    place.write("a.toml", "hosts = 3\nsteps = [{ at = \"2s\", do = { crash = \"#3\" } }]\ntrouble = \"5s\"");
    place.write("b.toml", "hosts = 3\nsteps = [{ at = \"2s\", do = { crash = \"#2\" } }]\ntrouble = \"5s\"");
    let ran = place.run("diff a.toml b.toml").ended(1);
    let (before, after) = ran.out.split_once("\na.toml\n").expect("the one side");
    assert!(before.starts_with("they part after "), "{before}");
    let (one, other) = after.split_once("\nb.toml\n").expect("the other side");
    assert!(one.starts_with("    12.000000 == crash #3"), "{one}");
    assert!(other.starts_with("    12.000000 == crash #2"), "{other}");
}

#[test]
fn two_seeds_part() {
    Place::new("diff_seeds").run("diff 1 2 --set hosts=3").ended(1);
}
