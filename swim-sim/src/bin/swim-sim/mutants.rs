//! `swim-sim mutants`: which property notices which mistake, in which run.
//!
//! A mistake counts as noticed only by a property that fits it, in a run that passes without it: whatever else goes
//! wrong by chance in a run that a mistake has changed shows nothing.

use std::collections::BTreeMap;
use std::ops::Range;

use anstream::println;
use serde_json::json;
use swim_sim::mutants::{Mutant, all};
use swim_sim::run::attempt;
use swim_sim::scenario::{NAMES, Scenario};
use swim_sim::swarm::Plan;
use swim_sim::sweep::{Sweep, all_in_order};

use crate::args::{MutantsArgs, cores};
use crate::exit::{Error, Exit};
use crate::layout::{BAD, BOLD, DIM, GOOD, paint};
use crate::run::parsed;
use crate::source::{PROGRAM, as_built};

/// Seeds that are tried before the named scenarios: most mistakes show everywhere.
const FIRST_SEEDS: u64 = 16;

/// How a mistake was noticed.
struct Kill {
    /// The property's number.
    property: String,
    /// Runs that it took, this one included.
    runs: u64,
    /// The scenario's name, or `--seed N`.
    by: String,
}

/// What the runs without any mistake ended in: one that fails anyway shows nothing about a mistake.
#[derive(Default)]
struct Sound(BTreeMap<String, bool>);

/// The search for one mistake.
struct Hunt<'a> {
    mutant: &'a Mutant,
    args: &'a MutantsArgs,
    sound: &'a mut Sound,
    runs: u64,
    /// The first property that was broken and has nothing to do with the mistake.
    stray: Option<String>,
}

pub(crate) fn mutants(args: &MutantsArgs) -> Result<Exit, Error> {
    if all().is_empty() {
        return Err(Error::usage(
            "this build has no mutants; `proof/mutants/check` makes one that has them, and runs this command",
        ));
    }
    let only = args.only.as_deref().unwrap_or_default();
    let chosen: Vec<&Mutant> = all().iter().filter(|mutant| mutant.name.contains(only)).collect();
    if chosen.is_empty() {
        return Err(Error::usage(format!("no mutant has `{only}` in its name")));
    }
    args.head();
    let mut sound = Sound::default();
    let mut survivors = Vec::new();
    for mutant in &chosen {
        let mut hunt = Hunt { mutant, args, sound: &mut sound, runs: 0, stray: None };
        let kill = hunt.kill()?;
        args.row(mutant, kill.as_ref());
        if kill.is_none() {
            survivors.push((mutant.name, hunt.stray));
        }
    }
    args.foot(chosen.len(), &survivors);
    Ok(if survivors.is_empty() { Exit::Ok } else { Exit::Failed })
}

impl Hunt<'_> {
    /// A few seeds, the scenarios, each of which was written for some mistake, and the other seeds.
    fn kill(&mut self) -> Result<Option<Kill>, Error> {
        let seeds = self.args.seeds.0.clone();
        let first = if self.args.scenarios { seeds.start } else { seeds.end.min(seeds.start + FIRST_SEEDS) };
        if let Some(kill) = self.among_seeds(seeds.start..first)? {
            return Ok(Some(kill));
        }
        if let Some(kill) = self.among_scenarios()? {
            return Ok(Some(kill));
        }
        self.among_seeds(first..seeds.end)
    }

    /// Whether a broken property is one that this mistake breaks; others may break as well, by chance.
    fn fits(&mut self, property: Option<&str>) -> bool {
        let Some(property) = property else { return false };
        let fits = self.mutant.noticed_by.contains(&property);
        if !fits {
            self.stray.get_or_insert_with(|| property.to_owned());
        }
        fits
    }

    fn among_seeds(&mut self, mut seeds: Range<u64>) -> Result<Option<Kill>, Error> {
        while !seeds.is_empty() {
            let mut found: Option<(u64, String)> = None;
            let sweep = Sweep {
                jobs: cores(self.args.jobs),
                keep_going: true,
                twice_every: 0,
                mutant: Some(self.mutant.name.to_owned()),
                ..Sweep::of(seeds.clone())
            };
            sweep.run(|record| {
                self.runs += 1;
                if self.fits(record.property.as_deref()) {
                    found = Some((record.seed, record.property.clone().unwrap_or_default()));
                }
                found.is_none()
            })?;
            let Some((seed, property)) = found else { return Ok(None) };
            if self.sound.is_sound(&format!("--seed {seed}"), &Plan::draw(seed).scenario())? {
                return Ok(Some(Kill { property, runs: self.runs, by: format!("--seed {seed}") }));
            }
            seeds.start = seed + 1;
        }
        Ok(None)
    }

    fn among_scenarios(&mut self) -> Result<Option<Kill>, Error> {
        for names in NAMES.chunks(cores(self.args.jobs)) {
            let scenarios: Vec<Scenario> = names.iter().map(|name| parsed(name)).collect::<Result<_, _>>()?;
            let mutant = Some(self.mutant.name.to_owned());
            let run = |number: usize| {
                attempt(&Scenario { mutant: mutant.clone(), ..scenarios[number].clone() }, |_| {})
            };
            let all = all_in_order(names.len(), names.len(), run);
            for ((name, scenario), finished) in names.iter().zip(&scenarios).zip(all) {
                self.runs += 1;
                let property = finished?.outcome.property();
                if self.fits(property) && self.sound.is_sound(name, scenario)? {
                    let property = property.unwrap_or_default().to_owned();
                    return Ok(Some(Kill { property, runs: self.runs, by: (*name).to_owned() }));
                }
            }
        }
        Ok(None)
    }
}

