//! Measures for people, and for scripts.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::measure::{Claim, Measure};

/// What holds.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What does not.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const BOLD: Style = Style::new().bold();

pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// How measures are shown.
pub(crate) struct Presenter {
    json: bool,
    heading: Option<String>,
    measures: Vec<Measure>,
}

impl Presenter {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, heading: None, measures: Vec::new() }
    }

    /// The measures that follow belong under `heading`.
    pub(crate) fn heading(&mut self, heading: impl Into<String>) -> io::Result<()> {
        let heading = heading.into();
        if !self.json {
            anstream::println!("\n{}", paint(BOLD, &heading));
            println!(
                "{:<42} {:>9} {:>14} {:>14} {:>9}  {:<24} claim",
                "", "members", "ours", "theirs", "ratio", "compared with"
            );
        }
        self.heading = Some(heading);
        io::stdout().flush()
    }

    /// Shows one measure at once: a long comparison shows how far it is.
    pub(crate) fn show(&mut self, measure: Measure) -> io::Result<()> {
        if self.json {
            let mut value = serde_json::to_value(&measure)?;
            value["ratio"] = serde_json::json!(measure.ratio());
            value["met"] = serde_json::json!(measure.met());
            value["heading"] = serde_json::json!(self.heading);
            println!("{value}");
        } else {
            anstream::println!("{}", line(&measure));
        }
        self.measures.push(measure);
        io::stdout().flush()
    }

    /// Shows a measure beside each peer, with what is claimed beside that one; if there is none, by itself.
    pub(crate) fn show_beside(
        &mut self,
        measure: &Measure,
        peers: impl IntoIterator<Item = (&'static str, f64, Option<Claim>)>,
    ) -> io::Result<()> {
        let mut peers = peers.into_iter().peekable();
        if peers.peek().is_none() {
            return self.show(measure.clone());
        }
        peers.try_for_each(|(name, figure, claim)| {
            self.show(Measure { claim, ..measure.clone().beside(name, figure) })
        })
    }

    /// A remark that belongs to what was just shown.
    pub(crate) fn remark(&self, text: &str) {
        if self.json {
            println!("{}", serde_json::json!({ "remark": text, "heading": self.heading }));
        } else {
            println!("  {text}");
        }
    }

    /// The outcome: whether every claim was met.
    pub(crate) fn conclude(self) -> bool {
        let claims = self.measures.iter().filter(|measure| measure.claim.is_some()).count();
        let missed = self.measures.iter().filter(|measure| !measure.met()).count();
        if !self.json && !self.measures.is_empty() {
            let style = if missed == 0 { GOOD } else { BAD };
            anstream::println!(
                "\n{}",
                paint(style, format_args!("{} of {claims} claims met", claims - missed))
            );
        }
        missed == 0
    }
}

fn line(measure: &Measure) -> String {
    let size = measure.size.map(|size| size.to_string()).unwrap_or_default();
    let ours = format!("{} {}", figure(measure.ours), measure.unit);
    let (theirs, name) = match &measure.peer {
        Some(peer) => (figure(peer.figure), peer.name),
        None => (String::new(), ""),
    };
    let ratio = measure.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
    let claim = match measure.claim {
        None => String::new(),
        Some(claim) => {
            let said = match claim {
                Claim::AtMost(limit) => format!("at most {}", figure(limit)),
                Claim::AtLeast(limit) => format!("at least {}", figure(limit)),
                Claim::TimesLess(times) => format!("{times} times less"),
                Claim::TimesMore(times) => format!("{times} times more"),
                Claim::AtMostTimes(times) => format!("at most {times} times"),
            };
            let (style, outcome) = if measure.met() { (GOOD, "met") } else { (BAD, "MISSED") };
            format!("{said}: {}", paint(style, outcome))
        }
    };
    format!("{:<42} {size:>9} {ours:>14} {theirs:>14} {ratio:>9}  {name:<24} {claim}", measure.what)
}

/// With three digits that count, or all before the point.
fn figure(value: f64) -> String {
    let digits = match value.abs() {
        magnitude if magnitude >= 100.0 => 0,
        magnitude if magnitude >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(whole, rest)| (whole, rest));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0
            && (whole.len() - index).is_multiple_of(3)
            && digit.is_ascii_digit()
            && !grouped.ends_with('-')
        {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if rest.is_empty() { grouped } else { format!("{grouped}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::figure;

    #[test]
    fn figures_are_short() {
        assert_eq!(figure(1_234_567.0), "1,234,567");
        assert_eq!(figure(129.4), "129");
        assert_eq!(figure(12.34), "12.3");
        assert_eq!(figure(1.234), "1.23");
    }
}
