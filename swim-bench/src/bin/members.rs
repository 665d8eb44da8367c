//! Members of one process, whichever way they are driven: what `swim-bench rest` measures. A program of its own, as small
//! as those of peers.
//!
//! It says "known" when all know all, and waits; asked to "crash" it stops one without a goodbye, and says "crashed" when
//! all others call it Dead. The end of its input is its own. `peers/memberlist/main.go` does the same.

use std::error::Error;
use std::io::{self, BufRead as _, Write as _};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::time::{Duration, Instant};
use std::{iter, thread};

use mio::{Events, Poll, Token, Waker};
use swim_mio::{Config, Embedded, NodeId, Settings, Stats};

const USAGE: &str = "usage: swim-bench-members embedded|threads|tokio COUNT [TOTAL BIND [JOIN]]";

/// What is run.
struct Members {
    driver: Driver,
    /// How many of them are in this process.
    count: usize,
    /// How many there are in all processes.
    total: usize,
    /// Where the first of them is; the others are at free ports of the same host.
    bind: SocketAddr,
    /// Through whom they look for the others; else through the first of them.
    join: Option<SocketAddr>,
}

/// What members run on.
#[derive(Clone, Copy)]
enum Driver {
    /// All in one `mio::Poll` of one thread.
    Embedded,
    /// A thread for each.
    Threads,
    /// A task for each, on tokio's `current_thread` runtime.
    Tokio,
}

/// How many others each member believes to live, as its counters said after its last event. No sets: theirs would be
/// memory that no member needs.
struct Views {
    alive: Vec<u32>,
    wanted: u32,
    /// One of them is printed for the parent when it becomes true.
    awaited: Option<&'static str>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (driver, count) = words.first().zip(words.get(1)).ok_or(USAGE)?;
    let driver = match driver.as_str() {
        "embedded" => Driver::Embedded,
        "threads" => Driver::Threads,
        "tokio" => Driver::Tokio,
        _ => return Err(USAGE.into()),
    };
    let count = count.parse()?;
    let total = words.get(2).map_or(Ok(count), |total| total.parse())?;
    let bind = words.get(3).map_or("127.0.0.1:0", String::as_str).parse()?;
    let join = words.get(4).map(|join| join.parse()).transpose()?;
    Members { driver, count, total, bind, join }.run()
}

impl Members {
    fn run(&self) -> Result<(), Box<dyn Error>> {
        match self.driver {
            Driver::Embedded => self.embedded(),
            Driver::Threads => self.threads(),
            Driver::Tokio => self.tokio(),
        }
    }

    fn views(&self) -> Views {
        let wanted = u32::try_from(self.total).unwrap_or(u32::MAX).saturating_sub(1);
        Views { alive: vec![0; self.count], wanted, awaited: Some("known") }
    }

    /// How the member `index` is started, where `first` is where the first of them is.
    fn settings(&self, index: usize, first: Option<SocketAddr>) -> Settings {
        let mut bind = self.bind;
        if index > 0 {
            bind.set_port(0);
        }
        // A name of its own, also among processes.
        let name = format!("{}-{index}", std::process::id());
        let mut settings = Settings::new(Config::lan(), NodeId::from_name(&name), bind);
        settings.seeds = self.join.or(first).into_iter().map(Into::into).collect();
        settings
    }

    fn embedded(&self) -> Result<(), Box<dyn Error>> {
        let mut poll = Poll::new()?;
        let mut ready = Events::with_capacity(128);
        let mut members: Vec<Turned> = Vec::with_capacity(self.count);
        for index in 0..self.count {
            let first = members.first().map(|first| first.member.local_addr());
            let member = Embedded::new(&self.settings(index, first), poll.registry(), Token(index))?;
            members.push(Turned { member, due: Some(Instant::now()) });
        }
        let waker = Waker::new(poll.registry(), Token(usize::MAX))?;
        let crashes = listen(move || {
            // The loop has ended: nothing has to be woken.
            let _ = waker.wake();
        })?;
        let mut views = self.views();
        loop {
            let due = members.iter().filter_map(|turned| turned.due).min();
            poll.poll(&mut ready, due.map(|due| due.saturating_duration_since(Instant::now())))?;
            let now = Instant::now();
            for event in &ready {
                if let Some(turned) = members.get_mut(event.token().0) {
                    turned.member.ready(event);
                    turned.due = Some(now);
                }
            }
            for (index, turned) in members.iter_mut().enumerate() {
                if turned.due.is_some_and(|due| due <= now) {
                    let member = &mut turned.member;
                    turned.due = member.turn().and_then(|timeout| Instant::now().checked_add(timeout));
                    if iter::from_fn(|| member.next_event()).count() > 0 {
                        views.hear(index, &member.stats());
                    }
                }
            }
            views.say_when_true()?;
            match crashes.try_recv() {
                Ok(Crash) => {
                    members.pop();
                    views.crash();
                }
                Err(TryRecvError::Disconnected) => return Ok(()),
                Err(TryRecvError::Empty) => {}
            }
        }
    }

