//! The figures for scripts: one object a line, the outcome last.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::bench::figures::Claim;
use crate::bench::figures::{Figures, Traced};
use crate::bench::load::Workload;
use crate::bench::process::Placement;
use crate::contestant::Contestant;

pub(crate) fn print(out: &mut impl Write, figures: &Figures, claims: &[Claim]) -> io::Result<()> {
    for workload in Workload::ALL {
        for placement in Placement::ALL {
            for contestant in Contestant::all() {
                writeln!(out, "{}", load(figures, contestant, workload, placement))?;
            }
        }
    }
    for contestant in Contestant::all() {
        writeln!(out, "{}", json!({ "contestant": contestant, "rest": figures.rest.get(&contestant) }))?;
    }
    match &figures.calls {
        Err(why) => writeln!(out, "{}", json!({ "calls": null, "skipped": why }))?,
        Ok(calls) => {
            for contestant in Contestant::all() {
                for workload in Workload::ALL {
                    let calls = calls.loads.get(&(contestant, workload)).map(traced);
                    writeln!(
                        out,
                        "{}",
                        json!({ "contestant": contestant, "workload": workload, "calls": calls })
                    )?;
                }
                let calls = calls.rest.get(&contestant).map(traced);
                writeln!(out, "{}", json!({ "contestant": contestant, "workload": "rest", "calls": calls }))?;
            }
        }
    }
    for claim in claims {
        let mut value = json!(claim);
        value["met"] = json!(claim.met());
        writeln!(out, "{value}")?;
    }
    let ok = claims.iter().all(Claim::met);
    writeln!(out, "{}", json!({ "ok": ok, "rounds": figures.rounds, "cores": figures.cores }))
}

fn load(figures: &Figures, contestant: Contestant, workload: Workload, placement: Placement) -> Value {
    let load = figures.load(contestant, workload, placement);
    json!({
        "contestant": contestant,
        "workload": workload,
        "placement": placement,
        "asked": load.asked,
        "answered": load.answered,
        "cpu_ns": load.cpu(),
        "times_bare": figures.times_bare(contestant, workload, placement),
        "in_kernel": load.in_kernel(),
        "sleeps": load.sleeps(),
        "preemptions": load.preemptions(),
        "rtt_us": { "p50": load.rtt_us(0.5), "p99": load.rtt_us(0.99), "p99.9": load.rtt_us(0.999) },
    })
}

fn traced(traced: &Traced) -> Value {
    let calls = traced.calls.iter().map(|call| {
        json!({
            "name": call.name,
            "for": call.purpose,
            "count": call.took_ns.len(),
            "mean_us": call.took_ns.mean() / 1e3,
            "p50_us": call.took_ns.value_at_quantile(0.5) as f64 / 1e3,
            "p99_us": call.took_ns.value_at_quantile(0.99) as f64 / 1e3,
        })
    });
    json!({ "per": traced.per, "rate": traced.rate(None), "each": calls.collect::<Vec<_>>() })
}
