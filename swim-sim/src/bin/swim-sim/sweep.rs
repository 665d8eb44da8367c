//! `swim-sim sweep`: many seeds, with a line for each run in a file if it is asked for.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anstream::println;
use signal_hook::consts::SIGINT;
use swim_sim::scenario::print_duration;
use swim_sim::sweep::{ENOUGH, Record, Sweep, Tally};

use crate::args::{MergeArgs, SweepArgs, cores};
use crate::exit::{Error, Exit};
use crate::layout::{BAD, BOLD, DIM, GOOD, columns, number, paint, time, words};
use crate::progress::Progress;
use crate::source::{self, PROGRAM, as_built};

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
    sweep.check()?;
    let to_stdout = args.jsonl.as_deref() == Some(Path::new("-"));
    if !to_stdout {
        println!("replay: {}", again(args, args.seeds.0.end));
        println!("{}", paint(DIM, announcement(args, &sweep)));
    }
    let mut out = args.jsonl.as_deref().map(output).transpose()?;
    let began = Instant::now();
    let interrupted = on_interrupt().map_err(Error::file(Path::new("the handler of Ctrl-C")))?;
    let mut progress = Progress::of(share(args), "seeds");
    let (mut written, mut spent) = (Ok(()), false);
    let swept = sweep.run(|record| {
        progress.done(record.is_good());
        if let Some(out) = &mut out {
            written = line(out, record);
        }
        if !record.is_good() {
            progress.say(&failure(record, args));
        }
        spent = args.budget.is_some_and(|budget| began.elapsed() >= budget);
        written.is_ok() && !spent && !interrupted.load(Ordering::Relaxed)
    });
    progress.end();
    let tally = swept?;
    // The reader of the lines has seen enough.
    let unread = to_stdout && written.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe);
    if let Some(path) = args.jsonl.as_ref().filter(|_| !unread) {
        written.and_then(|()| out.as_mut().map_or(Ok(()), |out| out.flush())).map_err(Error::file(path))?;
    }
    let interrupted = interrupted.load(Ordering::Relaxed);
    let exit = if interrupted { Exit::Interrupted } else { exit(&tally, is_whole(args)) };
    if to_stdout {
        return Ok(exit);
    }
    let mine = share(args);
    let stopped = tally.runs < mine;
    if stopped {
        let why = match (interrupted, spent) {
            (true, _) => "it was interrupted",
            (_, true) => "the budget is spent",
            _ => "a failure ends it; --keep-going goes on",
        };
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

/// Whether Ctrl-C was pressed: the runs under way end first, unless it is pressed again.
fn on_interrupt() -> std::io::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register_conditional_shutdown(SIGINT, Exit::Interrupted as i32, Arc::clone(&flag))?;
    signal_hook::flag::register(SIGINT, Arc::clone(&flag))?;
    Ok(flag)
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

fn failure(record: &Record, args: &SweepArgs) -> String {
    let again = as_built(&format!("{PROGRAM} replay --seed {}{}", record.seed, settings(args)));
    format!("{} seed {}: {}\n  {again}", paint(BAD, &record.outcome), record.seed, first_lines(record))
}

/// What every run of the sweep was changed by.
fn settings(args: &SweepArgs) -> String {
    source::settings(&args.set, args.mutant.as_deref())
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

pub(crate) fn merge(args: &MergeArgs) -> Result<Exit, Error> {
    let mut records = BTreeMap::new();
    for path in &args.files {
        let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
        for (number, text) in (1..).zip(text.lines()) {
            let record: Record = serde_json::from_str(text)
                .map_err(|error| Error::usage(format!("{}:{number}: {error}", path.display())))?;
            let seed = record.seed;
            if records.insert(seed, record.clone()).is_some_and(|earlier| earlier != record) {
                let path = path.display();
                return Err(Error::usage(format!(
                    "{path}:{number}: seed {seed} was there before, with another result"
                )));
            }
        }
    }
    let mut tally = Tally::default();
    records.values().for_each(|record| tally.add(record));
    if let Some(path) = &args.jsonl {
        let mut out = output(path)?;
        records.values().try_for_each(|record| line(&mut out, record)).map_err(Error::file(path))?;
        out.flush().map_err(Error::file(path))?;
    }
    if args.jsonl.as_deref() != Some(std::path::Path::new("-")) {
        summary(&tally, true);
        anstream::println!("digest: {:016x}", tally.digest);
    }
    Ok(exit(&tally, true))
}

/// Failures that are named one by one.
const NAMED_MAX: usize = 20;

/// What a sweep sees, by the beginnings of the names.
const KINDS: [(&str, &str); 5] = [
    ("fault-", "faults that were done:"),
    ("sent-", "datagrams that were sent:"),
    ("event-", "events that users got:"),
    ("drop-", "why datagrams were dropped:"),
    ("", "what happened besides:"),
];

/// Shows it. `whole`: nothing was set by hand that would keep a large sweep from seeing everything.
pub(crate) fn summary(tally: &Tally, whole: bool) {
    let (first, last) = tally.seeds.unwrap_or_default();
    let (runs, seeds) = (number(tally.runs), format!("seeds {first} to {last}"));
    if tally.failures.is_empty() {
        println!("{} every property held in {runs} runs ({seeds})", paint(GOOD, "passed:"));
    } else {
        let failed = number(tally.failures.len() as u64);
        println!("{} {failed} of {runs} runs ({seeds})", paint(BAD, "failed:"));
        for (seed, record) in tally.failures.iter().take(NAMED_MAX) {
            println!("  seed {seed}: {} {}", paint(BAD, &record.outcome), first_lines(record));
        }
        if tally.failures.len() > NAMED_MAX {
            println!("  … and {} more", tally.failures.len() - NAMED_MAX);
        }
    }
    if let Some((agreed, seed)) = tally.agreed_ms {
        let agreed = time(Duration::from_millis(agreed));
        println!("the longest until all agreed, once there was peace: {agreed}, in seed {seed}");
    }
    let mut properties: Vec<(&str, u64)> =
        tally.properties.iter().map(|(property, looked)| (property.as_str(), *looked)).collect();
    properties.sort_by_key(|(property, _)| by_number(property));
    println!(
        "{}\n{}",
        paint(BOLD, "properties, and how often each had something to check:"),
        columns(&properties)
    );
    seen(tally);
    unseen(tally, whole);
}

/// In the order in which properties are checked, as far as their ids say: S, L, Q, B, E.
fn by_number(id: &str) -> (Option<usize>, u32) {
    let (kind, number) = id.split_at(id.len().min(1));
    ("SLQBE".find(kind), number.parse().unwrap_or(u32::MAX))
}

/// What happened, the alike together.
fn seen(tally: &Tally) {
    let mut rest: Vec<(&str, u64)> =
        tally.sometimes.iter().map(|(name, hits)| (name.as_str(), *hits)).collect();
    for (prefix, title) in KINDS {
        let (alike, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|(name, _)| name.starts_with(prefix));
        let alike: Vec<_> = alike.into_iter().map(|(name, hits)| (&name[prefix.len()..], hits)).collect();
        if !alike.is_empty() {
            println!("{}\n{}", paint(BOLD, title), columns(&alike));
        }
        rest = others;
    }
}

/// What it did not see: of a small sweep just the names.
fn unseen(tally: &Tally, whole: bool) {
    let (missed, idle) = (tally.missed(), tally.idle_properties());
    if missed.is_empty() && idle.is_empty() {
        return;
    }
    if tally.runs < ENOUGH || !whole {
        let names = missed.iter().map(|(name, _)| *name).chain(idle);
        let names = names.map(|name| (name.to_owned(), anstyle::Style::new()));
        let title = format!("not seen yet (a whole sweep of {} sees all):", number(ENOUGH));
        println!("{}", words(&title, names));
        return;
    }
    for (name, how) in missed {
        println!("{} {name}: {how}", paint(BAD, "not seen:"));
    }
    for property in idle {
        println!("{} {property} had nothing to check", paint(BAD, "not tried:"));
    }
    println!("{} {} seeds are enough to see all of that", paint(BAD, "tried too little:"), number(ENOUGH));
}

/// What went wrong in a run, in a line.
pub(crate) fn first_lines(record: &Record) -> String {
    let why = record.why.as_deref().unwrap_or_default();
    let mut lines = why.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    match lines.next() {
        Some(second) if first.ends_with(':') => format!("{first} {second} …"),
        _ => first.to_owned(),
    }
}

/// The first failure's code; a whole sweep that tried too little has failed, too.
pub(crate) fn exit(tally: &Tally, whole: bool) -> Exit {
    let enough = if whole && tally.tried_too_little() { Exit::Failed } else { Exit::Ok };
    tally.failures.values().next().map_or(enough, |record| Exit::named(&record.outcome))
}
