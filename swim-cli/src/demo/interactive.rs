//! `swim demo --interactive`: the same cluster, hurt by hand.

use std::time::Duration;

use serde::Serialize;

use crate::args::DriverKind;
use crate::demo::checker::{Deed, Held, Member};
use crate::demo::report::Spread;
use crate::demo::script::{converge, in_s};
use crate::demo::stage::{Stage, Stop, system};
use crate::line::millis;
use crate::style::{BAD, DIM, paint};

const HELP: &str = "\
  kill N      SIGKILL: the others have to find out
  restart N   start it again, under the same name (kills it first if it runs)
  pause N     SIGSTOP: it stands still
  resume N    SIGCONT: it goes on
  leave N     it says goodbye
  status      who believes what of whom
  quit        end all members and the demo";

/// A line that was typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Action {
    Kill(Member),
    Restart(Member),
    Pause(Member),
    Resume(Member),
    Leave(Member),
    Status,
    Help,
    Quit,
}

/// Why a line is no order.
#[derive(thiserror::Error, PartialEq, Eq, Debug)]
enum ActionError {
    #[error("`{0}` is no command; `help` lists them")]
    Unknown(String),
    #[error("`{0}` needs the number of a member, from 1 to {1}")]
    NoNumber(String, usize),
    #[error("there is no member {0}; they are numbered from 1 to {1}")]
    NoMember(String, usize),
}

/// A deed whose effect is waited for.
struct Effect {
    member: Member,
    order: Action,
    since: Duration,
}

/// `--json`: the answer to `status`.
#[derive(Serialize)]
struct StatusRow<'a> {
    name: &'a str,
    driver: DriverKind,
    addr: Option<std::net::SocketAddr>,
    pid: Option<u32>,
    process: &'static str,
    /// How many of the others that can speak believe what of it.
    alive_at: usize,
    suspect_at: usize,
    dead_at: usize,
    left_at: usize,
}

#[derive(Serialize)]
struct StatusObject<'a> {
    status: Vec<StatusRow<'a>>,
}

#[derive(Serialize)]
struct ErrorObject {
    error: String,
}

/// Starts all members, then does what is typed until `quit` or the end of input.
pub(crate) fn play(stage: &mut Stage) -> Result<(), Stop> {
    if !converge(stage)? {
        return Ok(());
    }
    stage.cluster.read_input().map_err(|e| system("read standard input", e))?;
    stage.begin("Now you: kill N, restart N, pause N, resume N, leave N, status, help, quit", None)?;
    let mut effects: Vec<Effect> = Vec::new();
    loop {
        let typed = match stage.turn(Duration::from_secs(3600)) {
            Err(Stop::Ended(name)) => {
                stage.say(&format!("  {} {name} has ended by itself", paint(BAD, "✗")))?;
                None
            }
            other => other?,
        };
        report_effects(stage, &mut effects)?;
        let Some(line) = typed else { continue };
        // The end of input is the end of the demo: nothing could end it any more.
        let Some(line) = line else { return Ok(()) };
        match parse(&line, stage.names.len()) {
            Ok(None) => {}
            Ok(Some(Action::Quit)) => return Ok(()),
            Ok(Some(order)) => obey(stage, order, &mut effects)?,
            Err(error) => {
                let error = error.to_string();
                complain(stage, error)?;
            }
        }
    }
}

fn obey(stage: &mut Stage, order: Action, effects: &mut Vec<Effect>) -> Result<(), Stop> {
    let member = match order {
        Action::Status => return status(stage),
        Action::Help => return stage.say(HELP),
        Action::Quit => return Ok(()),
        Action::Kill(member)
        | Action::Restart(member)
        | Action::Resume(member)
        | Action::Pause(member)
        | Action::Leave(member) => member,
    };
    if let Some(objection) = objection(order, stage.checker.deed_of(member), &stage.names[member]) {
        return complain(stage, objection);
    }
    stage.show_the_rest()?;
    stage.begin("", Some(member))?;
    let since = match order {
        Action::Kill(_) => stage.kill(member)?,
        Action::Pause(_) => stage.pause(member)?,
        Action::Resume(_) => stage.resume(member)?,
        Action::Leave(_) => stage.leave(member)?,
        _ => {
            if matches!(stage.checker.deed_of(member), Deed::Runs | Deed::Stopped) {
                stage.kill(member)?;
            }
            let text = format!("{} is started", stage.names[member]);
            stage.start(member, &text)?
        }
    };
    effects.retain(|effect| effect.member != member);
    effects.push(Effect { member, order, since });
    Ok(())
}