impl Sound {
    /// Whether all is well without any mistake. Nothing else may run meanwhile: mistakes are the process's.
    fn is_sound(&mut self, name: &str, scenario: &Scenario) -> Result<bool, Error> {
        if let Some(known) = self.0.get(name) {
            return Ok(*known);
        }
        let finished = attempt(scenario, |_| {})?;
        self.0.insert(name.to_owned(), finished.outcome.is_good());
        Ok(finished.outcome.is_good())
    }
}

/// How the result is shown.
impl MutantsArgs {
    fn head(&self) {
        if self.markdown {
            println!("| mutant | what is wrong | property | found by |\n| --- | --- | --- | --- |");
        } else if !self.json {
            let titles =
                format!("{:30} {:8} {:>5}  {:24} what fits", "mutant", "property", "runs", "found by");
            println!("{}", paint(BOLD, titles));
        }
    }

    fn row(&self, mutant: &Mutant, kill: Option<&Kill>) {
        let property = kill.map(|kill| kill.property.as_str());
        let Mutant { name, mistake, noticed_by } = mutant;
        if self.json {
            let (runs, by) = kill.map(|kill| (kill.runs, kill.by.as_str())).unzip();
            let replay = kill.map(|kill| again(&kill.by, mutant));
            println!(
                "{}",
                json!({ "mutant": name, "about": mistake, "fitting": noticed_by, "law": property, "runs": runs, "by": by, "replay": replay })
            );
            return;
        }
        if self.markdown {
            let by = kill.map_or("nothing: it survives".to_owned(), |kill| format!("`{}`", kill.by));
            println!("| `{name}` | {mistake} | {} | {by} |", property.unwrap_or("–"));
            return;
        }
        match kill {
            Some(kill) => {
                let property = paint(GOOD, format!("{:8}", kill.property));
                println!("{name:30} {property} {:>5}  {:24} {}", kill.runs, kill.by, noticed_by.join(", "));
            }
            None => println!("{name:30} {}", paint(BAD, "survives")),
        }
        if self.verbose {
            println!("{}", paint(DIM, format!("    {mistake}")));
            let replay = kill.map(|kill| again(&kill.by, mutant));
            println!("{}", paint(DIM, format!("    {}", replay.unwrap_or_default())));
        }
    }

    fn foot(&self, count: usize, survivors: &[(&str, Option<String>)]) {
        if self.json || self.markdown {
            return;
        }
        println!("{} of {count} mutants are noticed, each by a property that fits", count - survivors.len());
        for (name, stray) in survivors {
            let stray =
                stray.as_ref().map(|property| format!(" ({property} was broken, which does not fit)"));
            let why = format!("some property is missing{}", stray.unwrap_or_default());
            println!("{} {name}: {why}", paint(BAD, "survives:"));
        }
    }
}

fn again(what: &str, mutant: &Mutant) -> String {
    as_built(&format!("{PROGRAM} replay {what} --mutant {}", mutant.name))
}
