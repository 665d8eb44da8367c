//! One run: `run` and `replay`.

use std::io::{BufRead as _, IsTerminal as _};
use std::sync::{Arc, Mutex};

use anstream::println;
use swim_core::Instant;
use swim_sim::run::{Outcome, attempt, attempt_twice};
use swim_sim::scenario::option_values;

use crate::args::{ReplayArgs, RunArgs};
use crate::error::Error;
use crate::exit::Exit;
use crate::source::Chosen;
use crate::style::{BOLD, DIM, paint};
use crate::verdict;

pub(crate) fn run(args: &RunArgs) -> Result<Exit, Error> {
    let chosen = args.source.choose()?;
    if let Some(path) = &args.save {
        std::fs::write(path, text(&chosen)?).map_err(Error::file(path))?;
    }
    if !args.json {
        announce(&chosen)?;
    }
    let attempted =
        if args.twice { attempt_twice(&chosen.scenario) } else { attempt(&chosen.scenario, |_| {}) };
    let outcome = attempted.map_err(|error| Error::usage(error.to_string()))?;
    conclude(&chosen, &outcome, args.json);
    Ok(Exit::of(&outcome.verdict))
}

pub(crate) fn replay(args: &ReplayArgs) -> Result<Exit, Error> {
    let chosen = args.source.choose()?;
    if !args.json {
        announce(&chosen)?;
    }
    let beliefs = Arc::new(Mutex::new(String::new()));
    let attempted = attempt(&chosen.scenario, |run| {
        if let Some(until) = args.until {
            run.until(Instant::ORIGIN.after(until));
        }
        if args.step {
            run.on_step(stepper());
        }
        let beliefs = Arc::clone(&beliefs);
        run.at_end(move |world| {
            *beliefs.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = world.wrong_views().1;
        });
    });
    let outcome = attempted.map_err(|error| Error::usage(error.to_string()))?;
    if !args.json && args.until.is_some() {
        let beliefs = beliefs.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        println!("{}\n{beliefs}", paint(BOLD, "wrong views at the end:"));
    }
    conclude(&chosen, &outcome, args.json);
    Ok(Exit::of(&outcome.verdict))
}

/// Prints what happened in a step, and waits for Enter if somebody watches; `q` goes on without.
fn stepper() -> impl FnMut(&str) + Send + 'static {
    let mut waits = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    move |text| {
        if text.is_empty() {
            return;
        }
        anstream::print!("{text}");
        if waits {
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            waits = read.is_ok_and(|read| read > 0) && !line.starts_with('q');
        }
    }
}

/// The first lines: how to repeat it, and everything that it depends on.
fn announce(chosen: &Chosen) -> Result<(), Error> {
    println!("replay: {}", chosen.replay);
    let scenario = &chosen.scenario;
    if !scenario.about.is_empty() {
        println!("{} {}", paint(BOLD, &scenario.name), scenario.about);
    }
    if let Some(plan) = &chosen.plan {
        let dials: Vec<String> = plan
            .dials()
            .iter()
            .map(|dial| {
                let shown = format!("{}={}", dial.name, dial.value);
                if dial.by_hand { paint(BOLD, shown) } else { shown }
            })
            .collect();
        println!("dials: {}", dials.join(" "));
    }
    let config = scenario.config().map_err(|error| Error::usage(error.to_string()))?;
    let options: Vec<String> =
        option_values(config.options()).iter().map(|(name, value)| format!("{name}={value}")).collect();
    println!("{}", paint(DIM, format!("options: {}", options.join(" "))));
    println!("{}", paint(DIM, format!("link: {}", link(chosen)?)));
    println!(
        "{} hosts, {} steps in {:?} of trouble",
        scenario.hosts,
        scenario.steps.len(),
        scenario.trouble()
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
pub(crate) fn conclude(chosen: &Chosen, outcome: &Outcome, json: bool) {
    if json {
        println!("{}", verdict::json(chosen, outcome));
        return;
    }
    println!("{}", verdict::sentence(outcome));
    println!("{}", verdict::laws(outcome));
    println!("replay: {}", chosen.replay);
    println!("digest: {}", outcome.digest);
}
