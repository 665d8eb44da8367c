//! `swim-sim sweep`: many seeds, with a bar on the terminal and a line for each run in a file.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::Instant;

use anstream::println;
use indicatif::{ProgressBar, ProgressStyle};
use swim_sim::scenario::print_duration;
use swim_sim::sweep::{Record, Sweep};

use crate::args::{SweepArgs, cores};
use crate::error::Error;
use crate::exit::Exit;
use crate::layout::number;
use crate::source::{PROGRAM, as_built, quoted};
use crate::style::{BAD, BOLD, DIM, paint};
use crate::summary::{exit, first_words, summary};

pub(crate) fn sweep(args: &SweepArgs) -> Result<Exit, Error> {
    let sweep = Sweep {
        shard: (args.shard.0, args.shard.1),
        jobs: cores(args.jobs),
        keep_going: args.keep_going,
        twice_every: args.twice_every,
        set: args.set.clone(),
        mutant: args.mutant.clone(),
        ..Sweep::of(args.seeds.0.clone())
    };
    // Before any file is touched.
    sweep.check().map_err(|error| Error::usage(error.to_string()))?;
    let to_stdout = args.jsonl.as_deref() == Some(Path::new("-"));
    if !to_stdout {
        println!("replay: {}", again(args, args.seeds.0.end));
        println!("{}", paint(DIM, announcement(args, &sweep)));
    }
    let mut out = args.jsonl.as_deref().map(output).transpose()?;
    let began = Instant::now();
    let bar = bar(share(args), "seeds");
    let (mut written, mut spent) = (Ok(()), false);
    let swept = sweep.run(|record| {
        bar.inc(1);
        if let Some(out) = &mut out {
            written = line(out, record);
        }
        if !record.is_good() {
            bar.suspend(|| anstream::eprintln!("{}", failure(record, args)));
        }
        spent = args.budget.is_some_and(|budget| began.elapsed() >= budget);
        written.is_ok() && !spent
    });
    bar.finish_and_clear();
    let tally = swept.map_err(|error| Error::usage(error.to_string()))?;
    // Whoever read the lines has seen enough.
    let unread = to_stdout && written.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe);
    if let Some(path) = args.jsonl.as_ref().filter(|_| !unread) {
        written.and_then(|()| out.as_mut().map_or(Ok(()), |out| out.flush())).map_err(Error::file(path))?;
    }
    let exit = exit(&tally, is_whole(args));
    if to_stdout {
        return Ok(exit);
    }
    let mine = share(args);
    let stopped = tally.runs < mine;
    if stopped {
        let why = if spent { "the budget is spent" } else { "a failure ends it; --keep-going goes on" };
        println!("{} after {} of {} seeds: {why}", paint(BOLD, "stopped"), number(tally.runs), number(mine));
    }
    summary(&tally, is_whole(args));
    let speed = tally.simulated_ms as f64 / 1000.0 / began.elapsed().as_secs_f64();
    println!("{} simulated seconds in each real one", number(speed as u64));
    if let Some(seed) = tally.failures.keys().next() {
        let shrink = format!("{PROGRAM} shrink --seed {seed}{}", settings(args));
        println!("what is needed of it: {}", as_built(&shrink));
    }
    let end = tally.seeds.filter(|_| stopped).map_or(args.seeds.0.end, |(_, last)| last + 1);
    println!("replay: {}", again(args, end));
    println!("digest: {:016x}", tally.digest);
    Ok(exit)
}

/// Where lines go.
pub(crate) fn output(path: &Path) -> Result<Box<dyn Write>, Error> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdout()));
    }
    let file = std::fs::File::create(path).map_err(Error::file(path))?;
    Ok(Box::new(std::io::BufWriter::new(file)))
}

pub(crate) fn line(out: &mut dyn Write, record: &Record) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    out.write_all(b"\n")
}

/// How many of the seeds are this shard's.
fn share(args: &SweepArgs) -> u64 {
    let (index, count) = (args.shard.0, args.shard.1);
    args.seeds.0.clone().filter(|seed| seed % count == index).count() as u64
}

fn announcement(args: &SweepArgs, sweep: &Sweep) -> String {
    let mine = share(args);
    let budget = args.budget.map_or_else(String::new, |budget| format!(", for {}", print_duration(budget)));
    let (runs, jobs) = (number(mine), sweep.jobs);
    format!("{runs} clusters, each with a size and faults of its own, {jobs} at a time{budget}")
}

/// How far it has come with so many of `what`.
pub(crate) fn bar(len: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:32} {pos}/{len} {msg}, {per_sec}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    // Hidden by itself where standard error is no terminal.
    ProgressBar::new(len).with_style(style).with_message(what)
}

fn failure(record: &Record, args: &SweepArgs) -> String {
    let again = as_built(&format!("{PROGRAM} replay --seed {}{}", record.seed, settings(args)));
    format!("{} seed {}: {}\n  {again}", paint(BAD, &record.verdict), record.seed, first_words(record))
}

/// What every run of the sweep was changed by.
fn settings(args: &SweepArgs) -> String {
    let mut words = String::new();
    for assignment in &args.set {
        words.push_str(&format!(" --set {}", quoted(assignment)));
    }
    if let Some(mutant) = &args.mutant {
        words.push_str(&format!(" --mutant {}", quoted(mutant)));
    }
    words
}

/// The exact command that repeats the sweep, up to a seed.
fn again(args: &SweepArgs, end: u64) -> String {
    let mut line = format!("{PROGRAM} sweep --seeds {}..{end}", args.seeds.0.start);
    if args.shard.1 > 1 {
        line.push_str(&format!(" --shard {}/{}", args.shard.0, args.shard.1));
    }
    line.push_str(&settings(args));
    if args.keep_going {
        line.push_str(" --keep-going");
    }
    if args.twice_every != 50 {
        line.push_str(&format!(" --twice-every {}", args.twice_every));
    }
    as_built(&line)
}

/// Whether nothing keeps it from seeing all that a sweep can.
fn is_whole(args: &SweepArgs) -> bool {
    args.set.is_empty() && args.mutant.is_none()
}
