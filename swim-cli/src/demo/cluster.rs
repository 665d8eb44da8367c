//! The processes: started, hurt and heard.
//!
//! Each member is this very program, run as `swim node --json`, in a process group of its own, so that
//! Ctrl-C reaches the demo alone, which then ends them. They die with the thread that started them, whatever
//! becomes of it; so they are started from the main thread. A thread per member reads its lines; they all end
//! in one bounded queue with everything else that the demo waits for.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::args::{DemoArgs, DriverKind, Profile, word};
use crate::demo::checker::Member;
use crate::input::LineTooLong;

/// What may wait for the main thread.
const WAITING_MAX: usize = 4096;
/// Members that a newcomer joins through.
const SEEDS: usize = 3;

/// Something that the demo waited for.
#[derive(Debug)]
pub(crate) enum Change {
    /// A member printed a line; `None`: its output has ended, the process is gone.
    Member {
        member: Member,
        /// Which of its processes.
        run: u32,
        /// When it was read, since the demo began.
        at: Duration,
        said: Option<String>,
    },
    /// A line was typed into the demo; `None`: its input ended.
    Typed(Option<Result<String, LineTooLong>>),
    /// SIGINT, SIGTERM or SIGHUP.
    Interrupted,
}

pub(crate) struct Cluster {
    start: Instant,
    profile: Profile,
    /// Where every run is recorded.
    record: Option<PathBuf>,
    slots: Vec<Slot>,
    tx: SyncSender<Change>,
    rx: Receiver<Change>,
}

/// One member: its name stays, its process comes and goes.
pub(crate) struct Slot {
    /// What it is called.
    pub(crate) name: String,
    /// What drives it.
    pub(crate) driver: DriverKind,
    /// Where it said that it is, once it did; kept over its runs.
    pub(crate) addr: Option<SocketAddr>,
    run: u32,
    process: Option<Process>,
}

struct Process {
    child: Child,
    stdin: ChildStdin,
}

