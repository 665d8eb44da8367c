//! Seeds by name: asked of the operating system's resolver on threads of their own, again and again as long as the member
//! has not joined or is alone.
//!
//! A name server may be slow or not up yet, exactly when a whole cluster starts, and a name may be bound to other
//! addresses tomorrow. So a name is never done with: each answer replaces the one before it.
//!
//! ```text
//!   driver ──names, wanted?──▶ thread ──▶ one thread an attempt: `to_socket_addrs`
//!          ◀──news, wake─────         ◀──answer
//! ```
//!
//! A resolver that asks a dead name server blocks for many seconds, while the name may be in the hosts file by now:
//! further attempts do not wait for the one before.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use swim_core::{Command, Event, Refusal, SEEDS_MAX, canonical};

use super::Wake;
use crate::Engine;

/// The first and the longest pause before a name is asked again: a member is to be there within seconds of its first seed.
const ASK_PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(4));

/// Attempts under way at once for one name.
const ASKING_MAX: usize = 4;

/// Where a member may be found: an address, or a name to look up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SeedAddr {
    /// Ready to be asked.
    Addr(SocketAddr),
    /// `host:port`, as `std::net::ToSocketAddrs` takes it. All its addresses of the socket's family are asked.
    Name(Box<str>),
}

/// Neither an address nor `host:port`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "`{0}` is not an address or host:port with a port above 0, such as 10.0.0.1:7946 or seed.example:7946"
)]
pub struct NotASeed(Box<str>);

impl FromStr for SeedAddr {
    type Err = NotASeed;

    fn from_str(text: &str) -> Result<Self, NotASeed> {
        if let Ok(addr) = text.parse() {
            return Ok(Self::Addr(addr));
        }
        let parts = text.rsplit_once(':').filter(|(host, _)| !host.is_empty() && !host.contains(':'));
        let has_port = parts.is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0));
        if has_port { Ok(Self::Name(text.into())) } else { Err(NotASeed(text.into())) }
    }
}

impl From<SocketAddr> for SeedAddr {
    fn from(addr: SocketAddr) -> Self {
        Self::Addr(addr)
    }
}

impl fmt::Display for SeedAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Addr(addr) => addr.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// The driver's side: the seeds as they were named, and what their names last stood for.
#[derive(Default)]
pub(super) struct Seeds {
    named: Vec<SeedAddr>,
    found: Vec<(Box<str>, Vec<SocketAddr>)>,
    /// The addresses that the node got from here; those of a join are not among them.
    given: Vec<SocketAddr>,
    wanted: bool,
    resolver: Option<Resolver>,
}

impl Seeds {
    /// The seeds that a member starts with: their addresses, and the names to be looked up once it runs.
    pub(super) fn new(named: &[SeedAddr]) -> Self {
        let mut seeds = Self { named: named.to_vec(), ..Self::default() };
        seeds.given = seeds.addrs();
        seeds
    }

    /// The addresses that are known of all.
    pub(super) fn addrs(&self) -> Vec<SocketAddr> {
        let of = |seed: &SeedAddr| match seed {
            SeedAddr::Addr(addr) => vec![*addr],
            SeedAddr::Name(name) => {
                let found = self.found.iter().find(|(of, _)| of == name);
                found.map(|(_, addrs)| addrs.clone()).unwrap_or_default()
            }
        };
        self.named.iter().flat_map(of).collect()
    }

    fn names(&self) -> Vec<Box<str>> {
        let name = |seed: &SeedAddr| match seed {
            SeedAddr::Addr(_) => None,
            SeedAddr::Name(name) => Some(name.clone()),
        };
        self.named.iter().filter_map(name).collect()
    }

    /// Begins to look names up.
    pub(super) fn start(&mut self, engine: &mut Engine, wake: &Wake) {
        let names = self.names();
        if names.is_empty() && self.resolver.is_none() {
            return;
        }
        if self.resolver.is_none() {
            self.wanted = false;
            match Resolver::start(Wake::clone(wake)) {
                Ok(resolver) => self.resolver = Some(resolver),
                Err(error) => names.iter().for_each(|name| engine.report(unresolved(name, &error))),
            }
        }
        if let Some(resolver) = &self.resolver {
            resolver.ask(Task::Names(names));
        }
    }

