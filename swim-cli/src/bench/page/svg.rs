//! Pictures: bars, one row for each contestant, and distributions, one row for each as well.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

use crate::contestant::Contestant;

/// Sizes, in the units of the picture.
const WIDTH: f64 = 620.0;
const NAMES: f64 = 182.0;
const RIGHT: f64 = 92.0;
const TOP: f64 = 6.0;
const BOTTOM: f64 = 30.0;

/// One row of bars.
pub(crate) struct Row {
    pub(crate) contestant: Contestant,
    /// Lengths that follow each other, and what each stands for: the end of a class name.
    pub(crate) parts: Vec<(f64, &'static str)>,
    /// Where a dashed line is drawn: the most that it may be.
    pub(crate) bound: Option<f64>,
    /// What stands behind the bar.
    pub(crate) label: String,
}

/// Bars from 0, with an axis that counts `unit`.
pub(crate) fn bars(title: &str, unit: &str, rows: &[Row]) -> String {
    const HEIGHT: f64 = 21.0;
    let most =
        rows.iter().map(|row| row.parts.iter().map(|part| part.0).sum::<f64>().max(row.bound.unwrap_or(0.0)));
    let step = step(most.fold(1e-9, f64::max));
    let end = step * (rows.iter().map(total).fold(1e-9, f64::max) / step).ceil();
    let x = |value: f64| NAMES + value / end * (WIDTH - NAMES - RIGHT);
    let bottom = TOP + HEIGHT * rows.len() as f64;
    let mut svg = open(title, bottom);
    let mut tick = 0.0;
    while tick <= end * 1.001 {
        axis_tick(&mut svg, x(tick), bottom, &short(tick));
        tick += step;
    }
    axis_unit(&mut svg, bottom, unit);
    for (index, row) in rows.iter().enumerate() {
        let y = TOP + HEIGHT * index as f64;
        name(&mut svg, row.contestant, y + HEIGHT / 2.0);
        let mut from = 0.0;
        for (length, class) in &row.parts {
            let (left, right) = (x(from), x(from + length));
            let _ = write!(
                svg,
                r#"<rect class="fill-{class}" x="{left:.1}" y="{:.1}" width="{:.1}" height="{:.1}"/>"#,
                y + 3.0,
                (right - left).max(0.0),
                HEIGHT - 6.0
            );
            from += length;
        }
        if let Some(bound) = row.bound {
            let at = x(bound);
            let _ = write!(
                svg,
                r#"<line class="bound" x1="{at:.1}" x2="{at:.1}" y1="{y:.1}" y2="{:.1}"/>"#,
                y + HEIGHT
            );
        }
        let at = x(from.max(row.bound.unwrap_or(0.0))) + 5.0;
        let _ = write!(svg, r#"<text x="{at:.1}" y="{:.1}">{}</text>"#, y + HEIGHT / 2.0 + 4.0, row.label);
    }
    svg.push_str("</svg>");
    svg
}

/// Distributions of times in nanoseconds over a logarithmic axis, with marks at three quantiles.
pub(crate) fn distributions(title: &str, rows: &[(Contestant, &Histogram<u64>)]) -> String {
    const HEIGHT: f64 = 30.0;
    /// Bins in a decade.
    const BINS: i32 = 30;
    let quantile = |q: f64| rows.iter().map(move |(_, times)| times.value_at_quantile(q) as f64);
    let low = quantile(0.001).fold(f64::MAX, f64::min).max(100.0).log10();
    let high = quantile(0.9999).fold(0.0, f64::max).max(1000.0).log10();
    let (low, high) = ((low * 4.0).floor() / 4.0, (high * 4.0).ceil() / 4.0);
    let x = |log: f64| NAMES + (log - low) / (high - low) * (WIDTH - NAMES - 12.0);
    let bottom = TOP + HEIGHT * rows.len() as f64;
    let mut svg = open(title, bottom);
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
        let class = fill(*contestant);
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

/// Members have another colour than the loops beside them.
pub(crate) const fn fill(contestant: Contestant) -> &'static str {
    if contestant.is_member() { "member" } else { "bare" }
}

fn total(row: &Row) -> f64 {
    row.parts.iter().map(|part| part.0).sum::<f64>().max(row.bound.unwrap_or(0.0))
}

fn open(title: &str, bottom: f64) -> String {
    let height = bottom + BOTTOM;
    format!(r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}"><title>{title}</title>"#)
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

/// A round number of which three to seven fit.
fn step(most: f64) -> f64 {
    let power = 10_f64.powf(most.log10().floor());
    [0.2, 0.5, 1.0, 2.0]
        .map(|part| part * power)
        .into_iter()
        .find(|step| most / step <= 6.0)
        .unwrap_or(power * 2.0)
}

fn short(value: f64) -> String {
    if value >= 10_000.0 {
        return format!("{} k", value / 1000.0);
    }
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_few() {
        for most in [0.013, 0.9, 1.0, 2.3, 7.1, 25.0, 4300.0] {
            let steps = most / step(most);
            assert!((2.0..=6.0).contains(&steps), "{most}: {steps}");
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.0, 0.5, 2.0, 100.0, 20_000.0].map(short), ["0", "0.5", "2", "100", "20 k"]);
    }
}
