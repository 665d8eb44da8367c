//! What a sweep saw, for eyes: the same for a whole one and for shards that were put together.

use std::time::Duration;

use anstream::println;
use swim_sim::sweep::{ENOUGH, Record, Tally};

use crate::exit::Exit;
use crate::layout::{columns, number, time, words};
use crate::style::{BAD, BOLD, GOOD, paint};

/// Failures that are named one by one.
const NAMED_MAX: usize = 20;

/// What a sweep sees, by the beginnings of the names.
const KINDS: [(&str, &str); 5] = [
    ("fault-", "faults that were done:"),
    ("sent-", "datagrams that were sent:"),
    ("event-", "what users were told:"),
    ("drop-", "why datagrams were dropped:"),
    ("", "what happened besides:"),
];

/// Shows it. `whole`: nothing was set by hand that would keep a large sweep from seeing everything.
pub(crate) fn summary(tally: &Tally, whole: bool) {
    let (first, last) = tally.seeds.unwrap_or_default();
    let (runs, seeds) = (number(tally.runs), format!("seeds {first} to {last}"));
    if tally.failures.is_empty() {
        println!("{} every law held in {runs} runs ({seeds})", paint(GOOD, "passed:"));
    } else {
        let failed = number(tally.failures.len() as u64);
        println!("{} {failed} of {runs} runs ({seeds})", paint(BAD, "failed:"));
        for (seed, record) in tally.failures.iter().take(NAMED_MAX) {
            println!("  seed {seed}: {} {}", paint(BAD, &record.verdict), first_words(record));
        }
        if tally.failures.len() > NAMED_MAX {
            println!("  … and {} more", tally.failures.len() - NAMED_MAX);
        }
    }
    if let Some((agreed, seed)) = tally.agreed_ms {
        let agreed = time(Duration::from_millis(agreed));
        println!("the longest until all agreed, once there was peace: {agreed}, in seed {seed}");
    }
    let mut laws: Vec<(&str, u64)> = tally.laws.iter().map(|(law, looked)| (law.as_str(), *looked)).collect();
    laws.sort_by_key(|(law, _)| by_number(law));
    println!("{}\n{}", paint(BOLD, "laws, and how often each had something to judge:"), columns(&laws));
    seen(tally);
    unseen(tally, whole);
}

/// In the order in which laws are asked, as far as numbers tell: S, L, Q, B, E.
fn by_number(law: &str) -> (Option<usize>, u32) {
    let (kind, number) = law.split_at(law.len().min(1));
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
    let (missed, idle) = (tally.missed(), tally.idle_laws());
    if missed.is_empty() && idle.is_empty() {
        return;
    }
    if tally.runs < ENOUGH || !whole {
        let names = missed.iter().map(|(name, _)| *name).chain(idle);
        let names: Vec<_> = names.map(|name| (name.to_owned(), anstyle::Style::new())).collect();
        let title = format!("not seen yet (a whole sweep of {} sees all):", number(ENOUGH));
        println!("{}", words(&title, &names));
        return;
    }
    for (name, how) in missed {
        println!("{} {name}: {how}", paint(BAD, "not seen:"));
    }
    for law in idle {
        println!("{} {law} had nothing to judge", paint(BAD, "not tried:"));
    }
    println!("{} {} seeds are enough to see all of that", paint(BAD, "tried too little:"), number(ENOUGH));
}

/// What went wrong in a run, in a line.
pub(crate) fn first_words(record: &Record) -> String {
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
    tally.failures.values().next().map_or(enough, |record| Exit::of_word(&record.verdict))
}
