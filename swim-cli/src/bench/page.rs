//! The figures as one page of HTML that opens from disk and fetches nothing: the tables, with a bar in each cell that
//! compares it with the others of its column, and the distributions of round-trip times.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

use crate::bench::figures::{Claim, Figures};
use crate::bench::load::Workload;
use crate::bench::process::Placement;
use crate::bench::tables::{self, escape};
use crate::contestant::Contestant;

const STYLE: &str = include_str!("page.css");

pub(crate) fn html(figures: &Figures, claims: &[Claim]) -> String {
    let mut page = format!("{HEAD}{STYLE}</style>\n</head>\n<body>\n");
    outcome(&mut page, figures, claims);
    panel(&mut page, &tables::claims(claims).html());
    for workload in Workload::ALL {
        load(&mut page, figures, workload);
    }
    page.push_str("<h2>At rest <span class=\"quiet\">memory without the program's text; a million µs is a core</span></h2>\n");
    panel(&mut page, &tables::rest(figures).html());
    page + FOOT
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
    let _ = writeln!(page, "<h2>{title} <span class=\"quiet\">{means}</span></h2>");
    panel(page, &tables::load(figures, workload).html());
    let rows: Vec<_> = Contestant::all()
        .map(|contestant| (contestant, &figures.load(contestant, workload, Placement::Free).rtt_ns))
        .collect();
    let picture = distributions(&format!("{title}: distribution of round-trip times"), &rows);
    panel(
        page,
        &format!(
            "<p class=\"quiet\">Round-trip times on free cores; each curve to its own height, marks at p50, p99 and p99.9</p>{picture}"
        ),
    );
    let calls = match &figures.calls {
        Err(why) => format!("<p>Skipped: the kernel allows no tracing here ({}).</p>", escape(why)),
        Ok(_) => format!(
            "{}<details><summary>How long each took</summary>{}</details>",
            tables::calls(figures, workload).html(),
            tables::each_call(figures, workload).html()
        ),
    };
    panel(page, &calls);
}

fn panel(page: &mut String, content: &str) {
    let _ = writeln!(page, "<section class=\"panel scroll\">{content}</section>");
}

/// Sizes, in the units of the picture.
const WIDTH: f64 = 620.0;
const NAMES: f64 = 182.0;
const RIGHT: f64 = 92.0;
const TOP: f64 = 6.0;
const BOTTOM: f64 = 30.0;

/// Distributions of times in nanoseconds over a logarithmic axis, with marks at three quantiles.
fn distributions(title: &str, rows: &[(Contestant, &Histogram<u64>)]) -> String {
    const HEIGHT: f64 = 30.0;
    /// Bins in a decade.
    const BINS: i32 = 30;
    let quantile = |q: f64| rows.iter().map(move |(_, times)| times.value_at_quantile(q) as f64);
    let low = quantile(0.001).fold(f64::MAX, f64::min).max(100.0).log10();
    let high = quantile(0.9999).fold(0.0, f64::max).max(1000.0).log10();
    let (low, high) = ((low * 4.0).floor() / 4.0, (high * 4.0).ceil() / 4.0);
    let x = |log: f64| NAMES + (log - low) / (high - low) * (WIDTH - NAMES - 12.0);
    let bottom = TOP + HEIGHT * rows.len() as f64;
    let height = bottom + BOTTOM;
    let mut svg = format!(
        r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}"><title>{title}</title>"#
    );
    for decade in (low.floor() as i32)..=(high.floor() as i32) {
        for time in [1.0, 2.0, 5.0].map(|part| part * 10_f64.powi(decade)) {
            if (low..=high).contains(&time.log10()) {
                axis_tick(&mut svg, x(time.log10()), bottom, &short(time / 1e3));
            }
        }
    }
    axis_unit(&mut svg, bottom, "round-trip time, µs (logarithmic)");
    for (index, (contestant, times)) in rows.iter().enumerate() {
        let base = TOP + HEIGHT * (index + 1) as f64 - 2.0;
        name(&mut svg, *contestant, base - 8.0);
        let bins: Vec<(f64, f64)> = ((low * f64::from(BINS)) as i32..(high * f64::from(BINS)).ceil() as i32)
            .map(|bin| {
                let edge = |bin: i32| f64::from(bin) / f64::from(BINS);
                let (from, to) = (10_f64.powf(edge(bin)), 10_f64.powf(edge(bin + 1)));
                (
                    edge(bin) + 0.5 / f64::from(BINS),
                    times.count_between(from as u64, (to as u64).saturating_sub(1)) as f64,
                )
            })
            .filter(|(at, _)| *at >= low && *at <= high)
            .collect();
        let most = bins.iter().map(|bin| bin.1).fold(1.0, f64::max);
        let mut path = format!("M{:.1} {base:.1}", x(low));
        for (at, count) in &bins {
            let _ = write!(path, "L{:.1} {:.1}", x(*at), base - count / most * (HEIGHT - 6.0));
        }
        let _ = write!(path, "L{:.1} {base:.1}Z", x(high));
        let class = if contestant.is_member() { "member" } else { "bare" };
        let _ = write!(svg, r#"<path class="fill-{class}" d="{path}"/>"#);
        for quantile in [0.5, 0.99, 0.999] {
            let at = x((times.value_at_quantile(quantile) as f64).log10());
            let _ = write!(
                svg,
                r#"<line class="mark" x1="{at:.1}" x2="{at:.1}" y1="{:.1}" y2="{:.1}"/>"#,
                base - 7.0,
                base + 1.0
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

fn name(svg: &mut String, contestant: Contestant, middle: f64) {
    let class = if contestant.is_member() { "member" } else { "" };
    let (at, y) = (NAMES - 8.0, middle + 4.0);
    let _ = write!(
        svg,
        r#"<text class="{class}" x="{at}" y="{y:.1}" text-anchor="end">{}</text>"#,
        contestant.name()
    );
}

fn axis_tick(svg: &mut String, at: f64, bottom: f64, label: &str) {
    let _ = write!(svg, r#"<line class="grid" x1="{at:.1}" x2="{at:.1}" y1="{TOP}" y2="{bottom:.1}"/>"#);
    let y = bottom + 13.0;
    let _ = write!(svg, r#"<text class="quiet" x="{at:.1}" y="{y:.1}" text-anchor="middle">{label}</text>"#);
}

fn axis_unit(svg: &mut String, bottom: f64, unit: &str) {
    let (at, y) = (f64::midpoint(NAMES, WIDTH - RIGHT), bottom + 26.0);
    let _ = write!(svg, r#"<text class="quiet" x="{at:.1}" y="{y:.1}" text-anchor="middle">{unit}</text>"#);
}

fn short(value: f64) -> String {
    if value >= 10_000.0 {
        return format!("{} k", value / 1000.0);
    }
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
