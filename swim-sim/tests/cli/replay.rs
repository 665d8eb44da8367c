//! `replay`: a look at what happens.

use crate::place::Place;

#[test]
fn until_a_moment_it_shows_who_is_wrong_about_whom() {
    let place = Place::new("until");
    place.write(
        "crash.toml",
        "hosts = 4\nsteps = [{ at = \"2s\", do = { crash = \"#4\" } }]\ntrouble = \"60s\"",
    );
    let early = place.run("replay crash.toml --until 12.1s").ended(0);
    assert!(early.out.contains("#1 holds #4 Alive"), "{}", early.out);
    assert!(early.out.contains("stopped: every law held until 12."), "{}", early.out);
    let late = place.run("replay crash.toml --until 60s").ended(0);
    assert!(late.out.contains("every member's view is right"), "{}", late.out);
    assert_ne!(early.digest(), late.digest());
    assert_eq!(place.again(&early).digest(), early.digest());
}

#[test]
fn step_by_step_it_prints_what_happens_and_then_the_verdict() {
    let place = Place::new("step");
    let plain = place.run("replay gc-pause").ended(0);
    let steps = place.run("replay gc-pause --step").ended(0);
    assert!(steps.out.contains("   0.000000 == start #1\n"), "{}", &steps.out[..2000]);
    assert!(steps.out.lines().count() > 2 * plain.out.lines().count());
    let begin = steps.out.rfind("passed: every law held").expect("a verdict after the last step");
    assert!(steps.out[begin..].lines().count() < 20);
    assert_eq!(steps.digest(), plain.digest());
}

#[test]
fn who_reads_only_the_first_line_gets_it_and_no_panic() {
    let place = Place::new("first_line");
    for words in ["replay gc-pause --step", "run --seed 3", "scenario", "sweep --seeds 0..4 --jsonl -"] {
        let ran = place.shell(&format!("swim-sim {words} | head -n 1")).ended(0);
        assert_eq!(ran.out.lines().count(), 1, "{words}");
        assert_eq!(ran.err, "", "{words}");
    }
}
