//! `swim-sim diff`: where two runs part.
//!
//! Both runs go step by step side by side; the first step in which they do not say the same is printed with
//! what came just before it.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, sync_channel};

use anstream::println;
use swim_sim::run::attempt;
use swim_sim::scenario::Scenario;

use crate::args::DiffArgs;
use crate::exit::{Error, Exit};
use crate::layout::{BAD, BOLD, GOOD, paint};
use crate::source::Source;

/// Lines that are shown before the first difference.
const BEFORE: usize = 5;
/// Lines of each side that are shown from the first difference on.
const AFTER: usize = 3;

pub(crate) fn diff(args: &DiffArgs) -> Result<Exit, Error> {
    let [a, b] = [scenario(&args.a, args)?, scenario(&args.b, args)?];
    // A mistake in the core is the whole process's: with two of them, one run waits for the other's end.
    let at_once = a.mutant == b.mutant;
    let mut left = lines(a);
    if !at_once {
        left = left.run_out();
    }
    let mut right = lines(b);
    let mut before = VecDeque::new();
    let mut number = 0_u64;
    loop {
        match (left.next(), right.next()) {
            (None, None) => {
                println!("{} {number} lines, and no difference", paint(GOOD, "same:"));
                return Ok(Exit::Ok);
            }
            (Some(a), Some(b)) if a == b => {
                number += 1;
                before.push_back(a);
                if before.len() > BEFORE {
                    before.pop_front();
                }
            }
            (a, b) => {
                println!("{} after {number} equal lines", paint(BAD, "they part"));
                before.iter().for_each(|line| println!("  {line}"));
                side(&args.a, a, &mut left);
                side(&args.b, b, &mut right);
                return Ok(Exit::Failed);
            }
        }
    }
}

fn side(name: &str, first: Option<String>, rest: &mut Lines) {
    println!("{}", paint(BOLD, name));
    match first {
        None => println!("  it ends here"),
        Some(first) => {
            println!("  {first}");
            rest.take(AFTER - 1).for_each(|line| println!("  {line}"));
        }
    }
}

/// A seed, a file, or a name.
fn scenario(what: &str, args: &DiffArgs) -> Result<Scenario, Error> {
    let seed = what.parse().ok();
    let set = if seed.is_some() { args.set.clone() } else { Vec::new() };
    let what = seed.is_none().then(|| what.to_owned());
    Ok(Source { what, seed, set, mutant: None }.choose()?.scenario)
}

/// The lines of a run's transcript, as it goes on.
struct Lines {
    steps: Receiver<String>,
    waiting: VecDeque<String>,
}

impl Lines {
    /// Lets the run end before its lines are read.
    fn run_out(mut self) -> Self {
        let waiting = self.by_ref().collect();
        Self { waiting, ..self }
    }
}

impl Iterator for Lines {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        while self.waiting.is_empty() {
            let step = self.steps.recv().ok()?;
            self.waiting.extend(step.lines().map(str::to_owned));
        }
        self.waiting.pop_front()
    }
}

/// Runs in a thread of its own, and waits for the reader; if that goes away the run ends unheard.
fn lines(scenario: Scenario) -> Lines {
    let (sender, steps) = sync_channel(1024);
    std::thread::spawn(move || {
        let _ = attempt(&scenario, |run| {
            run.on_step(move |text| {
                if !text.is_empty() {
                    let _ = sender.send(text.to_owned());
                }
            });
        });
    });
    Lines { steps, waiting: VecDeque::new() }
}
