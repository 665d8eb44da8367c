//! The figures as tables, which are printed as text and stand in the page.

use std::fmt::Write as _;

use anstyle::Style;
use hdrhistogram::Histogram;

use crate::bench::figures::Claim;
use crate::bench::figures::Figures;
use crate::bench::load::Workload;
use crate::bench::process::Placement;
use crate::bench::trace::Purpose;
use crate::contestant::Contestant;
use crate::style::{BAD, BOLD, DIM, GOOD, paint};

/// A table: the first column says what a row is about, the others hold figures.
pub(crate) struct Table {
    title: String,
    remark: &'static str,
    head: Vec<&'static str>,
    rows: Vec<Row>,
    /// Whether the page compares the figures of a column by bars.
    bars: bool,
}

struct Row {
    cells: Vec<String>,
    /// How it stands out: in a terminal, and as a class of the page.
    style: Style,
    class: &'static str,
}

impl Row {
    /// Members stand out from the loops beside them.
    fn of(contestant: Contestant, figures: impl IntoIterator<Item = String>) -> Self {
        let cells = std::iter::once(contestant.name().to_owned()).chain(figures).collect();
        let (style, class) = if contestant.is_member() { (BOLD, "member") } else { (Style::new(), "bare") };
        Self { cells, style, class }
    }
}

impl Table {
    pub(crate) fn text(&self) -> String {
        let cells = |row: &Row| row.cells.clone();
        let head: Vec<String> = self.head.iter().map(ToString::to_string).collect();
        let lines: Vec<Vec<String>> = std::iter::once(head).chain(self.rows.iter().map(cells)).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let line = |cells: &Vec<String>| {
            let mut text = String::new();
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                let _ = match column {
                    0 => write!(text, "{cell:<width$}"),
                    _ => write!(text, "  {cell:>width$}"),
                };
            }
            text
        };
        let mut text =
            format!("\n{}{}\n{}\n", paint(BOLD, &self.title), paint(DIM, self.remark), line(&lines[0]));
        for (row, cells) in self.rows.iter().zip(&lines[1..]) {
            let _ = writeln!(text, "{}", paint(row.style, line(cells)));
        }
        text
    }

    pub(crate) fn html(&self) -> String {
        let mut html = format!("<table><caption>{}{}</caption><thead><tr>", self.title, self.remark);
        for title in &self.head {
            let _ = write!(html, "<th scope=\"col\">{title}</th>");
        }
        html.push_str("</tr></thead>");
        let most = |column: usize| {
            let figures = self.rows.iter().filter_map(|row| number(&row.cells[column]));
            figures.fold(f64::MIN_POSITIVE, f64::max)
        };
        let most: Vec<f64> = (0..self.head.len()).map(most).collect();
        for Row { cells, class, .. } in &self.rows {
            let _ = write!(html, "<tr class=\"{class}\"><th scope=\"row\">{}</th>", escape(&cells[0]));
            for (cell, most) in cells.iter().zip(&most).skip(1) {
                let bar = number(cell).filter(|_| self.bars).map(|figure| figure / most * 100.0);
                let bar = bar.map(|bar| format!(" style=\"--bar:{bar:.0}%\"")).unwrap_or_default();
                let _ = write!(html, "<td{bar}>{}</td>", escape(cell));
            }
            html.push_str("</tr>");
        }
        html + "</table>"
    }
}

pub(crate) fn claims(claims: &[Claim]) -> Table {
    let row = |claim: &Claim| {
        let (style, class, outcome) = if claim.met() { (GOOD, "ok", "met") } else { (BAD, "ko", "MISSED") };
        let (figure, limit) = (format!("{:.2}", claim.figure), format!("{:.2}", claim.limit));
        let cells = vec![claim.what.clone(), figure, limit, claim.unit.to_owned(), outcome.to_owned()];
        Row { cells, style, class }
    };
    Table {
        title: "Claims; CPU is checked on one core".to_owned(),
        remark: "",
        head: vec!["", "figure", "at most", "unit", "outcome"],
        rows: claims.iter().map(row).collect(),
        bars: false,
    }
}