/// What makes no sense, given what was done last.
fn objection(order: Action, deed: Deed, name: &str) -> Option<String> {
    let gone = matches!(deed, Deed::Killed | Deed::Left | Deed::Nothing);
    let text = match (order, deed) {
        (Action::Kill(_) | Action::Pause(_) | Action::Resume(_) | Action::Leave(_), _) if gone => {
            "does not run; `restart` starts it"
        }
        (Action::Pause(_), Deed::Stopped) => "is stopped already; `resume` wakes it",
        (Action::Leave(_), Deed::Stopped) => "is stopped and hears nothing; `resume` wakes it",
        (Action::Resume(_), Deed::Runs) => "is not stopped; `pause` stops it",
        _ => return None,
    };
    Some(format!("{name} {text}"))
}

fn complain(stage: &mut Stage, error: String) -> Result<(), Stop> {
    stage.say(&format!("  {} {error}", paint(BAD, "error:")))?;
    stage.presenter.object(&ErrorObject { error }).map_err(Stop::Output)
}

/// Says when the others have all noticed.
fn report_effects(stage: &mut Stage, effects: &mut Vec<Effect>) -> Result<(), Stop> {
    let mut done = Vec::new();
    effects.retain(|effect| {
        let is_done = has_shown(stage, effect);
        if is_done {
            done.push((effect.member, effect.order, effect.since));
        }
        !is_done
    });
    for (member, order, since) in done {
        let name = stage.names[member].clone();
        let after = stage.cluster.now().saturating_sub(since);
        match order {
            Action::Kill(_) => {
                let deaths = stage.checker.deaths_of(member, since);
                let times = deaths.iter().map(|(_, at)| at.saturating_sub(since));
                stage.report.detected_ms = Spread::of(times);
                stage.found(true, "detected", &format!("{name} is Dead everywhere after {}", in_s(after)))?;
            }
            Action::Leave(_) => {
                stage.report.left_ms = Some(millis(after));
                stage.found(true, "left", &format!("{name} is Left everywhere after {}", in_s(after)))?;
            }
            _ => {
                let time = match order {
                    Action::Resume(_) => &mut stage.report.resumed_ms,
                    _ => &mut stage.report.rejoined_ms,
                };
                *time = Some(millis(after));
                stage.found(true, "alive", &format!("{name} is Alive everywhere after {}", in_s(after)))?;
            }
        }
    }
    Ok(())
}

fn has_shown(stage: &Stage, effect: &Effect) -> bool {
    let everywhere = |held| {
        let (count, all) = stage.checker.holders(effect.member, held);
        count == all && all > 0
    };
    match effect.order {
        Action::Kill(_) => {
            let deaths = stage.checker.deaths_of(effect.member, effect.since);
            let has_said_so = |speaker| deaths.iter().any(|(observer, _)| *observer == speaker);
            everywhere(Held::Dead) && stage.checker.speakers().all(has_said_so)
        }
        // The others may not have noticed that it was away; of a new epoch they must have heard.
        Action::Restart(_) => {
            everywhere(Held::Alive) && stage.checker.all_heard_of(effect.member, effect.since)
        }
        Action::Resume(_) => everywhere(Held::Alive),
        Action::Leave(_) => everywhere(Held::Left),
        // Whether and when a stopped member is called Dead is seen line by line.
        Action::Pause(_) | Action::Status | Action::Help | Action::Quit => false,
    }
}

