//! `swim demo --interactive`: the same cluster, hurt by hand.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use crate::args::DriverKind;
use crate::demo::checker::{Deed, Member};
use crate::demo::report::Spread;
use crate::demo::script::{converge, in_s};
use crate::demo::stage::{Act, Stage, Stop, system};
use crate::line::{RowStatus, millis};
use crate::style::{BAD, DIM, paint, printable};

const HELP: &str = "\
  kill N      SIGKILL: the others have to find out
  restart N   start it again, under the same name (kills it first if it runs)
  pause N     SIGSTOP: it stands still
  resume N    SIGCONT: it goes on
  leave N     it says goodbye
  status      who believes what of whom
  help, ?     this list
  quit, exit  end all members and the demo";

/// A line that was typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Typed {
    Act(Act, Member),
    Status,
    Help,
    Quit,
}

/// Why a line is no command.
#[derive(thiserror::Error, PartialEq, Eq, Debug)]
enum TypedError {
    #[error("`{0}` is no command; `help` lists them")]
    Unknown(String),
    #[error("`{0}` needs the number of a member, from 1 to {1}")]
    NoNumber(String, usize),
    #[error("`{0}` takes one member, but there is `{1}` behind it")]
    Surplus(String, String),
    #[error("there is no member {0}; they are numbered from 1 to {1}")]
    NoMember(String, usize),
}

/// What was done to a member, until the others have noticed.
struct Effect {
    member: Member,
    act: Act,
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
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                complain(stage, &error.to_string())?;
                continue;
            }
        };
        match parse(&line, stage.names.len()) {
            Ok(None) => {}
            Ok(Some(Typed::Act(act, member))) => obey(stage, act, member, &mut effects)?,
            Ok(Some(Typed::Status)) => status(stage)?,
            Ok(Some(Typed::Help)) => stage.say(HELP)?,
            Ok(Some(Typed::Quit)) => return Ok(()),
            Err(error) => complain(stage, &error.to_string())?,
        }
    }
}

fn obey(stage: &mut Stage, act: Act, member: Member, effects: &mut Vec<Effect>) -> Result<(), Stop> {
    if let Some(objection) = objection(act, stage.checker.deed_of(member)) {
        let objection = format!("{} {objection}", stage.names[member]);
        return complain(stage, &objection);
    }
    stage.show_the_rest()?;
    stage.begin("", Some(member))?;
    let since = stage.act(act, member)?;
    effects.retain(|effect| effect.member != member);
    if stage.checker.holders(member, None).1 == 0 {
        return stage.say(&paint(DIM, "             no other member runs that could notice"));
    }
    effects.push(Effect { member, act, since });
    Ok(())
}

/// What makes no sense, given what was done last.
const fn objection(act: Act, deed: Deed) -> Option<&'static str> {
    match (act, deed) {
        (Act::Restart, _) => None,
        (_, Deed::Killed | Deed::Left | Deed::Nothing) => Some("does not run; `restart` starts it"),
        (Act::Pause, Deed::Stopped) => Some("is stopped already; `resume` wakes it"),
        (Act::Leave, Deed::Stopped) => Some("is stopped and hears nothing; `resume` wakes it"),
        (Act::Resume, Deed::Runs) => Some("is not stopped; `pause` stops it"),
        _ => None,
    }
}

fn complain(stage: &mut Stage, error: &str) -> Result<(), Stop> {
    stage.say(&format!("  {} {}", paint(BAD, "error:"), printable(error)))?;
    stage.presenter.object(&json!({ "error": error })).map_err(Stop::Output)
}

/// Says when the others have all noticed.
fn report_effects(stage: &mut Stage, effects: &mut Vec<Effect>) -> Result<(), Stop> {
    let done: Vec<Effect> = effects.extract_if(.., |effect| has_shown(stage, effect)).collect();
    for Effect { member, act, since } in done {
        let after = stage.cluster.now().saturating_sub(since);
        let report = &mut stage.report;
        let (step, held) = match act {
            Act::Kill => {
                let deaths = stage.checker.deaths_of(member, since);
                report.detected_ms = Spread::of(deaths.iter().map(|(_, at)| at.saturating_sub(since)));
                ("detected", "Dead")
            }
            Act::Leave => {
                report.left_ms = Some(millis(after));
                ("left", "Left")
            }
            Act::Resume => {
                report.resumed_ms = Some(millis(after));
                ("alive", "Alive")
            }
            Act::Restart | Act::Pause => {
                report.rejoined_ms = Some(millis(after));
                ("alive", "Alive")
            }
        };
        let text = format!("{} is {held} everywhere after {}", stage.names[member], in_s(after));
        stage.found(true, step, &text)?;
    }
    Ok(())
}

