//! `swim-sim replay FILE.swim`: the recording of one node, in production or in a simulation, happens again.

use std::path::Path;

use anstream::println;
use serde_json::json;
use swim_core::Instant;
use swim_sim::scenario::print_duration;
use swim_trace::{MAGIC, Reader, ReplayError, ReplayOptions, Replayed, Step, replay as run};

use crate::args::ReplayArgs;
use crate::exit::{Error, Exit};
use crate::layout::{BAD, BOLD, GOOD, Stepper, moment, number, paint};
use crate::source::{PROGRAM, quoted};

/// Whether a file begins as a trace does, or is called like one.
pub(crate) fn is_trace(path: &Path) -> bool {
    use std::io::Read as _;
    let mut magic = [0; MAGIC.len()];
    let begins = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok();
    (begins && magic == MAGIC) || path.extension().is_some_and(|extension| extension == "swim")
}

pub(crate) fn replay(path: &Path, args: &ReplayArgs) -> Result<Exit, Error> {
    let mut again = format!("{PROGRAM} replay {}", quoted(&path.display().to_string()));
    if let Some(until) = args.until {
        again.push_str(&format!(" --until {}", print_duration(until)));
    }
    if !args.json {
        println!("replay: {again}");
    }
    let trace = Reader::open(path).map_err(|error| Error::File(error.to_string()))?;
    if !args.json {
        println!("{}", trace.head());
    }
    let mut stepper = Stepper::new();
    let mut show = |step: &Step<'_>| {
        let at = step.now.as_nanos() / 1000;
        stepper.show(&format!(
            "{:>6}.{:06} {:>7}  {}\n",
            at / 1_000_000,
            at % 1_000_000,
            step.number,
            step.record
        ));
    };
    let options = ReplayOptions {
        until: args.until.map(|until| Instant::ORIGIN.after(until)),
        skip: false,
        on_step: args.step.then_some(&mut show),
    };
    let finished = run(&trace, options);
    if args.json {
        println!("{}", in_json(&again, &finished));
    } else {
        in_words(&finished);
        println!("replay: {again}");
        if let Ok(replayed) = &finished {
            println!("digest: {:016x}", replayed.digest);
        }
    }
    Ok(match finished {
        Ok(_) => Exit::Ok,
        Err(ReplayError::Diverged(_)) => Exit::Nondeterminism,
        Err(_) => Exit::Failed,
    })
}

fn in_words(finished: &Result<Replayed, ReplayError>) {
    match finished {
        Ok(replayed) => {
            println!(
                "{} {} records of {:?} at {}, to {} of its clock, bit for bit",
                paint(GOOD, "the same:"),
                number(replayed.records),
                replayed.me.id,
                replayed.me.addr,
                moment(replayed.until)
            );
            if replayed.first > 0 {
                println!(
                    "the beginning was dropped: it starts with a key frame at record {}",
                    replayed.first
                );
            }
            if let Some(tail) = &replayed.tail {
                println!("{} {tail}", paint(BOLD, "not used:"));
            }
            if let Some(other) = &replayed.other_core {
                println!(
                    "{} it was recorded by {other}: that nothing differs is luck",
                    paint(BAD, "another core:")
                );
            }
        }
        Err(ReplayError::Diverged(divergence)) => println!("{} {divergence}", paint(BAD, "it differs:")),
        Err(error) => println!("{} {error}", paint(BAD, "not replayed:")),
    }
}

fn in_json(again: &str, finished: &Result<Replayed, ReplayError>) -> serde_json::Value {
    match finished {
        Ok(replayed) => json!({
            "replay": again,
            "verdict": "same",
            "records": replayed.records,
            "first": replayed.first,
            "until_ns": replayed.until.as_nanos(),
            "tail": replayed.tail.as_ref().map(ToString::to_string),
            "other_core": replayed.other_core.as_ref().map(ToString::to_string),
            "digest": format!("{:016x}", replayed.digest),
        }),
        Err(ReplayError::Diverged(divergence)) => json!({
            "replay": again,
            "verdict": "differs",
            "record": divergence.number,
            "at_ns": divergence.now.as_nanos(),
            "input": divergence.input,
            "recorded": divergence.recorded,
            "replayed": divergence.replayed,
        }),
        Err(error) => json!({ "replay": again, "verdict": "not-replayed", "why": error.to_string() }),
    }
}
