//! `swim-sim oracle`: does this build do what the committed digests say?
//!
//! A file holds a line for each run: its name, a space, its digest. The files are read when the command runs,
//! so what was just recorded is compared against at once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::PathBuf;

use anstream::println;
use swim_sim::run::attempt;
use swim_sim::scenario::NAMES;
use swim_sim::sweep::{ENOUGH, Record, Sweep, in_order};

use crate::args::{OracleArgs, Seeds, cores};
use crate::exit::{Error, Exit};
use crate::layout::{BAD, GOOD, number, paint};
use crate::progress::Progress;
use crate::run::parsed;
use crate::source::{PROGRAM, as_built};
use crate::sweep::{exit, first_lines, summary};

/// The seeds of a whole comparison: enough to see everything that a sweep is to see.
const SEEDS: Range<u64> = 0..ENOUGH;

pub(crate) fn oracle(args: &OracleArgs) -> Result<Exit, Error> {
    let all = args.seeds.is_none() && !args.scenarios;
    let mut exit = Exit::Ok;
    if let Some(seeds) = args.seeds.clone().or(all.then_some(Seeds(SEEDS))) {
        exit = exit.or(of_seeds(args, seeds)?);
    }
    if all || args.scenarios {
        exit = exit.or(of_scenarios(args)?);
    }
    Ok(exit)
}

fn of_seeds(args: &OracleArgs, Seeds(seeds): Seeds) -> Result<Exit, Error> {
    let mut digests = Digests::open(args, "seeds", seeds.end - seeds.start)?;
    let sweep = Sweep { jobs: cores(args.jobs), keep_going: true, twice_every: 0, ..Sweep::of(seeds) };
    let tally = sweep.run(|record| {
        digests.enter(record.seed.to_string(), record);
        true
    });
    let tally = tally?;
    let closed = digests.close(args.record, "--seed ")?;
    let exit = exit(&tally, true);
    if exit != Exit::Ok {
        summary(&tally, true);
    }
    Ok(exit.or(closed))
}

fn of_scenarios(args: &OracleArgs) -> Result<Exit, Error> {
    let mut digests = Digests::open(args, "scenarios", NAMES.len() as u64)?;
    let scenarios = NAMES.iter().map(|name| parsed(name)).collect::<Result<Vec<_>, _>>()?;
    let run = |number: usize| {
        let scenario = &scenarios[number];
        (NAMES[number], Record::of(scenario.seed, scenario.hosts, &attempt(scenario, |_| {})))
    };
    in_order(cores(args.jobs), scenarios.len(), run, |(name, record)| {
        digests.enter(name.to_owned(), &record);
        true
    });
    digests.close(args.record, "")
}

/// The digests of one file, and those of now.
struct Digests {
    what: &'static str,
    path: PathBuf,
    recorded: BTreeMap<String, String>,
    /// In the order of the runs: name and digest.
    now: Vec<(String, String)>,
    /// How the first run ended in which a property was broken.
    exit: Exit,
    progress: Progress,
}

impl Digests {
    /// Reads the file, unless it is to be written anew.
    fn open(args: &OracleArgs, what: &'static str, runs: u64) -> Result<Self, Error> {
        let path = args.folder.join(format!("{what}.txt"));
        let text = if args.record {
            String::new()
        } else {
            std::fs::read_to_string(&path).map_err(Error::file(&path))?
        };
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        let recorded = lines.map(|(name, digest)| (name.to_owned(), digest.to_owned())).collect();
        Ok(Self { what, path, recorded, now: Vec::new(), exit: Exit::Ok, progress: Progress::of(runs, what) })
    }

    fn enter(&mut self, name: String, record: &Record) {
        self.progress.done(record.is_good());
        if !record.is_good() {
            let line = format!("{} {name}: {}", paint(BAD, &record.outcome), first_lines(record));
            self.progress.say(&line);
            self.exit = self.exit.or(Exit::named(&record.outcome));
        }
        self.now.push((name, record.digest.clone()));
    }

    /// Writes the file, or says what is no longer as it was. `word` stands before a name on the command line.
    fn close(&self, record: bool, word: &str) -> Result<Exit, Error> {
        self.progress.end();
        let (what, path, runs) = (self.what, self.path.display(), number(self.now.len() as u64));
        if record {
            let mut text = String::new();
            for (name, digest) in &self.now {
                writeln!(text, "{name} {digest}").expect("writing to a string cannot fail");
            }
            std::fs::write(&self.path, text).map_err(Error::file(&self.path))?;
            println!("{} the digests of {runs} {what} in {path}", paint(GOOD, "recorded:"));
            return Ok(self.exit);
        }
        let changed: Vec<_> =
            self.now.iter().filter(|(name, digest)| self.recorded.get(name) != Some(digest)).collect();
        let Some((name, digest)) = changed.first() else {
            println!("{} the digests of {runs} {what} are those of {path}", paint(GOOD, "unchanged:"));
            return Ok(self.exit);
        };
        let count = number(changed.len() as u64);
        let recorded = self.recorded.get(name).map_or("not recorded", String::as_str);
        println!("{} {count} of {runs} {what}, the first is {name}", paint(BAD, "changed:"));
        println!("  in {path}: {recorded}\n  now: {digest}");
        println!("what is different: the output of this command, here and where the file was recorded");
        println!("  {}", as_built(&format!("{PROGRAM} replay {word}{name} --step")));
        Ok(self.exit.or(Exit::Failed))
    }
}
