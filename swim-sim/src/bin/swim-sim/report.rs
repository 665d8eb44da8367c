//! `swim-sim report`: a run as a page that opens from disk.

use std::sync::{Arc, Mutex, PoisonError};

use anstream::println;
use swim_core::Instant;
use swim_sim::Timeline;
use swim_sim::report::{self, Facts};
use swim_sim::run::{Finished, Outcome, attempt};
use swim_sim::scenario::option_values;

use crate::args::ReportArgs;
use crate::exit::{Error, Exit};
use crate::run::conclude;
use crate::source::Chosen;

pub(crate) fn report(args: &ReportArgs) -> Result<Exit, Error> {
    let chosen = args.source.choose()?;
    println!("replay: {}", chosen.replay);
    // Once to know when it fails, and once more to keep what happened around that moment.
    let finished = attempt(&chosen.scenario, |_| {})?;
    let mut timeline = Timeline::new();
    timeline.keep_around(failed_at(&finished));
    let timeline = Arc::new(Mutex::new(timeline));
    let mut again = attempt(&chosen.scenario, |run| run.world().attach(Arc::clone(&timeline)))?;
    if again.digest != finished.digest {
        again.outcome = Outcome::Nondeterministic { first: finished.digest, second: again.digest };
        conclude(&chosen, &again, false);
        return Ok(Exit::Nondeterminism);
    }
    let timeline = timeline.lock().unwrap_or_else(PoisonError::into_inner);
    let facts = facts(&chosen, &finished)?;
    std::fs::write(&args.out, report::html(&timeline, &facts)).map_err(Error::file(&args.out))?;
    println!("page: {}", args.out.display());
    if let Some(path) = &args.perfetto {
        std::fs::write(path, report::perfetto(&timeline, &facts)).map_err(Error::file(path))?;
        println!("trace: {} (opens in ui.perfetto.dev and chrome://tracing)", path.display());
    }
    conclude(&chosen, &finished, false);
    Ok(Exit::of(&finished.outcome))
}

/// When it was found to fail; else the moment at which peace came is as good as any: the end of the run.
fn failed_at(finished: &Finished) -> Instant {
    match &finished.outcome {
        Outcome::Broken(violation) => violation.at,
        _ => finished.ended,
    }
}

fn facts(chosen: &Chosen, finished: &Finished) -> Result<Facts, Error> {
    let scenario = &chosen.scenario;
    let config = scenario.config()?;
    let mut options = vec![
        ("hosts".to_owned(), scenario.hosts.to_string()),
        ("link".to_owned(), format!("{:?}", scenario.link)),
    ];
    options.extend(scenario.mutant.iter().map(|mutant| ("mutant".to_owned(), mutant.clone())));
    let dials = chosen.plan.iter().flat_map(|plan| plan.dials());
    options.extend(dials.map(|dial| (dial.name.to_owned(), dial.value.to_string())));
    let values = option_values(config.options());
    options.extend(values.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let about = if scenario.about.is_empty() { Vec::new() } else { vec![scenario.about.clone()] };
    Ok(Facts {
        title: scenario.name.clone(),
        command: chosen.replay.clone(),
        seed: scenario.seed.to_string(),
        options,
        notes: about,
        ..Facts::from(finished)
    })
}
