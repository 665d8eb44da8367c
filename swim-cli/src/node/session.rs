//! One running member: what comes in from everywhere, in one queue, and what is printed for it.

use std::error::Error;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::Instant;

use swim_core::{Event, NodeId};
use swim_mio::{CommandError, RecordError, SeedAddr};

use crate::address::AddressError;
use crate::args::{COMMANDS, NodeArgs};
use crate::exit::{EndRequests, Exit};
use crate::input;
use crate::line::Directory as _;
use crate::line::{Happening, Line, NamedEvent};
use crate::naming::Name;
use crate::node::LEAVE_MAX;
use crate::node::command::{Command, Typed};
use crate::node::error::NodeError;
use crate::node::plan::Plan;
use crate::node::printer::Printer;
use crate::node::roster::Roster;
use crate::node::running::Running;
use crate::node::seeds::Search;
use crate::spawn;
use crate::stats_row::stats_row;
use crate::style::{BAD, paint};

/// What may wait for the main thread. Beyond it the threads that wait for the world wait for it.
const TURNS_MAX: usize = 64;

/// Something for the main thread to do.
enum Turn {
    Event(Event),
    Command(Command),
    /// A line was no command.
    NoCommand(Box<dyn Error + Send>),
    /// A broadcast has been handed over, or refused.
    Broadcast(Result<u32, CommandError>),
    /// A join has ended without a cluster.
    NotJoined(CommandError),
    /// The member has stopped; everything that it said came before.
    Stopped,
}

/// Starts a member and serves it until it stops.
pub(crate) fn serve(args: &NodeArgs, printer: &mut Printer) -> Result<(), NodeError> {
    let Plan { mut settings, name } = Plan::new(args)?;
    if let Some(recording) = &mut settings.recording {
        recording.stopped = Some(wait_for_the_recording().map_err(NodeError::System)?);
    }
    // Before others can know this member: a process that sees it may end it.
    let requests = EndRequests::catch().map_err(NodeError::System)?;
    let running = Arc::new(Running::start(args.driver, &settings)?);
    let (tx, rx) = sync_channel(TURNS_MAX);
    let roster = Roster::new(Arc::clone(&running), &name);

    let identity = running.me();
    let (driver, profile, pid) = (args.driver, args.profile, std::process::id());
    let started = Happening::Started { driver, profile, epoch: identity.epoch.0, pid };
    printer.event(NamedEvent { what: started, who: roster.me() });

    wait_for_events(&running, &tx).map_err(NodeError::System)?;
    wait_for_input(&running, &tx).map_err(NodeError::System)?;
    wait_for_signals(requests, &running).map_err(NodeError::System)?;
    let mut session =
        Session { running, name, tx, printer, roster, seeds: args.join.clone(), search: None, ends: false };
    if !settings.seeds.is_empty() {
        session.search();
    }
    session.run(&rx)
}

struct Session<'a> {
    running: Arc<Running>,
    name: Name,
    tx: SyncSender<Turn>,
    printer: &'a mut Printer,
    roster: Roster,
    /// As they were named, at the start and since.
    seeds: Vec<SeedAddr>,
    search: Option<Search>,
    ends: bool,
}

