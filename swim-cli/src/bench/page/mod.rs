//! The figures as one page of HTML that opens from disk and fetches nothing: pictures, and a table of the
//! same numbers beneath each.

mod svg;

use std::fmt::Write as _;

use crate::bench::figures::{CLAIMED_ON, Claim, times_bare_max};
use crate::bench::figures::{Figures, Rest};
use crate::bench::load::Workload;
use crate::bench::process::Placement;
use crate::bench::tables::{self, Table};
use crate::bench::trace::Purpose;
use crate::contestant::Contestant;
use svg::{Row, bars, distributions, fill};

const STYLE: &str = include_str!("page.css");

pub(crate) fn html(figures: &Figures, claims: &[Claim]) -> String {
    let mut page = String::from(HEAD);
    page.push_str(STYLE);
    page.push_str("</style>\n</head>\n<body>\n");
    outcome(&mut page, figures, claims);
    table(&mut page, &tables::claims(claims), None);
    for workload in Workload::ALL {
        load(&mut page, figures, workload);
    }
    rest(&mut page, figures);
    page.push_str(FOOT);
    page
}

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>swim bench drivers</title>
<link rel="icon" href="data:,">
<style>
"#;

const FOOT: &str = "<footer>Made by <code>swim bench drivers --report</code>. Times differ from machine to machine, and \
from minute to minute; what can be compared are the contestants of one run. docs/epoll-vs-async.md explains the figures.\
</footer>\n</body>\n</html>\n";

fn outcome(page: &mut String, figures: &Figures, claims: &[Claim]) {
    let met = claims.iter().filter(|claim| claim.met()).count();
    let (class, glyph) = if met == claims.len() { ("good", "✓") } else { ("bad", "✗") };
    let _ = writeln!(
        page,
        "<header class=\"outcome {class}\"><span class=\"glyph\" aria-hidden=\"true\">{glyph}</span><div>\
         <h1>What the drivers cost: {met} of {} claims met</h1>\
         <p class=\"quiet\">Members on swim-mio and swim-tokio, each beside the same loop without a protocol; {} rounds \
         in turns, {} cores, {} {}.</p></div></header>",
        claims.len(),
        figures.rounds,
        figures.cores,
        std::env::consts::OS,
        std::env::consts::ARCH
    );
}

fn load(page: &mut String, figures: &Figures, workload: Workload) {
    let title = workload.title();
    let means = match workload {
        Workload::BusyEcho => "a contestant always has something to read.",
        Workload::PingPong => "a contestant sleeps before every ping.",
    };
    let _ = writeln!(page, "<h2>{title} <span class=\"quiet\">{means}</span></h2>\n<div class=\"duo\">");
    cpu(page, figures, workload, Placement::OneCore);
    cpu(page, figures, workload, Placement::Free);
    let rows: Vec<_> = Contestant::all()
        .map(|contestant| (contestant, &figures.load(contestant, workload, Placement::Free).rtt_ns))
        .collect();
    let picture = distributions(&format!("{title}: distribution of round-trip times"), &rows);
    panel(
        page,
        "Round-trip times",
        "on free cores; each curve to its own height, marks at p50, p99 and p99.9",
        &picture,
    );
    calls(page, figures, workload);
    page.push_str("</div>\n");
    table(page, &tables::load(figures, workload), None);
    if figures.calls.is_ok() {
        let each = tables::each_call(figures, workload);
        table(page, &tables::calls(figures, workload), Some(&each));
    }
}

