//! The guide's tables and files name everything that there is.

use std::collections::BTreeSet;

use serde::de::{Deserialize as _, value};
use swim_sim::Action;
use swim_sim::scenario::Scenario;
use swim_sim::swarm::Plan;

use super::blocks::blocks;
use super::{guide, path};

/// What stands between the two marks of a name.
fn between<'a>(document: &'a str, name: &str) -> &'a str {
    let (begin, end) = (format!("<!-- {name} -->\n\n"), format!("\n<!-- end of {name} -->"));
    let (_, rest) = document.split_once(&begin).expect("the first mark is there");
    rest.split_once(&end).expect("the second mark is there").0
}

#[test]
fn the_table_of_dials_is_the_one_that_the_swarm_has() {
    let mut table = String::from("| dial | meaning | at most |\n| --- | --- | --- |\n");
    for dial in Plan::draw(0).dials() {
        table.push_str(&format!("| `{}` | {} | {} |\n", dial.name, dial.about, dial.most));
    }
    let document = guide();
    let shown = between(&document, "dials");
    if std::env::var_os("SWIM_WRITE_GUIDE").is_some() && shown != table {
        std::fs::write(path(), document.replacen(shown, &table, 1)).expect("the guide can be written");
        return;
    }
    assert_eq!(shown, table, "SWIM_WRITE_GUIDE=1 puts it right");
}

/// The names of all actions: what serde says that it expected.
fn action_names() -> BTreeSet<String> {
    let wrong: value::StrDeserializer<'_, value::Error> = value::StrDeserializer::new("?");
    let error = Action::deserialize(wrong).expect_err("no action is called so").to_string();
    let (_, names) = error.split_once("expected one of ").expect("all are named");
    names.split(", ").map(|name| name.trim_matches('`').to_owned()).collect()
}

#[test]
fn every_action_is_shown_as_it_is_written() {
    let document = guide();
    let shown = blocks(&document).into_iter().find(|block| block.file_name() == Some("every-action.toml"));
    let scenario: Scenario =
        toml::from_str(&shown.expect("there is such a file").text).expect("it can be read");
    scenario.check().expect("it makes sense");
    let name = |action: &Action| match toml::Value::try_from(action).expect("actions can be written") {
        toml::Value::String(name) => name,
        toml::Value::Table(table) => table.keys().next().expect("it has a name").clone(),
        other => panic!("{other}"),
    };
    let shown: BTreeSet<String> = scenario.steps.iter().map(|step| name(&step.action)).collect();
    assert_eq!(shown, action_names());
}

#[test]
fn every_scenario_that_is_shown_can_be_carried_out() {
    let document = guide();
    let files: Vec<_> = blocks(&document).into_iter().filter(|block| block.file_name().is_some()).collect();
    assert!(files.len() >= 3, "{}", files.len());
    for file in files {
        let scenario: Scenario = toml::from_str(&file.text).unwrap_or_else(|error| panic!("{error}"));
        scenario.check().unwrap_or_else(|error| panic!("{:?}: {error}", file.file_name()));
    }
}

#[test]
fn the_law_that_is_shown_is_one_of_the_laws() {
    let document = guide();
    let rust: Vec<_> = blocks(&document).into_iter().filter(|block| block.language == "rust").collect();
    assert_eq!(rust.len(), 1);
    assert!(include_str!("../../src/properties/bounds/lengths.rs").contains(&rust[0].text));
}

#[test]
fn the_line_with_the_planted_mistake_is_a_line_of_the_core() {
    let document = guide();
    let text: Vec<_> = blocks(&document).into_iter().filter(|block| block.language == "text").collect();
    assert_eq!(text.len(), 1);
    assert!(include_str!("../../../swim-core/src/context/clock.rs").contains(&text[0].text));
}
