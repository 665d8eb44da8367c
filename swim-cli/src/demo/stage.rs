//! Where the demo takes place: processes, checker and presenter, and the waiting that script and commands share.
//!
//! Whatever happens goes through [`Stage::turn`], and from there to the checker first and the presenter second, so
//! nothing is shown that the checker has not seen.

use std::io;
use std::time::Duration;

use rustix::process::Signal;
use serde::Serialize;

use crate::args::DemoArgs;
use crate::demo::checker::{Checker, Deed, Member};
use crate::demo::cluster::{Change, Cluster};
use crate::demo::matrix::picture;
use crate::demo::narrator::{Narrator, stamped};
use crate::demo::pace::Pace;
use crate::demo::presenter::Presenter;
use crate::demo::report::Report;
use crate::input::LineTooLong;
use crate::line::millis;
use crate::line::{Happening, Line, NamedEvent};
use crate::style::{BAD, BOLD, DIM, GOOD, NEWS, paint, printable};

/// How long events alone are waited for before the members are asked for their tables.
const ASK_AFTER: Duration = Duration::from_secs(2);
/// How long an answer may take before the question is put again.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Why the demo ended before its end.
#[derive(thiserror::Error, Debug)]
pub(crate) enum Stop {
    #[error("interrupted")]
    Interrupted,
    #[error("cannot write to standard output: {0}")]
    Output(#[source] io::Error),
    #[error("cannot {what}: {source}")]
    System { what: String, source: io::Error },
    #[error("{0} ended by itself")]
    Ended(String),
}

pub(crate) struct Stage {
    pub(crate) cluster: Cluster,
    pub(crate) checker: Checker,
    pub(crate) presenter: Presenter,
    pub(crate) pace: Pace,
    pub(crate) report: Report,
    pub(crate) names: Vec<String>,
    narrator: Narrator,
    waiting_for: String,
}

/// What can be done to a member that was started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    Kill,
    /// Kills it first if it runs.
    Restart,
    Pause,
    Resume,
    Leave,
}

/// `--json`: a member's line.
#[derive(Serialize)]
struct Heard<'a> {
    from: &'a str,
    at_ms: u64,
    #[serde(flatten)]
    line: &'a Line,
}

/// `--json`: something that the demo did, or found.
#[derive(Serialize)]
struct Step<'a> {
    step: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<bool>,
    at_ms: u64,
}

impl Stage {
    /// A stage on which no member has been started yet.
    pub(crate) fn new(args: &DemoArgs) -> Result<Self, Stop> {
        let cluster = Cluster::new(args);
        cluster.watch_signals().map_err(|e| system("install signal handlers", e))?;
        let (names, nodes) = (cluster.names(), usize::from(args.nodes));
        let pace = Pace::new(args.profile, nodes);
        let report = Report {
            nodes,
            driver: args.driver,
            profile: args.profile,
            detection_bound_ms: millis(pace.detection_bound),
            ..Report::default()
        };
        Ok(Self {
            checker: Checker::new(&names, pace.suspicion_min),
            presenter: Presenter::new(args.json, !args.interactive),
            pace,
            report,
            narrator: Narrator::new(Duration::ZERO, None, nodes),
            waiting_for: String::new(),
            names,
            cluster,
        })
    }

    /// Announces a step and counts its time from now on. `focus` is the member that it is about. Returns when
    /// it began.
    pub(crate) fn begin(&mut self, title: &str, focus: Option<Member>) -> Result<Duration, Stop> {
        let now = self.cluster.now();
        let focus = focus.map(|member| self.names[member].clone());
        self.narrator = Narrator::new(now, focus, self.names.len());
        let title = if title.is_empty() { String::new() } else { format!("\n{}", paint(BOLD, title)) };
        self.say(&title)?;
        Ok(now)
    }

    /// Ends a step: what was found, and whether it is what was to be shown.
    pub(crate) fn found(&mut self, ok: bool, step: &str, text: &str) -> Result<(), Stop> {
        self.show_the_rest()?;
        let sign = if ok { paint(GOOD, "✓") } else { paint(BAD, "✗") };
        self.say(&format!("  {sign} {}", paint(BOLD, text)))?;
        if !ok {
            self.report.failures.push(text.to_owned());
        }
        let at_ms = millis(self.cluster.now());
        self.presenter.object(&Step { step, name: None, ok: Some(ok), at_ms }).map_err(Stop::Output)
    }