fn cpu(page: &mut String, figures: &Figures, workload: Workload, placement: Placement) {
    let bound = Some(times_bare_max(workload)).filter(|_| placement == CLAIMED_ON);
    let row = |contestant: Contestant| {
        let cpu = figures.load(contestant, workload, placement).cpu() / 1e3;
        let bare = contestant.bare().map(|bare| figures.load(bare, workload, placement).cpu() / 1e3);
        let times = figures.times_bare(contestant, workload, placement);
        let times = times.map(|times| format!(" = {times:.2} ×")).unwrap_or_default();
        Row {
            contestant,
            parts: vec![(cpu, fill(contestant))],
            bound: bare.zip(bound).map(|(bare, bound)| bare * bound),
            label: format!("{cpu:.2}{times}"),
        }
    };
    let cores = match placement {
        Placement::OneCore => "both sides on one core",
        Placement::Free => "on free cores",
    };
    let picture = bars(
        &format!("{}: CPU time for one datagram and its answer, {cores}", workload.name()),
        "CPU time for a datagram and its answer, µs",
        &Contestant::all().map(row).collect::<Vec<_>>(),
    );
    let remark = match bound {
        None => "user and system; × says how many times the same loop without a protocol".to_owned(),
        Some(bound) => {
            format!("user and system; dashed: the claim, {bound} × the same loop without a protocol")
        }
    };
    panel(page, &format!("CPU for one datagram, {cores}"), &remark, &picture);
}

fn calls(page: &mut String, figures: &Figures, workload: Workload) {
    let rows: Vec<Row> = Contestant::all()
        .filter_map(|contestant| {
            let traced = figures.traced(contestant, workload)?;
            let parts = Purpose::ALL.map(|purpose| (traced.rate(Some(purpose)), purpose.name())).to_vec();
            Some(Row { contestant, parts, bound: None, label: format!("{:.2}", traced.rate(None)) })
        })
        .collect();
    let picture = match &figures.calls {
        Err(why) => format!("<p>Skipped: the kernel allows no tracing here ({}).</p>", escape(why)),
        Ok(_) => {
            let mut legend = String::from("<div class=\"legend\">");
            for purpose in Purpose::ALL {
                let name = purpose.name();
                let _ = write!(legend, "<span><i class=\"fill-{name}\"></i>{name}</span>");
            }
            let title = format!("{}: system calls for one datagram", workload.name());
            legend + "</div>" + &bars(&title, "system calls for a datagram and its answer", &rows)
        }
    };
    panel(page, "System calls for one datagram", "counted in a run of their own, under a tracer", &picture);
}

fn rest(page: &mut String, figures: &Figures) {
    page.push_str(
        "<h2>At rest <span class=\"quiet\">a ping a second comes from the other side; a member also pings, at a period of \
         1 s.</span></h2>\n<div class=\"duo\">\n",
    );
    let chart = |title: &str, unit: &str, figure: fn(&Rest) -> Option<f64>, digits: usize| {
        let row = |contestant: Contestant| {
            let value = figure(figures.rest.get(&contestant)?)?;
            let label = format!("{value:.digits$}");
            Some(Row { contestant, parts: vec![(value, fill(contestant))], bound: None, label })
        };
        bars(title, unit, &Contestant::all().filter_map(row).collect::<Vec<_>>())
    };
    let wakeups = chart("Wake-ups a second at rest", "wake-ups a second", |rest| Some(rest.wakeups_per_s), 1);
    panel(page, "Wake-ups", "times a second that a thread slept and was woken", &wakeups);
    if figures.calls.is_ok() {
        let calls =
            chart("System calls a second at rest", "system calls a second", |rest| rest.calls_per_s, 1);
        panel(page, "System calls", "of all threads", &calls);
    }
    let cpu = chart("CPU time at rest", "microseconds a second", |rest| Some(rest.cpu_us_per_s), 0);
    panel(page, "CPU", "user and system; a million is one core", &cpu);
    let memory = chart("Memory at rest", "KiB", |rest| Some(rest.own_kib as f64), 0);
    panel(page, "Memory", "resident and of this process alone, without the program's text", &memory);
    page.push_str("</div>\n");
    table(page, &tables::rest(figures), None);
}

fn panel(page: &mut String, title: &str, remark: &str, picture: &str) {
    let _ = writeln!(
        page,
        "<section class=\"panel\"><h3>{title}</h3><p class=\"quiet\">{remark}</p>{picture}</section>"
    );
}

fn table(page: &mut String, table: &Table, details: Option<&Table>) {
    let _ = write!(page, "<section class=\"panel scroll\">{}", table.html());
    if let Some(details) = details {
        let _ = write!(page, "<details><summary>How long each took</summary>{}</details>", details.html());
    }
    page.push_str("</section>\n");
}

/// Text as it may stand in the page.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
