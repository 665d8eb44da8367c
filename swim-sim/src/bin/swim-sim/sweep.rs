//! `swim-sim sweep`: many seeds, with a bar on the terminal and a line for each run in a file.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anstream::println;
use indicatif::{ProgressBar, ProgressStyle};
use swim_sim::sweep::{ENOUGH, Record, Sweep, Tally};

use crate::args::{SweepArgs, cores};
use crate::error::Error;
use crate::exit::Exit;
use crate::source::{PROGRAM, quoted};
use crate::style::{BAD, BOLD, GOOD, paint};

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
    let again = again(args);
    let to_stdout = args.jsonl.as_deref() == Some(Path::new("-"));
    if !to_stdout {
        println!("replay: {again}");
    }
    let mut out = args.jsonl.as_deref().map(output).transpose()?;
    let began = Instant::now();
    let bar = bar(&args.seeds.0, args.shard.1);
    let mut written = Ok(());
    let swept = sweep.run(|record| {
        bar.inc(1);
        if let Some(out) = &mut out {
            written = line(out, record);
        }
        if !record.is_good() {
            bar.suspend(|| anstream::eprintln!("{}", failure(record, args)));
        }
        written.is_ok() && args.budget.is_none_or(|budget| began.elapsed() < budget)
    });
    bar.finish_and_clear();
    let tally = swept.map_err(|error| Error::usage(error.to_string()))?;
    if let Some(path) = &args.jsonl {
        written.map_err(Error::file(path))?;
    }
    if to_stdout {
        return Ok(exit(&tally));
    }
    summary(&tally);
    println!(
        "{:.1} simulated seconds in each real one",
        tally.simulated_ms as f64 / 1000.0 / began.elapsed().as_secs_f64()
    );
    println!("replay: {again}");
    println!("digest: {:016x}", tally.digest);
    Ok(exit(&tally))
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

fn bar(seeds: &std::ops::Range<u64>, shards: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:32} {pos}/{len} seeds, {per_sec}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    // Hidden by itself where standard error is no terminal.
    ProgressBar::new((seeds.end - seeds.start).div_ceil(shards)).with_style(style)
}

fn failure(record: &Record, args: &SweepArgs) -> String {
    let mut again = format!("{PROGRAM} replay --seed {}", record.seed);
    for assignment in &args.set {
        again.push_str(" --set ");
        again.push_str(&quoted(assignment));
    }
    if let Some(mutant) = &args.mutant {
        again.push_str(" --mutant ");
        again.push_str(mutant);
    }
    let why = record.why.as_deref().unwrap_or_default();
    let first = why.lines().next().unwrap_or_default();
    format!("{} seed {}: {first}\n  {again}", paint(BAD, &record.verdict), record.seed)
}

/// The exact command that repeats the sweep.
fn again(args: &SweepArgs) -> String {
    let mut line = format!("{PROGRAM} sweep --seeds {}..{}", args.seeds.0.start, args.seeds.0.end);
    if args.shard.1 > 1 {
        line.push_str(&format!(" --shard {}/{}", args.shard.0, args.shard.1));
    }
    for assignment in &args.set {
        line.push_str(&format!(" --set {}", quoted(assignment)));
    }
    if let Some(mutant) = &args.mutant {
        line.push_str(&format!(" --mutant {mutant}"));
    }
    if args.keep_going {
        line.push_str(" --keep-going");
    }
    line
}

/// What a sweep saw.
pub(crate) fn summary(tally: &Tally) {
    let (first, last) = tally.seeds.unwrap_or_default();
    let word = if tally.failures.is_empty() { paint(GOOD, "passed:") } else { paint(BAD, "failed:") };
    println!("{word} {} of {} runs failed (seeds {first} to {last})", tally.failures.len(), tally.runs);
    if let Some((agreed, seed)) = tally.agreed_ms {
        println!("the longest until all agreed: {:.1} s, in seed {seed}", agreed as f64 / 1000.0);
    }
    let laws: Vec<String> = tally.laws.iter().map(|(law, looked)| format!("{law} {looked}")).collect();
    println!("{} {}", paint(BOLD, "laws, and how often each looked:"), laws.join(", "));
    let seen: Vec<String> = tally.sometimes.iter().map(|(name, hits)| format!("{name} {hits}")).collect();
    println!("{} {}", paint(BOLD, "seen:"), seen.join(", "));
    for (name, how) in tally.missed() {
        println!("{} {name}: {how}", paint(BOLD, "not seen:"));
    }
    for law in tally.idle_laws() {
        println!("{} {law} had nothing to judge", paint(BOLD, "not tried:"));
    }
    if tally.tried_too_little() {
        println!("{} {ENOUGH} seeds are enough to see all of that", paint(BAD, "tried too little:"));
    }
}

/// The first failure's code; a sweep that tried too little has failed, too.
pub(crate) fn exit(tally: &Tally) -> Exit {
    let enough = if tally.tried_too_little() { Exit::Failed } else { Exit::Ok };
    tally.failures.values().next().map_or(enough, |record| Exit::of_word(&record.verdict))
}
