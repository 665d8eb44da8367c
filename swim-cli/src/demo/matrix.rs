//! Who believes what of whom, as a picture.
//!
//! A small cluster is a matrix: a row for each member that looks, a column for each that is looked at. A
//! large one is a strip: one sign for each member, by what most of the others believe of it.

use anstyle::Style;

use crate::demo::cluster::Slot;
use crate::demo::judge::{Belief, Deed, Judge, Member};
use crate::style::{BAD, BOLD, DIM, GOOD, WARN, paint};

/// Largest cluster that is shown as a matrix.
const MATRIX_MAX: usize = 20;

/// The picture, at most `columns` wide, without a newline at its end.
pub(crate) fn picture(judge: &Judge, slots: &[Slot], columns: usize) -> String {
    let body = if judge.len() <= MATRIX_MAX { matrix(judge, slots) } else { strip(judge, columns) };
    format!("{body}\n{}", legend())
}

const fn sign(belief: Belief) -> (Style, char) {
    match belief {
        Belief::Unknown => (DIM, '·'),
        Belief::Alive => (GOOD, '●'),
        Belief::Suspect => (WARN, '◐'),
        Belief::Dead => (BAD, '✕'),
        Belief::Left => (DIM, '○'),
    }
}

fn legend() -> String {
    let named = [
        (Belief::Alive, "alive"),
        (Belief::Suspect, "suspect"),
        (Belief::Dead, "dead"),
        (Belief::Left, "left"),
        (Belief::Unknown, "not heard of"),
    ];
    let entry = |(belief, name)| {
        let (style, sign) = sign(belief);
        format!("{} {name}", paint(style, sign))
    };
    format!("  {}", named.map(entry).join("   "))
}

fn matrix(judge: &Judge, slots: &[Slot]) -> String {
    let all = 0..judge.len();
    let numbers: String = all.clone().map(|subject| format!("{:>3}", subject + 1)).collect();
    let mut lines = vec![paint(DIM, format_args!("  {:<16} believes of {numbers}", "member"))];
    for observer in all.clone() {
        let slot = &slots[observer];
        let (style, state) = state(judge.deed_of(observer));
        let name = format!("{:<8} {:<6}", slot.name, slot.driver.as_str());
        let cells: String = all.clone().map(|subject| cell(judge, observer, subject)).collect();
        let state = paint(style, format_args!("{state:<12}"));
        lines.push(format!("  {name} {state} {cells}"));
    }
    lines.join("\n")
}

fn cell(judge: &Judge, observer: Member, subject: Member) -> String {
    let speaks = judge.deed_of(observer) == Deed::Runs;
    match sign(judge.belief(observer, subject)) {
        _ if !speaks => "   ".to_owned(),
        (_, _) if observer == subject => format!("  {}", paint(DIM, '\\')),
        (style, sign) => format!("  {}", paint(style, sign)),
    }
}

const fn state(deed: Deed) -> (Style, &'static str) {
    match deed {
        Deed::Nothing => (DIM, "not started"),
        Deed::Runs => (DIM, "runs"),
        Deed::Stopped => (WARN, "SIGSTOP"),
        Deed::Killed => (BAD, "SIGKILL"),
        Deed::Left => (DIM, "left"),
    }
}

fn strip(judge: &Judge, columns: usize) -> String {
    let signs: Vec<String> = (0..judge.len()).map(|subject| majority(judge, subject)).collect();
    let lines: Vec<String> = signs
        .chunks(columns.saturating_sub(4).clamp(10, 100))
        .map(|chunk| format!("  {}", chunk.concat()))
        .collect();
    let (right, all) = judge.agreement();
    let title = format!("{} members as the others see them; {right} of {all} beliefs are true", judge.len());
    format!("  {}\n{}", paint(BOLD, title), lines.join("\n"))
}

/// What most of the others believe of `subject`; of equals the worst.
fn majority(judge: &Judge, subject: Member) -> String {
    let beliefs = [Belief::Dead, Belief::Suspect, Belief::Left, Belief::Alive, Belief::Unknown];
    let mut best = (0, Belief::Unknown);
    for belief in beliefs {
        let (count, _) = judge.believers(subject, belief);
        if count > best.0 {
            best = (count, belief);
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

    fn cluster_of(nodes: usize) -> (Cluster, Judge) {
        let line = format!("swim demo --nodes {nodes}");
        let Verb::Demo(args) = Args::try_parse_from(line.split(' ')).expect("valid").verb else {
            panic!("a demo")
        };
        let cluster = Cluster::new(&args);
        let mut judge = Judge::new(&cluster.names(), Duration::from_secs(1));
        (0..nodes).for_each(|member| judge.deed(Duration::ZERO, member, Deed::Runs));
        (cluster, judge)
    }

    fn widths(picture: &str) -> Vec<usize> {
        let plain = anstream::adapter::strip_str(picture).to_string();
        plain.lines().map(|line| line.chars().count()).collect()
    }

    #[test]
    fn a_small_cluster_has_a_row_for_each_member_and_all_rows_are_equally_long() {
        let (cluster, judge) = cluster_of(5);
        let widths = widths(&picture(&judge, cluster.slots(), 80));
        assert_eq!(widths.len(), 1 + 5 + 1);
        assert!(widths[..6].iter().all(|width| *width == widths[0]), "{widths:?}");
    }

    #[test]
    fn no_picture_is_wider_than_the_narrowest_terminal_that_gets_one() {
        for nodes in [2, MATRIX_MAX, MATRIX_MAX + 1, 250] {
            let (cluster, judge) = cluster_of(nodes);
            let widest = widths(&picture(&judge, cluster.slots(), 72)).into_iter().max();
            assert!(widest <= Some(100), "{nodes}: {widest:?}");
        }
    }
}
