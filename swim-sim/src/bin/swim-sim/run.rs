//! One run: `run` and `replay`.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use anstream::{print, println};
use anstyle::Style;
use swim_core::Instant;
use swim_sim::HostId;
use swim_sim::run::{Finished, attempt, attempt_twice};
use swim_sim::scenario::{NAMES, Scenario, named, option_values, print_duration};

use crate::args::{ReplayArgs, RunArgs, ScenarioArgs};
use crate::exit::{Error, Exit};
use crate::layout::{BOLD, DIM, Stepper, paint, time, words};
use crate::source::{Chosen, Source};

use crate::{outcome, recording};

pub(crate) fn run(args: &RunArgs) -> Result<Exit, Error> {
    let chosen = args.source.choose()?;
    if let Some(path) = &args.save {
        std::fs::write(path, text(&chosen)?).map_err(Error::file(path))?;
    }
    if !args.json {
        announce(&chosen)?;
    }
    if let Some(folder) = &args.record {
        fs::create_dir_all(folder).map_err(Error::file(folder))?;
    }
    let attempted = match &args.record {
        None if args.twice => attempt_twice(&chosen.scenario),
        folder => attempt(&chosen.scenario, |run| {
            if let Some(folder) = folder.clone() {
                run.world().record(move |host, start| trace_file(&folder, host, start));
            }
        }),
    };
    let finished = attempted?;
    conclude(&chosen, &finished, args.json);
    Ok(Exit::of(&finished.outcome))
}

/// `FOLDER/3-2.swim` for the second process of #3.
fn trace_file(folder: &Path, host: HostId, start: u32) -> Option<Box<dyn Write + Send>> {
    let name = host.to_string();
    let path = folder.join(format!("{}-{start}.swim", name.trim_start_matches('#')));
    match fs::File::create(&path) {
        Ok(file) => Some(Box::new(BufWriter::new(file))),
        Err(error) => {
            anstream::eprintln!("{}: {error}: this process is not recorded", path.display());
            None
        }
    }
}

pub(crate) fn replay(args: &ReplayArgs) -> Result<Exit, Error> {
    if let Some(path) = args.source.what.as_deref().map(Path::new).filter(|path| recording::is_trace(path)) {
        return recording::replay(path, args);
    }
    let mut chosen = args.source.choose()?;
    // What is cut short has another digest: the line that repeats it says where.
    if let Some(until) = args.until {
        chosen.replay.push_str(&format!(" --until {}", print_duration(until)));
    }
    if !args.json {
        announce(&chosen)?;
    }
    let views = Arc::new(Mutex::new(String::new()));
    let attempted = attempt(&chosen.scenario, |run| {
        if let Some(until) = args.until {
            run.until(Instant::ORIGIN.after(until));
        }
        if args.step {
            let mut stepper = Stepper::new();
            run.on_step(move |text| stepper.show(text));
        }
        let views = Arc::clone(&views);
        run.at_end(move |world| {
            *views.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = world.wrong_views().1;
        });
    });
    let finished = attempted?;
    if !args.json && args.until.is_some() {
        let views = views.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        println!("{}\n{views}", paint(BOLD, "wrong views at the end:"));
    }
    conclude(&chosen, &finished, args.json);
    Ok(Exit::of(&finished.outcome))
}

/// The first lines: how to repeat it, and everything that it depends on.
fn announce(chosen: &Chosen) -> Result<(), Error> {
    println!("replay: {}", chosen.replay);
    let scenario = &chosen.scenario;
    if !scenario.about.is_empty() {
        let about = scenario.about.split_whitespace().map(|word| (word.to_owned(), Style::new()));
        println!("{}", words("about:", [(scenario.name.clone(), BOLD)].into_iter().chain(about)));
    }
    if let Some(plan) = &chosen.plan {
        let style = |by_hand| if by_hand { BOLD } else { Style::new() };
        let dials = plan.dials().into_iter();
        let dials = dials.map(|dial| (format!("{}={}", dial.name, dial.value), style(dial.by_hand)));
        println!("{}", words("dials:", dials));
    }
    let config = scenario.config()?;
    let options = option_values(config.options()).into_iter();
    println!("{}", words("options:", options.map(|(name, value)| (format!("{name}={value}"), DIM))));
    println!("{}", words("link:", link(chosen)?.split_whitespace().map(|word| (word.to_owned(), DIM))));
    println!(
        "{} hosts, {} steps in {} of trouble",
        scenario.hosts,
        scenario.steps.len(),
        time(scenario.trouble())
    );
    Ok(())
}

fn link(chosen: &Chosen) -> Result<String, Error> {
    let text = toml::to_string(&chosen.scenario.link).map_err(|error| Error::usage(error.to_string()))?;
    Ok(text.trim().replace(" = ", "=").replace('\n', " "))
}

/// A scenario's text.
pub(crate) fn text(chosen: &Chosen) -> Result<String, Error> {
    toml::to_string(&chosen.scenario).map_err(|error| Error::usage(error.to_string()))
}

/// The last lines.
pub(crate) fn conclude(chosen: &Chosen, finished: &Finished, json: bool) {
    if json {
        println!("{}", outcome::json(chosen, finished));
        return;
    }
    println!("{}", outcome::sentence(finished));
    println!("{}", outcome::properties(finished));
    println!("replay: {}", chosen.replay);
    println!("digest: {}", finished.digest);
}

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
            None => print!("{}", text(&source.choose()?)?),
        }
        return Ok(Exit::Ok);
    }
    run(&RunArgs { source, twice: false, save: None, record: None, json: false })
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
        let finished =
            attempt(&scenario, |_| {}).map_err(|error| Error::usage(format!("{name}: {error}")))?;
        println!("{}  {}", paint(BOLD, name), outcome::sentence(&finished));
        worst = worst.or(Exit::of(&finished.outcome));
    }
    Ok(worst)
}

pub(crate) fn parsed(name: &str) -> Result<Scenario, Error> {
    let text = named(name).unwrap_or_default();
    toml::from_str(text).map_err(|error| Error::usage(format!("{name}: {error}")))
}