pub(crate) fn load(figures: &Figures, workload: Workload) -> Table {
    let row = |contestant| {
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
        Row::of(contestant, cells)
    };
    Table {
        title: workload.title().to_owned(),
        remark: " (for one datagram and its answer, times in µs; both sides on one core, then on free cores)",
        head: vec![
            "", "CPU", "× bare", "kernel", "sleeps", "pushed", "free CPU", "× bare", "sleeps", "RTT p50",
            "p99", "p99.9", "pings", "answered",
        ],
        rows: Contestant::all().map(row).collect(),
        bars: true,
    }
}

pub(crate) fn rest(figures: &Figures) -> Table {
    let row = |contestant: Contestant| {
        let rest = figures.rest.get(&contestant)?;
        let cells = [
            format!("{:.1}", rest.wakeups_per_s),
            rest.calls_per_s.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}")),
            format!("{:.0}", rest.cpu_us_per_s),
            rest.resident_kib.to_string(),
            rest.own_kib.to_string(),
        ];
        Some(Row::of(contestant, cells))
    };
    Table {
        title: "At rest".to_owned(),
        remark: " (a ping a second from the other side; a member also pings)",
        head: vec!["", "wake-ups/s", "calls/s", "CPU µs/s", "resident KiB", "its own KiB"],
        rows: Contestant::all().filter_map(row).collect(),
        bars: true,
    }
}

/// How many system calls there were, by what they are for.
pub(crate) fn calls(figures: &Figures, workload: Workload) -> Table {
    let row = |contestant| {
        let traced = figures.traced(contestant, workload)?;
        let purposes = Purpose::ALL.map(Some).into_iter().chain([None]);
        Some(Row::of(contestant, purposes.map(|purpose| format!("{:.3}", traced.rate(purpose)))))
    };
    Table {
        title: format!("System calls for one datagram, {}", workload.name()),
        remark: " (counted in a run of their own, under a tracer)",
        head: [&[""], &Purpose::ALL.map(Purpose::name)[..], &["all"]].concat(),
        rows: Contestant::all().filter_map(row).collect(),
        bars: true,
    }
}

/// How long each of them took.
pub(crate) fn each_call(figures: &Figures, workload: Workload) -> Table {
    let rows = Contestant::all().flat_map(|contestant| {
        let calls = figures.traced(contestant, workload).map_or(&[][..], |traced| &traced.calls);
        calls.iter().map(move |call| {
            let took = &call.took_ns;
            let us = |ns: f64| format!("{:.1}", ns / 1e3);
            let quantile = |quantile| us(took.value_at_quantile(quantile) as f64);
            let (count, mean) = (took.len().to_string(), us(took.mean()));
            let cells = [call.name.clone(), count, mean, quantile(0.5), quantile(0.99), spark(took)];
            Row::of(contestant, cells)
        })
    });
    Table {
        title: format!("How long system calls took, {}", workload.name()),
        remark: " (µs, with the tracer's own stops in them, which take longer than most: compare, do not add)",
        head: vec!["", "call", "count", "mean", "p50", "p99", "1 µs to 1 s, doubling"],
        rows: rows.collect(),
        bars: false,
    }
}

/// Text as it may stand in the page.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The figure in a cell.
fn number(cell: &str) -> Option<f64> {
    cell.trim_end_matches(" %").parse().ok()
}

/// A histogram in twenty characters, each for times up to twice those of the one before.
fn spark(times: &Histogram<u64>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_lines_up_and_html_escapes() {
        let row = |cells: [&str; 2]| Row {
            cells: cells.map(str::to_owned).into(),
            style: Style::new(),
            class: "bare",
        };
        let (title, head) = ("A table".to_owned(), vec!["", "µs"]);
        let table = Table {
            title,
            remark: "",
            head,
            rows: vec![row(["a<b", "5.00"]), row(["c", "20.00"])],
            bars: true,
        };
        let text = anstream::adapter::strip_str(&table.text()).to_string();
        assert_eq!(text, "\nA table\n        µs\na<b   5.00\nc    20.00\n");
        assert!(
            table.html().contains("<th scope=\"row\">a&lt;b</th><td style=\"--bar:25%\">5.00</td>"),
            "{}",
            table.html()
        );
    }
}
