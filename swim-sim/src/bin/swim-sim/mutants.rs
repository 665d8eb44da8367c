//! `swim-sim mutants`: which law notices which mistake, and after how many seeds.

use std::collections::BTreeSet;

use anstream::println;
use serde_json::json;
use swim_sim::mutants::{Mistake, all};
use swim_sim::run::attempt;
use swim_sim::scenario::{NAMES, Scenario, named};
use swim_sim::sweep::{Record, Sweep};

use crate::args::MutantsArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::source::PROGRAM;
use crate::style::{BAD, BOLD, DIM, GOOD, paint};

/// How a mistake was noticed.
struct Kill {
    /// The law's number, or `panic`.
    law: String,
    /// Runs that it took, this one included.
    runs: u64,
    /// How to see it again.
    replay: String,
}

pub(crate) fn mutants(args: &MutantsArgs) -> Result<Exit, Error> {
    let mistakes = all();
    if mistakes.is_empty() {
        return Err(Error::usage(
            "this build has no mutants; `proof/mutants/check` makes one that has them, and runs this command",
        ));
    }
    let chosen: Vec<Mistake> = match &args.only {
        None => mistakes,
        Some(only) => mistakes.into_iter().filter(|mistake| mistake.name.contains(only.as_str())).collect(),
    };
    if chosen.is_empty() {
        let only = args.only.as_deref().unwrap_or_default();
        return Err(Error::usage(format!("no mutant has `{only}` in its name")));
    }
    if !args.json {
        println!("{}", paint(BOLD, format!("{:32} {:8} {:>6}  replay", "mutant", "law", "runs")));
    }
    // A seed that fails without any mistake shows nothing about one.
    let mut unusable = BTreeSet::new();
    sweep(None, args, |record| {
        if !record.is_good() {
            unusable.insert(record.seed);
        }
        true
    })?;
    let mut survivors = Vec::new();
    for mistake in &chosen {
        let kill = hunt(mistake, args, &unusable)?;
        show(mistake, kill.as_ref(), args);
        if kill.is_none() {
            survivors.push(mistake.name);
        }
    }
    if !args.json {
        let killed = chosen.len() - survivors.len();
        println!("{killed} of {} mutants are noticed, each within {} seeds", chosen.len(), args.seeds.0.end);
        for name in &survivors {
            println!("{} {name}: some law is missing", paint(BAD, "survives:"));
        }
    }
    Ok(if survivors.is_empty() { Exit::Ok } else { Exit::Failed })
}

fn show(mistake: &Mistake, kill: Option<&Kill>, args: &MutantsArgs) {
    if args.json {
        let (law, runs) = kill.map(|kill| (kill.law.as_str(), kill.runs)).unzip();
        let replay = kill.map(|kill| kill.replay.as_str());
        println!(
            "{}",
            json!({ "mutant": mistake.name, "about": mistake.about, "law": law, "runs": runs, "replay": replay })
        );
        return;
    }
    match kill {
        Some(kill) => {
            let law = paint(GOOD, format!("{:8}", kill.law));
            println!("{:32} {law} {:>6}  {}", mistake.name, kill.runs, paint(DIM, &kill.replay));
        }
        None => println!("{:32} {}", mistake.name, paint(BAD, "survives")),
    }
    if args.verbose {
        println!("{}", paint(DIM, format!("    {}", mistake.about)));
    }
}

/// The named scenarios first: each was written for some mistake. Then seeds.
fn hunt(mistake: &Mistake, args: &MutantsArgs, unusable: &BTreeSet<u64>) -> Result<Option<Kill>, Error> {
    let mut runs = 0;
    if args.scenarios {
        for name in NAMES {
            let text = named(name).unwrap_or_default();
            let mut scenario: Scenario =
                toml::from_str(text).map_err(|error| Error::usage(format!("{name}: {error}")))?;
            scenario.mutant = Some(mistake.name.to_owned());
            let outcome = attempt(&scenario, |_| {}).map_err(|error| Error::usage(error.to_string()))?;
            runs += 1;
            if !outcome.verdict.is_good() {
                let law = outcome.verdict.law().unwrap_or(outcome.verdict.word()).to_owned();
                return Ok(Some(Kill { law, runs, replay: again(name, mistake) }));
            }
        }
    }
    let mut killer: Option<Record> = None;
    sweep(Some(mistake.name), args, |record| {
        let found = !record.is_good() && !unusable.contains(&record.seed);
        if killer.is_none() {
            runs += 1;
            killer = found.then(|| record.clone());
        }
        killer.is_none()
    })?;
    Ok(killer.map(|record| Kill {
        law: record.law.unwrap_or(record.verdict),
        runs,
        replay: again(&format!("--seed {}", record.seed), mistake),
    }))
}

/// Runs the seeds with a mistake, or without any, as long as `each` wants more.
fn sweep(
    mutant: Option<&str>,
    args: &MutantsArgs,
    mut each: impl FnMut(&Record) -> bool,
) -> Result<(), Error> {
    let sweep = Sweep {
        jobs: args.jobs(),
        keep_going: true,
        twice_every: 0,
        mutant: mutant.map(str::to_owned),
        ..Sweep::of(args.seeds.0.clone())
    };
    sweep.run(|record| each(record)).map(drop).map_err(|error| Error::usage(error.to_string()))
}

fn again(what: &str, mistake: &Mistake) -> String {
    format!("RUSTFLAGS='--cfg swim_mutants' {PROGRAM} replay {what} --mutant {}", mistake.name)
}
