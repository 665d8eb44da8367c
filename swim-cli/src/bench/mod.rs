//! `swim bench drivers`: what the drivers cost, beside the same loops without a protocol.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `subject` | the process that a contestant runs in |
//! | `peer`, `load` | who asks it, and how many pings are in flight |
//! | `process`, `trace` | what the kernel counts, on which cores, and which system calls there are |
//! | `run` | how the time is spent, and how far it is |
//! | `figures` | what was measured, and what of it is claimed |
//! | `tables`, `json`, `page` | what is printed, and the page |

mod figures;
mod json;
mod load;
mod page;
mod peer;
mod process;
mod run;
pub(crate) mod subject;
mod tables;
mod trace;

use std::io::{self, Write};

use crate::args::BenchDriversArgs;
use crate::contestant::Contestant;
use crate::exit::Exit;
use crate::style::{BAD, BOLD, DIM, paint};
use figures::{Claim, Figures};
use load::Workload;
use run::Plan;

pub(crate) fn drivers(args: &BenchDriversArgs) -> Exit {
    match measure(args) {
        Ok(true) => Exit::Ok,
        Ok(false) => Exit::Failed,
        Err(error) => {
            anstream::eprintln!("{} {error}", paint(BAD, "error:"));
            Exit::Failed
        }
    }
}

/// Whether all claims were met.
fn measure(args: &BenchDriversArgs) -> io::Result<bool> {
    let plan = Plan::new(args.seconds, Contestant::all().count() as u32);
    let figures = run::all(&plan)?;
    let claims = Claim::all(&figures);
    if let Some(path) = &args.report {
        std::fs::write(path, page::html(&figures, &claims))?;
    }
    let mut out = anstream::stdout().lock();
    if args.json {
        json::print(&mut out, &figures, &claims)?;
    } else {
        text(&mut out, &figures, &claims, args.calls)?;
    }
    Ok(claims.iter().all(Claim::met))
}

/// Prints the tables; those of single calls only if they are wanted.
fn text(out: &mut impl Write, figures: &Figures, claims: &[Claim], each_call: bool) -> io::Result<()> {
    let mut all = Workload::ALL.map(|workload| tables::load(figures, workload).text()).concat();
    all += &tables::rest(figures).text();
    match &figures.calls {
        Err(why) => {
            let title = paint(BOLD, "System calls");
            all += &format!("\n{title} SKIPPED: the kernel allows no tracing here ({why})\n");
        }
        Ok(_) => {
            all += &Workload::ALL.map(|workload| tables::calls(figures, workload).text()).concat();
            all += &match each_call {
                true => Workload::ALL.map(|workload| tables::each_call(figures, workload).text()).concat(),
                false => format!("{}\n", paint(DIM, "  --calls shows how long each of them took")),
            };
        }
    }
    out.write_all((all + &tables::claims(claims).text()).as_bytes())
}
