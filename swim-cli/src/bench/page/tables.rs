//! The numbers behind the pictures.

use std::fmt::{Display, Write as _};

use super::escape;
use crate::bench::calls::Purpose;
use crate::bench::claims::Claim;
use crate::bench::figures::Figures;
use crate::bench::load::Workload;
use crate::bench::placement::Placement;
use crate::contestant::Contestant;

/// What is claimed.
pub(crate) fn claims(page: &mut String, claims: &[Claim]) {
    page.push_str(
        "<section class=\"panel scroll\"><table><caption>Claims; CPU is checked on one core</caption>",
    );
    head(page, &["", "figure", "at most", "unit", "outcome"]);
    for claim in claims {
        let (class, outcome) = if claim.met() { ("ok", "met") } else { ("ko", "MISSED") };
        let _ = write!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{:.2}</td><td>{:.2}</td><td>{}</td><td class=\"{class}\">{outcome}</td></tr>",
            escape(&claim.what),
            claim.figure,
            claim.limit,
            claim.unit
        );
    }
    page.push_str("</table></section>\n");
}

/// One workload.
pub(crate) fn load(page: &mut String, figures: &Figures, workload: Workload) {
    let _ = write!(
        page,
        "<section class=\"panel scroll\"><table><caption>{}: each figure for one datagram and its answer, times in µs; \
         the kernel's share is sampled and rough</caption>",
        workload.name()
    );
    head(
        page,
        &[
            "",
            "CPU, one core",
            "× bare",
            "in the kernel",
            "sleeps",
            "preemptions",
            "CPU, free cores",
            "× bare",
            "sleeps",
            "RTT p50",
            "RTT p99",
            "RTT p99.9",
            "pings",
            "answered",
        ],
    );
    for contestant in Contestant::ALL {
        let one = figures.load(contestant, workload, Placement::OneCore);
        let free = figures.load(contestant, workload, Placement::Free);
        let times = |placement| {
            let times = figures.times_bare(contestant, workload, placement);
            times.map(|times| format!("{times:.2}")).unwrap_or_default()
        };
        let cells = [
            format!("{:.2}", one.cpu() / 1e3),
            times(Placement::OneCore),
            format!("{:.0} %", one.in_kernel() * 100.0),
            format!("{:.3}", one.sleeps()),
            format!("{:.3}", one.preemptions()),
            format!("{:.2}", free.cpu() / 1e3),
            times(Placement::Free),
            format!("{:.3}", free.sleeps()),
            format!("{:.1}", free.rtt_us(0.5)),
            format!("{:.1}", free.rtt_us(0.99)),
            format!("{:.1}", free.rtt_us(0.999)),
            (one.asked + free.asked).to_string(),
            (one.answered + free.answered).to_string(),
        ];
        row(page, contestant, &cells);
    }
    page.push_str("</table></section>\n");
}

/// The system calls of one workload: how many, and how long each took.
pub(crate) fn calls(page: &mut String, figures: &Figures, workload: Workload) {
    if figures.calls.is_err() {
        return;
    }
    let _ = write!(
        page,
        "<section class=\"panel scroll\"><table><caption>{}: system calls for one datagram</caption>",
        workload.name()
    );
    let names = Purpose::ALL.map(Purpose::name);
    head(page, &[&[""], &names[..], &["all"]].concat());
    for contestant in Contestant::ALL {
        let Some(traced) = figures.traced(contestant, workload) else { continue };
        let purposes = Purpose::ALL.map(Some).into_iter().chain([None]);
        row(
            page,
            contestant,
            &purposes.map(|purpose| format!("{:.3}", traced.rate(purpose))).collect::<Vec<_>>(),
        );
    }
    page.push_str("</table><details><summary>How long each took</summary><table><caption>µs, with the tracer's own stops \
        in them, which take longer than most calls: compare, do not add</caption>");
    head(page, &["", "call", "count", "mean", "p50", "p99"]);
    for contestant in Contestant::ALL {
        for call in figures.traced(contestant, workload).map_or(&[][..], |traced| &traced.calls) {
            let cells = [
                escape(&call.name),
                call.took_ns.len().to_string(),
                format!("{:.1}", call.took_ns.mean() / 1e3),
                format!("{:.1}", call.took_ns.value_at_quantile(0.5) as f64 / 1e3),
                format!("{:.1}", call.took_ns.value_at_quantile(0.99) as f64 / 1e3),
            ];
            row(page, contestant, &cells);
        }
    }
    page.push_str("</table></details></section>\n");
}

/// All of them at rest.
pub(crate) fn rest(page: &mut String, figures: &Figures) {
    page.push_str("<section class=\"panel scroll\"><table><caption>At rest</caption>");
    head(page, &["", "wake-ups/s", "system calls/s", "CPU µs/s", "resident KiB", "its own KiB"]);
    for contestant in Contestant::ALL {
        let Some(rest) = figures.rest.get(&contestant) else { continue };
        let cells = [
            format!("{:.1}", rest.wakeups_per_s),
            rest.calls_per_s.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.1}")),
            format!("{:.0}", rest.cpu_us_per_s),
            rest.resident_kib.to_string(),
            rest.own_kib.to_string(),
        ];
        row(page, contestant, &cells);
    }
    page.push_str("</table></section>\n");
}

fn head(page: &mut String, titles: &[&str]) {
    page.push_str("<thead><tr>");
    for title in titles {
        let _ = write!(page, "<th scope=\"col\">{title}</th>");
    }
    page.push_str("</tr></thead>");
}

fn row(page: &mut String, contestant: Contestant, cells: &[impl Display]) {
    let class = super::fill(contestant);
    let _ = write!(page, "<tr class=\"{class}\"><th scope=\"row\">{}</th>", contestant.name());
    for cell in cells {
        let _ = write!(page, "<td>{cell}</td>");
    }
    page.push_str("</tr>");
}