fn status(stage: &mut Stage) -> Result<(), Stop> {
    stage.show_picture()?;
    let rows: Vec<String> = stage
        .cluster
        .slots()
        .iter()
        .enumerate()
        .map(|(member, slot)| {
            let pid = slot.pid().map_or_else(|| "-".to_owned(), |pid| pid.to_string());
            let addr = slot.addr.map_or_else(|| "-".to_owned(), |addr| addr.to_string());
            format!("  {:>3}  {:<10} {addr:<22} pid {pid}", member + 1, slot.name)
        })
        .collect();
    stage.say(&paint(DIM, rows.join("\n")))?;
    let checker = &stage.checker;
    let status = stage.cluster.slots().iter().enumerate().map(|(member, slot)| {
        let at = |held| checker.holders(member, held).0;
        StatusRow {
            name: &slot.name,
            driver: slot.driver,
            addr: slot.addr,
            pid: slot.pid(),
            process: process(checker.deed_of(member)),
            alive_at: at(Held::Alive),
            suspect_at: at(Held::Suspect),
            dead_at: at(Held::Dead),
            left_at: at(Held::Left),
        }
    });
    let object = StatusObject { status: status.collect() };
    stage.presenter.object(&object).map_err(Stop::Output)
}

const fn process(deed: Deed) -> &'static str {
    match deed {
        Deed::Nothing => "not started",
        Deed::Runs => "running",
        Deed::Stopped => "stopped",
        Deed::Killed => "killed",
        Deed::Left => "left",
    }
}

fn parse(line: &str, nodes: usize) -> Result<Option<Action>, ActionError> {
    let mut words = line.split_whitespace();
    let Some(verb) = words.next() else { return Ok(None) };
    let order: fn(Member) -> Action = match verb {
        "status" => return Ok(Some(Action::Status)),
        "help" | "?" => return Ok(Some(Action::Help)),
        "quit" | "exit" => return Ok(Some(Action::Quit)),
        "kill" => Action::Kill,
        "restart" => Action::Restart,
        "pause" => Action::Pause,
        "resume" => Action::Resume,
        "leave" => Action::Leave,
        other => return Err(ActionError::Unknown(other.to_owned())),
    };
    let Some(number) = words.next() else { return Err(ActionError::NoNumber(verb.to_owned(), nodes)) };
    match number.trim_start_matches("node-").parse::<usize>() {
        Ok(number) if (1..=nodes).contains(&number) => Ok(Some(order(number - 1))),
        _ => Err(ActionError::NoMember(number.to_owned(), nodes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_named_by_number_or_by_name() {
        assert_eq!(parse("kill 3", 5), Ok(Some(Action::Kill(2))));
        assert_eq!(parse(" resume  node-5 ", 5), Ok(Some(Action::Resume(4))));
        assert_eq!(parse("", 5), Ok(None));
    }

    #[test]
    fn a_wrong_line_is_refused_with_the_way_out() {
        let refusal = |line| parse(line, 5).expect_err("refused").to_string();
        assert_eq!(refusal("kill"), "`kill` needs the number of a member, from 1 to 5");
        assert_eq!(refusal("kill 6"), "there is no member 6; they are numbered from 1 to 5");
        assert_eq!(refusal("kill 0"), "there is no member 0; they are numbered from 1 to 5");
        assert_eq!(refusal("hug 3"), "`hug` is no command; `help` lists them");
    }

    #[test]
    fn every_order_is_in_the_help() {
        for word in ["kill", "restart", "pause", "resume", "leave", "status", "quit"] {
            assert!(HELP.lines().any(|line| line.trim_start().starts_with(word)), "{word}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_the_rest_is_not() {
        assert!(objection(Action::Resume(0), Deed::Runs, "a").is_some());
        assert!(objection(Action::Kill(0), Deed::Killed, "a").is_some());
        assert!(objection(Action::Leave(0), Deed::Stopped, "a").is_some());
        assert!(objection(Action::Kill(0), Deed::Stopped, "a").is_none());
        assert!(objection(Action::Restart(0), Deed::Runs, "a").is_none());
    }
}
