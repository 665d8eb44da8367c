//! Who believes what of whom, as a picture.
//!
//! A small cluster is a matrix: a row for each member that looks, a column for each that is looked at. A
//! large one is a strip: one sign for each member, by what most of the others believe of it.

use anstyle::Style;

use crate::args::word;
use crate::demo::checker::{Checker, Deed, Held, Member};
use crate::demo::cluster::Slot;
use crate::line::RowStatus;
use crate::style::{BAD, BOLD, DIM, GOOD, WARN, paint};

/// Largest cluster that is shown as a matrix.
const MATRIX_MAX: usize = 20;

/// The picture, at most `columns` wide, without a newline at its end.
pub(crate) fn picture(checker: &Checker, slots: &[Slot], columns: usize) -> String {
    let body = if checker.len() <= MATRIX_MAX { matrix(checker, slots) } else { strip(checker, columns) };
    format!("{body}\n{}", legend())
}

const fn sign(held: Held) -> (Style, char) {
    match held {
        None => (DIM, '·'),
        Some(RowStatus::Alive) => (GOOD, '●'),
        Some(RowStatus::Suspect) => (WARN, '◐'),
        Some(RowStatus::Dead) => (BAD, '✕'),
        Some(RowStatus::Left) => (DIM, '○'),
    }
}

fn legend() -> String {
    let named = [
        (Some(RowStatus::Alive), "alive"),
        (Some(RowStatus::Suspect), "suspect"),
        (Some(RowStatus::Dead), "dead"),
        (Some(RowStatus::Left), "left"),
        (None, "not heard of"),
    ];
    let entry = |(held, name)| {
        let (style, sign) = sign(held);
        format!("{} {name}", paint(style, sign))
    };
    format!("  {}", named.map(entry).join("   "))
}

fn matrix(checker: &Checker, slots: &[Slot]) -> String {
    let all = 0..checker.len();
    let numbers: String = all.clone().map(|subject| format!("{:>3}", subject + 1)).collect();
    let mut lines = vec![paint(DIM, format_args!("  {:<16} believes of {numbers}", "member"))];
    for observer in all.clone() {
        let slot = &slots[observer];
        let deed = checker.deed_of(observer);
        let style = match deed {
            Deed::Stopped => WARN,
            Deed::Killed => BAD,
            Deed::Nothing | Deed::Runs | Deed::Left => DIM,
        };
        let name = format!("{:<8} {:<6}", slot.name, word(slot.driver));
        let cells: String = all.clone().map(|subject| cell(checker, observer, subject)).collect();
        let state = paint(style, format_args!("{:<12}", deed.word()));
        lines.push(format!("  {name} {state} {cells}"));
    }
    lines.join("\n")
}

fn cell(checker: &Checker, observer: Member, subject: Member) -> String {
    let speaks = checker.deed_of(observer) == Deed::Runs;
    match sign(checker.held(observer, subject)) {
        _ if !speaks => "   ".to_owned(),
        (_, _) if observer == subject => format!("  {}", paint(DIM, '\\')),
        (style, sign) => format!("  {}", paint(style, sign)),
    }
}

fn strip(checker: &Checker, columns: usize) -> String {
    let signs: Vec<String> = (0..checker.len()).map(|subject| majority(checker, subject)).collect();
    let lines: Vec<String> = signs
        .chunks(columns.saturating_sub(4).clamp(10, 100))
        .map(|chunk| format!("  {}", chunk.concat()))
        .collect();
    let (right, all) = checker.agreement();
    let title =
        format!("{} members as the others see them; {right} of {all} held claims are true", checker.len());
    format!("  {}\n{}", paint(BOLD, title), lines.join("\n"))
}

/// What most of the others believe of `subject`; of equals the worst.
fn majority(checker: &Checker, subject: Member) -> String {
    let held = [
        Some(RowStatus::Dead),
        Some(RowStatus::Suspect),
        Some(RowStatus::Left),
        Some(RowStatus::Alive),
        None,
    ];
    let mut best = (0, None);
    for held in held {
        let (count, _) = checker.holders(subject, held);
        if count > best.0 {
            best = (count, held);
        }
    }
    let (style, sign) = sign(best.1);
    paint(style, sign)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser as _;

    use super::*;
    use crate::args::{Args, Verb};
    use crate::demo::cluster::Cluster;

    fn cluster_of(nodes: usize) -> (Cluster, Checker) {
        let line = format!("swim demo --nodes {nodes}");
        let Verb::Demo(args) = Args::try_parse_from(line.split(' ')).expect("valid").verb else {
            panic!("a demo")
        };
        let cluster = Cluster::new(&args);
        let mut checker = Checker::new(&cluster.names(), Duration::from_secs(1));
        (0..nodes).for_each(|member| checker.deed(Duration::ZERO, member, Deed::Runs));
        (cluster, checker)
    }

    fn widths(picture: &str) -> Vec<usize> {
        let plain = anstream::adapter::strip_str(picture).to_string();
        plain.lines().map(|line| line.chars().count()).collect()
    }

    #[test]
    fn a_small_cluster_has_a_row_for_each_member_and_all_rows_are_equally_long() {
        let (cluster, checker) = cluster_of(5);
        let widths = widths(&picture(&checker, cluster.slots(), 80));
        assert_eq!(widths.len(), 1 + 5 + 1);
        assert!(widths[..6].iter().all(|width| *width == widths[0]), "{widths:?}");
    }

    #[test]
    fn no_picture_is_wider_than_the_narrowest_terminal_that_gets_one() {
        for nodes in [2, MATRIX_MAX, MATRIX_MAX + 1, 250] {
            let (cluster, checker) = cluster_of(nodes);
            let widest = widths(&picture(&checker, cluster.slots(), 72)).into_iter().max();
            assert!(widest <= Some(100), "{nodes}: {widest:?}");
        }
    }
}
