//! The script: converge, kill, restart, pause, leave. Each step does one thing to one member and then waits
//! for the others to notice; it is shown only if they say so.

use std::time::Duration;

use crate::demo::checker::Member;
use crate::demo::narrator::list;
use crate::demo::report::Spread;
use crate::demo::stage::{Act, Stage, Stop};
use crate::line::{RowStatus, millis};
use crate::style::{DIM, paint};

/// Who plays what. A small cluster has to double up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cast {
    killed: Member,
    paused: Member,
    leaver: Member,
}

impl Cast {
    /// The first member is the one that the others joined through; it just watches.
    fn new(nodes: usize) -> Self {
        Self { killed: 2.min(nodes - 1), paused: 1, leaver: nodes - 1 }
    }
}

/// Plays the script to its end, or until a step without which the next makes no sense has failed.
pub(crate) fn play(stage: &mut Stage) -> Result<(), Stop> {
    let cast = Cast::new(stage.names.len());
    if !converge(stage)? || !kill(stage, cast.killed)? || !restart(stage, cast.killed)? {
        return Ok(());
    }
    pause(stage, cast.paused)?;
    leave(stage, cast.leaver)
}

/// Starts all members, and waits until all members list all members. Also the beginning of an interactive demo.
pub(crate) fn converge(stage: &mut Stage) -> Result<bool, Stop> {
    let nodes = stage.names.len();
    let title = format!("1  {nodes} members start, each a process of its own, and find each other");
    stage.begin(&title, None)?;
    let mut last = stage.start(0, "")?;
    let limit = stage.pace.converge();
    let listens = |stage: &Stage| stage.cluster.slots()[0].addr.is_some();
    if !stage.until(limit, "the first member's address", listens)? {
        stage.found(false, "converged", "the first member did not start")?;
        return Ok(false);
    }
    for member in 1..nodes {
        last = stage.start(member, "")?;
    }
    match stage.agree(limit, "all members to list all members as Alive")? {
        Some(at) => {
            let after = at.saturating_sub(last);
            stage.report.converged_ms = Some(millis(after));
            let text = format!("all {nodes} list all {nodes} as Alive, {} after the last start", in_s(after));
            stage.found(true, "converged", &text)?;
            Ok(true)
        }
        None => {
            let (right, all) = stage.checker.agreement();
            let text = format!("only {right} of {all} listings were right after {}", in_s(limit));
            stage.found(false, "converged", &text)?;
            Ok(false)
        }
    }
}

fn kill(stage: &mut Stage, victim: Member) -> Result<bool, Stop> {
    let name = stage.names[victim].clone();
    stage
        .begin(&format!("2  {name} is killed without warning; the others have to find out"), Some(victim))?;
    let killed = stage.act(Act::Kill, victim)?;
    let survivors = stage.checker.speakers().count();
    let limit = stage.pace.detection();
    let noticed = move |stage: &Stage| stage.checker.deaths_of(victim, killed).len() >= survivors;
    let noticed = stage.until(limit, "every survivor to call it Dead", noticed)?;

    let accusers = stage.checker.accusers_of(victim, killed);
    let first = accusers.iter().map(|(_, at)| *at).min();
    stage.report.suspected_ms = first.map(|at| millis(at.saturating_sub(killed)));
    let deaths = stage.checker.deaths_of(victim, killed);
    if !noticed {
        let text =
            format!("only {} of {survivors} survivors call {name} Dead after {}", deaths.len(), in_s(limit));
        stage.found(false, "detected", &text)?;
        return Ok(false);
    }
    let after: Vec<Duration> = deaths.iter().map(|(_, at)| at.saturating_sub(killed)).collect();
    stage.report.detected_ms = Spread::of(after.iter().copied());
    let listed = stage.agree(stage.pace.spread(), "the survivors' tables to say so, too")?.is_some();
    let suspected_by = list(&stage.names, accusers.iter().map(|(by, _)| *by));
    let last = after.iter().max().copied().unwrap_or_default();
    let bound = stage.pace.detection_bound;
    let than = if last <= bound { "within" } else { "later than" };
    let text = if listed {
        let promise = format!("{than} the bound of {}", in_s(bound));
        format!("all {survivors} survivors call {name} Dead after {}, {promise}", in_s(last))
    } else {
        format!("{name} was called Dead by all, but not all tables say so")
    };
    stage.say(&paint(DIM, format_args!("             accused by {suspected_by}")))?;
    stage.found(listed, "detected", &text)?;
    stage.show_picture()?;
    Ok(listed)
}

