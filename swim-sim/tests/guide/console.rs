//! Every command in the guide is carried out, in order and in one folder, and prints what the guide says.

use std::path::Path;
use std::process::Command;

use swim_sim::mutants::all;

use super::blocks::{Block, blocks, write_files};
use super::{guide, path};

/// How commands call the program that this build makes.
fn program() -> &'static str {
    if all().is_empty() { "swim-sim" } else { "proof/mutants/run" }
}

/// Whether the block is about this build: usual and mutated ones are different programs.
fn is_ours(block: &Block) -> bool {
    let calls = |line: &str| {
        line.strip_prefix("$ ")
            .is_some_and(|command| command.split_whitespace().any(|word| word == program()))
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
    assert!(errors.is_empty(), "{command}\n{errors}");
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