impl Session<'_> {
    fn run(mut self, turns: &Receiver<Turn>) -> Result<(), NodeError> {
        let mut leaves = None;
        while let Some(turn) = self.next(turns) {
            match turn {
                Turn::Event(event) => self.event(event)?,
                Turn::Command(command) => self.obey(command)?,
                Turn::NoCommand(error) => self.printer.error(&*error),
                Turn::Broadcast(result) => {
                    self.done(
                        "broadcast",
                        None,
                        result.map(|sequence| Happening::BroadcastQueued { sequence }),
                    );
                }
                Turn::NotJoined(error) => self.failed("join", error),
                Turn::Stopped => self.ends = true,
            }
            if self.ends {
                break;
            }
            if leaves.is_none() && !self.printer.has_reader() {
                leave_then_end(&self.running, Exit::Failed)?;
                leaves = Some(NodeError::ReaderGone);
            }
        }
        leaves.map_or(Ok(()), Err)
    }

    /// Waits for the next turn, and meanwhile says now and then that the cluster was not found.
    fn next(&mut self, turns: &Receiver<Turn>) -> Option<Turn> {
        while let Some(search) = &mut self.search {
            match turns.recv_timeout(search.report_at.saturating_duration_since(Instant::now())) {
                Err(RecvTimeoutError::Timeout) => {}
                turn => return turn.ok(),
            }
            let stats = self.running.stats();
            if stats.alive > 1 {
                self.search = None;
            } else {
                let error = search.report(&self.running.seeds(), &stats);
                self.printer.answer(&Line::Error { error });
            }
        }
        turns.recv().ok()
    }

    fn search(&mut self) -> &mut Search {
        self.search.get_or_insert_with(Search::begin)
    }

    fn event(&mut self, event: Event) -> Result<(), NodeError> {
        let lost_to = match event {
            Event::Conflict { id, rival, won: false } if id == self.name.id() => Some(rival),
            _ => None,
        };
        match &event {
            Event::Joined { .. } => self.search = None,
            Event::JoinFailed { reason } => self.search().fails(reason.to_string()),
            Event::SeedResolved { seed, .. } => {
                self.search().resolved(seed);
                return Ok(());
            }
            Event::SeedUnresolved { seed, error } => {
                self.search().unresolved(seed);
                let (text, why) = (seed.to_string(), error.to_string());
                self.printer.error(&AddressError::Unknown { text, why });
                return Ok(());
            }
            Event::StateNotKept { path, error } => {
                self.printer.answer(&Line::Error { error: format!("the state file {path}: {error}") });
                return Ok(());
            }
            _ => {}
        }
        self.roster.notice(&event);
        let named = NamedEvent::new(event, &mut self.roster);
        self.printer.event(named);
        match lost_to {
            Some(rival) => Err(NodeError::NameTaken { name: self.name.to_string(), rival }),
            None => Ok(()),
        }
    }

    fn obey(&mut self, command: Command) -> Result<(), NodeError> {
        let (name, about, result) = match command {
            Command::Members => {
                let members = self.roster.rows();
                self.printer.answer(&Line::Members { members });
                return Ok(());
            }
            Command::Stats => {
                let stats = stats_row(&self.running.stats(), &self.running.round_trips());
                self.printer.answer(&Line::Stats { stats });
                return Ok(());
            }
            Command::Help => {
                self.printer.answer(&Line::Help { help: COMMANDS.to_owned() });
                return Ok(());
            }
            Command::Join(seeds) => return self.join(seeds),
            Command::Leave => {
                return leave_then_end(&self.running, Exit::Ok);
            }
            Command::Quit => {
                self.ends = true;
                return Ok(());
            }
            Command::Send { to, text } => match self.roster.find(&to) {
                Ok(id) => {
                    ("send", Some(id), self.running.send(id, text.as_bytes()).map(|()| Happening::Sent))
                }
                Err(error) => {
                    self.printer.answer(&Line::Error { error });
                    return Ok(());
                }
            },
            Command::Meta(text) => match self.name.metadata(&text) {
                Ok(metadata) => {
                    let result = self.running.set_metadata(&metadata);
                    ("set_metadata", None, result.map(|set| Happening::MetadataSet { incarnation: set.0 }))
                }
                Err(error) => {
                    self.printer.error(&error);
                    return Ok(());
                }
            },
        };
        self.done(name, about, result);
        Ok(())
    }

    fn done(&mut self, name: &str, about: Option<NodeId>, result: Result<Happening, CommandError>) {
        match result {
            Ok(what) => {
                let who = match about {
                    Some(id) => self.roster.who(id),
                    None => self.roster.me(),
                };
                self.printer.event(NamedEvent { what, who });
            }
            Err(error) => self.failed(name, error),
        }
    }

    /// A command has ended otherwise than its user wished.
    fn failed(&mut self, name: &str, error: CommandError) {
        if let CommandError::Refused(reason) = error {
            let refused = NamedEvent { what: Happening::refused(name, reason), who: self.roster.me() };
            self.printer.event(refused);
        }
        self.printer.answer(&Line::Error { error: format!("{name}: {error}") });
    }

    /// A join takes as long as it takes: until the first seed is up, perhaps. Its success is an event.
    fn join(&mut self, seeds: Vec<SeedAddr>) -> Result<(), NodeError> {
        self.search();
        let addr = |seed: &SeedAddr| match seed {
            SeedAddr::Addr(addr) => Some(*addr),
            SeedAddr::Name(_) => None,
        };
        let addrs: Vec<SocketAddr> = seeds.iter().filter_map(addr).collect();
        let has_names = addrs.len() < seeds.len();
        self.seeds.extend(seeds);
        if has_names && let Err(error) = self.running.set_seeds(&self.seeds) {
            self.failed("join", error);
        }
        if addrs.is_empty() {
            return Ok(());
        }
        let (running, tx) = (Arc::clone(&self.running), self.tx.clone());
        let join = move || {
            if let Err(error) = running.join(&addrs) {
                let _ = tx.send(Turn::NotJoined(error));
            }
        };
        spawn("swim-join", join).map_err(NodeError::System)
    }
}

