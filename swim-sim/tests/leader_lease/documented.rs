//! The document shows what is really run.

use swim_sim::scenario::Scenario;

const DOCUMENT: &str = include_str!("../../../docs/testing-your-application.md");

/// The blocks of one language.
fn blocks(language: &str) -> Vec<&'static str> {
    let begin = format!("\n```{language}\n");
    let blocks = DOCUMENT.split(begin.as_str()).skip(1);
    blocks.map(|rest| rest.split("\n```").next().expect("a split has a first part")).collect()
}

#[test]
fn all_code_of_the_document_is_code_of_the_example() {
    let sources = [include_str!("main.rs"), include_str!("lease.rs")];
    let blocks = blocks("rust");
    assert!(blocks.len() >= 4, "{}", blocks.len());
    for block in blocks {
        assert!(sources.iter().any(|source| source.contains(block)), "this is not in the example:\n{block}");
    }
}

#[test]
fn the_scenario_of_the_document_is_the_one_that_is_kept() {
    let printed = blocks("text").concat();
    let (_, text) = printed.split_once("a scenario:\n\n").expect("a failure is shown");
    let read = |text| toml::from_str::<Scenario>(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read(text), read(include_str!("two_leaders.toml")));
}
