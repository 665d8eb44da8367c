//! `swim-sim shrink`: the smallest scenario that fails in the same way.

use std::path::PathBuf;

use anstream::println;
use swim_sim::scenario::print_duration;
use swim_sim::shrink::shrink as reduce;

use crate::args::ShrinkArgs;
use crate::exit::{Error, Exit};
use crate::layout::{BOLD, paint};
use crate::progress::Progress;
use crate::run::{conclude, text};
use crate::source::{Chosen, PROGRAM, as_built, quoted};

pub(crate) fn shrink(args: &ShrinkArgs) -> Result<Exit, Error> {
    let chosen = args.source.choose()?;
    println!("replay: {}", chosen.replay);
    let before = (chosen.scenario.hosts, chosen.scenario.steps.len());
    let mut progress = Progress::of(u64::from(args.attempts), "runs");
    let shrunk = reduce(&chosen.scenario, args.attempts, |best, attempts| {
        let (hosts, steps, most) = (best.hosts, best.steps.len(), args.attempts);
        progress.show(|| format!("{hosts} hosts, {steps} steps after {attempts} runs, of {most} at most"));
    });
    progress.end();
    let Some(shrunk) = shrunk? else {
        return Err(Error::usage("this run breaks no property: there is nothing to shrink"));
    };
    let path = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.toml", shrunk.scenario.name)));
    let chosen = Chosen {
        scenario: shrunk.scenario,
        plan: None,
        replay: as_built(&format!("{PROGRAM} replay {}", quoted(&path.display().to_string()))),
    };
    std::fs::write(&path, text(&chosen)?).map_err(Error::file(&path))?;
    println!(
        "{} {} hosts and {} steps, from {} and {}, after {} runs{}",
        paint(BOLD, "shrunk to"),
        chosen.scenario.hosts,
        chosen.scenario.steps.len(),
        before.0,
        before.1,
        shrunk.attempts,
        if shrunk.minimal { "" } else { " (there may be a smaller one: raise --attempts)" }
    );
    for step in &chosen.scenario.steps {
        println!("  {:>8}  {:?}", print_duration(step.at), step.action);
    }
    conclude(&chosen, &shrunk.finished, false);
    Ok(Exit::of(&shrunk.finished.outcome))
}
