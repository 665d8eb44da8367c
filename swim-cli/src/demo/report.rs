//! What the demo has shown, as one object and as a table.

use std::time::Duration;

use serde::Serialize;

use crate::args::{DriverMix, Profile};
use crate::line::millis;
use crate::style::{BAD, BOLD, DIM, GOOD, paint};

/// The last line of `swim demo --json`. A time is `None` (`null`) if what it measures did not happen.
#[derive(Serialize, Clone, PartialEq, Debug, Default)]
pub(crate) struct Report {
    /// Whether everything that was to be shown really happened.
    pub(crate) ok: bool,
    /// What did not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) failures: Vec<String>,
    pub(crate) nodes: usize,
    pub(crate) driver: DriverMix,
    pub(crate) profile: Profile,
    /// From the start of the last process until all members listed all members as Alive.
    pub(crate) converged_ms: Option<u64>,
    /// From SIGKILL until the first survivor heard of an accusation.
    pub(crate) suspected_ms: Option<u64>,
    /// From SIGKILL until a survivor called the victim Dead, over all survivors.
    pub(crate) detected_ms: Option<Spread>,
    /// By when all survivors should have, if the machine keeps up. Its being missed is no failure of the
    /// demo, which may have kept the machine from that itself.
    pub(crate) detection_bound_ms: u64,
    /// From the restart until all members listed the victim as Alive, and it all members.
    pub(crate) rejoined_ms: Option<u64>,
    /// How long a member was stopped.
    pub(crate) paused_ms: Option<u64>,
    /// How many of the others suspected it when it was woken.
    pub(crate) paused_suspected_by: Option<usize>,
    /// From SIGCONT until it was Alive everywhere again.
    pub(crate) resumed_ms: Option<u64>,
    /// Whom it accused when it woke.
    pub(crate) accused_on_waking: Option<usize>,
    /// From `leave` until all others listed the leaver as Left.
    pub(crate) left_ms: Option<u64>,
    /// How often a member that was there was called Dead, by any member, in the whole demo.
    pub(crate) false_deaths: usize,
    pub(crate) elapsed_ms: u64,
}

/// The smallest, the middle and the largest of several times, in milliseconds.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Spread {
    min: u64,
    median: u64,
    max: u64,
}

impl Spread {
    /// Of `times`; `None` if there are none. With an even number the lower of the two in the middle.
    pub(crate) fn of(times: impl IntoIterator<Item = Duration>) -> Option<Self> {
        let mut ms: Vec<u64> = times.into_iter().map(millis).collect();
        ms.sort_unstable();
        let (min, max) = (*ms.first()?, *ms.last()?);
        Some(Self { min, median: ms[(ms.len() - 1) / 2], max })
    }
}

impl Report {
    /// The times as a table of text. A row without one is left out if it is no failure: no member promised it.
    pub(crate) fn table(&self, all_promised: bool) -> String {
        let one = |ms: Option<u64>| ms.map(seconds);
        let died = |pick: fn(Spread) -> u64| one(self.detected_ms.map(pick));
        let rows = [
            ("all members list all members", "last start", one(self.converged_ms)),
            ("the killed member is suspected", "SIGKILL", one(self.suspected_ms)),
            ("the first survivor calls it Dead", "SIGKILL", died(|spread| spread.min)),
            ("half of the survivors call it Dead", "SIGKILL", died(|spread| spread.median)),
            ("every survivor calls it Dead", "SIGKILL", died(|spread| spread.max)),
            (
                "  (bound, if the machine keeps up)",
                "SIGKILL",
                died(|_| 0).map(|_| seconds(self.detection_bound_ms)),
            ),
            ("restarted, it is Alive everywhere", "restart", one(self.rejoined_ms)),
            ("woken, it is Alive everywhere", "SIGCONT", one(self.resumed_ms)),
            ("the leaver is Left everywhere", "leave", one(self.left_ms)),
        ];
        let head = format!("  {:<36}{:<12}{:>9}", "what happened", "since", "after");
        let mut lines = vec![paint(BOLD, head)];
        for (what, since, after) in rows.into_iter().filter(|(_, _, after)| all_promised || after.is_some()) {
            let after = after.unwrap_or_else(|| paint(DIM, format_args!("{:>9}", "not seen")));
            lines.push(format!("  {what:<36}{}{after}", paint(DIM, format_args!("{since:<12}"))));
        }
        let count = format!("{:>9}", self.false_deaths);
        let count = paint(if self.false_deaths == 0 { GOOD } else { BAD }, count);
        lines.push(format!("  {:<48}{count}", "living members called Dead"));
        lines.join("\n")
    }
}

/// `  1.234 s`, nine columns wide up to 999 s.
fn seconds(ms: u64) -> String {
    format!("{:>3}.{:03} s", ms / 1000, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(list: &[u64]) -> Option<Spread> {
        Spread::of(list.iter().map(|ms| Duration::from_millis(*ms)))
    }

    #[test]
    fn the_median_of_an_even_number_is_the_lower_one() {
        assert_eq!(ms(&[40, 10, 30, 20]), Some(Spread { min: 10, median: 20, max: 40 }));
        assert_eq!(ms(&[7]), Some(Spread { min: 7, median: 7, max: 7 }));
        assert_eq!(ms(&[]), None);
    }

    #[test]
    fn what_did_not_happen_is_null_in_the_outcome() {
        let report = Report { nodes: 5, converged_ms: Some(812), ..Report::default() };
        let json = serde_json::to_value(&report).expect("serialises");
        assert_eq!(json["ok"], false);
        assert_eq!((&json["converged_ms"], &json["nodes"]), (&812.into(), &5.into()));
        for field in ["detected_ms", "rejoined_ms"] {
            assert!(json.get(field).is_some_and(serde_json::Value::is_null), "{field}");
        }
    }

    #[test]
    fn the_columns_of_the_table_line_up() {
        let (converged_ms, detected_ms) = (Some(812), ms(&[2000, 2100, 12_200]));
        let report = Report { converged_ms, detected_ms, ..Report::default() };
        let text = anstream::adapter::strip_str(&report.table(true)).to_string();
        let ends = ["0.812 s", "2.000 s", "2.100 s", "12.200 s", "not seen"].map(|time| {
            let line = text.lines().find(|line| line.ends_with(time));
            line.map(|line| line.chars().count())
        });
        assert!(ends.iter().all(|end| end.is_some() && *end == ends[0]), "{ends:?}\n{text}");
    }
}
