//! Golden transcripts: short scripts, and exactly what they cause.
//!
//! The files in `tests/transcripts/` are for reading: from them one learns the protocol, and in a review
//! they show every drift. In a file, lines with `>` are commands (see `script.rs`), lines with `#` are
//! comments, and what is indented below a command is what it caused. After a change that is meant to
//! change them, `SWIM_BLESS=1 cargo test -p swim-sim transcripts` writes them anew.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use swim_core::{Command, Config};
use swim_sim::{HostId, Link, Setup, Spec, World};

use crate::common::{millis, secs};

fn check(name: &str) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "transcripts", name].iter().collect();
    let written = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let performed = perform(name, &written);
    if std::env::var_os("SWIM_BLESS").is_some() {
        std::fs::write(&path, &performed).unwrap_or_else(|error| panic!("{name}: {error}"));
        return;
    }
    let mut lines = (1..).zip(performed.lines().zip(written.lines()));
    if let Some((number, (now, before))) = lines.find(|(_, (now, before))| now != before) {
        panic!("{name}:{number}\nwas: {before}\nnow: {now}\nif this is meant: SWIM_BLESS=1");
    }
    let (now, before) = (performed.lines().count(), written.lines().count());
    assert_eq!(now, before, "{name}: {now} lines instead of {before}; if this is meant: SWIM_BLESS=1");
}

/// The file anew: its comments and commands as they are, their effects as they are now.
fn perform(name: &str, written: &str) -> String {
    let mut stage = Stage::new();
    let mut performed = String::new();
    for line in written.lines().filter(|line| !line.starts_with("    ")) {
        let _ = writeln!(performed, "{line}");
        if let Some(command) = line.strip_prefix("> ") {
            let caused = stage.perform(command).unwrap_or_else(|why| panic!("{name}: {why}"));
            for effect in caused.lines() {
                let _ = writeln!(performed, "    {effect}");
            }
        }
    }
    performed
}

macro_rules! transcripts {
    ($($name:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            check(concat!(stringify!($name), ".txt"));
        }
    )*

        #[test]
        fn every_transcript_is_checked() {
            let mut named = vec![$(concat!(stringify!($name), ".txt")),*];
            named.sort_unstable();
            let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "transcripts"].iter().collect();
            let entries = std::fs::read_dir(folder).expect("the folder is committed");
            let mut found: Vec<_> = entries.map(|entry| entry.expect("readable").file_name()).collect();
            found.sort_unstable();
            assert_eq!(found, named);
        }
    };
}

transcripts!(
    address_change,
    broadcast,
    buddy,
    digest_sync,
    failed_probe,
    join,
    late_seed,
    leave,
    partition_and_heal,
    pause,
    refutation,
    relays_and_nack,
    restart,
);

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
        // A young wall clock makes short epochs; a day, so that it can be set back by one.
        setup.unix_ms = 86_400_000;
        Self { setup, config: Arc::new(Config::lan()), world: None, loud: true, only: Vec::new() }
    }

    /// Performs one command and returns the lines that it caused.
    pub(crate) fn perform(&mut self, command: &str) -> Result<String, String> {
        let parts: Vec<&str> = command.split_whitespace().collect();
        let Some((verb, args)) = parts.split_first() else { return Err("an empty command".into()) };
        let extra = self.obey(verb, args).map_err(|why| format!("`{command}`: {why}"))?;
        let mut lines = self.world.as_mut().map(World::take_transcript).unwrap_or_default();
        lines = lines.lines().map(|line| terse(line) + "\n").collect();
        if !self.only.is_empty() {
            lines = lines.lines().filter(|line| self.wanted(line)).map(|line| format!("{line}\n")).collect();
        }
        Ok(lines + &extra)
    }

    fn wanted(&self, line: &str) -> bool {
        let mut parts = line.split([' ', ',', '[', ']', '(', ')', ':']);
        parts.any(|part| self.only.iter().any(|wanted| wanted == part))
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
            "wall_clock" => {
                let ahead = args.get(1).and_then(|text| text.parse().ok()).ok_or("how many ms?")?;
                world.set_wall_clock_ms(host(args, 0)?, ahead);
                true
            }
            "cut" => {
                let (source, target) = (host(args, 0)?, host(args, 1)?);
                world.perform(&swim_sim::Action::Cut { source, target })
            }
            "mend" => {
                world.network().uncut(host(args, 0)?, host(args, 1)?);
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
                world.command(host(args, 0)?, Command::Remove { target }).is_some()
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
    let line = line.replace(" speaks 2-2", "");
    match line.split_once(" hashes=") {
        Some((before, _)) => format!("{before} hashes=(16)"),
        None => line,
    }
}

fn number(args: &[&str], index: usize) -> Result<u64, String> {
    let text = args.get(index).ok_or("a number is missing")?;
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

/// Hosts are called by the names of their nodes, from 1.
fn host(args: &[&str], index: usize) -> Result<HostId, String> {
    match number(args, index)? {
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
