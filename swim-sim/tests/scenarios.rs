//! The scenarios that come with the program: each is listed, says what it is about, passes, and repeats.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use swim_sim::run::{Finished, Outcome, Run};
use swim_sim::scenario::{NAMES, Scenario, named};

fn scenario(name: &str) -> Scenario {
    let text = named(name).unwrap_or_else(|| panic!("{name} is not there"));
    toml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn carried_out(scenario: &Scenario) -> Finished {
    Run::new(scenario).unwrap_or_else(|error| panic!("{}: {error}", scenario.name)).finish()
}

/// How each of them ended, by name.
static ENDED: LazyLock<Vec<(&str, Finished)>> =
    LazyLock::new(|| NAMES.iter().map(|name| (*name, carried_out(&scenario(name)))).collect());

#[test]
fn every_file_is_listed_and_says_its_name_and_what_it_is_about() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = fs::read_dir(folder).expect("a folder of the crate");
    let files: BTreeSet<String> = entries
        .map(|entry| entry.expect("a readable entry").path())
        .map(|path| path.file_stem().and_then(|name| name.to_str()).expect("names are UTF-8").to_owned())
        .collect();
    let listed: BTreeSet<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(files, listed);
    for name in NAMES {
        let scenario = scenario(name);
        assert_eq!(scenario.name, *name);
        assert!(scenario.about.len() > 40, "{name}: {}", scenario.about);
    }
}

#[test]
fn every_scenario_says_more_than_the_properties() {
    let silent: Vec<_> = NAMES.iter().filter(|name| scenario(name).expect.is_default()).collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn every_known_hole_has_a_scenario_of_its_number() {
    for hole in 1..=16 {
        let prefix = format!("h{hole:02}-");
        let of_it: Vec<_> = NAMES.iter().filter(|name| name.starts_with(&prefix)).collect();
        assert_eq!(of_it.len(), 1, "H{hole}: {of_it:?}");
        assert!(scenario(of_it[0]).about.starts_with(&format!("H{hole}: ")), "H{hole}");
    }
}

#[test]
fn a_scenario_is_written_back_as_it_was_read() {
    for name in NAMES {
        let scenario = scenario(name);
        let text = toml::to_string(&scenario).unwrap_or_else(|error| panic!("{name}: {error}"));
        let again: Scenario = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        assert_eq!(again, scenario, "{name}");
    }
}

#[test]
fn every_scenario_passes_and_checks_what_it_expects() {
    for (name, finished) in ENDED.iter() {
        assert_eq!(finished.outcome, Outcome::Passed, "{name}");
        let checked = finished.properties.iter().any(|(property, looked)| property.id == "E1" && *looked > 0);
        assert!(checked, "{name}: nothing that it expects was ever looked at");
    }
}

#[test]
fn every_scenario_gives_the_same_digest_twice() {
    for (name, finished) in ENDED.iter() {
        assert_eq!(carried_out(&scenario(name)).digest, finished.digest, "{name}");
    }
}
