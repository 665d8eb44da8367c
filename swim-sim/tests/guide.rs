//! The guide shows what is really so: its files can be read, its tables are complete, and every command in it
//! prints what the guide says.
//!
//! `SWIM_WRITE_GUIDE=1 cargo test -p swim-sim --test guide` writes what is printed today into the guide, and
//! in the workspace that `proof/mutants/run` makes the part about the planted mistake.
#![cfg(all(unix, feature = "cli"))]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::de::{Deserialize as _, value};
use swim_sim::Action;
use swim_sim::mutants::all;
use swim_sim::scenario::Scenario;
use swim_sim::swarm::Plan;

fn path() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/simulation.md"))
}

fn guide() -> String {
    std::fs::read_to_string(path()).expect("the guide is there")
}

/// One block: its language, and what is in it with the last line's end.
struct Block {
    language: String,
    text: String,
    /// Where `text` is in the document.
    at: std::ops::Range<usize>,
}

impl Block {
    /// The name of the file that it shows: a TOML file whose first line is `# NAME.toml` and nothing else.
    fn file_name(&self) -> Option<&str> {
        let name = self.text.lines().next()?.strip_prefix("# ")?;
        (self.language == "toml" && name.ends_with(".toml") && !name.contains(' ')).then_some(name)
    }
}

/// All of them, in order.
fn blocks(document: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<(String, usize)> = None;
    let mut at = 0;
    for line in document.split_inclusive('\n') {
        let fence = line.trim_end().strip_prefix("```");
        match (&open, fence) {
            (None, Some(language)) => open = Some((language.to_owned(), at + line.len())),
            (Some((language, begin)), Some(_)) => {
                let (language, at) = (language.clone(), *begin..at);
                found.push(Block { language, text: document[at.clone()].to_owned(), at });
                open = None;
            }
            (_, None) => {}
        }
        at += line.len();
    }
    assert!(open.is_none(), "a block without an end");
    found
}

/// Writes the files that the document shows into `folder`.
fn write_files(document: &str, folder: &Path) {
    for block in blocks(document) {
        if let Some(name) = block.file_name() {
            std::fs::write(folder.join(name), &block.text).expect("a folder for tests can be written to");
        }
    }
}

/// How commands call the program that this build makes.
fn program() -> &'static str {
    if all().is_empty() { "swim-sim" } else { "proof/mutants/run" }
}

/// Whether the block is about this build: usual and mutated ones are different programs.
fn is_ours(block: &Block) -> bool {
    let calls = |line: &str| {
        line.strip_prefix("$ ")
            .is_some_and(|command| command.split_whitespace().any(|part| part == program()))
    };
    block.language == "console" && block.text.lines().any(calls)
}

/// The commands of a block, each with all its lines.
fn commands(block: &Block) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in block.text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push(command.to_owned());
        } else if goes_on {
            let command = commands.last_mut().expect("something that goes on has begun");
            command.push('\n');
            command.push_str(line);
        }
        goes_on = line.ends_with('\\') && (goes_on || line.starts_with("$ "));
    }
    commands
}

/// What a shell prints that is given this command in `folder`.
fn printed(command: &str, folder: &Path) -> String {
    let binary = env!("CARGO_BIN_EXE_swim-sim");
    let command = if all().is_empty() {
        let folder = Path::new(binary).parent().expect("a program is in a folder");
        format!("PATH=\"{}:$PATH\"; {command}", folder.display())
    } else {
        command.replace(program(), binary)
    };
    let output =
        Command::new("sh").args(["-c", &command]).current_dir(folder).output().expect("there is a shell");
    let errors = String::from_utf8_lossy(&output.stderr);
    // On a slow machine a sweep says how far it has come.
    let progress = |line: &str| line.contains(" seeds, ") && line.ends_with(" left");
    assert!(errors.lines().all(progress), "{command}\n{errors}");
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

#[test]
fn every_command_prints_what_the_guide_says() {
    let before = guide();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide");
    std::fs::create_dir_all(&folder).expect("a folder for tests can be made");
    write_files(&before, &folder);
    let mut after = before.clone();
    let ours: Vec<Block> = blocks(&before).into_iter().filter(is_ours).collect();
    assert!(ours.len() >= 3, "only {} blocks call {}", ours.len(), program());
    let real: Vec<String> = ours
        .iter()
        .map(|block| {
            let shown = |command: &String| format!("$ {command}\n{}", printed(command, &folder));
            commands(block).iter().map(shown).collect()
        })
        .collect();
    if std::env::var_os("SWIM_WRITE_GUIDE").is_some() {
        for (block, real) in ours.iter().zip(&real).rev() {
            after.replace_range(block.at.clone(), real);
        }
        std::fs::write(path(), after).expect("the guide can be written");
        return;
    }
    for (block, real) in ours.iter().zip(&real) {
        let text = &block.text;
        assert!(
            text == real,
            "SWIM_WRITE_GUIDE=1 puts the guide right\nit says:\n{text}\nand it is:\n{real}"
        );
    }
}

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
fn the_property_that_is_shown_is_one_of_the_properties() {
    let document = guide();
    let rust: Vec<_> = blocks(&document).into_iter().filter(|block| block.language == "rust").collect();
    assert_eq!(rust.len(), 1);
    assert!(include_str!("../src/properties/bounds/datagrams.rs").contains(&rust[0].text));
}

#[test]
fn the_line_with_the_planted_mistake_is_a_line_of_the_core() {
    let document = guide();
    let text: Vec<_> = blocks(&document).into_iter().filter(|block| block.language == "text").collect();
    assert_eq!(text.len(), 1);
    assert!(include_str!("../../swim-core/src/context/clock.rs").contains(&text[0].text));
}
