//! `swim demo --interactive`: the same cluster, hurt by hand.

use std::time::Duration;

use serde::Serialize;

use crate::args::DriverKind;
use crate::demo::judge::{Belief, Deed, Member};
use crate::demo::report::Spread;
use crate::demo::script::{converge, in_s};
use crate::demo::stage::{Stage, Stop, system};
use crate::style::{BAD, DIM, paint};
use crate::tell::millis;

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
enum Order {
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
enum OrderError {
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
    order: Order,
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

/// Starts everybody, then does what is typed until `quit` or the end of input.
///
/// # Errors
/// The demo cannot go on.
pub(crate) fn play(stage: &mut Stage) -> Result<(), Stop> {
    if !converge(stage)? {
        return Ok(());
    }
    stage.cluster.hear_input().map_err(|e| system("read standard input", e))?;
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
        // The end of input is the end of the demo: nobody could end it any more.
        let Some(line) = line else { return Ok(()) };
        match parse(&line, stage.names.len()) {
            Ok(None) => {}
            Ok(Some(Order::Quit)) => return Ok(()),
            Ok(Some(order)) => obey(stage, order, &mut effects)?,
            Err(error) => {
                let error = error.to_string();
                complain(stage, error)?;
            }
        }
    }
}

fn obey(stage: &mut Stage, order: Order, effects: &mut Vec<Effect>) -> Result<(), Stop> {
    let member = match order {
        Order::Status => return status(stage),
        Order::Help => return stage.say(HELP),
        Order::Quit => return Ok(()),
        Order::Kill(member)
        | Order::Restart(member)
        | Order::Resume(member)
        | Order::Pause(member)
        | Order::Leave(member) => member,
    };
    if let Some(objection) = objection(order, stage.judge.deed_of(member), &stage.names[member]) {
        return complain(stage, objection);
    }
    stage.tell_the_rest()?;
    stage.begin("", Some(member))?;
    let since = match order {
        Order::Kill(_) => stage.kill(member)?,
        Order::Pause(_) => stage.pause(member)?,
        Order::Resume(_) => stage.resume(member)?,
        Order::Leave(_) => stage.leave(member)?,
        _ => {
            if matches!(stage.judge.deed_of(member), Deed::Runs | Deed::Stopped) {
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
fn objection(order: Order, deed: Deed, name: &str) -> Option<String> {
    let gone = matches!(deed, Deed::Killed | Deed::Left | Deed::Nothing);
    let text = match (order, deed) {
        (Order::Kill(_) | Order::Pause(_) | Order::Resume(_) | Order::Leave(_), _) if gone => {
            "does not run; `restart` starts it"
        }
        (Order::Pause(_), Deed::Stopped) => "is stopped already; `resume` wakes it",
        (Order::Leave(_), Deed::Stopped) => "is stopped and hears nothing; `resume` wakes it",
        (Order::Resume(_), Deed::Runs) => "is not stopped; `pause` stops it",
        _ => return None,
    };
    Some(format!("{name} {text}"))
}

fn complain(stage: &mut Stage, error: String) -> Result<(), Stop> {
    stage.say(&format!("  {} {error}", paint(BAD, "error:")))?;
    stage.teller.object(&ErrorObject { error }).map_err(Stop::Output)
}

/// Tells when the others have all noticed.
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
            Order::Kill(_) => {
                let deaths = stage.judge.deaths_of(member, since);
                let times = deaths.iter().map(|(_, at)| at.saturating_sub(since));
                stage.report.detected_ms = Spread::of(times);
                stage.found(true, "detected", &format!("{name} is Dead everywhere after {}", in_s(after)))?;
            }
            Order::Leave(_) => {
                stage.report.left_ms = Some(millis(after));
                stage.found(true, "left", &format!("{name} is Left everywhere after {}", in_s(after)))?;
            }
            _ => {
                let time = match order {
                    Order::Resume(_) => &mut stage.report.resumed_ms,
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
    let everywhere = |belief| {
        let (count, all) = stage.judge.believers(effect.member, belief);
        count == all && all > 0
    };
    match effect.order {
        Order::Kill(_) => {
            let deaths = stage.judge.deaths_of(effect.member, effect.since);
            let has_said_so = |speaker| deaths.iter().any(|(observer, _)| *observer == speaker);
            everywhere(Belief::Dead) && stage.judge.speakers().all(has_said_so)
        }
        // The others may not have noticed that it was away; of a new life they must have heard.
        Order::Restart(_) => {
            everywhere(Belief::Alive) && stage.judge.all_heard_of(effect.member, effect.since)
        }
        Order::Resume(_) => everywhere(Belief::Alive),
        Order::Leave(_) => everywhere(Belief::Left),
        // Whether and when a stopped member is called Dead is seen line by line.
        Order::Pause(_) | Order::Status | Order::Help | Order::Quit => false,
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
    let judge = &stage.judge;
    let status = stage.cluster.slots().iter().enumerate().map(|(member, slot)| {
        let at = |belief| judge.believers(member, belief).0;
        StatusRow {
            name: &slot.name,
            driver: slot.driver,
            addr: slot.addr,
            pid: slot.pid(),
            process: process(judge.deed_of(member)),
            alive_at: at(Belief::Alive),
            suspect_at: at(Belief::Suspect),
            dead_at: at(Belief::Dead),
            left_at: at(Belief::Left),
        }
    });
    let object = StatusObject { status: status.collect() };
    stage.teller.object(&object).map_err(Stop::Output)
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

fn parse(line: &str, nodes: usize) -> Result<Option<Order>, OrderError> {
    let mut words = line.split_whitespace();
    let Some(verb) = words.next() else { return Ok(None) };
    let order: fn(Member) -> Order = match verb {
        "status" => return Ok(Some(Order::Status)),
        "help" | "?" => return Ok(Some(Order::Help)),
        "quit" | "exit" => return Ok(Some(Order::Quit)),
        "kill" => Order::Kill,
        "restart" => Order::Restart,
        "pause" => Order::Pause,
        "resume" => Order::Resume,
        "leave" => Order::Leave,
        other => return Err(OrderError::Unknown(other.to_owned())),
    };
    let Some(number) = words.next() else { return Err(OrderError::NoNumber(verb.to_owned(), nodes)) };
    match number.trim_start_matches("node-").parse::<usize>() {
        Ok(number) if (1..=nodes).contains(&number) => Ok(Some(order(number - 1))),
        _ => Err(OrderError::NoMember(number.to_owned(), nodes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_named_by_number_or_by_name() {
        assert_eq!(parse("kill 3", 5), Ok(Some(Order::Kill(2))));
        assert_eq!(parse(" resume  node-5 ", 5), Ok(Some(Order::Resume(4))));
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
        assert!(objection(Order::Resume(0), Deed::Runs, "a").is_some());
        assert!(objection(Order::Kill(0), Deed::Killed, "a").is_some());
        assert!(objection(Order::Leave(0), Deed::Stopped, "a").is_some());
        assert!(objection(Order::Kill(0), Deed::Stopped, "a").is_none());
        assert!(objection(Order::Restart(0), Deed::Runs, "a").is_none());
    }
}