fn wait_for_events(running: &Arc<Running>, tx: &SyncSender<Turn>) -> io::Result<()> {
    let (running, tx) = (Arc::clone(running), tx.clone());
    spawn("swim-events", move || {
        while let Some(event) = running.next_event() {
            if tx.send(Turn::Event(event)).is_err() {
                return;
            }
        }
        let _ = tx.send(Turn::Stopped);
    })
}

/// A recording that ends does not end the member. A thread of its own says so: its output may not be read.
fn wait_for_the_recording() -> io::Result<Sender<Arc<RecordError>>> {
    let (tx, rx) = channel();
    spawn("swim-recording", move || {
        for error in rx {
            let warning = paint(BAD, "the recording has ended, the member goes on:");
            // Written by hand: the macro panics if the output is not read.
            let _ = writeln!(anstream::stderr(), "{warning} {error}");
        }
    })?;
    Ok(tx)
}

/// The end of input is not the end of the member. Nothing is read while a broadcast waits for room, so its writer waits
/// too, and the main thread goes on printing.
fn wait_for_input(running: &Arc<Running>, tx: &SyncSender<Turn>) -> io::Result<()> {
    let (running, tx) = (Arc::clone(running), tx.clone());
    spawn("swim-input", move || {
        let turn = |line: &str| match Typed::parse(line) {
            Ok(Typed::Nothing) => None,
            Ok(Typed::Broadcast(text)) => Some(Turn::Broadcast(running.broadcast(text.as_bytes()))),
            Ok(Typed::Command(command)) => Some(Turn::Command(command)),
            Err(error) => Some(Turn::NoCommand(Box::new(error))),
        };
        let _ = input::read(|line| {
            let turn = line.map_or_else(|error| Some(Turn::NoCommand(Box::new(error))), |line| turn(&line));
            turn.is_none_or(|turn| tx.send(turn).is_ok())
        });
    })
}

/// The signal thread sees to the goodbye itself: the main thread may be waiting for a member to take its
/// output.
fn wait_for_signals(requests: EndRequests, running: &Arc<Running>) -> io::Result<()> {
    let running = Arc::clone(running);
    let leave = move || {
        if leave_then_end(&running, Exit::Ok).is_err() {
            std::process::exit(Exit::Failed as i32);
        }
    };
    requests.serve(leave, || std::process::exit(Exit::Interrupted as i32))
}

/// Says goodbye. That stops the member, and its last event ends the main thread and the process; should any
/// of them not come, the process ends all the same.
fn leave_then_end(running: &Arc<Running>, exit: Exit) -> Result<(), NodeError> {
    let running = Arc::clone(running);
    spawn("swim-goodbye", move || {
        // Refused: it has left already. Either way it has nothing more to say.
        let _ = running.leave();
    })
    .and_then(|()| {
        spawn("swim-timeout", move || {
            std::thread::sleep(LEAVE_MAX);
            std::process::exit(exit as i32);
        })
    })
    .map_err(NodeError::System)
}