fn has_shown(stage: &Stage, &mut Effect { member, act, since }: &mut Effect) -> bool {
    let checker = &stage.checker;
    let everywhere = |status| {
        let (count, all) = checker.holders(member, Some(status));
        count == all && all > 0
    };
    match act {
        Act::Kill => {
            let deaths = checker.deaths_of(member, since);
            let has_said_so = |speaker| deaths.iter().any(|(observer, _)| *observer == speaker);
            everywhere(RowStatus::Dead) && checker.speakers().all(has_said_so)
        }
        // The others may not have noticed that it was away; of a new epoch they must have heard.
        Act::Restart => everywhere(RowStatus::Alive) && checker.all_heard_of(member, since),
        Act::Resume => everywhere(RowStatus::Alive),
        Act::Leave => everywhere(RowStatus::Left),
        // Whether and when a stopped member is called Dead is seen line by line.
        Act::Pause => false,
    }
}

fn status(stage: &mut Stage) -> Result<(), Stop> {
    stage.show_picture()?;
    let (checker, slots) = (&stage.checker, stage.cluster.slots().iter().enumerate());
    let lines = slots.clone().map(|(member, slot)| {
        let pid = slot.pid().map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let addr = slot.addr.map_or_else(|| "-".to_owned(), |addr| addr.to_string());
        format!("  {:>3}  {:<10} {addr:<22} pid {pid}", member + 1, slot.name)
    });
    let lines = lines.collect::<Vec<_>>().join("\n");
    let rows = slots.map(|(member, slot)| {
        let at = |status| checker.holders(member, Some(status)).0;
        StatusRow {
            name: &slot.name,
            driver: slot.driver,
            addr: slot.addr,
            pid: slot.pid(),
            process: checker.deed_of(member).word(),
            alive_at: at(RowStatus::Alive),
            suspect_at: at(RowStatus::Suspect),
            dead_at: at(RowStatus::Dead),
            left_at: at(RowStatus::Left),
        }
    });
    let object = json!({ "status": rows.collect::<Vec<_>>() });
    stage.say(&paint(DIM, lines))?;
    stage.presenter.object(&object).map_err(Stop::Output)
}

fn parse(line: &str, nodes: usize) -> Result<Option<Typed>, TypedError> {
    let mut words = line.split_whitespace();
    let Some(verb) = words.next() else { return Ok(None) };
    let act = match verb {
        "status" => return Ok(Some(Typed::Status)),
        "help" | "?" => return Ok(Some(Typed::Help)),
        "quit" | "exit" => return Ok(Some(Typed::Quit)),
        "kill" => Act::Kill,
        "restart" => Act::Restart,
        "pause" => Act::Pause,
        "resume" => Act::Resume,
        "leave" => Act::Leave,
        other => return Err(TypedError::Unknown(other.to_owned())),
    };
    let Some(number) = words.next() else { return Err(TypedError::NoNumber(verb.to_owned(), nodes)) };
    if let Some(more) = words.next() {
        return Err(TypedError::Surplus(verb.to_owned(), more.to_owned()));
    }
    match number.trim_start_matches("node-").parse::<usize>() {
        Ok(number) if (1..=nodes).contains(&number) => Ok(Some(Typed::Act(act, number - 1))),
        _ => Err(TypedError::NoMember(number.to_owned(), nodes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_named_by_number_or_by_name() {
        assert_eq!(parse("kill 3", 5), Ok(Some(Typed::Act(Act::Kill, 2))));
        assert_eq!(parse(" resume  node-5 ", 5), Ok(Some(Typed::Act(Act::Resume, 4))));
        assert_eq!(parse("", 5), Ok(None));
    }

    #[test]
    fn a_wrong_line_is_refused_with_the_way_out() {
        let refusal = |line| parse(line, 5).expect_err("refused").to_string();
        assert_eq!(refusal("kill"), "`kill` needs the number of a member, from 1 to 5");
        assert_eq!(refusal("kill 1 2"), "`kill` takes one member, but there is `2` behind it");
        assert_eq!(refusal("kill 6"), "there is no member 6; they are numbered from 1 to 5");
        assert_eq!(refusal("kill 0"), "there is no member 0; they are numbered from 1 to 5");
        assert_eq!(refusal("hug 3"), "`hug` is no command; `help` lists them");
    }

    #[test]
    fn every_command_is_in_the_help() {
        for word in ["kill", "restart", "pause", "resume", "leave", "status", "help", "quit"] {
            assert!(HELP.lines().any(|line| line.trim_start().starts_with(word)), "{word}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_the_rest_is_not() {
        assert!(objection(Act::Resume, Deed::Runs).is_some());
        assert!(objection(Act::Kill, Deed::Killed).is_some());
        assert!(objection(Act::Leave, Deed::Stopped).is_some());
        assert!(objection(Act::Kill, Deed::Stopped).is_none());
        assert!(objection(Act::Restart, Deed::Runs).is_none());
    }
}
