//! Which run is meant: a seed with dials, a file, or a name.

use std::path::Path;

use clap::Args;
use swim_sim::mutants::all;
use swim_sim::scenario::{Scenario, Setting, named};
use swim_sim::swarm::Plan;
use swim_trace::MAGIC;

use crate::exit::Error;

/// How to begin a command that repeats a run.
pub(crate) const PROGRAM: &str = "cargo run --release -p swim-sim --";

/// A run, by seed, by file or by name.
#[derive(Args, Clone, Debug)]
pub(crate) struct Source {
    /// A scenario: a TOML file, or a name that `swim-sim scenario` lists
    #[arg(value_name = "FILE|NAME")]
    pub(crate) what: Option<String>,
    /// The seed that everything is drawn from (of a file: instead of its own)
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Sets an option of the members by hand, for example self_doubt=false, or, of a seed, a dial of the swarm,
    /// for example loss=25; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// A deliberately broken core, in a build that has them (see `swim-sim mutants`)
    #[arg(long, value_name = "NAME")]
    pub(crate) mutant: Option<String>,
}

/// A run, and how to repeat it.
pub(crate) struct Chosen {
    pub(crate) scenario: Scenario,
    /// What was drawn, if it was.
    pub(crate) plan: Option<Plan>,
    /// The exact command that repeats it.
    pub(crate) replay: String,
}

impl Source {
    pub(crate) fn choose(&self) -> Result<Chosen, Error> {
        let (mut scenario, plan) = match (&self.what, self.seed) {
            (Some(what), seed) => {
                let mut scenario = self.of_text(what)?;
                scenario.seed = seed.unwrap_or(scenario.seed);
                (scenario, None)
            }
            (None, Some(seed)) => {
                let plan = Plan::with(seed, &self.set)?;
                (plan.scenario(), Some(plan))
            }
            (None, None) => {
                return Err(Error::usage(
                    "which run? Give --seed N, a scenario's file, or a name that `swim-sim scenario` lists",
                ));
            }
        };
        if self.mutant.is_some() {
            scenario.mutant.clone_from(&self.mutant);
        }
        scenario.check()?;
        Ok(Chosen { scenario, plan, replay: self.replay_line() })
    }

    fn of_text(&self, what: &str) -> Result<Scenario, Error> {
        let path = Path::new(what);
        let text = match named(what) {
            Some(text) if !path.exists() => text.into(),
            _ if path.exists() => std::fs::read(path).map_err(Error::file(path))?,
            _ => {
                return Err(Error::usage(format!(
                    "{what} is neither a file nor the name of a scenario; `swim-sim scenario` lists the names"
                )));
            }
        };
        let mut scenario: Scenario = toml::from_slice(&text).map_err(|error| no_scenario(path, &error))?;
        for assignment in &self.set {
            let (name, value) = option(assignment)?;
            scenario.options.0.insert(name, value);
        }
        Ok(scenario)
    }

    /// The exact command that repeats the run.
    pub(crate) fn replay_line(&self) -> String {
        let what = self.what.as_ref().map_or_else(String::new, |what| format!(" {}", quoted(what)));
        let seed = self.seed.map_or_else(String::new, |seed| format!(" --seed {seed}"));
        as_built(&format!("{PROGRAM} replay{what}{seed}{}", settings(&self.set, self.mutant.as_deref())))
    }
}

/// What is wrong with a file that is no scenario, and where, if it was meant to be one.
fn no_scenario(path: &Path, error: &toml::de::Error) -> Error {
    let name = path.display();
    if path.extension().is_some_and(|extension| extension == "toml") {
        return Error::usage(format!("{name} is no scenario: {error}"));
    }
    let (message, magic) = (error.message(), String::from_utf8_lossy(&MAGIC));
    Error::usage(format!(
        "{name} is neither a scenario in TOML ({message}) nor, for `replay`, a recording, which begins with {magic}"
    ))
}

/// What a run was changed by, as the end of a command.
pub(crate) fn settings(set: &[String], mutant: Option<&str>) -> String {
    let set = set.iter().map(|assignment| format!(" --set {}", quoted(assignment)));
    set.chain(mutant.map(|mutant| format!(" --mutant {}", quoted(mutant)))).collect()
}

/// A command in the build that this one is.
pub(crate) fn as_built(line: &str) -> String {
    if all().is_empty() { line.to_owned() } else { line.replacen(PROGRAM, "proof/mutants/run", 1) }
}

/// An option of the members and its value, `NAME=VALUE`; whether there is one is for the scenario to say.
pub(crate) fn option(assignment: &str) -> Result<(String, Setting), Error> {
    let (name, value) = assignment
        .split_once('=')
        .ok_or_else(|| Error::usage(format!("--set {assignment}: expected NAME=VALUE")))?;
    let Ok(value) = value.trim().parse();
    Ok((name.trim().to_owned(), value))
}

/// As a shell reads it back.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,#".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('#') {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
