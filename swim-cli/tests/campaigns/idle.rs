//! What a member at rest asks of the kernel, counted by strace.

use std::collections::BTreeMap;
use std::ops::Range;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::cluster::Cluster;
use crate::member::{Launch, Member};
use crate::report::Report;
use crate::scale::Profile;

/// Watches `n` members, and two that are alone, for `time` in which they print nothing.
pub(crate) fn rest(report: &mut Report, n: usize, settle: Duration, time: Duration) {
    if let Err(why) = strace_works() {
        return report.skip(why);
    }
    counting_works(report);
    let profile = Profile::Lan;
    let cluster = Cluster::converged(report, n, profile, None);
    let lonely: Vec<Member> =
        (0..2).map(|index| Member::start(&Launch::new(&format!("lone-{index}"), index, profile))).collect();
    std::thread::sleep(settle);
    let members: Vec<&Member> = cluster.members.iter().chain(&lonely).collect();
    let seen = watch(report, &members, time);
    let periods = time.as_secs_f64() / profile.period().as_secs_f64();
    for (index, (member, counts)) in members.iter().zip(&seen).enumerate() {
        let who = format!("{} ({})", member.name, member.driver);
        let Some(counts) = counts else {
            report.must(false, format!("{who} came to rest"));
            continue;
        };
        report.figure(format!("{who}: {}", counts.per_second(time)));
        if index < n {
            as_often_as_it_should(report, member.driver, counts, periods);
        } else {
            report.must(counts.total() == 0, format!("a lone member made {} system calls", counts.total()));
        }
    }
}

/// How often a member may be disturbed before it is said that it never comes to rest.
const WINDOWS: usize = 6;

/// What each member did in the first `time` in which it printed nothing. They are watched all the while: it is the
/// coming of a tracer that disturbs them most.
fn watch(report: &Report, members: &[&Member], time: Duration) -> Vec<Option<Counts>> {
    let traces: Vec<Trace> = members.iter().map(|member| Trace::start(member.pid())).collect();
    let mut calm: Vec<Option<Window>> = vec![None; members.len()];
    for _ in 0..WINDOWS {
        std::thread::sleep(Duration::from_secs(1));
        let marks: Vec<usize> = members.iter().map(|member| member.mark()).collect();
        let began = SystemTime::now();
        std::thread::sleep(time);
        let window = began..began + time;
        for ((member, mark), calm) in members.iter().zip(marks).zip(&mut calm) {
            let printed = member.since(mark);
            match printed.first() {
                Some(first) => report.figure(format!("{} printed something: {}", member.name, first.line)),
                None => {
                    calm.get_or_insert_with(|| window.clone());
                }
            }
        }
        if calm.iter().all(Option::is_some) {
            break;
        }
    }
    traces.into_iter().zip(calm).map(|(trace, calm)| calm.map(|window| trace.end(window))).collect()
}

/// One wake-up for each packet that arrives and for each period, and for each ping beyond that; one wait and one
/// empty read for each wake-up.
fn as_often_as_it_should(report: &mut Report, driver: &str, counts: &Counts, periods: f64) {
    let pings = periods as u64;
    report.must(counts.sent + 1 >= pings, format!("{} sent, of at least {pings}", counts.sent));
    let more = counts.sent.saturating_sub((2.0 * periods) as u64);
    let wakes = counts.received + more + (periods * 1.03) as u64 + 4;
    report.must(counts.waits() <= wakes, format!("{} waits, of {wakes}", counts.waits()));
    report.must(counts.empty <= wakes, format!("{} empty reads, of {wakes}", counts.empty));
    let others: u64 = counts.others.values().sum();
    // A task has its timer with the kernel: it is set when it has pinged, and again when the ack has come.
    let timer = if driver == "tokio" { counts.sent + counts.sent / 32 + 4 } else { 0 };
    report.must(others <= timer, format!("{others} other calls, of {timer}: {:?}", counts.others));
}

/// A time on the clock that strace prints.
type Window = Range<SystemTime>;

/// System calls of one process, by what they were for.
#[derive(Default, PartialEq, Debug)]
struct Counts {
    sent: u64,
    received: u64,
    empty: u64,
    /// Waits that ended because something was ready.
    woken: u64,
    /// Waits that ended because of their timeout.
    rang: u64,
    others: BTreeMap<String, u64>,
}

impl Counts {
    fn waits(&self) -> u64 {
        self.woken + self.rang
    }

    fn total(&self) -> u64 {
        self.sent + self.received + self.empty + self.waits() + self.others.values().sum::<u64>()
    }