    /// Says how many events of the step were not shown one by one.
    pub(crate) fn show_the_rest(&mut self) -> Result<(), Stop> {
        self.narrator.rest().iter().try_for_each(|line| self.say(line))
    }

    /// Prints a line for people.
    pub(crate) fn say(&mut self, text: &str) -> Result<(), Stop> {
        self.presenter.text(text).map_err(Stop::Output)
    }

    fn did(&mut self, at: Duration, member: Member, deed: Deed, step: &str, text: &str) -> Result<(), Stop> {
        self.checker.deed(at, member, deed);
        let name = self.names[member].clone();
        if !text.is_empty() {
            self.say(&stamped(at.saturating_sub(self.narrator.since()), paint(NEWS, text)))?;
        }
        let object = Step { step, name: Some(&name), ok: None, at_ms: millis(at) };
        self.presenter.object(&object).map_err(Stop::Output)
    }

    /// Starts a member. Returns when that was.
    pub(crate) fn start(&mut self, member: Member, text: &str) -> Result<Duration, Stop> {
        if let Some(addr) = self.cluster.evicted(member) {
            let name = &self.names[member];
            let text = format!("             {name} gets a new address: another program has taken {addr}");
            self.say(&paint(DIM, text))?;
        }
        let at = self.cluster.now();
        self.cluster.start(member).map_err(|e| system(&format!("start {}", self.names[member]), e))?;
        self.did(at, member, Deed::Runs, "start", text)?;
        Ok(at)
    }

    /// Does something to a member. Returns when that was.
    pub(crate) fn act(&mut self, act: Act, member: Member) -> Result<Duration, Stop> {
        let (name, cluster) = (self.names[member].clone(), &mut self.cluster);
        let at = cluster.now();
        let (deed, step, text, done) = match act {
            Act::Kill => (Deed::Killed, "kill", format!("SIGKILL to {name}"), cluster.kill(member)),
            Act::Pause => {
                (Deed::Stopped, "pause", format!("SIGSTOP to {name}"), cluster.signal(member, Signal::STOP))
            }
            Act::Resume => {
                (Deed::Runs, "resume", format!("SIGCONT to {name}"), cluster.signal(member, Signal::CONT))
            }
            Act::Leave => {
                cluster.say(member, "leave");
                (Deed::Left, "leave", format!("{name} is asked to leave"), Ok(()))
            }
            Act::Restart => {
                if matches!(self.checker.deed_of(member), Deed::Runs | Deed::Stopped) {
                    self.act(Act::Kill, member)?;
                }
                return self.start(member, &format!("{name} is started"));
            }
        };
        done.map_err(|e| system(&format!("{step} {name}"), e))?;
        self.did(at, member, deed, step, &text)?;
        Ok(at)
    }

    /// Waits until `done`, `limit` at most; whether it came to that.
    pub(crate) fn until(
        &mut self,
        limit: Duration,
        waiting_for: &str,
        done: impl Fn(&Self) -> bool,
    ) -> Result<bool, Stop> {
        waiting_for.clone_into(&mut self.waiting_for);
        let end = self.cluster.now() + limit;
        loop {
            if done(self) {
                return Ok(true);
            }
            let left = end.saturating_sub(self.cluster.now());
            if left.is_zero() {
                return Ok(false);
            }
            // Nothing can be typed: standard input is read by interactive demos only, which do not come here
            // once it is.
            let _ = self.turn(left)?;
        }
    }