    fn threads(&self) -> Result<(), Box<dyn Error>> {
        let mut members: Vec<swim_mio::Handle> = Vec::new();
        for index in 0..self.count {
            let first = members.first().map(swim_mio::Handle::local_addr);
            members.push(swim_mio::spawn(&self.settings(index, first))?);
        }
        let crashes = listen(|| {})?;
        let mut views = self.views();
        loop {
            for (index, member) in members.iter().enumerate() {
                if iter::from_fn(|| member.next_event(Duration::ZERO)).count() > 0 {
                    views.hear(index, &member.stats());
                }
            }
            views.say_when_true()?;
            // Often while something is awaited, never else.
            let wait = views.awaited.map_or(Duration::MAX, |_| Duration::from_millis(5));
            match crashes.recv_timeout(wait) {
                Ok(Crash) => {
                    members.pop();
                    views.crash();
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    #[cfg(not(feature = "tokio"))]
    fn tokio(&self) -> Result<(), Box<dyn Error>> {
        Err("this program was built without tokio".into())
    }

    #[cfg(feature = "tokio")]
    fn tokio(&self) -> Result<(), Box<dyn Error>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
            let mut stops = Vec::new();
            let mut first = None;
            for index in 0..self.count {
                let member = swim_tokio::spawn(&self.settings(index, first))?;
                first = first.or(Some(member.local_addr()));
                let heard = heard.clone();
                stops.push(tokio::spawn(async move {
                    while member.next_event().await.is_some() {
                        if heard.send(Ok((index, member.stats()))).is_err() {
                            return;
                        }
                    }
                }));
            }
            let mut views = self.views();
            let crashes = listen(move || {
                // The loop has ended: nothing listens.
                let _ = heard.send(Err(Asked));
            })?;
            while let Some(news) = hears.recv().await {
                match news {
                    Ok((index, stats)) => views.hear(index, &stats),
                    Err(Asked) => {
                        let Ok(Crash) = crashes.recv() else { return Ok(()) };
                        // The handle goes with its task, and the member with the handle.
                        stops.pop().expect("at least one").abort();
                        views.crash();
                    }
                }
                views.say_when_true()?;
            }
            Ok(())
        })
    }
}

/// There is a crash to be read, or the input has ended.
#[cfg(feature = "tokio")]
struct Asked;

/// A member in a loop, and when it is to be turned.
struct Turned {
    member: Embedded,
    due: Option<Instant>,
}

impl Views {
    fn hear(&mut self, index: usize, stats: &Stats) {
        if let Some(alive) = self.alive.get_mut(index) {
            // Itself apart; a suspect has not been given up.
            *alive = (stats.alive + stats.suspect).saturating_sub(1);
        }
    }

    /// The last one is gone, and the others are to notice.
    fn crash(&mut self) {
        self.alive.pop();
        self.wanted -= 1;
        self.awaited = Some("crashed");
    }

    fn say_when_true(&mut self) -> io::Result<()> {
        let Some(word) = self.awaited else { return Ok(()) };
        if self.alive.iter().all(|alive| *alive == self.wanted) {
            self.awaited = None;
            let mut out = io::stdout();
            writeln!(out, "{word}")?;
            out.flush()?;
        }
        Ok(())
    }
}

/// The parent asks that one member stops without a goodbye.
struct Crash;

/// Reads the input on a thread of its own; its end is the end of the channel. `wake` is called after each crash, and at
/// the end.
fn listen(wake: impl Fn() + Send + 'static) -> io::Result<Receiver<Crash>> {
    let (tx, rx) = channel();
    thread::Builder::new().name("input".to_owned()).spawn(move || {
        let crashes = io::stdin().lock().lines().map_while(Result::ok).filter(|line| line == "crash");
        for _ in crashes {
            if tx.send(Crash).is_err() {
                return;
            }
            wake();
        }
        drop(tx);
        wake();
    })?;
    Ok(rx)
}
