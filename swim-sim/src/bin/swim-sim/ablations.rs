//! `swim-sim ablations`: what gets worse, and by how much, without each rule.
//!
//! Every rule is switched off alone and the same runs are made with and without it. Runs of one seed are compared
//! with each other, so that what differs between seeds does not count; a difference is reported if it is larger
//! than chance explains.

use anstream::{eprintln, println};
use swim_sim::mutants::{Ablation, ablations};
use swim_sim::scenario::ScenarioError;
use swim_sim::situations::{MEASURES, Measured, SITUATIONS, measure, situation};
use swim_sim::sweep::all_in_order;

use crate::args::{AblationsArgs, cores};
use crate::exit::Error;
use crate::exit::Exit;
use crate::source::option;

/// One letter for each measure.
const LETTERS: [&str; MEASURES.len()] = ["D", "S", "f", "l", "n", "d", "b", "c"];
/// Standard errors of the mean difference beyond which it is no chance, and the least that is worth a word.
const ERRORS: f64 = 3.0;
const SHARE: f64 = 0.03;
const QUICK_SEEDS: u64 = 3;

/// By situation, then by seed.
type Table = Vec<Vec<Measured>>;

/// One measure in one situation, with the rule and without it.
struct Difference {
    measure: usize,
    with: f64,
    without: f64,
}

pub(crate) fn run(args: &AblationsArgs) -> Result<Exit, Error> {
    let only = args.only.as_deref().unwrap_or_default();
    let chosen: Vec<&Ablation> = ablations().iter().filter(|one| one.name.contains(only)).collect();
    if chosen.is_empty() {
        return Err(Error::usage(
            "no such ablation in this build; `proof/mutants/run ablations` makes one that has them all",
        ));
    }
    let seeds = if args.quick { QUICK_SEEDS } else { args.seeds };
    let jobs = cores(args.jobs);
    let with = table(None, seeds, jobs)?;
    let rows = chosen.into_iter().map(|ablation| {
        eprintln!("{}", ablation.name);
        let without = table(Some(ablation), seeds, jobs)?;
        Ok((ablation, with.iter().zip(&without).map(|(with, without)| differences(with, without)).collect()))
    });
    let rows: Vec<(&Ablation, Vec<Vec<Difference>>)> = rows.collect::<Result<_, Error>>()?;
    summary(&rows, seeds);
    rows.iter().for_each(|(ablation, situations)| details(ablation, situations));
    Ok(Exit::Ok)
}

/// Measures every situation with every seed, on all cores.
fn table(ablation: Option<&Ablation>, seeds: u64, jobs: usize) -> Result<Table, Error> {
    let runs: Vec<(usize, u64)> =
        (0..SITUATIONS.len()).flat_map(|name| (0..seeds).map(move |seed| (name, seed))).collect();
    let work = |number: usize| one(SITUATIONS[runs[number].0], runs[number].1, ablation);
    let measured = all_in_order(jobs, runs.len(), work).into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(measured.chunks(seeds as usize).map(<[Measured]>::to_vec).collect())
}

fn one(name: &str, seed: u64, ablation: Option<&Ablation>) -> Result<Measured, ScenarioError> {
    let mut scenario = situation(name, seed);
    if let Some(ablation) = ablation {
        scenario.mutant = Some(ablation.name.to_owned());
        for assignment in ablation.options {
            let (name, value) = option(assignment).map_err(|error| ScenarioError(error.to_string()))?;
            scenario.options.0.insert(name, value);
        }
    }
    measure(&scenario)
}

/// What differs by more than chance, the measure that changes most first.
fn differences(with: &[Measured], without: &[Measured]) -> Vec<Difference> {
    let mut differences: Vec<Difference> = (0..MEASURES.len())
        .filter_map(|measure| {
            let pairs =
                with.iter().zip(without).filter_map(|(with, without)| with[measure].zip(without[measure]));
            let pairs: Vec<(f64, f64)> = pairs.collect();
            let count = pairs.len() as f64;
            let mean = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
            let (with, without) = (mean(&|pair| pair.0), mean(&|pair| pair.1));
            let difference = without - with;
            let variance = mean(&|pair| (pair.1 - pair.0 - difference).powi(2));
            let error = (variance / (count - 1.0)).sqrt();
            let counts = difference.abs() > ERRORS * error && difference.abs() > SHARE * with.abs();
            counts.then_some(Difference { measure, with, without })
        })
        .collect();
    let share = |one: &Difference| (one.without - one.with).abs() / one.with.abs().max(0.01);
    differences.sort_by(|a, b| share(b).total_cmp(&share(a)));
    differences
}

fn summary(rows: &[(&Ablation, Vec<Vec<Difference>>)], seeds: u64) {
    println!(
        "# Ablations\n\n\
         What gets worse without each rule. Each is switched off alone, in {seeds} runs of each situation with the\n\
         seeds of the runs that it is compared with; 24 members (60 in a mass join), profile `lan`. A cell\n\
         names what gets worse by more than three standard errors of the paired differences, and by more than\n\
         3 %. Of so many comparisons some exceed that by chance. Made by `proof/mutants/run ablations`, within\n\
         ten minutes on two cores; `--quick` is for a look.\n"
    );
    let letters = LETTERS.iter().zip(MEASURES).map(|(letter, measure)| format!("**{letter}** {measure}"));
    println!("{}.\n", letters.collect::<Vec<_>>().join(", "));
    println!("| without | {} |", SITUATIONS.join(" | "));
    println!("| --- {}|", "| --- ".repeat(SITUATIONS.len()));
    for (ablation, situations) in rows {
        let cells = situations.iter().map(|differences| {
            let worse = differences.iter().filter(|one| one.without > one.with);
            worse.map(|one| LETTERS[one.measure]).collect::<Vec<_>>().join(" ")
        });
        println!("| [{0}](#{0}) | {1} |", ablation.name, cells.collect::<Vec<_>>().join(" | "));
    }
}

fn details(ablation: &Ablation, situations: &[Vec<Difference>]) {
    println!("\n## {}\n\n{}", ablation.name, ablation.without);
    if !ablation.options.is_empty() {
        println!("`{}`", ablation.options.join(" "));
    }
    if situations.iter().all(Vec::is_empty) {
        println!("\nNothing differs in any of these situations.");
        return;
    }
    println!("\n| situation | measure | with | without | change |\n| --- | --- | --- | --- | --- |");
    for (name, differences) in SITUATIONS.iter().zip(situations) {
        for Difference { measure, with, without } in differences {
            let change = if *with == 0.0 {
                "".to_owned()
            } else {
                format!("{:+.0} %", 100.0 * (without / with - 1.0))
            };
            println!("| {name} | {} | {with:.2} | {without:.2} | {change} |", MEASURES[*measure]);
        }
    }
}