    /// Waits until all members believe what is true, by their events *and* by their own answers to
    /// `members`. Returns when the last held claim changed, or `None` after `limit`.
    pub(crate) fn agree(&mut self, limit: Duration, waiting_for: &str) -> Result<Option<Duration>, Stop> {
        let end = self.cluster.now() + limit;
        loop {
            let left = end.saturating_sub(self.cluster.now());
            if left.is_zero() {
                return Ok(None);
            }
            self.until(left.min(ASK_AFTER), waiting_for, |stage| stage.checker.all_agree())?;
            let asked = self.cluster.now();
            let speakers: Vec<Member> = self.checker.speakers().collect();
            speakers.into_iter().for_each(|member| self.cluster.say(member, "members"));
            let answered = |stage: &Self| stage.checker.all_answered(asked);
            if self.until(ANSWER_MAX, waiting_for, answered)? && self.checker.all_agree() {
                return Ok(Some(self.checker.settled_at()));
            }
        }
    }

    /// Waits for one thing to happen, `wait` at most, and takes it in. Returns a line that was typed:
    /// `Some(None)` is the end of input.
    pub(crate) fn turn(
        &mut self,
        wait: Duration,
    ) -> Result<Option<Option<Result<String, LineTooLong>>>, Stop> {
        let wait = self.presenter.frame().map_or(wait, |frame| wait.min(frame));
        let happening = self.cluster.next(wait);
        self.draw()?;
        match happening {
            None => Ok(None),
            Some(Change::Member { member, at, said: Some(text), .. }) => {
                self.said(member, at, &text).map(|()| None)
            }
            Some(Change::Member { member, at, said: None, .. }) => self.ended(member, at).map(|()| None),
            Some(Change::Typed(line)) => Ok(Some(line)),
            Some(Change::Interrupted) => Err(Stop::Interrupted),
        }
    }

    fn said(&mut self, member: Member, at: Duration, text: &str) -> Result<(), Stop> {
        let name = self.names[member].clone();
        let Ok(line) = serde_json::from_str::<Line>(text) else {
            self.report.failures.push(format!("{name} printed what is no event: {text}"));
            return self.say(&format!("  {} {name}: {}", paint(BAD, "✗"), printable(text)));
        };
        self.checker.line(at, member, &line);
        match &line {
            Line::Event(stamped) => {
                let NamedEvent { what, who } = &stamped.event;
                if let (Happening::Started { .. }, Some(addr)) = (what, who.addr)
                    && who.name == name
                {
                    self.cluster.located(member, addr);
                }
                if let Some(line) = self.narrator.line(at, &name, &stamped.event) {
                    self.say(&line)?;
                }
            }
            Line::Error { error } => {
                self.say(&format!("  {} {name}: {}", paint(BAD, "✗"), printable(error)))?
            }
            // Tables are read, not repeated.
            Line::Members { .. } | Line::Stats { .. } | Line::Help { .. } => return Ok(()),
        }
        let heard = Heard { from: &name, at_ms: millis(at), line: &line };
        self.presenter.object(&heard).map_err(Stop::Output)
    }

    fn ended(&mut self, member: Member, at: Duration) -> Result<(), Stop> {
        let name = self.names[member].clone();
        let well = self.cluster.collect(member).map_err(|e| system(&format!("wait for {name}"), e))?;
        match self.checker.deed_of(member) {
            Deed::Left if well => {
                let after = at.saturating_sub(self.narrator.since());
                self.say(&stamped(after, paint(DIM, format_args!("{name} has ended, exit code 0"))))
            }
            Deed::Killed => Ok(()),
            _ => {
                self.checker.deed(at, member, Deed::Killed);
                Err(Stop::Ended(name))
            }
        }
    }

    fn draw(&mut self) -> Result<(), Stop> {
        let (checker, slots, waiting_for) = (&self.checker, self.cluster.slots(), &self.waiting_for);
        let time = self.cluster.now().as_secs_f64();
        let panel = |columns| {
            let status = paint(DIM, format_args!("  {time:>5.1} s  {waiting_for}"));
            format!("{}\n{status}", picture(checker, slots, columns))
        };
        self.presenter.draw(panel).map_err(Stop::Output)
    }

    /// Prints the picture of what all believe now, to stay.
    pub(crate) fn show_picture(&mut self) -> Result<(), Stop> {
        let picture = picture(&self.checker, self.cluster.slots(), 80);
        self.say(&format!("\n{picture}"))
    }
}

/// The operating system refused.
pub(crate) fn system(what: &str, source: io::Error) -> Stop {
    Stop::System { what: what.to_owned(), source }
}