impl Cluster {
    /// As many members as asked for, none of them started.
    pub(crate) fn new(args: &DemoArgs) -> Self {
        let slot = |index: usize| Slot {
            name: format!("node-{}", index + 1),
            driver: args.driver.driver(index),
            addr: None,
            run: 0,
            process: None,
        };
        let (tx, rx) = sync_channel(WAITING_MAX);
        let slots = (0..usize::from(args.nodes)).map(slot).collect();
        let (start, record) = (Instant::now(), args.record.clone());
        Self { start, profile: args.profile, record, slots, tx, rx }
    }

    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.slots.iter().map(|slot| slot.name.clone()).collect()
    }

    /// Forgets the address of a member that is gone if another member has taken its port meanwhile: ports that
    /// the kernel hands out are handed out again. Returns the address.
    pub(crate) fn evicted(&mut self, member: Member) -> Option<SocketAddr> {
        let addr = self.slots[member].addr?;
        match UdpSocket::bind(addr) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => self.slots[member].addr.take(),
            _ => None,
        }
    }

    /// Starts a member at the address that it had before, if it had one, joining through some that run.
    pub(crate) fn start(&mut self, member: Member) -> io::Result<()> {
        let seeds: Vec<String> = self.seeds(member).map(|addr| addr.to_string()).collect();
        let (start, profile, tx) = (self.start, self.profile, self.tx.clone());
        let slot = &mut self.slots[member];
        let mut command = Command::new(myself()?);
        command.args(["node", "--json", "--name", &slot.name]);
        command.args(["--driver", &word(slot.driver), "--profile", &word(profile)]);
        command.arg("--bind");
        command.arg(slot.addr.map_or_else(|| "127.0.0.1:0".to_owned(), |addr| addr.to_string()));
        if !seeds.is_empty() {
            command.args(["--join", &seeds.join(",")]);
        }
        if let Some(folder) = &self.record {
            std::fs::create_dir_all(folder)?;
            command.arg("--record").arg(folder.join(slot.record_name()));
        }
        command.args(["--parent", &std::process::id().to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.expect("both were asked for as pipes");
        slot.run += 1;
        slot.process = Some(Process { child, stdin });
        listen(stdout, member, slot.run, start, tx)
    }

    /// Addresses of up to [`SEEDS`] members other than `newcomer` whose processes exist.
    fn seeds(&self, newcomer: Member) -> impl Iterator<Item = SocketAddr> {
        let others = self.slots.iter().enumerate().filter(move |(member, _)| *member != newcomer);
        others.filter(|(_, slot)| slot.process.is_some()).filter_map(|(_, slot)| slot.addr).take(SEEDS)
    }

    /// SIGKILL, and waits until the process is gone.
    pub(crate) fn kill(&mut self, member: Member) -> io::Result<()> {
        match self.slots[member].process.take() {
            Some(mut process) => {
                process.child.kill()?;
                process.child.wait().map(|_| ())
            }
            None => Ok(()),
        }
    }

    /// Sends a signal to a member, if it runs.
    pub(crate) fn signal(&self, member: Member, signal: Signal) -> io::Result<()> {
        match &self.slots[member].process {
            Some(process) => Ok(kill_process(Pid::from_child(&process.child), signal)?),
            None => Ok(()),
        }
    }

    /// Types a line into a member. One that is gone does not hear it; its end is reported by itself.
    pub(crate) fn say(&mut self, member: Member, command: &str) {
        if let Some(process) = &mut self.slots[member].process {
            let _ = process.stdin.write_all(format!("{command}\n").as_bytes());
        }
    }

    /// Collects a process that has ended by itself. `Ok(true)`: with exit code 0.
    pub(crate) fn collect(&mut self, member: Member) -> io::Result<bool> {
        match self.slots[member].process.take() {
            Some(mut process) => Ok(process.child.wait()?.success()),
            None => Ok(false),
        }
    }

    /// Where a member is reached, as it said itself.
    pub(crate) fn located(&mut self, member: Member, addr: SocketAddr) {
        self.slots[member].addr = Some(addr);
    }

    /// The next thing that happens, if it does so within `wait`. What a process said before the last start of its
    /// member is dropped.
    pub(crate) fn next(&self, wait: Duration) -> Option<Change> {
        let until = Instant::now() + wait;
        loop {
            match self.rx.recv_timeout(until.saturating_duration_since(Instant::now())).ok()? {
                Change::Member { member, run, .. } if self.slots[member].run != run => {}
                change => return Some(change),
            }
        }
    }

    /// From now on SIGINT and SIGTERM are [`Change::Interrupted`]; a second one ends the process at once,
    /// and the kernel its members.
    pub(crate) fn watch_signals(&self) -> io::Result<()> {
        let tx = self.tx.clone();
        let interrupt = move || {
            let _ = tx.send(Change::Interrupted);
        };
        crate::exit::EndRequests::catch()?
            .serve(interrupt, || std::process::exit(crate::exit::Exit::Interrupted as i32))
    }

    /// From now on lines on standard input are [`Change::Typed`].
    pub(crate) fn read_input(&self) -> io::Result<()> {
        let tx = self.tx.clone();
        crate::spawn("swim-input", move || {
            let _ = crate::input::read(|line| tx.send(Change::Typed(Some(line))).is_ok());
            let _ = tx.send(Change::Typed(None));
        })
    }
}

impl Slot {
    /// The file that its next run is recorded to.
    fn record_name(&self) -> String {
        match self.run {
            0 => format!("{}.swim", self.name),
            before => format!("{}-{}.swim", self.name, before + 1),
        }
    }

    /// The process's id, while there is one.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.child.id())
    }
}

/// No member survives the demo.
impl Drop for Cluster {
    fn drop(&mut self) {
        let mut processes: Vec<Process> = self.slots.iter_mut().filter_map(|s| s.process.take()).collect();
        for process in &mut processes {
            let _ = process.child.kill();
        }
        for process in &mut processes {
            let _ = process.child.wait();
        }
    }
}

/// This program, even if its file has been replaced since it started.
fn myself() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}

fn listen(
    stdout: ChildStdout,
    member: Member,
    run: u32,
    start: Instant,
    tx: SyncSender<Change>,
) -> io::Result<()> {
    let read = move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        for said in lines.map(Some).chain([None]) {
            if tx.send(Change::Member { member, run, at: start.elapsed(), said }).is_err() {
                return;
            }
        }
    };
    crate::spawn(&format!("swim-ear-{}", member + 1), read)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Args, Verb};

    #[test]
    fn only_an_address_that_another_took_is_forgotten() {
        let line = "swim demo --nodes 2";
        let Verb::Demo(args) = Args::try_parse_from(line.split(' ')).expect("valid").verb else {
            panic!("a demo")
        };
        let mut cluster = Cluster::new(&args);
        assert_eq!(cluster.evicted(0), None, "it never had one");
        let taken = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let addr = taken.local_addr().expect("an address");
        cluster.located(0, addr);
        assert_eq!((cluster.evicted(0), cluster.slots[0].addr), (Some(addr), None));
        // Bound below the range that the kernel hands out: no member takes it between these lines.
        let free = "127.0.0.1:1".parse().expect("an address");
        cluster.located(1, free);
        assert_eq!((cluster.evicted(1), cluster.slots[1].addr), (None, Some(free)));
    }
}
