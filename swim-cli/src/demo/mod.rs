//! `swim demo`: a cluster of real processes, hurt on purpose, checked by what its members say.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `cluster` | the processes |
//! | `checker` | what the members say against what was done to them |
//! | `pace` | how long things may take |
//! | `stage` | the three together, and the waiting |
//! | `script`, `interactive` | what is done |
//! | `narrator`, `matrix`, `presenter`, `report` | what is printed |

mod checker;
mod cluster;
mod interactive;
mod matrix;
mod narrator;
mod pace;
mod presenter;
mod report;
mod script;
mod stage;

use crate::args::{DemoArgs, word};
use crate::exit::Exit;
use crate::line::millis;
use crate::style::{BAD, BOLD, GOOD, paint};
use stage::{Stage, Stop};

/// Plays the demo. Must be called from the main thread, with which the members live and die.
pub(crate) fn run(args: &DemoArgs) -> Exit {
    let mut stage = match Stage::new(args) {
        Ok(stage) => stage,
        Err(stop) => {
            anstream::eprintln!("{} {stop}", paint(BAD, "error:"));
            return Exit::Failed;
        }
    };
    let played = match introduce(&mut stage, args) {
        Ok(()) if args.interactive => interactive::play(&mut stage),
        Ok(()) => script::play(&mut stage),
        Err(stop) => Err(stop),
    };
    let interrupted = matches!(played, Err(Stop::Interrupted));
    if let Err(stop) = played {
        stage.report.failures.push(stop.to_string());
    }
    match conclude(&mut stage, !args.interactive) {
        _ if interrupted => Exit::Interrupted,
        Ok(()) if stage.report.ok => Exit::Ok,
        Ok(()) | Err(_) => Exit::Failed,
    }
}

fn introduce(stage: &mut Stage, args: &DemoArgs) -> Result<(), Stop> {
    let drivers = match args.driver {
        crate::args::DriverMix::Mixed => "mio and tokio in turn",
        crate::args::DriverMix::Mio => "all on mio",
        crate::args::DriverMix::Tokio => "all on tokio",
    };
    let what = format!("{} members, {drivers}, profile {}", args.nodes, word(args.profile));
    stage.say(&format!("{} — SWIM with Lifeguard: {what}", paint(BOLD, "swim demo")))
}

/// The outcome, and the table of times.
fn conclude(stage: &mut Stage, all_promised: bool) -> Result<(), Stop> {
    let checker = &stage.checker;
    let report = &mut stage.report;
    report.false_deaths = checker.false_deaths().count();
    if let Some(death) = checker.false_deaths().next() {
        let (by, of) = (&stage.names[death.observer], &stage.names[death.subject]);
        report.failures.push(format!("{by} called {of} Dead, which was there"));
    }
    if checker.lost() > 0 {
        report.failures.push(format!("{} events were lost: deaths may have gone unseen", checker.lost()));
    }
    report.ok = report.failures.is_empty();
    report.elapsed_ms = millis(stage.cluster.now());

    stage.presenter.clear().map_err(Stop::Output)?;
    let table = stage.report.table(all_promised);
    stage.say(&format!("\n{table}\n"))?;
    let (seconds, failures) = (stage.report.elapsed_ms as f64 / 1000.0, stage.report.failures.join("; "));
    let outcome = match stage.report.ok {
        true if !all_promised => {
            format!("{} no member that was there was called Dead ({seconds:.1} s)", paint(GOOD, "✓"))
        }
        true => format!("{} everything shown really happened ({seconds:.1} s)", paint(GOOD, "✓")),
        false => format!("{} {failures}", paint(BAD, "✗ not everything happened:")),
    };
    stage.say(&format!("  {outcome}"))?;
    stage.presenter.object(&stage.report).map_err(Stop::Output)
}
