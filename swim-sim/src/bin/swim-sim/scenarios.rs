//! `swim-sim scenario`: those that come with the program, and those that users write.

use anstream::{print, println};
use swim_sim::run::attempt;
use swim_sim::scenario::{NAMES, Scenario, named};

use crate::args::{RunArgs, ScenarioArgs};
use crate::error::Error;
use crate::exit::Exit;
use crate::play;
use crate::source::Source;
use crate::style::{BOLD, paint};
use crate::verdict;

pub(crate) fn scenario(args: &ScenarioArgs) -> Result<Exit, Error> {
    if args.all {
        return all(args);
    }
    let Some(what) = &args.what else { return list() };
    let source =
        Source { what: Some(what.clone()), seed: args.seed, set: Vec::new(), mutant: args.mutant.clone() };
    if args.print {
        match named(what) {
            Some(text) => print!("{text}"),
            None => print!("{}", play::text(&source.choose()?)?),
        }
        return Ok(Exit::Ok);
    }
    play::run(&RunArgs { source, twice: false, save: None, record: None, json: false })
}

fn list() -> Result<Exit, Error> {
    let width = NAMES.iter().map(|name| name.len()).max().unwrap_or_default();
    for name in NAMES {
        let scenario = parsed(name)?;
        println!("{}  {}", paint(BOLD, format!("{name:width$}")), scenario.about);
    }
    Ok(Exit::Ok)
}

fn all(args: &ScenarioArgs) -> Result<Exit, Error> {
    let mut worst = Exit::Ok;
    for name in NAMES {
        let mut scenario = parsed(name)?;
        scenario.seed = args.seed.unwrap_or(scenario.seed);
        scenario.mutant.clone_from(&args.mutant);
        let outcome = attempt(&scenario, |_| {}).map_err(|error| Error::usage(format!("{name}: {error}")))?;
        println!("{}  {}", paint(BOLD, name), verdict::sentence(&outcome));
        worst = worst.or(Exit::of(&outcome.verdict));
    }
    Ok(worst)
}

pub(crate) fn parsed(name: &str) -> Result<Scenario, Error> {
    let text = named(name).unwrap_or_default();
    toml::from_str(text).map_err(|error| Error::usage(format!("{name}: {error}")))
}