    /// Replaces them all, those of joins too. Names that stay keep their addresses.
    pub(super) fn set(
        &mut self,
        engine: &mut Engine,
        named: Vec<SeedAddr>,
        wake: &Wake,
    ) -> Result<(), Refusal> {
        if named.len() > SEEDS_MAX {
            return Err(Refusal::TooManySeeds { limit: SEEDS_MAX as u32 });
        }
        let mut next = Self { named, found: self.found.clone(), ..Self::default() };
        next.given = next.addrs();
        next.given.truncate(SEEDS_MAX);
        engine.prepare(Command::SetSeeds { seeds: &next.given })?;
        (next.wanted, next.resolver) = (self.wanted, self.resolver.take());
        let names = next.names();
        next.found.retain(|(name, _)| names.contains(name));
        *self = next;
        self.start(engine, wake);
        Ok(())
    }

    /// After every turn. Returns whether the node was given addresses, to ask with the next.
    pub(super) fn turn(&mut self, engine: &mut Engine) -> bool {
        let Some(resolver) = &self.resolver else { return false };
        let wanted = engine.node().wants_seeds();
        if wanted != self.wanted {
            self.wanted = wanted;
            resolver.ask(Task::Wanted(wanted));
        }
        let mut fresh = Vec::new();
        for (name, answer) in resolver.news.try_iter() {
            match answer {
                Ok(addrs) => {
                    let addresses = addrs.len() as u32;
                    engine.report(Event::SeedResolved { seed: name.clone(), addresses });
                    fresh.push((name, addrs));
                }
                Err(error) => engine.report(unresolved(&name, &error)),
            }
        }
        if fresh.is_empty() {
            return false;
        }
        let me = engine.node().me().addr;
        for (name, addrs) in fresh {
            let usable = addrs.into_iter().map(canonical).filter(|addr| addr.is_ipv4() == me.is_ipv4());
            self.found.retain(|(of, _)| *of != name);
            self.found.push((name, usable.collect()));
        }
        self.hand_over(engine)
    }

    /// Gives the node the addresses in place of those that it got before.
    fn hand_over(&mut self, engine: &mut Engine) -> bool {
        let me = engine.node().me().addr;
        let now = self.addrs();
        if now.iter().all(|addr| *addr == me) {
            // Names that stand for this member only: it is the first of its cluster, and waits to be found.
            return false;
        }
        // Those of joins, and of a state file, have the room that names leave.
        let mut seeds: Vec<SocketAddr> = now.iter().copied().filter(|addr| *addr != me).collect();
        seeds.extend(engine.node().seeds().filter(|addr| !self.given.contains(addr)));
        seeds.truncate(SEEDS_MAX);
        self.given = now;
        engine.prepare(Command::SetSeeds { seeds: &seeds }).is_ok()
    }
}

fn unresolved(name: &str, error: &impl ToString) -> Event {
    Event::SeedUnresolved { seed: name.into(), error: error.to_string().into() }
}

type Answer = Result<Vec<SocketAddr>, String>;

enum Task {
    /// These are the names now.
    Names(Vec<Box<str>>),
    /// Whether to ask.
    Wanted(bool),
    Answered(Box<str>, u64, Answer),
    End,
}

/// A thread that asks, and its reports: each answer that differs from the one before it.
struct Resolver {
    tasks: Sender<Task>,
    news: Receiver<(Box<str>, Answer)>,
}

impl Resolver {
    fn start(wake: Wake) -> std::io::Result<Self> {
        let (tasks, inbox) = channel();
        let (reports, news) = channel();
        let asker = Asker { names: Vec::new(), wanted: false, asked: 0, pause: ASK_PAUSE.0, reports, wake };
        let own = tasks.clone();
        Builder::new().name("swim-seeds".to_owned()).spawn(move || asker.run(&own, &inbox))?;
        Ok(Self { tasks, news })
    }

