//! The figures as tables.

use std::io::{self, Write};

use crate::bench::calls::Purpose;
use crate::bench::claims::Claim;
use crate::bench::figures::Figures;
use crate::bench::load::Workload;
use crate::bench::placement::Placement;
use crate::contestant::Contestant;
use crate::style::{BAD, BOLD, DIM, GOOD, paint};

/// Prints everything; the table of single calls only if it is wanted.
pub(crate) fn print(
    out: &mut impl Write,
    figures: &Figures,
    claims: &[Claim],
    each_call: bool,
) -> io::Result<()> {
    for workload in Workload::ALL {
        load(out, figures, workload)?;
    }
    rest(out, figures)?;
    match &figures.calls {
        Ok(_) => calls(out, figures, each_call)?,
        Err(why) => {
            writeln!(
                out,
                "\n{} SKIPPED: the kernel allows no tracing here ({why})",
                paint(BOLD, "System calls")
            )?;
        }
    }
    writeln!(out, "\n{}", paint(BOLD, "Claims; CPU is checked on one core"))?;
    for claim in claims {
        let outcome = if claim.met() { paint(GOOD, "met") } else { paint(BAD, "MISSED") };
        writeln!(
            out,
            "  {:<88} {:>5.2} of at most {:.2} {}  {outcome}",
            claim.what, claim.figure, claim.limit, claim.unit
        )?;
    }
    Ok(())
}

fn load(out: &mut impl Write, figures: &Figures, workload: Workload) -> io::Result<()> {
    let title = match workload {
        Workload::BusyEcho => "Busy echo: 32 pings in flight",
        Workload::PingPong => "Ping-pong: one ping in flight",
    };
    writeln!(
        out,
        "\n{} {}",
        paint(BOLD, title),
        paint(DIM, "(each figure for one datagram and its answer; times in µs)")
    )?;
    writeln!(out, "{:<34}{:^40}{:^54}", "", "── both sides on one core ──", "── on free cores ──")?;
    writeln!(
        out,
        "{:<34} {:>6} {:>7} {:>8} {:>7} {:>6} {:>9} {:>7} {:>7} {:>8} {:>7} {:>7}",
        "",
        "CPU",
        "× bare",
        "kernel",
        "sleeps",
        "pushed",
        "CPU",
        "× bare",
        "sleeps",
        "RTT p50",
        "p99",
        "p99.9"
    )?;
    for contestant in Contestant::ALL {
        let one = figures.load(contestant, workload, Placement::OneCore);
        let free = figures.load(contestant, workload, Placement::Free);
        let times = |placement| {
            let times = figures.times_bare(contestant, workload, placement);
            times.map(|times| format!("{times:.2}")).unwrap_or_default()
        };
        let row = format!(
            "{:<34} {:>6.2} {:>7} {:>6.0} % {:>7.3} {:>6.3} {:>9.2} {:>7} {:>7.3} {:>8.1} {:>7.1} {:>7.1}",
            contestant.name(),
            one.cpu() / 1e3,
            times(Placement::OneCore),
            one.in_kernel() * 100.0,
            one.sleeps(),
            one.preemptions(),
            free.cpu() / 1e3,
            times(Placement::Free),
            free.sleeps(),
            free.rtt_us(0.5),
            free.rtt_us(0.99),
            free.rtt_us(0.999),
        );
        writeln!(out, "{}", marked(contestant, row))?;
        let lost = one.asked - one.answered + free.asked - free.answered;
        if lost > 0 {
            writeln!(out, "  {}", paint(BAD, format_args!("{lost} pings were not answered")))?;
        }
    }
    Ok(())
}

fn rest(out: &mut impl Write, figures: &Figures) -> io::Result<()> {
    let title = "At rest: a ping a second from the other side; a member also pings";
    writeln!(out, "\n{}", paint(BOLD, title))?;
    writeln!(
        out,
        "{:<34} {:>10} {:>9} {:>9} {:>14} {:>14}",
        "", "wake-ups/s", "calls/s", "CPU µs/s", "resident KiB", "its own KiB"
    )?;
    for contestant in Contestant::ALL {
        let Some(rest) = figures.rest.get(&contestant) else { continue };
        let row = format!(
            "{:<34} {:>10.1} {:>9} {:>9.0} {:>14} {:>14}",
            contestant.name(),
            rest.wakeups_per_s,
            rest.calls_per_s.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}")),
            rest.cpu_us_per_s,
            rest.resident_kib,
            rest.own_kib
        );
        writeln!(out, "{}", marked(contestant, row))?;
    }
    Ok(())
}

fn calls(out: &mut impl Write, figures: &Figures, each_call: bool) -> io::Result<()> {
    for workload in Workload::ALL {
        let title = format!("System calls for one datagram, {}", workload.name());
        writeln!(
            out,
            "\n{} {}",
            paint(BOLD, title),
            paint(DIM, "(counted in a run of their own, under a tracer)")
        )?;
        write!(out, "{:<34}", "")?;
        for purpose in Purpose::ALL {
            write!(out, " {:>8}", purpose.name())?;
        }
        writeln!(out, " {:>8}", "all")?;
        for contestant in Contestant::ALL {
            let Some(traced) = figures.traced(contestant, workload) else { continue };
            let mut row = format!("{:<34}", contestant.name());
            for purpose in Purpose::ALL.map(Some).into_iter().chain([None]) {
                row.push_str(&format!(" {:>8.3}", traced.rate(purpose)));
            }
            writeln!(out, "{}", marked(contestant, row))?;
        }
    }
    if !each_call {
        return writeln!(out, "{}", paint(DIM, "  --calls shows how long each of them took"));
    }
    for workload in Workload::ALL {
        let title = format!("How long system calls took, {}", workload.name());
        let remark = "(µs, with the tracer's own stops in them: compare, do not add)";
        writeln!(out, "\n{} {}", paint(BOLD, title), paint(DIM, remark))?;
        writeln!(
            out,
            "{:<34} {:<16} {:>8} {:>8} {:>8} {:>8}  1 µs to 1 s, by powers of two",
            "", "call", "count", "mean", "p50", "p99"
        )?;
        for contestant in Contestant::ALL {
            let traced = figures.traced(contestant, workload);
            for call in traced.map_or(&[][..], |traced| &traced.calls) {
                let took = &call.took_ns;
                let row = format!(
                    "{:<34} {:<16} {:>8} {:>8.1} {:>8.1} {:>8.1}  {}",
                    contestant.name(),
                    call.name,
                    took.len(),
                    took.mean() / 1e3,
                    took.value_at_quantile(0.5) as f64 / 1e3,
                    took.value_at_quantile(0.99) as f64 / 1e3,
                    spark(took)
                );
                writeln!(out, "{}", marked(contestant, row))?;
            }
        }
    }
    Ok(())
}

/// Members stand out from the loops beside them.
fn marked(contestant: Contestant, row: String) -> String {
    if contestant.is_member() { paint(BOLD, row) } else { row }
}

/// A histogram in twenty characters, each for times up to twice those of the one before.
fn spark(times: &hdrhistogram::Histogram<u64>) -> String {
    let counts: Vec<u64> = (0..20)
        .map(|power: u32| {
            let low = if power == 0 { 0 } else { 1000 << power };
            times.count_between(low, (1000 << (power + 1)) - 1)
        })
        .collect();
    let most = counts.iter().max().copied().unwrap_or(0).max(1);
    let bar = |count: &u64| match count {
        0 => '·',
        count => ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][(count * 7 / most) as usize],
    };
    counts.iter().map(bar).collect()
}