fn restart(stage: &mut Stage, victim: Member) -> Result<bool, Stop> {
    let name = stage.names[victim].clone();
    let title =
        format!("3  {name} is started again, under the same name and without memory of its earlier epoch");
    stage.begin(&title, Some(victim))?;
    let started = stage.act(Act::Restart, victim)?;
    let limit = stage.pace.spread();
    let agreed = stage.agree(limit, "all members to list it as Alive, and it to list all")?;
    let text = match agreed {
        Some(at) => {
            let after = at.saturating_sub(started);
            stage.report.rejoined_ms = Some(millis(after));
            format!("{name} is Alive everywhere again, {} after its start", in_s(after))
        }
        None => {
            let (alive, all) = stage.checker.holders(victim, Some(RowStatus::Alive));
            format!("{name} is Alive at {alive} of {all} only, after {}", in_s(limit))
        }
    };
    stage.found(agreed.is_some(), "rejoined", &text)?;
    Ok(agreed.is_some())
}

fn pause(stage: &mut Stage, sleeper: Member) -> Result<(), Stop> {
    let name = stage.names[sleeper].clone();
    let title =
        format!("4  {name} is stopped, as a garbage collector or a busy machine would, and goes on later");
    stage.begin(&title, Some(sleeper))?;
    let stopped = stage.act(Act::Pause, sleeper)?;
    let suspected = |stage: &Stage| !stage.checker.accusers_of(sleeper, stopped).is_empty();
    if !stage.until(stage.pace.accuse(), "a member to suspect it", suspected)? {
        stage.act(Act::Resume, sleeper)?;
        return stage.found(false, "suspected", &format!("no member suspected {name}"));
    }
    stage.until(stage.pace.pause_after_accusation(), "the suspicion to spread", |_| false)?;
    let (suspecting, all) = stage.checker.holders(sleeper, Some(RowStatus::Suspect));
    let woken = stage.act(Act::Resume, sleeper)?;
    stage.report.paused_ms = Some(millis(woken.saturating_sub(stopped)));
    stage.report.paused_suspected_by = Some(suspecting);
    let agreed = stage.agree(stage.pace.spread(), "all members to list it as Alive again")?;
    stage.report.resumed_ms = agreed.map(|at| millis(at.saturating_sub(woken)));
    stage.until(stage.pace.watch(), "it to accuse a member, which it should not", |_| false)?;

    let text = match agreed {
        Some(at) => {
            let (asleep, after) = (woken.saturating_sub(stopped), at.saturating_sub(woken));
            let share = format!("{suspecting} of {all} suspected it");
            format!("{name} slept {}: {share}; Alive everywhere {} after it woke", in_s(asleep), in_s(after))
        }
        None => format!("{name} was not listed as Alive everywhere again"),
    };
    stage.found(agreed.is_some(), "resumed", &text)?;
    let called_dead = stage.checker.deaths_of(sleeper, stopped).len();
    let text = match called_dead {
        0 => format!("no member called {name} Dead"),
        some => format!("{some} called {name} Dead, which was only asleep"),
    };
    stage.found(called_dead == 0, "not_buried", &text)?;
    let accused = stage.checker.accused_by(sleeper, woken);
    stage.report.accused_on_waking = Some(accused.len());
    let text = match accused.as_slice() {
        [] => format!("{name} accused no member when it woke"),
        some => format!("{name} accused {} when it woke", list(&stage.names, some.iter().map(|a| a.subject))),
    };
    stage.found(accused.is_empty(), "accused_nobody", &text)
}

fn leave(stage: &mut Stage, leaver: Member) -> Result<(), Stop> {
    let name = stage.names[leaver].clone();
    stage.begin(&format!("5  {name} says goodbye: no suspicion, no death"), Some(leaver))?;
    let asked = stage.act(Act::Leave, leaver)?;
    let limit = stage.pace.spread();
    let agreed = stage.agree(limit, "all others to list it as Left")?;
    let gone = move |stage: &Stage| stage.cluster.slots()[leaver].pid().is_none();
    let gone = stage.until(limit, "its process to end", gone)?;
    let text = match agreed {
        Some(at) if gone => {
            let after = at.saturating_sub(asked);
            stage.report.left_ms = Some(millis(after));
            format!("{name} is Left everywhere after {}, and its process has ended", in_s(after))
        }
        Some(_) => format!("{name} is Left everywhere, but its process goes on"),
        None => {
            let (left, all) = stage.checker.holders(leaver, Some(RowStatus::Left));
            format!("{name} is Left at {left} of {all} only, after {}", in_s(limit))
        }
    };
    stage.found(agreed.is_some() && gone, "left", &text)
}

/// `1.234 s`.
pub(crate) fn in_s(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_cluster_of_four_or_more_every_member_plays_one_part() {
        for nodes in 4..9 {
            let Cast { killed, paused, leaver } = Cast::new(nodes);
            assert!(killed != paused && paused != leaver && leaver != killed && leaver < nodes);
            assert!(![killed, paused, leaver].contains(&0));
        }
    }

    #[test]
    fn the_smallest_clusters_have_all_parts_filled() {
        assert_eq!(Cast::new(2), Cast { killed: 1, paused: 1, leaver: 1 });
        assert_eq!(Cast::new(3), Cast { killed: 2, paused: 1, leaver: 2 });
    }
}