    fn ask(&self, task: Task) {
        // It can only fail when the thread has panicked, which has been reported on stderr.
        let _ = self.tasks.send(task);
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.ask(Task::End);
    }
}

/// A name that is asked.
struct Asked {
    name: Box<str>,
    under_way: usize,
    /// The number of the attempt whose answer was reported last; older ones come too late.
    heard: u64,
    last: Option<Answer>,
}

/// The thread.
struct Asker {
    names: Vec<Asked>,
    wanted: bool,
    /// Attempts so far.
    asked: u64,
    pause: Duration,
    reports: Sender<(Box<str>, Answer)>,
    wake: Wake,
}

impl Asker {
    fn run(mut self, own: &Sender<Task>, inbox: &Receiver<Task>) {
        let mut next = Instant::now();
        loop {
            let task = if self.wanted && !self.names.is_empty() {
                inbox.recv_timeout(next.saturating_duration_since(Instant::now()))
            } else {
                inbox.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match task {
                Err(RecvTimeoutError::Disconnected) | Ok(Task::End) => return,
                Err(RecvTimeoutError::Timeout) => {
                    self.ask(own);
                    next = Instant::now() + self.pause;
                    self.pause = (self.pause * 2).min(ASK_PAUSE.1);
                }
                Ok(Task::Names(names)) => {
                    self.replace(names);
                    (self.pause, next) = (ASK_PAUSE.0, Instant::now());
                }
                Ok(Task::Wanted(wanted)) => {
                    self.wanted = wanted;
                    (self.pause, next) = (ASK_PAUSE.0, Instant::now());
                }
                Ok(Task::Answered(name, number, answer)) => self.hear(&name, number, answer),
            }
        }
    }

    fn replace(&mut self, names: Vec<Box<str>>) {
        let mut former = std::mem::take(&mut self.names);
        for name in names {
            let held = former.iter().position(|asked| asked.name == name).map(|at| former.swap_remove(at));
            self.names.push(held.unwrap_or(Asked { name, under_way: 0, heard: 0, last: None }));
        }
    }

    fn ask(&mut self, own: &Sender<Task>) {
        for asked in self.names.iter_mut().filter(|asked| asked.under_way < ASKING_MAX) {
            self.asked += 1;
            let (name, number, own) = (asked.name.clone(), self.asked, own.clone());
            let attempt = move || {
                let found = name.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
                let answer = match found {
                    Ok(addrs) if addrs.is_empty() => Err("the name has no address".to_owned()),
                    other => other.map_err(|error| error.to_string()),
                };
                let _ = own.send(Task::Answered(name, number, answer));
            };
            // Without a thread now, there may be one after the next pause.
            if Builder::new().name("swim-name".to_owned()).spawn(attempt).is_ok() {
                asked.under_way += 1;
            }
        }
    }

    fn hear(&mut self, name: &str, number: u64, answer: Answer) {
        let Some(asked) = self.names.iter_mut().find(|asked| *asked.name == *name) else { return };
        asked.under_way = asked.under_way.saturating_sub(1);
        let answer = answer.map(|mut addrs| {
            addrs.sort_unstable();
            addrs.dedup();
            addrs
        });
        let is_news = match (&asked.last, &answer) {
            (Some(Err(_)), Err(_)) => false,
            (last, answer) => last.as_ref() != Some(answer),
        };
        if number < asked.heard || !is_news {
            return;
        }
        (asked.heard, asked.last) = (number, Some(answer.clone()));
        if self.reports.send((name.into(), answer)).is_ok() {
            (self.wake)();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_an_address_or_a_name_with_a_port() {
        assert!(matches!("[::1]:7946".parse(), Ok(SeedAddr::Addr(_))));
        assert!(matches!("seed-1.example:7946".parse(), Ok(SeedAddr::Name(_))));
        for text in ["seed", "seed:", ":1", "seed:0", "seed:65536", "fe80::1", ""] {
            let error = text.parse::<SeedAddr>().expect_err(text);
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
