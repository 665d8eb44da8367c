//! The little language of the transcripts: what is done to a small cluster, one command a line.
//!
//! | command | |
//! | --- | --- |
//! | `seed N`, `profile lan\|local\|wan`, `latency MS` | before the first `start` |
//! | `start N` | N more hosts, each knowing only itself |
//! | `join A B…` | A joins through B… |
//! | `run TIME`, `settle` | TIME passes; quietly until all know each other, and two seconds more |
//! | `quiet`, `loud` | stop and go on writing down what happens |
//! | `only WORD…`, `all` | from now on only lines with one of these words; all lines |
//! | `crash A`, `restart A`, `pause A`, `resume A`, `leave A` | |
//! | `move A ADDR`, `cut A B`, `mend A B`, `partition A,B\|C,D`, `heal` | `cut` is one-way, from A to B |
//! | `calendar A MS` | how far A's calendar is ahead |
//! | `meta A TEXT`, `broadcast A TEXT`, `send A B TEXT`, `remove A B` | |
//! | `view A` | what A believes of everybody |

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use swim_core::{Command, Config};
use swim_sim::{HostId, Link, Setup, Spec, World};

use crate::common::{millis, secs};

/// A script that is being performed.
pub(crate) struct Stage {
    setup: Setup,
    config: Arc<Config>,
    world: Option<World>,
    loud: bool,
    only: Vec<String>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let mut setup = Setup::new(1).link(Link::constant(millis(1)));
        // A short calendar makes short epochs; a day, so that it can be set back by one.
        setup.unix_ms = 86_400_000;
        Self { setup, config: Arc::new(Config::lan()), world: None, loud: true, only: Vec::new() }
    }

    /// Performs one command and returns the lines that it caused.
    pub(crate) fn perform(&mut self, command: &str) -> Result<String, String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        let Some((verb, args)) = words.split_first() else { return Err("an empty command".into()) };
        let extra = self.obey(verb, args).map_err(|why| format!("`{command}`: {why}"))?;
        let mut lines = self.world.as_mut().map(World::take_transcript).unwrap_or_default();
        lines = lines.lines().map(|line| terse(line) + "\n").collect();
        if !self.only.is_empty() {
            lines = lines.lines().filter(|line| self.wanted(line)).map(|line| format!("{line}\n")).collect();
        }
        Ok(lines + &extra)
    }

    fn wanted(&self, line: &str) -> bool {
        let mut words = line.split([' ', ',', '[', ']', '(', ')', ':']);
        words.any(|word| self.only.iter().any(|wanted| wanted == word))
    }

    fn obey(&mut self, verb: &str, args: &[&str]) -> Result<String, String> {
        match verb {
            "seed" => self.setup.seed = number(args, 0)?,
            "profile" => {
                self.config = Arc::new(match *args {
                    ["lan"] => Config::lan(),
                    ["local"] => Config::local(),
                    ["wan"] => Config::wan(),
                    _ => return Err("lan, local or wan".into()),
                });
            }
            "latency" => self.setup.link = Link::constant(millis(number(args, 0)?)),
            "quiet" | "loud" => {
                self.loud = verb == "loud";
                let loud = self.loud;
                self.world().set_transcript(loud);
            }
            "only" => self.only = args.iter().map(ToString::to_string).collect(),
            "all" => self.only.clear(),
            "settle" => {
                let loud = self.loud;
                let world = self.world();
                world.set_transcript(false);
                world.run_until(secs(60), World::converged).map_err(|timeout| timeout.to_string())?;
                world.run_for(secs(2));
                world.set_transcript(loud);
            }
            "view" => return self.view(host(args, 0)?),
            _ => self.intervene(verb, args)?,
        }
        Ok(String::new())
    }

    fn intervene(&mut self, verb: &str, args: &[&str]) -> Result<(), String> {
        let config = Arc::clone(&self.config);
        let world = self.world();
        let done = match verb {
            "run" => {
                world.run_for(time(args.first().ok_or("how long?")?)?);
                true
            }
            "start" => {
                for _ in 0..number(args, 0)? {
                    world.start(Spec::new(Arc::clone(&config)));
                }
                true
            }
            "join" => {
                let seeds: Result<Vec<HostId>, String> = (1..args.len()).map(|i| host(args, i)).collect();
                world.join(host(args, 0)?, &seeds?)
            }
            "crash" => world.crash(host(args, 0)?),
            "restart" => world.restart(host(args, 0)?),
            "pause" => world.pause(host(args, 0)?),
            "resume" => world.resume(host(args, 0)?),
            "leave" => world.leave(host(args, 0)?),
            "move" => {
                let addr = args.get(1).ok_or("where to?")?;
                world.move_to(host(args, 0)?, addr.parse().map_err(|_| "no address")?)
            }
            "calendar" => {
                let ahead = args.get(1).and_then(|text| text.parse().ok()).ok_or("how many ms?")?;
                world.set_calendar_ms(host(args, 0)?, ahead);
                true
            }
            "cut" => {
                let (source, target) = (host(args, 0)?, host(args, 1)?);
                world.perform(&swim_sim::Action::Cut { source, target })
            }
            "mend" => {
                world.network().mend(host(args, 0)?, host(args, 1)?);
                true
            }
            "partition" => {
                let groups = groups(&args.join(" "))?;
                world.partition(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>());
                true
            }
            "heal" => {
                world.heal();
                true
            }
            "meta" => world.set_metadata(host(args, 0)?, args[1..].join(" ").as_bytes()),
            "broadcast" => world.broadcast(host(args, 0)?, args[1..].join(" ").as_bytes()),
            "send" => world.send(host(args, 0)?, host(args, 1)?, args[2..].join(" ").as_bytes()),
            "remove" => {
                let target = world.id(host(args, 1)?);
                world.command(host(args, 0)?, Command::Remove { target })
            }
            _ => return Err("no such command".into()),
        };
        if done { Ok(()) } else { Err("not applicable".into()) }
    }

    fn view(&mut self, host: HostId) -> Result<String, String> {
        let node = self.world().node(host).ok_or("it does not run")?;
        let mut rows: Vec<_> = node.members().collect();
        rows.sort_unstable_by_key(|row| row.id);
        let mut text = String::new();
        for row in rows {
            let me = if row.is_me { " (itself)" } else { "" };
            let (status, incarnation) = (row.status, row.incarnation.0);
            let metadata = String::from_utf8_lossy(row.metadata);
            let quoted = if metadata.is_empty() { String::new() } else { format!(" {metadata:?}") };
            let addr = row.addr;
            let _ =
                writeln!(text, "{host:?} holds {:?}{me} {status:?} i{incarnation} at {addr}{quoted}", row.id);
        }
        Ok(text)
    }

    fn world(&mut self) -> &mut World {
        self.world.get_or_insert_with(|| {
            let mut world = World::with(self.setup.clone());
            world.set_transcript(self.loud);
            world
        })
    }
}

/// A line without what says nothing in a small cluster of one version.
fn terse(line: &str) -> String {
    let line = line.replace(" speaks 1-1", "");
    match line.split_once(" hashes=") {
        Some((before, _)) => format!("{before} hashes=(16)"),
        None => line,
    }
}

fn number(args: &[&str], place: usize) -> Result<u64, String> {
    let text = args.get(place).ok_or("a number is missing")?;
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

/// Hosts are called by the names of their nodes, from 1.
fn host(args: &[&str], place: usize) -> Result<HostId, String> {
    match number(args, place)? {
        0 => Err("hosts are numbered from 1".into()),
        name => Ok(HostId(u32::try_from(name - 1).map_err(|_| "no such host")?)),
    }
}

fn groups(text: &str) -> Result<Vec<Vec<HostId>>, String> {
    let group = |text: &str| text.split(',').map(|name| host(&[name.trim()], 0)).collect();
    text.split('|').map(group).collect()
}

fn time(text: &str) -> Result<Duration, String> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let value: u64 = digits.parse().map_err(|_| format!("`{text}` is no time"))?;
    match unit {
        "ms" => Ok(millis(value)),
        "s" => Ok(secs(value)),
        _ => Err(format!("`{text}`: ms or s?")),
    }
}
