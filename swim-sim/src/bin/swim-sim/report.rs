//! `swim-sim report`: a run as a page that opens from disk.

use std::sync::{Arc, Mutex, PoisonError};

use anstream::println;
use swim_core::Instant;
use swim_sim::Timeline;
use swim_sim::report::{self, Facts};
use swim_sim::run::{Outcome, Verdict, attempt};
use swim_sim::scenario::{ScenarioError, option_values};

use crate::args::ReportArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::play::conclude;
use crate::source::Chosen;

pub(crate) fn report(args: &ReportArgs) -> Result<Exit, Error> {
    let chosen = args.source.choose()?;
    println!("replay: {}", chosen.replay);
    let impossible = |error: ScenarioError| Error::usage(error.to_string());
    // Once to know when it fails, and once more to keep what happened around that moment.
    let outcome = attempt(&chosen.scenario, |_| {}).map_err(impossible)?;
    let mut timeline = Timeline::new();
    timeline.keep_around(failed_at(&outcome));
    let timeline = Arc::new(Mutex::new(timeline));
    let mut again =
        attempt(&chosen.scenario, |run| run.world().attach(Arc::clone(&timeline))).map_err(impossible)?;
    if again.digest != outcome.digest {
        again.verdict = Verdict::Nondeterministic { first: outcome.digest, second: again.digest };
        conclude(&chosen, &again, false);
        return Ok(Exit::Nondeterminism);
    }
    let timeline = timeline.lock().unwrap_or_else(PoisonError::into_inner);
    let facts = facts(&chosen, &outcome)?;
    std::fs::write(&args.out, report::html(&timeline, &facts)).map_err(Error::file(&args.out))?;
    println!("page: {}", args.out.display());
    if let Some(path) = &args.perfetto {
        std::fs::write(path, report::perfetto(&timeline, &facts)).map_err(Error::file(path))?;
        println!("trace: {} (opens in ui.perfetto.dev and chrome://tracing)", path.display());
    }
    conclude(&chosen, &outcome, false);
    Ok(Exit::of(&outcome.verdict))
}

/// When it was found to fail; else the moment at which peace came is as good as any: the end of the run.
fn failed_at(outcome: &Outcome) -> Instant {
    match &outcome.verdict {
        Verdict::Broken(violation) => violation.at,
        _ => outcome.ended,
    }
}

fn facts(chosen: &Chosen, outcome: &Outcome) -> Result<Facts, Error> {
    let scenario = &chosen.scenario;
    let config = scenario.config().map_err(|error| Error::usage(error.to_string()))?;
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
        ..Facts::from(outcome)
    })
}
