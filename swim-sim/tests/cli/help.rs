//! `--help`: every command explains itself.

use crate::place::Place;

const COMMANDS: [&str; 10] =
    ["run", "replay", "sweep", "shrink", "report", "diff", "mutants", "ablations", "merge", "scenario"];

#[test]
fn every_command_explains_itself() {
    let place = Place::new("help");
    let all = place.run("--help").ended(0);
    for command in COMMANDS {
        assert!(all.out.contains(&format!("\n  {command} ")), "{command}");
        let help = place.run(&format!("{command} --help")).ended(0);
        assert!(help.out.contains(&format!("Usage: swim-sim {command}")), "{}", help.out);
    }
}

#[test]
fn every_exit_code_is_in_the_help() {
    let help = Place::new("codes").run("--help").ended(0).out;
    let codes = help.split("Exit codes:").nth(1).expect("a list of them");
    for code in ["0 every law held", "1 a file", "2 the command line", "10 ", "11 ", "12 ", "13 ", "14 "] {
        assert!(codes.contains(code), "{code}");
    }
}

#[test]
fn without_a_command_it_shows_the_help_and_has_failed() {
    let ran = Place::new("nothing").run("").ended(2);
    assert!(ran.err.contains("Usage: "), "{}", ran.err);
}

#[test]
fn the_scenarios_are_listed_with_what_they_are_about() {
    let place = Place::new("scenarios");
    let listed = place.run("scenario").ended(0).out;
    for name in swim_sim::scenario::NAMES {
        let line = listed.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}"));
        assert!(line.len() > name.len() + 40, "{line}");
    }
    let text = place.run("scenario gc-pause --print").ended(0).out;
    assert_eq!(Some(text.as_str()), swim_sim::scenario::named("gc-pause"));
}