    fn per_second(&self, time: Duration) -> String {
        let rate = |count: u64| count as f64 / time.as_secs_f64();
        let others: u64 = self.others.values().sum();
        format!(
            "a second: {:.2} sends, {:.2} receives, {:.2} empty reads, {:.2} waits, {:.2} others; {:.2} in all",
            rate(self.sent),
            rate(self.received),
            rate(self.empty),
            rate(self.waits()),
            rate(others),
            rate(self.total()),
        )
    }

    /// One finished call as strace prints it.
    fn add(&mut self, name: &str, result: &str) {
        let failed = result.starts_with('-');
        match name {
            "sendto" | "sendmsg" => self.sent += 1,
            "sendmmsg" => self.sent += result.parse::<u64>().unwrap_or(1),
            "recvfrom" | "recvmsg" if failed => self.empty += 1,
            "recvfrom" | "recvmsg" => self.received += 1,
            "epoll_wait" | "epoll_pwait" | "epoll_pwait2" if result.starts_with('0') => self.rang += 1,
            "epoll_wait" | "epoll_pwait" | "epoll_pwait2" => self.woken += 1,
            _ => *self.others.entry(name.to_owned()).or_default() += 1,
        }
    }
}

/// strace attached to a running process.
struct Trace {
    strace: Child,
    file: std::path::PathBuf,
}

impl Trace {
    fn start(pid: u32) -> Self {
        let file = std::env::temp_dir().join(format!("swim-campaign-strace-{}-{pid}", std::process::id()));
        let strace = Command::new("strace")
            .args(["-f", "-ttt", "-qq", "-o"])
            .arg(&file)
            .args(["-p", &pid.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("strace starts");
        Self { strace, file }
    }

    /// Detaches, and counts the calls of the window.
    fn end(mut self, window: Window) -> Counts {
        let pid = rustix::process::Pid::from_child(&self.strace);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        let _ = self.strace.wait();
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        let _ = std::fs::remove_file(&self.file);
        count(&text, &window)
    }
}

/// Counts what strace printed: `thread seconds name(arguments) = result`, a call that another thread's came between
/// in two lines. Each call counts when its last line began.
fn count(text: &str, window: &Window) -> Counts {
    let mut counts = Counts::default();
    let mut unfinished = BTreeMap::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.trim().split_once(' ') else { continue };
        let Some((at, call)) = rest.trim_start().split_once(' ') else { continue };
        let name = call.split('(').next().unwrap_or_default();
        if call.ends_with("<unfinished ...>") {
            unfinished.insert(thread, name);
            continue;
        }
        let name = if call.starts_with("<... ") { unfinished.remove(thread) } else { Some(name) };
        let (Some(name), Some((_, result))) = (name, call.rsplit_once(" = ")) else { continue };
        // A wait that only noticed that strace came or went.
        let disturbed = ["ERESTART", "EINTR", "<detached"].iter().any(|word| call.contains(word));
        let at = at.parse().map(|at| SystemTime::UNIX_EPOCH + Duration::from_secs_f64(at));
        if at.is_ok_and(|at| window.contains(&at)) && !disturbed && name != "restart_syscall" {
            counts.add(name, result.trim());
        }
    }
    counts
}

/// What is counted in a text that is known: otherwise a changed format of strace's would look like rest.
fn counting_works(report: &mut Report) {
    let text = "7 100.5 sendto(3, \"x\", 1) = 1
        7 101.0 sendto(3, \"x\", 1) = 1
        7 101.1 epoll_wait(4,  <unfinished ...>
        8 101.2 recvfrom(3, \"x\", 1) = 1
        8 101.3 recvfrom(3, 0x1) = -1 EAGAIN (Resource temporarily unavailable)
        8 101.4 read(0,  <unfinished ...>
        7 101.5 <... epoll_wait resumed>[], 8, 500) = 0
        8 101.6 <... read resumed>0x1, 9) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
        7 101.7 timerfd_settime(5, 0, 0, NULL) = 0
        7 102.0 sendto(3, \"x\", 1) = 1";
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let counts = count(text, &(at(101)..at(102)));
    let others = BTreeMap::from([("timerfd_settime".to_owned(), 1)]);
    let expected = Counts { sent: 1, received: 1, empty: 1, woken: 0, rang: 1, others };
    report.must(counts == expected, format!("calls are counted by what they are for and when: {counts:?}"));
}

impl Drop for Trace {
    fn drop(&mut self) {
        let _ = self.strace.kill();
        let _ = self.strace.wait();
    }
}

fn strace_works() -> Result<(), String> {
    let output = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            Err(format!("strace does not work: {}", String::from_utf8_lossy(&output.stderr).trim()))
        }
        Err(error) => Err(format!("strace: {error}")),
    }
}
